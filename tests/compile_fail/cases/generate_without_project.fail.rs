//! A key is made inside a project and on behalf of an actor.

use access_keys::{AccessKeys, Actor, Error, Issued, ProjectId, Review};

pub async fn make(
    keys: &AccessKeys,
    project: ProjectId,
    ada: Actor,
    review: Review,
) -> Result<Issued, Error> {
    keys.generate(review).await
}

fn main() {}
