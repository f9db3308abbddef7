//! What a key was used for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Error, ProjectKeys};
use crate::domain::{AgentId, KeyId, PromptId, Resource};
use crate::store::{KeyStore, ScopeUse};

/// The agents and the prompts that a key was used for, as far as that was recorded.
///
/// At most 100 of each kind, those that were used first: a key that was used for more is told to have been.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeUsed {
    /// The key.
    pub key: KeyId,
    /// What it was used for, the latest first.
    pub uses: Vec<ScopeUse>,
    /// Whether it was used for more than 100 agents.
    pub more_agents: bool,
    /// Whether it was used for more than 100 prompts.
    pub more_prompts: bool,
}

impl ScopeUsed {
    /// The agents, with the time of the last use, the latest first.
    pub fn agents(&self) -> impl Iterator<Item = (&AgentId, DateTime<Utc>)> {
        self.uses.iter().filter_map(|used| match &used.resource {
            Resource::Agent(id) => Some((id, used.at)),
            Resource::Prompt(_) => None,
        })
    }

    /// The prompts, with the time of the last use, the latest first.
    pub fn prompts(&self) -> impl Iterator<Item = (&PromptId, DateTime<Utc>)> {
        self.uses.iter().filter_map(|used| match &used.resource {
            Resource::Prompt(id) => Some((id, used.at)),
            Resource::Agent(_) => None,
        })
    }

    fn new(key: KeyId, mut uses: Vec<ScopeUse>) -> Self {
        // What was used first is what a store keeps.
        uses.sort_by(|one, other| (one.since, &one.resource).cmp(&(other.since, &other.resource)));
        let [mut agents, mut prompts] = [0, 0];
        uses.retain(|used| {
            let count = if used.resource.is_agent() { &mut agents } else { &mut prompts };
            *count += 1;
            *count <= ScopeUse::KEPT
        });
        uses.sort_by(|one, other| (other.at, &one.resource).cmp(&(one.at, &other.resource)));
        Self { key, uses, more_agents: agents > ScopeUse::KEPT, more_prompts: prompts > ScopeUse::KEPT }
    }
}

impl<S: KeyStore> ProjectKeys<S> {
    /// What these keys were used for, as far as it was written and as this node has seen: each agent and prompt that a
    /// grant [required](crate::Grant::require_agent) and the key may call. In the order of `ids`; `None` where the store
    /// keeps no such uses.
    ///
    /// It is coarse: see [`ScopeUse`]. A node whose builder was told to
    /// [record no uses](super::Builder::record_uses) records none of these either.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the first of `ids` that is not a key of this project; [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::AgentId;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let production = EnvironmentId::new("production")?;
    /// # let info = KeyInfo::new("Mobile app", production.clone())?;
    /// # let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
    /// # let issued = project.generate(review).await?;
    /// let grant = keys.verify(issued.token.expose(), &production).await?;
    /// grant.require_agent(&AgentId::new("support-bot")?)?;
    ///
    /// let used = project.scope_used(&[issued.key.id]).await?.expect("a store that keeps uses");
    /// let agents: Vec<&str> = used[0].agents().map(|(id, _)| id.as_str()).collect();
    /// assert_eq!(agents, ["support-bot"]);
    /// assert_eq!(used[0].prompts().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn scope_used(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUsed>>, Error> {
        let asked = self.check_ours(ids).await?;
        let used = self.scopes_used(&asked).await?;
        Ok(used.map(|used| ids.iter().filter_map(|id| used.get(id).cloned()).collect()))
    }

    /// The same of keys that are known to be this project's.
    pub(super) async fn scopes_used(
        &self,
        ids: &BTreeSet<KeyId>,
    ) -> Result<Option<BTreeMap<KeyId, ScopeUsed>>, Error> {
        let gathered = |id: &KeyId| self.keys.verifier.scope_uses().of(*id);
        let asked: Vec<KeyId> = ids.iter().copied().collect();
        let mut each: BTreeMap<KeyId, BTreeMap<Resource, ScopeUse>> = BTreeMap::new();
        for id in ids {
            // Before the store is asked: what is being written is in one of both.
            let uses = gathered(id).into_iter().map(|used| (used.resource.clone(), used));
            each.insert(*id, uses.collect());
        }
        let Some(stored) = self.store().scope_uses(&asked).await? else { return Ok(None) };
        for used in stored {
            let Some(of_key) = each.get_mut(&used.key) else { continue };
            let known = of_key.entry(used.resource.clone()).or_insert_with(|| used.clone());
            *known = used.and(known);
        }
        let used =
            |(id, uses): (KeyId, BTreeMap<_, _>)| (id, ScopeUsed::new(id, uses.into_values().collect()));
        Ok(Some(each.into_iter().map(used).collect()))
    }
}
