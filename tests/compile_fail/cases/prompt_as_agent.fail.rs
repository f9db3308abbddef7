//! A prompt is no agent, whatever their ids.

use access_keys::{Denial, Grant, PromptId};

pub fn ask(grant: &Grant, prompt: &PromptId) -> Result<(), Denial> {
    grant.require_agent(prompt)
}

fn main() {}
