//! A revocation says why.

use access_keys::{Change, Error, KeyId, ProjectKeys};

pub async fn end(project: &ProjectKeys, id: KeyId) -> Result<Change, Error> {
    project.revoke(id, "leaked in a public repository").await
}

fn main() {}
