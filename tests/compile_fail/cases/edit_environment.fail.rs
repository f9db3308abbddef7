//! No edit changes the environment of a key.

use access_keys::{AgentId, Edit, EnvironmentId, Scope};

pub fn edit(environment: EnvironmentId, agents: Scope<AgentId>) -> Edit {
    Edit::new().environment(environment)
}

fn main() {}
