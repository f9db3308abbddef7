//! What to look for.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::{AgentId, Cursor, EnvironmentId, KeyQuery, PromptId};

/// What to look for among the keys of a project, and among which. Nothing unless it is asked for.
///
/// The limit is how many keys are looked at for a page, 1 to 1,000, 50 unless set.
///
/// ```
/// use std::time::Duration;
/// use access_keys::lifecycle::hygiene::HygieneQuery;
/// # use access_keys::{AccessKeys, Actor, ProjectId, store::MemoryStore};
///
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// let day = Duration::from_secs(86_400);
/// let query = HygieneQuery::default()
///     .limit(1_000)
///     .idle_since(project.now() - 90 * day)
///     .expiring_before(project.now() + 14 * day)
///     .wider_than_used(project.now() - 30 * day);
/// # let _ = query;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HygieneQuery {
    /// How many keys to look at, 1 to 1,000.
    pub limit: usize,
    /// Only keys that come after this position.
    pub after: Option<Cursor>,
    /// Only keys of this environment.
    pub environment: Option<EnvironmentId>,
    /// Whether to tell of keys that were never used.
    pub never_used: bool,
    /// Tells of keys that were made before this and not used since.
    pub idle_since: Option<DateTime<Utc>>,
    /// Tells of keys that expire before this.
    pub expiring_before: Option<DateTime<Utc>>,
    /// Tells of keys that reach more than what they were used for since this.
    pub wider_than_used: Option<DateTime<Utc>>,
    /// Tells of keys that name an agent that is none of these.
    pub agents_known: Option<Arc<BTreeSet<AgentId>>>,
    /// Tells of keys that name a prompt that is none of these.
    pub prompts_known: Option<Arc<BTreeSet<PromptId>>>,
}

impl Default for HygieneQuery {
    fn default() -> Self {
        Self {
            limit: KeyQuery::default().limit,
            after: None,
            environment: None,
            never_used: false,
            idle_since: None,
            expiring_before: None,
            wider_than_used: None,
            agents_known: None,
            prompts_known: None,
        }
    }
}

impl HygieneQuery {
    /// How many keys to look at for a page, 1 to 1,000.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on after this position, usually [`Page::next`](crate::Page::next).
    #[must_use]
    pub fn after(mut self, after: impl Into<Option<Cursor>>) -> Self {
        self.after = after.into();
        self
    }

    /// Only keys of this environment.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<Option<EnvironmentId>>) -> Self {
        self.environment = environment.into();
        self
    }

    /// Tells of keys that were never used.
    #[must_use]
    pub const fn never_used(mut self) -> Self {
        self.never_used = true;
        self
    }

    /// Tells of keys that were made before `time` and not used since.
    #[must_use]
    pub fn idle_since(mut self, time: impl Into<DateTime<Utc>>) -> Self {
        self.idle_since = Some(time.into());
        self
    }

    /// Tells of keys that expire before `time` and have not yet.
    #[must_use]
    pub fn expiring_before(mut self, time: impl Into<DateTime<Utc>>) -> Self {
        self.expiring_before = Some(time.into());
        self
    }

    /// Tells of keys that reach agents or prompts that they were not used for since `time`.
    ///
    /// Only where it is known: of a kind of which the first use of the key was recorded by then, of which it was used
    /// since, and for no more than 100. So choose a time that is past for as long as a key may go without what it
    /// needs now and then.
    #[must_use]
    pub fn wider_than_used(mut self, time: impl Into<DateTime<Utc>>) -> Self {
        self.wider_than_used = Some(time.into());
        self
    }

    /// Tells of keys that name an agent that the host does not have any more: `agents` are all that it has.
    #[must_use]
    pub fn agents_known(mut self, agents: impl IntoIterator<Item = AgentId>) -> Self {
        self.agents_known = Some(Arc::new(agents.into_iter().collect()));
        self
    }

    /// Tells of keys that name a prompt that the host does not have any more: `prompts` are all that it has.
    #[must_use]
    pub fn prompts_known(mut self, prompts: impl IntoIterator<Item = PromptId>) -> Self {
        self.prompts_known = Some(Arc::new(prompts.into_iter().collect()));
        self
    }

    /// The page of keys to look at.
    pub(super) fn keys(&self) -> KeyQuery {
        KeyQuery::default().limit(self.limit).after(self.after).environment(self.environment.clone())
    }
}
