//! A grant comes from a verification, and from nothing else.

use access_keys::{Denial, EnvironmentId, Grant, Verifier};

pub async fn forge(verifier: &Verifier, token: &str, env: &EnvironmentId) -> Result<Grant, Denial> {
    Ok(Grant::default())
}

fn main() {}
