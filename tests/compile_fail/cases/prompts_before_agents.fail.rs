//! The step of the agents cannot be skipped.

use access_keys::{Draft, KeyInfo, Scope};

pub fn steps(draft: Draft, info: KeyInfo) {
    let _ = draft.info(info).prompts(Scope::All);
}

fn main() {}
