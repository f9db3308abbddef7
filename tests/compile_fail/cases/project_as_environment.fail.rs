//! A key is made for an environment, and a project is none.

use access_keys::{EnvironmentId, Invalid, KeyInfo, ProjectId};

pub fn info(project: ProjectId, environment: EnvironmentId) -> Result<KeyInfo, Invalid> {
    KeyInfo::new("Mobile app", project)
}

fn main() {}
