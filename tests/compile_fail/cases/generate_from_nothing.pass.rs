//! A draft that has only begun is not a review.

use access_keys::{Draft, Error, Issued, KeyInfo, ProjectKeys};

pub async fn make(project: &ProjectKeys, draft: Draft, info: KeyInfo) -> Result<Issued, Error> {
    project.generate(draft.info(info).agents(access_keys::Scope::All).prompts(access_keys::Scope::All)?).await
}

fn main() {}
