//! A grant that nobody asks is most likely a forgotten check.

#![deny(unused_must_use)]

use access_keys::{AccessKeys, AgentId, Denial, EnvironmentId};

pub async fn handle(
    keys: &AccessKeys,
    token: &str,
    env: &EnvironmentId,
    agent: &AgentId,
) -> Result<(), Denial> {
    keys.verify(token, env).await?.require_agent(agent)?;
    let _ = agent;
    Ok(())
}

fn main() {}
