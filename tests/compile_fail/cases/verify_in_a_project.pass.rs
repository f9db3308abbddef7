//! A project is no environment.

use access_keys::{AccessKeys, Denial, EnvironmentId, Grant, ProjectId};

pub async fn handle(
    keys: &AccessKeys,
    token: &str,
    project: &ProjectId,
    env: &EnvironmentId,
) -> Result<Grant, Denial> {
    keys.verify(token, env).await
}

fn main() {}
