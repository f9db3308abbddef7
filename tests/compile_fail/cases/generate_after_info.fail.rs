//! A draft without its agents is not a review.

use access_keys::{Draft, Error, Issued, KeyInfo, ProjectKeys};

pub async fn make(project: &ProjectKeys, draft: Draft, info: KeyInfo) -> Result<Issued, Error> {
    project.generate(draft.info(info)).await
}

fn main() {}
