//! Management says on whose behalf it is done.

use access_keys::{AccessKeys, Actor, ProjectId, ProjectKeys};

pub fn manage(keys: &AccessKeys, project: ProjectId, ada: Actor) -> ProjectKeys {
    keys.project(project)
}

fn main() {}
