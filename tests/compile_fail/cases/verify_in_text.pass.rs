//! The environment is a checked id, so that it is not mixed up with the token.

use access_keys::{AccessKeys, Denial, EnvironmentId, Grant};

pub async fn handle(keys: &AccessKeys, token: &str, env: &EnvironmentId) -> Result<Grant, Denial> {
    keys.verify(token, env).await
}

fn main() {}
