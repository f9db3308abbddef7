//! What was found.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::domain::{AccessKey, AgentId, IdSet, PromptId, ResourceId, Scope, time};

/// A key, and what was found about it: something at least.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFindings {
    /// The key as it is now.
    pub key: AccessKey,
    /// What was found, in the order of [`Finding`]'s variants.
    pub findings: Vec<Finding>,
}

/// Something about a key that a person may want to change. In words for that person:
///
/// ```
/// use access_keys::{AgentId, IdSet, Scope, lifecycle::hygiene::Finding};
///
/// # let since = std::time::SystemTime::now().into();
/// let used = IdSet::new([AgentId::new("support-bot")?, AgentId::new("triage")?])?;
/// let finding = Finding::AgentsUnused { scope: Scope::All, used, since };
/// assert_eq!(finding.to_string(), "may reach all agents, has used 2: support-bot, triage");
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It was never used.
    NeverUsed {
        /// When it was made.
        created_at: DateTime<Utc>,
    },
    /// It was not used lately.
    Idle {
        /// When it was last used; `None` for never.
        last_used: Option<DateTime<Utc>>,
        /// When it was made.
        created_at: DateTime<Utc>,
    },
    /// It ends soon.
    Expiring {
        /// The first moment at which it is refused.
        expires_at: DateTime<Utc>,
        /// When it was looked at.
        now: DateTime<Utc>,
    },
    /// It reaches agents that it was not used for.
    AgentsUnused {
        /// What it may reach.
        scope: Scope<AgentId>,
        /// What it was used for, of that.
        used: IdSet<AgentId>,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It reaches prompts that it was not used for.
    PromptsUnused {
        /// What it may reach.
        scope: Scope<PromptId>,
        /// What it was used for, of that.
        used: IdSet<PromptId>,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It names agents that the host does not have.
    AgentsUnknown {
        /// Those.
        ids: IdSet<AgentId>,
    },
    /// It names prompts that the host does not have.
    PromptsUnknown {
        /// Those.
        ids: IdSet<PromptId>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverUsed { created_at } | Self::Idle { last_used: None, created_at } => {
                write!(f, "never used since it was made on {}", day(*created_at))
            }
            Self::Idle { last_used: Some(time), .. } => write!(f, "last used on {}", day(*time)),
            Self::Expiring { expires_at, now } => {
                write!(f, "expires {}", time::in_words(Some(*expires_at), *now))
            }
            Self::AgentsUnused { scope, used, .. } => write_unused(f, "agent", scope, used),
            Self::PromptsUnused { scope, used, .. } => write_unused(f, "prompt", scope, used),
            Self::AgentsUnknown { ids } => write_unknown(f, "agent", ids),
            Self::PromptsUnknown { ids } => write_unknown(f, "prompt", ids),
        }
    }
}

fn day(time: DateTime<Utc>) -> impl fmt::Display {
    time.format("%Y-%m-%d")
}

fn write_unused<T: ResourceId>(
    f: &mut fmt::Formatter<'_>,
    noun: &str,
    scope: &Scope<T>,
    used: &IdSet<T>,
) -> fmt::Result {
    match scope {
        Scope::All => write!(f, "may reach all {noun}s")?,
        Scope::Specific(ids) if ids.len() == 1 => write!(f, "may reach 1 {noun}")?,
        Scope::Specific(ids) => write!(f, "may reach {} {noun}s", ids.len())?,
    }
    if used.is_empty() && matches!(scope, Scope::Specific(ids) if ids.len() == 1) {
        return f.write_str(", has not used it");
    }
    if used.is_empty() {
        return f.write_str(", has used none of them");
    }
    write!(f, ", has used {}: {used}", used.len())
}

fn write_unknown<T: ResourceId>(f: &mut fmt::Formatter<'_>, noun: &str, ids: &IdSet<T>) -> fmt::Result {
    match ids.len() {
        1 => write!(f, "names 1 {noun} that no longer exists: {ids}"),
        number => write!(f, "names {number} {noun}s that no longer exist: {ids}"),
    }
}
