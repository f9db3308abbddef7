//! Questions about keys and about what was done to them.

use std::borrow::Borrow;

use chrono::{DateTime, Utc};

use super::{
    AccessKey, Action, Actor, AgentId, AuditEvent, Cursor, EnvironmentId, Field, Invalid, KeyId, KeyState,
    OperationId, Page, PromptId, Rule, Status, Unit, text,
};

const LIMIT: usize = 50;
const LIMIT_MAX: usize = 1_000;

/// Setters of the fields' own names; each takes a value, or an `Option` to clear it.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: impl Into<Option<$type>>) -> Self {
            self.$field = $field.into();
            self
        }
    )*};
}

/// Which keys of a project to list, newest first. Filters that are set must all be met.
///
/// The limit is 1 to 1,000, 50 unless set.
///
/// ```
/// use access_keys::{AgentId, KeyQuery, KeyState};
///
/// let query = KeyQuery::default()
///     .limit(20)
///     .state(KeyState::Active)
///     .agent(AgentId::new("support-bot")?); // reached by id or by "all agents"
/// # let _ = query;
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyQuery {
    /// How many keys to a page, 1 to 1,000.
    pub limit: usize,
    /// Only keys that come after this position.
    pub after: Option<Cursor>,
    /// Only keys that were set to this.
    pub status: Option<Status>,
    /// Only keys that are this at [`now`](Self::now).
    pub state: Option<KeyState>,
    /// Only keys of this environment.
    pub environment: Option<EnvironmentId>,
    /// Only keys whose name contains this, compared after `to_lowercase`; at most 100 characters.
    pub name: Option<String>,
    /// Only keys that may call this agent, be it by its id or because they may call all.
    pub agent: Option<AgentId>,
    /// Only keys that may call this prompt, be it by its id or because they may call all.
    pub prompt: Option<PromptId>,
    /// Only keys whose expiry is before this; those that have expired already are among them.
    pub expiring_before: Option<DateTime<Utc>>,
    /// The time at which `state` is judged. The library sets it when the query is made.
    pub now: DateTime<Utc>,
}

impl Default for KeyQuery {
    fn default() -> Self {
        Self {
            limit: LIMIT,
            after: None,
            status: None,
            state: None,
            environment: None,
            name: None,
            agent: None,
            prompt: None,
            expiring_before: None,
            now: DateTime::UNIX_EPOCH,
        }
    }
}

impl KeyQuery {
    /// How many keys to a page, 1 to 1,000.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    setters! {
        /// Goes on after this position, usually [`Page::next`].
        after: Cursor;
        /// Only keys that were set to this.
        status: Status;
        /// Only keys that are this when the query is made.
        state: KeyState;
        /// Only keys of this environment.
        environment: EnvironmentId;
        /// Only keys that may call this agent.
        agent: AgentId;
        /// Only keys that may call this prompt.
        prompt: PromptId;
        /// Only keys whose expiry is before this.
        expiring_before: DateTime<Utc>;
    }

    /// Only keys whose name contains this, in upper or lower case.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(name.as_ref().to_owned());
        self
    }

    /// Whether `key` meets every filter. The limit and the position are not looked at.
    #[must_use]
    pub fn matches(&self, key: &AccessKey) -> bool {
        self.status.is_none_or(|status| key.status == status)
            && self.state.is_none_or(|state| key.state(self.now) == state)
            && self.environment.as_ref().is_none_or(|environment| key.environment == *environment)
            && self.agent.as_ref().is_none_or(|agent| key.agents.allows(agent))
            && self.prompt.as_ref().is_none_or(|prompt| key.prompts.allows(prompt))
            && self.expiring_before.is_none_or(|time| key.expires_at.is_some_and(|end| end < time))
            && self.name.as_ref().is_none_or(|name| key.name.to_lowercase().contains(&name.to_lowercase()))
    }

    /// The page that answers this query, out of all keys of one project: filters, orders and cuts.
    ///
    /// For stores that hold their keys in memory.
    #[must_use]
    pub fn page<K: Borrow<AccessKey>>(&self, keys: impl IntoIterator<Item = K>) -> Page<AccessKey> {
        let matching = keys.into_iter().filter(|key| self.matches(key.borrow()));
        Page::cut(matching, Cursor::of_key, self.after.as_ref(), self.limit)
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        check_limit(self.limit)?;
        self.after.map_or(Ok(()), Cursor::check_of_keys)?;
        match self.name.as_ref().map_or(0, |name| name.chars().count()) {
            0..=text::NAME_MAX => Ok(()),
            given => {
                let rule = Rule::Length { min: 0, max: text::NAME_MAX, unit: Unit::Characters, given };
                Err(Invalid::new(Field::Name, rule))
            }
        }
    }
}

/// Which audit events of a project to list, newest first. Filters that are set must all be met.
///
/// The limit is 1 to 1,000, 50 unless set.
///
/// ```
/// use access_keys::{Actor, AuditQuery, KeyId, domain::Action};
///
/// let query = AuditQuery::default()
///     .key(KeyId::new("7Hq2LkP9sTz4WcX1")?)
///     .actor(Actor::user("ada")?)
///     .action(Action::Revoked);
/// # let _ = query;
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditQuery {
    /// How many events to a page, 1 to 1,000.
    pub limit: usize,
    /// Only events that come after this position.
    pub after: Option<Cursor>,
    /// Only events of this key.
    pub key: Option<KeyId>,
    /// Only what this one did.
    pub actor: Option<Actor>,
    /// Only actions of this kind.
    pub action: Option<Action>,
    /// Only what was part of this operation.
    pub operation: Option<OperationId>,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self { limit: LIMIT, after: None, key: None, actor: None, action: None, operation: None }
    }
}

impl AuditQuery {
    /// How many events to a page, 1 to 1,000.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    setters! {
        /// Goes on after this position, usually [`Page::next`].
        after: Cursor;
        /// Only events of this key.
        key: KeyId;
        /// Only what this one did.
        actor: Actor;
        /// Only actions of this kind.
        action: Action;
        /// Only what was part of this operation.
        operation: OperationId;
    }

    /// Whether `event` meets every filter. The limit and the position are not looked at.
    #[must_use]
    pub fn matches(&self, event: &AuditEvent) -> bool {
        self.key.is_none_or(|key| event.key == key)
            && self.actor.as_ref().is_none_or(|actor| event.actor == *actor)
            && self.action.is_none_or(|action| event.action == action)
            && self.operation.as_ref().is_none_or(|operation| event.operation.as_ref() == Some(operation))
    }

    /// The page that answers this query, out of all events of one project: filters, orders and cuts.
    ///
    /// For stores that hold their events in memory.
    #[must_use]
    pub fn page<E: Borrow<AuditEvent>>(&self, events: impl IntoIterator<Item = E>) -> Page<AuditEvent> {
        let matching = events.into_iter().filter(|event| self.matches(event.borrow()));
        Page::cut(matching, Cursor::of_event, self.after.as_ref(), self.limit)
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        check_limit(self.limit)?;
        self.after.map_or(Ok(()), Cursor::check_of_events)
    }
}

fn check_limit(limit: usize) -> Result<(), Invalid> {
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(());
    }
    let (max, given) = (LIMIT_MAX as u64, u64::try_from(limit).unwrap_or(u64::MAX));
    Err(Invalid::new(Field::Limit, Rule::Range { min: 1, max, given }))
}
