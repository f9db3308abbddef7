//! The environment cannot be forgotten.

use access_keys::{AccessKeys, Denial, EnvironmentId, Grant};

pub async fn handle(keys: &AccessKeys, token: &str, env: &EnvironmentId) -> Result<Grant, Denial> {
    keys.verify(token).await
}

fn main() {}
