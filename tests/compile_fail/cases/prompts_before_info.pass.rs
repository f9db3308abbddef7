//! A draft begins with the key info: prompts come third.

use access_keys::{Draft, KeyInfo, Scope};

pub fn steps(draft: Draft, info: KeyInfo) {
    let _ = draft.info(info).agents(Scope::All).prompts(Scope::All);
}

fn main() {}
