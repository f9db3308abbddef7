//! The scope of the agents says nothing of prompts.

use access_keys::{AgentId, Draft, Invalid, KeyInfo, PromptId, Review, Scope};

pub fn steps(
    draft: Draft,
    info: KeyInfo,
    agents: Scope<AgentId>,
    prompts: Scope<PromptId>,
) -> Result<Review, Invalid> {
    draft.info(info).agents(agents.clone()).prompts(prompts)
}

fn main() {}
