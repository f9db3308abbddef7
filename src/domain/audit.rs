//! What was done, by whom, and what it changed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::quiet::{self, read_quietly};
use super::text::words;
use super::{
    AccessKey, Actor, AgentId, EventId, Field, IdSet, KeyId, OperationId, ProjectId, PromptId, ResourceId,
    Revision, Scope, Status, time,
};

words! {
    /// What can be done to a key.
    Action (Field::Action, "created, edited, activated, deactivated, rotated or revoked") {
        /// It was made, and its first token issued.
        Created = "created",
        /// Its name, description, expiry or scope was changed.
        Edited = "edited",
        /// It was set active again.
        Activated = "activated",
        /// It was paused.
        Deactivated = "deactivated",
        /// A new secret was issued for it.
        Rotated = "rotated",
        /// It was ended for ever.
        Revoked = "revoked",
    }
}

/// The record of one management action, stored together with what it changed.
///
/// Reading one from serde passes over fields that are not known here, so that a later version can add some; an
/// absent field is an error, and so is anything unknown within a change.
///
/// ```
/// use access_keys::{AccessKeys, Actor, AuditQuery, EnvironmentId, KeyInfo, ProjectId, Scope};
/// use access_keys::{domain::Action, store::MemoryStore};
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// let review = project.draft()
///     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
///     .agents(Scope::All)
///     .prompts(Scope::All)?;
/// let key = project.generate(review).await?.key;
/// project.revoke(key.id, "no longer sold").await?;
///
/// let events = project.history(AuditQuery::default().key(key.id)).await?.items; // newest first
/// assert_eq!(events[0].action, Action::Revoked);
/// assert_eq!(events[0].reason.as_deref(), Some("no longer sold"));
/// assert_eq!(events[1].to_string(), format!("user:ada created the key {}", key.id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditEvent {
    /// Its own name.
    pub id: EventId,
    /// The project in which it happened.
    pub project: ProjectId,
    /// The key that it happened to.
    pub key: KeyId,
    /// When; later than every earlier event of the same key.
    #[serde(with = "time")]
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// The key's revision since then.
    pub revision: Revision,
    /// What it changed, before and after.
    pub changes: Vec<FieldChange>,
    /// Why, for a revocation; may be empty.
    pub reason: Option<String>,
    /// The operation of which it was a part.
    pub operation: Option<OperationId>,
}

read_quietly! {
    AuditEvent {
        id: EventId,
        project: ProjectId,
        key: KeyId,
        #[serde(with = "time")]
        at: DateTime<Utc>,
        actor: Actor,
        action: Action,
        revision: Revision,
        changes: Vec<FieldChange>,
        #[serde(deserialize_with = "Option::deserialize")]
        reason: Option<String>,
        #[serde(deserialize_with = "Option::deserialize")]
        operation: Option<OperationId>,
    }
}

/// One line: who did what to which key.
impl fmt::Display for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} the key {}", self.actor, self.action, self.key)?;
        for (i, change) in self.changes.iter().filter(|c| !matches!(c, FieldChange::Key(_))).enumerate() {
            write!(f, "{} {change}", if i == 0 { ":" } else { ";" })?;
        }
        match self.reason.as_deref() {
            None | Some("") => Ok(()),
            Some(reason) => write!(f, ", because: {reason:?}"),
        }
    }
}

/// One thing that an action changed, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FieldChange {
    /// The key, as it was made.
    Key(Box<AccessKey>),
    /// Its name.
    #[non_exhaustive]
    Name {
        /// As it was.
        before: String,
        /// As it is now.
        after: String,
    },
    /// Its description.
    #[non_exhaustive]
    Description {
        /// As it was.
        before: String,
        /// As it is now.
        after: String,
    },
    /// Its expiry.
    #[non_exhaustive]
    ExpiresAt {
        /// As it was; `None` is never.
        #[serde(with = "time::expiry")]
        before: Option<DateTime<Utc>>,
        /// As it is now; `None` is never.
        #[serde(with = "time::expiry")]
        after: Option<DateTime<Utc>>,
    },
    /// The agents that it may call.
    Agents(ScopeChange<AgentId>),
    /// The prompts that it may call.
    Prompts(ScopeChange<PromptId>),
    /// Its status.
    #[non_exhaustive]
    Status {
        /// As it was.
        before: Status,
        /// As it is now.
        after: Status,
    },
    /// Its secret.
    #[non_exhaustive]
    Secret {
        /// The number of the new secret: 1 for the first one of the key.
        generation: u32,
        /// When the secret before it ends.
        #[serde(with = "time")]
        old_secret_ends_at: DateTime<Utc>,
    },
}

impl FieldChange {
    /// Whether the key can do something since then that it could not do before: call more, or for longer.
    ///
    /// A specific set from which some went out and into which others came both widens and narrows. Statuses, secrets and
    /// words do neither.
    #[must_use]
    pub fn widens(&self) -> bool {
        match self {
            Self::Agents(change) => change.widens(),
            Self::Prompts(change) => change.widens(),
            // Never is later than every time.
            Self::ExpiresAt { before, after } => {
                before.is_some_and(|before| after.is_none_or(|end| end > before))
            }
            _ => false,
        }
    }

