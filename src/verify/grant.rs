//! Proof that a presented token was good.

use std::fmt;
use std::sync::Arc;

use super::Denial;
use super::near::Seen;
use super::row::Secret;
use crate::clock::Deadline;
use crate::domain::{AccessKey, AgentId, PromptId};

/// Proof that a presented token was good, with the scope to ask.
///
/// Only a verification makes one. It is a snapshot of the key as it was then: owned, cheap to clone and
/// free to travel, for example in the extensions of a request. Work that outlives the check has it checked
/// again by [`Verifier::recheck`](crate::Verifier::recheck).
///
/// ```
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, store::MemoryStore};
/// use access_keys::{AgentId, PromptId, Scope};
///
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// let review = project.draft()
///     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
///     .agents(Scope::specific([AgentId::new("support-bot")?])?)
///     .prompts(Scope::All)?;
/// let issued = project.generate(review).await?;
///
/// let grant = keys.verify(issued.token.expose(), &EnvironmentId::new("production")?).await?;
/// grant.require_agent(&AgentId::new("support-bot")?)?;
/// grant.require_prompt(&PromptId::new("greeting")?)?;
/// assert!(!grant.allows_agent(&AgentId::new("billing")?));
/// assert_eq!(grant.sole_agent(), Some(&AgentId::new("support-bot")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "a grant says what the key may call: ask it"]
pub struct Grant {
    seen: Arc<Seen>,
    /// Until when it is good, in nanoseconds of deadline time; the lowest bit says which secret was presented.
    good_until: u64,
}

impl Grant {
    #[inline]
    pub(super) const fn new(seen: Arc<Seen>, good_until: u64) -> Self {
        Self { seen, good_until }
    }

    /// The key, as it was when its token was verified.
    #[must_use]
    pub fn key(&self) -> &AccessKey {
        self.seen.key()
    }

    /// Whether the key may call this agent.
    #[must_use]
    pub fn allows_agent(&self, agent: &AgentId) -> bool {
        self.seen.row.packed.allows_agent(agent)
    }

    /// Whether the key may call this prompt.
    #[must_use]
    pub fn allows_prompt(&self, prompt: &PromptId) -> bool {
        self.seen.row.packed.allows_prompt(prompt)
    }

    /// Refuses unless the key may call this agent, and notes that it was used for it.
    ///
    /// What is noted is told by [`scope_used`](crate::ProjectKeys::scope_used). Who only wants to know asks
    /// [`allows_agent`](Self::allows_agent), which notes nothing.
    ///
    /// # Errors
    /// [`Denial::AgentNotInScope`].
    pub fn require_agent(&self, agent: &AgentId) -> Result<(), Denial> {
        let Seen { id, home, .. } = *self.seen;
        if !self.allows_agent(agent) {
            return Err(Denial::AgentNotInScope { key: id });
        }
        home.note(id, agent.hash(), self.good_until, || agent.clone().into());
        Ok(())
    }

    /// Refuses unless the key may call this prompt, and notes that it was used for it.
    ///
    /// What is noted is told by [`scope_used`](crate::ProjectKeys::scope_used). Who only wants to know asks
    /// [`allows_prompt`](Self::allows_prompt), which notes nothing.
    ///
    /// # Errors
    /// [`Denial::PromptNotInScope`].
    pub fn require_prompt(&self, prompt: &PromptId) -> Result<(), Denial> {
        let Seen { id, home, .. } = *self.seen;
        if !self.allows_prompt(prompt) {
            return Err(Denial::PromptNotInScope { key: id });
        }
        // An agent may have the same id.
        home.note(id, !prompt.hash(), self.good_until, || prompt.clone().into());
        Ok(())
    }

    /// The one agent of a key that was made for exactly one, so that a request need not name it.
    #[must_use]
    pub fn sole_agent(&self) -> Option<&AgentId> {
        self.key().agents.sole()
    }

    /// Which secret of the key was presented: 1 for the first, one more with each new one. Less than that of
    /// the newest while the holder has not taken over the token of a rotation.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.seen.row.generation(self.secret())
    }

    /// Until when the grant may be used without a [`recheck`](crate::Verifier::recheck), on this node's
    /// deadline clock: the earliest of the lease on which it rests, the expiry of the key and the end of the
    /// secret's grace.
    ///
    /// Where every verification reads the store (a limit of zero), it is the moment at which that read began:
    /// whatever comes later may have changed.
    #[must_use]
    pub const fn good_until(&self) -> Deadline {
        Deadline::at_nanos(self.good_until & !1)
    }

    /// The same, good until then.
    pub(super) fn ending(self, boot: u64) -> Self {
        let secret = self.good_until & 1;
        Self::new(self.seen, boot & !1 | secret)
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) const fn secret(&self) -> Secret {
        if self.good_until & 1 == Secret::Newest as u64 { Secret::Newest } else { Secret::Older }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("key", self.key()).field("good_until", &self.good_until()).finish()
    }
}
