//! A verifier verifies: who holds one cannot manage.

use access_keys::{Change, Error, KeyId, ProjectKeys, Verifier};

pub async fn end(verifier: &Verifier, project: &ProjectKeys, id: KeyId) -> Result<Change, Error> {
    verifier.revoke(id, "leaked").await
}

fn main() {}
