//! A step consumes the draft before it: one draft makes one key.

use access_keys::{KeyInfo, ProjectKeys, Scope};

pub fn two(project: &ProjectKeys, first: KeyInfo, second: KeyInfo) {
    let draft = project.draft();
    let _ = draft.info(first).agents(Scope::All);
    let _ = project.draft().info(second).agents(Scope::All);
}

fn main() {}
