//! A grant is asked about an id, not about text.

use access_keys::{AgentId, Denial, Grant};

pub fn ask(grant: &Grant, agent: &AgentId) -> Result<(), Denial> {
    grant.require_agent("support-bot")
}

fn main() {}
