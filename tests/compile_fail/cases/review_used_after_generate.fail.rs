//! A review is generated once; who may have to try again keeps a clone.

use access_keys::{Error, Issued, ProjectKeys, Review};

pub async fn make(project: &ProjectKeys, review: Review) -> Result<(Issued, Review), Error> {
    let issued = project.generate(review).await?;
    Ok((issued, review))
}

fn main() {}
