//! A key is revoked inside a project and on behalf of an actor.

use access_keys::{AccessKeys, Actor, Change, Error, KeyId, ProjectId};

pub async fn end(keys: &AccessKeys, project: ProjectId, ada: Actor, id: KeyId) -> Result<Change, Error> {
    keys.revoke(id, "leaked").await
}

fn main() {}
