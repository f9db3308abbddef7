//! No edit moves a key to another project.

use access_keys::{AgentId, Edit, ProjectId, Scope};

pub fn edit(project: ProjectId, agents: Scope<AgentId>) -> Edit {
    Edit::new().agents(agents)
}

fn main() {}
