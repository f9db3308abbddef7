//! A verifier gives nobody the keys of a project.

use access_keys::{AccessKeys, Actor, ProjectId, ProjectKeys, Verifier};

pub fn manage(keys: &AccessKeys, verifier: &Verifier, project: ProjectId, ada: Actor) -> ProjectKeys {
    keys.project(project, ada)
}

fn main() {}
