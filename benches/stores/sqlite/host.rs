//! A host over the file.

use std::hint::black_box;

use access_keys::store::SqliteStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, ProjectId, ProjectKeys};

pub(crate) type Keys = AccessKeys<SqliteStore>;

pub(crate) fn production() -> EnvironmentId {
    EnvironmentId::new("production").expect("an id of 10 letters")
}

pub(crate) fn checkout(keys: &Keys) -> ProjectKeys<SqliteStore> {
    let (project, actor) = (ProjectId::new("checkout"), Actor::user("ada"));
    keys.project(project.expect("an id of 8 letters"), actor.expect("an id of 3 letters"))
}

/// Verifies every token once.
pub(crate) fn verify<'t>(keys: &Keys, tokens: impl IntoIterator<Item = &'t String>) {
    let production = production();
    for token in tokens {
        let grant = pollster::block_on(keys.verify(black_box(token), black_box(&production)));
        assert!(grant.is_ok(), "{grant:?}");
    }
}
