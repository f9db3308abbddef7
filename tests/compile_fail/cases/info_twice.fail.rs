//! The key info is given once.

use access_keys::{Draft, KeyInfo};

pub fn steps(draft: Draft, first: KeyInfo, second: KeyInfo) {
    let _ = draft.info(first).info(second);
}

fn main() {}
