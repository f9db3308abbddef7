//! A review comes from the steps or from a form, never from its parts.

use access_keys::{AgentId, Invalids, KeyForm, KeyInfo, PromptId, Review, Scope};

pub fn made(
    info: KeyInfo,
    agents: Scope<AgentId>,
    prompts: Scope<PromptId>,
    form: &KeyForm,
) -> Result<Review, Invalids> {
    form.review(std::time::SystemTime::now())
}

fn main() {}
