//! A later version may tell more of a refusal.

use access_keys::{Denial, KeyId};

pub fn paused(denial: &Denial) -> Option<KeyId> {
    match denial {
        Denial::Inactive { key } => Some(*key),
        _ => None,
    }
}

fn main() {}
