//! A later version may refuse for another reason.

use access_keys::Denial;

pub fn words(denial: &Denial) -> &'static str {
    match denial {
        Denial::Malformed { .. } | Denial::Unrecognized { .. } => "no such key",
        Denial::Inactive { .. } | Denial::Revoked { .. } | Denial::Expired { .. } => "not any more",
        Denial::WrongEnvironment { .. } => "not here",
        Denial::AgentNotInScope { .. } | Denial::PromptNotInScope { .. } => "not that",
        Denial::Unavailable { .. } => "not now",
        _ => "no",
    }
}

fn main() {}
