//! A draft without its prompts is not a review.

use access_keys::{Draft, Error, Issued, KeyInfo, ProjectKeys, Scope};

pub async fn make(project: &ProjectKeys, draft: Draft, info: KeyInfo) -> Result<Issued, Error> {
    project.generate(draft.info(info).agents(Scope::All).prompts(Scope::All)?).await
}

fn main() {}
