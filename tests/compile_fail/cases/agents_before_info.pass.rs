//! A draft begins with the key info: agents come second.

use access_keys::{Draft, KeyInfo, Scope};

pub fn steps(draft: Draft, info: KeyInfo) {
    let _ = draft.info(info).agents(Scope::All);
}

fn main() {}
