//! What a key was used for.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;
use super::{AgentId, Field, Invalid, PromptId, Rule};

/// An agent or a prompt, where it may be either.
///
/// Written as `agent:support-bot` or `prompt:greeting`.
///
/// ```
/// use access_keys::AgentId;
/// use access_keys::domain::Resource;
///
/// let resource = Resource::from(AgentId::new("support-bot")?);
/// assert_eq!(resource.to_string(), "agent:support-bot");
/// assert_eq!("agent:support-bot".parse::<Resource>()?, resource);
/// assert_ne!("prompt:support-bot".parse::<Resource>()?, resource);
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// An agent.
    Agent(AgentId),
    /// A prompt.
    Prompt(PromptId),
}

impl Resource {
    /// The id, without its kind.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Agent(id) => id.as_str(),
            Self::Prompt(id) => id.as_str(),
        }
    }

    /// Whether it is an agent.
    #[must_use]
    pub const fn is_agent(&self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

impl From<AgentId> for Resource {
    fn from(id: AgentId) -> Self {
        Self::Agent(id)
    }
}

impl From<PromptId> for Resource {
    fn from(id: PromptId) -> Self {
        Self::Prompt(id)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({self})")
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_agent() { "agent" } else { "prompt" };
        write!(f, "{kind}:{}", self.id())
    }
}

impl FromStr for Resource {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some(("agent", id)) => AgentId::new(id).map(Self::Agent),
            Some(("prompt", id)) => PromptId::new(id).map(Self::Prompt),
            _ => {
                let rule = Rule::Unreadable { expected: "agent:… or prompt:…", given: text.len() };
                Err(Invalid::new(Field::Resource, rule))
            }
        }
    }
}

serde_as_text!(Resource);
