//! A stored key is read back as it was stored, never put together.

use access_keys::store::StoredKey;

pub fn forge(stored: StoredKey) -> StoredKey {
    stored.clone()
}

fn main() {}
