//! A grant has no public fields to build it from.

use access_keys::Grant;

pub fn forge(grant: Grant) -> Grant {
    grant.clone()
}

fn main() {}
