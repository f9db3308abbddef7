//! After the prompts there is a review to read, and no way back to the agents.

use access_keys::{Draft, Invalid, KeyInfo, Review, Scope};

pub fn steps(draft: Draft, info: KeyInfo) -> Result<Review, Invalid> {
    let review = draft.info(info).agents(Scope::none()).prompts(Scope::All)?;
    review.agents(Scope::All);
    Ok(review)
}

fn main() {}
