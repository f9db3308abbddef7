//! The last step: what the key will be, for a person to decide on.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{AgentId, EnvironmentId, Invalid, KeyInfo, PromptId, Scope, time};

/// A complete draft: prints what the key will reach and when it ends, and is then generated.
///
/// It belongs to no project until [`generate`](crate::ProjectKeys::generate), and can be cloned, so that a
/// store that failed does not lose it.
///
/// ```
/// # use std::time::SystemTime;
/// # use access_keys::{AgentId, Draft, EnvironmentId, KeyInfo, Scope};
/// # let review = Draft::at(SystemTime::now())
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::specific([AgentId::new("support-bot")?])?)
/// #     .prompts(Scope::All)?;
/// assert_eq!(review.to_string(), "\
/// Name         Mobile app
/// Environment  production (fixed for the life of the key)
/// Agents       only the agent support-bot
/// Prompts      all prompts, including those created later
/// Expires      never");
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing exists until the review is generated"]
pub struct Review {
    info: KeyInfo,
    agents: Scope<AgentId>,
    prompts: Scope<PromptId>,
    now: DateTime<Utc>,
}

impl Review {
    pub(super) const fn new(
        info: KeyInfo,
        agents: Scope<AgentId>,
        prompts: Scope<PromptId>,
        now: DateTime<Utc>,
    ) -> Self {
        Self { info, agents, prompts, now }
    }

    /// What the key will be called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// What the key will be for; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.info.description
    }

    /// Where the key will be valid.
    #[must_use]
    pub const fn environment(&self) -> &EnvironmentId {
        &self.info.environment
    }

    /// The first moment at which the key will be refused; `None` is never.
    #[must_use]
    pub const fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.info.expires_at
    }

    /// The agents that the key will be allowed to call.
    #[must_use]
    pub const fn agents(&self) -> &Scope<AgentId> {
        &self.agents
    }

    /// The prompts that the key will be allowed to call.
    #[must_use]
    pub const fn prompts(&self) -> &Scope<PromptId> {
        &self.prompts
    }

    /// The one rule that time can break between the review and its generation.
    pub(crate) fn check_expiry(&self, now: DateTime<Utc>) -> Result<(), Invalid> {
        time::check_expiry(self.info.expires_at, now)
    }
}

/// When it was reviewed makes no difference.
impl PartialEq for Review {
    fn eq(&self, other: &Self) -> bool {
        self.info == other.info && self.agents == other.agents && self.prompts == other.prompts
    }
}

impl Eq for Review {}

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Name         {}", self.name())?;
        for (i, line) in self.description().lines().enumerate() {
            writeln!(f, "{:<13}{line}", if i == 0 { "Description" } else { "" })?;
        }
        writeln!(f, "Environment  {} (fixed for the life of the key)", self.environment())?;
        writeln!(f, "Agents       {}", self.agents)?;
        writeln!(f, "Prompts      {}", self.prompts)?;
        write!(f, "Expires      {}", time::in_words(self.expires_at(), self.now))
    }
}
