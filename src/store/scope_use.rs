//! What a key was used for, and when.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::quiet::read_quietly;
use crate::domain::{KeyId, Resource, time};

/// Since when and until when a key was used for one agent or prompt, as far as that was recorded.
///
/// Coarse: a node notes a use that comes within the hour of one that it noted before no more, so the last use may
/// have been up to an hour and a half later.
///
/// ```
/// use access_keys::{AgentId, KeyId, store::ScopeUse};
///
/// let (key, now) = (KeyId::new("7Hq2LkP9sTz4WcX1")?, std::time::SystemTime::now());
/// let used = ScopeUse::new(key, AgentId::new("support-bot")?, now);
/// assert_eq!(used.resource.to_string(), "agent:support-bot");
/// assert_eq!(used.since, used.at);
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ScopeUse {
    /// The key.
    pub key: KeyId,
    /// The agent or the prompt.
    pub resource: Resource,
    /// When its first use was recorded.
    #[serde(with = "time")]
    pub since: DateTime<Utc>,
    /// When it was last used; not before `since`.
    #[serde(with = "time")]
    pub at: DateTime<Utc>,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    ScopeUse {
        key: KeyId,
        resource: Resource,
        #[serde(with = "time")]
        since: DateTime<Utc>,
        #[serde(with = "time")]
        at: DateTime<Utc>,
    }
}

impl ScopeUse {
    /// How many agents, and how many prompts, a store keeps for each key at least. It may drop uses of further ones
    /// once it keeps one more than so many of a kind: then it is known that there were more.
    pub const KEPT: usize = 100;

    /// One use at `at`.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    #[must_use]
    pub fn new(key: KeyId, resource: impl Into<Resource>, at: impl Into<DateTime<Utc>>) -> Self {
        let at = time::micros(at.into());
        Self { key, resource: resource.into(), since: at, at }
    }

    /// The same, with a first use at `since`, if that is earlier.
    #[must_use]
    pub fn since(mut self, since: impl Into<DateTime<Utc>>) -> Self {
        self.since = time::micros(since.into()).min(self.since);
        self
    }

    /// This use and another of the same key and resource as one: from the earlier beginning to the later end.
    ///
    /// ```
    /// # use access_keys::{AgentId, KeyId, store::ScopeUse};
    /// # let (key, bot) = (KeyId::new("7Hq2LkP9sTz4WcX1")?, AgentId::new("support-bot")?);
    /// # let (early, late) = (std::time::SystemTime::UNIX_EPOCH, std::time::SystemTime::now());
    /// let [one, other] = [late, early].map(|at| ScopeUse::new(key, bot.clone(), at));
    /// let both = one.clone().and(&other);
    /// assert_eq!((both.since, both.at), (other.at, one.at));
    /// # Ok::<(), access_keys::Invalid>(())
    /// ```
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.since = self.since.min(other.since);
        self.at = self.at.max(other.at);
        self
    }
}