    /// Whether the key can no longer do something that it could do before. See [`widens`](Self::widens).
    #[must_use]
    pub fn narrows(&self) -> bool {
        match self {
            Self::Agents(change) => change.narrows(),
            Self::Prompts(change) => change.narrows(),
            Self::ExpiresAt { before, after } => {
                after.is_some_and(|end| before.is_none_or(|before| end < before))
            }
            _ => false,
        }
    }
}

/// The serde form of a [`FieldChange`].
#[derive(Deserialize)]
#[serde(remote = "FieldChange", rename_all = "snake_case", deny_unknown_fields)]
enum FieldChangeForm {
    Key(Box<AccessKey>),
    Name {
        before: String,
        after: String,
    },
    Description {
        before: String,
        after: String,
    },
    ExpiresAt {
        #[serde(with = "time::expiry")]
        before: Option<DateTime<Utc>>,
        #[serde(with = "time::expiry")]
        after: Option<DateTime<Utc>>,
    },
    Agents(ScopeChange<AgentId>),
    Prompts(ScopeChange<PromptId>),
    Status {
        before: Status,
        after: Status,
    },
    Secret {
        generation: u32,
        #[serde(with = "time")]
        old_secret_ends_at: DateTime<Utc>,
    },
}

impl<'de> Deserialize<'de> for FieldChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quiet::read(deserializer, FieldChangeForm::deserialize)
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "new key {} in {}", key.id, key.environment),
            Self::Name { before, after } => write!(f, "name from {before:?} to {after:?}"),
            Self::Description { before, after } => write!(f, "description from {before:?} to {after:?}"),
            Self::ExpiresAt { before, after } => {
                write!(f, "expiry from {} to {}", time::for_people(*before), time::for_people(*after))
            }
            Self::Agents(change) => write!(f, "agents {change}"),
            Self::Prompts(change) => write!(f, "prompts {change}"),
            Self::Status { before, after } => write!(f, "status from {before} to {after}"),
            Self::Secret { generation, old_secret_ends_at } => {
                write!(
                    f,
                    "secret number {generation}, the old one ends at {}",
                    time::for_people(Some(*old_secret_ends_at))
                )
            }
        }
    }
}

/// How a scope was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", bound = "")]
#[non_exhaustive]
pub enum ScopeChange<T: ResourceId> {
    /// From one specific set to another.
    #[non_exhaustive]
    Ids {
        /// What came in.
        added: IdSet<T>,
        /// What went out.
        removed: IdSet<T>,
    },
    /// To all of them, or from all to a specific set.
    #[non_exhaustive]
    Whole {
        /// As it was.
        before: Scope<T>,
        /// As it is now.
        after: Scope<T>,
    },
}

/// The serde form of a [`ScopeChange`].
#[derive(Deserialize)]
#[serde(remote = "ScopeChange", rename_all = "snake_case", deny_unknown_fields, bound = "")]
enum ScopeChangeForm<T: ResourceId> {
    Ids { added: IdSet<T>, removed: IdSet<T> },
    Whole { before: Scope<T>, after: Scope<T> },
}

impl<'de, T: ResourceId> Deserialize<'de> for ScopeChange<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quiet::read(deserializer, ScopeChangeForm::deserialize)
    }
}

impl<T: ResourceId> ScopeChange<T> {
    /// Whether the key can call something since then that it could not call before.
    #[must_use]
    pub fn widens(&self) -> bool {
        match self {
            Self::Ids { added, .. } => !added.is_empty(),
            // Also from an id of every agent there is: all are those created later too.
            Self::Whole { after, .. } => matches!(after, Scope::All),
        }
    }

    /// Whether the key can no longer call something that it could call before.
    #[must_use]
    pub fn narrows(&self) -> bool {
        match self {
            Self::Ids { removed, .. } => !removed.is_empty(),
            Self::Whole { after, .. } => !matches!(after, Scope::All),
        }
    }

    /// `None` when nothing changed.
    pub(crate) fn between(before: &Scope<T>, after: &Scope<T>) -> Option<Self> {
        match (before, after) {
            _ if before == after => None,
            (Scope::Specific(old), Scope::Specific(new)) => {
                Some(Self::Ids { added: new.without(old), removed: old.without(new) })
            }
            _ => Some(Self::Whole { before: before.clone(), after: after.clone() }),
        }
    }

    /// Whether `scope` may be what came of it: exactly, but for ids that were and stayed in a specific set.
    pub(crate) fn leads_to(&self, scope: &Scope<T>) -> bool {
        match (self, scope) {
            (Self::Whole { after, .. }, _) => after == scope,
            (Self::Ids { added, removed }, Scope::Specific(ids)) => {
                added.without(ids).is_empty() && removed.without(ids) == *removed
            }
            (Self::Ids { .. }, Scope::All) => false,
        }
    }
}

impl<T: ResourceId> fmt::Display for ScopeChange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ids { added, removed } if removed.is_empty() => write!(f, "added {added}"),
            Self::Ids { added, removed } if added.is_empty() => write!(f, "removed {removed}"),
            Self::Ids { added, removed } => write!(f, "added {added} and removed {removed}"),
            Self::Whole { before, after } => write!(f, "from {before} to {after}"),
        }
    }
}
