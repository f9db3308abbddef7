//! A draft begins with the key info: prompts come third.

use access_keys::{Draft, KeyInfo, Scope};

pub fn steps(draft: Draft, info: KeyInfo) {
    let _ = draft.prompts(Scope::All);
}

fn main() {}
