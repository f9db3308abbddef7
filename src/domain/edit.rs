//! Changing a key: a pure application of what was asked to what is there.

use chrono::{DateTime, Utc};

use super::scope::check_reach;
use super::{
    AccessKey, AgentId, Field, FieldChange, Invalid, KeyState, Preview, PromptId, Revision, Scope,
    ScopeChange, Status, text, time,
};

/// What to change of a key: name, description, expiry, agents and prompts, and nothing else.
///
/// What is not set stays as it is; an edit that changes nothing writes nothing. There is no way to edit an
/// environment: a key for another one is a new key.
///
/// ```
/// use access_keys::{AgentId, Edit, Scope};
///
/// let edit = Edit::new()
///     .name("Mobile app 2")?
///     .agents(Scope::specific([AgentId::new("support-bot")?])?)
///     .never_expires();
/// # let _ = edit;
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an edit does nothing until a project is asked to carry it out"]
pub struct Edit {
    name: Option<String>,
    description: Option<String>,
    expires_at: Option<Option<DateTime<Utc>>>,
    agents: Option<Scope<AgentId>>,
    prompts: Option<Scope<PromptId>>,
    revision: Option<Revision>,
}

impl Edit {
    /// An edit that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the name.
    ///
    /// # Errors
    /// [`Invalid`], by the rules of [`KeyInfo::new`](crate::KeyInfo::new).
    pub fn name(mut self, name: impl AsRef<str>) -> Result<Self, Invalid> {
        self.name = Some(text::name(name.as_ref())?);
        Ok(self)
    }

    /// Changes the description; an empty one clears it.
    ///
    /// # Errors
    /// [`Invalid`], by the rules of [`KeyInfo::description`](crate::KeyInfo::description).
    pub fn description(mut self, description: impl AsRef<str>) -> Result<Self, Invalid> {
        self.description = Some(text::paragraph(Field::Description, description.as_ref())?);
        Ok(self)
    }

    /// Sets or moves the expiry. A later one revives a key that has expired; the one that is stored already
    /// is no change, even when it is past.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    pub fn expires_at(self, time: impl Into<DateTime<Utc>>) -> Self {
        self.expiry(Some(time.into()))
    }

    /// Clears the expiry.
    pub fn never_expires(self) -> Self {
        self.expiry(None)
    }

    pub(super) fn expiry(mut self, expires_at: Option<DateTime<Utc>>) -> Self {
        self.expires_at = Some(expires_at.map(time::micros));
        self
    }

    /// Changes the agents that the key may call.
    pub fn agents(mut self, agents: Scope<AgentId>) -> Self {
        self.agents = Some(agents);
        self
    }

    /// Changes the prompts that the key may call.
    pub fn prompts(mut self, prompts: Scope<PromptId>) -> Self {
        self.prompts = Some(prompts);
        self
    }

    /// Carries the edit out only if the key is still at this revision, the one that the editor saw.
    ///
    /// Otherwise the edit is refused as [`Error::Conflict`](crate::Error::Conflict), and what someone else
    /// changed meanwhile is not lost.
    pub fn if_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// What this edit would widen and narrow of `key`, in words for the person who decides.
    ///
    /// Says nothing about whether the edit will be accepted.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, AgentId, EnvironmentId, KeyInfo, ProjectId, store::MemoryStore};
    /// use access_keys::{Edit, Scope};
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::specific([AgentId::new("support-bot")?])?)
    /// #     .prompts(Scope::All)?;
    /// # let key = project.generate(review).await?.key;
    /// let preview = Edit::new().agents(Scope::All).prompts(Scope::none()).preview(&key);
    /// assert_eq!(preview.to_string(), "\
    /// widens agents from only the agent support-bot to all agents, including those created later
    /// narrows prompts from all prompts, including those created later to no prompts");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn preview(&self, key: &AccessKey) -> Preview {
        Preview::of(self.changes(key))
    }

    pub(crate) const fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// The key as it would be, and what changed; `None` when nothing does.
    pub(crate) fn apply(&self, key: &AccessKey, now: DateTime<Utc>) -> Result<Option<Applied>, Rejection> {
        if key.status == Status::Revoked {
            return Err(Rejection::State(KeyState::Revoked));
        }
        let changes = self.changes(key);
        let mut edited = key.clone();
        if let Some(name) = &self.name {
            edited.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            edited.description.clone_from(description);
        }
        if let Some(expires_at) = self.expires_at.filter(|new| *new != key.expires_at) {
            time::check_expiry(expires_at, now)?;
            edited.expires_at = expires_at;
        }
        if let Some(agents) = &self.agents {
            edited.agents = agents.clone();
        }
        if let Some(prompts) = &self.prompts {
            edited.prompts = prompts.clone();
        }
        check_reach(&edited.agents, &edited.prompts)?;
        Ok((!changes.is_empty()).then_some(Applied { key: edited, changes }))
    }

    /// Whether this edit is the one that made `changes` to a key that is now `key`.
    ///
    /// What it asks for and what was changed must agree field by field; where it asked for what was there
    /// already, that must still be there.
    pub(crate) fn repeats(&self, changes: &[FieldChange], key: &AccessKey) -> bool {
        let asked = |change: &FieldChange| match change {
            FieldChange::Name { after, .. } => self.name.as_ref() == Some(after),
            FieldChange::Description { after, .. } => self.description.as_ref() == Some(after),
            FieldChange::ExpiresAt { after, .. } => self.expires_at == Some(*after),
            FieldChange::Agents(change) => self.agents.as_ref().is_some_and(|after| change.leads_to(after)),
            FieldChange::Prompts(change) => self.prompts.as_ref().is_some_and(|after| change.leads_to(after)),
            FieldChange::Key(_) | FieldChange::Status { .. } | FieldChange::Secret { .. } => false,
        };
        let kind = std::mem::discriminant::<FieldChange>;
        let known = |missing: &FieldChange| changes.iter().any(|change| kind(change) == kind(missing));
        changes.iter().all(asked) && self.changes(key).iter().all(known)
    }

    fn changes(&self, key: &AccessKey) -> Vec<FieldChange> {
        let name = self.name.as_ref().filter(|after| **after != key.name);
        let description = self.description.as_ref().filter(|after| **after != key.description);
        let expires_at = self.expires_at.filter(|after| *after != key.expires_at);
        let agents = self.agents.as_ref().and_then(|after| ScopeChange::between(&key.agents, after));
        let prompts = self.prompts.as_ref().and_then(|after| ScopeChange::between(&key.prompts, after));
        [
            name.map(|after| FieldChange::Name { before: key.name.clone(), after: after.clone() }),
            description.map(|after| FieldChange::Description {
                before: key.description.clone(),
                after: after.clone(),
            }),
            expires_at.map(|after| FieldChange::ExpiresAt { before: key.expires_at, after }),
            agents.map(FieldChange::Agents),
            prompts.map(FieldChange::Prompts),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A key with an action applied to it, and the differences.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) key: AccessKey,
    pub(crate) changes: Vec<FieldChange>,
}

/// Why an edit is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A value breaks a rule.
    Invalid(Invalid),
    /// A key in this state cannot be edited.
    State(KeyState),
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}
