//! What must be reported: leaks as one plants them.

use std::hint::black_box;

use access_keys::store::StoredKey;

use crate::Failure;
use crate::driver::{undefine, undefine_digests};
use crate::host::{Host, SECRET};

/// A comparison that ends at the first difference.
pub(crate) fn branch() -> Result<(), Failure> {
    let token = Host::new(false)?.good.token.expose().to_owned();
    let secret = &token.as_bytes()[SECRET];
    undefine(secret)?;
    let same = secret.iter().zip(b"0123").take_while(|(a, b)| black_box(a == b)).count();
    black_box(same);
    println!("compared");
    Ok(())
}

/// A table that is looked up at a place which the secret says.
pub(crate) fn index() -> Result<(), Failure> {
    let token = Host::new(false)?.good.token.expose().to_owned();
    let secret = &token.as_bytes()[SECRET];
    undefine(secret)?;
    let table = black_box([1_u8; 256]);
    black_box(secret.iter().fold(0_u8, |sum, byte| sum.wrapping_add(table[usize::from(*byte)])));
    println!("looked up");
    Ok(())
}

/// The equality of two stored keys, which is for stores to compare whole records: it ends at the first difference.
pub(crate) fn digest() -> Result<(), Failure> {
    let stored = Host::new(false)?.stored()?;
    let copy: StoredKey = serde_json::from_value(serde_json::to_value(&stored)?)?;
    undefine_digests(&stored)?;
    if stored != copy {
        return Err("a stored key is not its copy".into());
    }
    println!("equal");
    Ok(())
}
