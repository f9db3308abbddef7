//! What keys are made of.

use access_keys::AgentId;

/// An agent whose name has 40 bytes.
pub(crate) fn agent(i: usize) -> AgentId {
    AgentId::new(format!("agent-{i:034}")).expect("an id of 40 letters and digits")
}
