//! The record of a key holds nothing secret.

use access_keys::AccessKey;

pub fn read(key: &AccessKey) -> &str {
    &key.token
}

fn main() {}
