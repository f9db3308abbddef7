//! Looking at the keys of a page.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, HygieneQuery, KeyFindings};
use crate::domain::{AccessKey, IdSet, KeyId, KeyState, Page, ResourceId, Scope};
use crate::lifecycle::{Error, ProjectKeys, ScopeUsed};
use crate::store::{KeyStore, ScopeUse};

/// By how much what is recorded may be earlier than the last use: an hour and a half, and a while until it is written.
const COARSE: TimeDelta = TimeDelta::hours(2);

/// What is known of the uses of a page of keys; `None` for what is not.
#[derive(Default)]
struct Known {
    last_uses: Option<BTreeMap<KeyId, DateTime<Utc>>>,
    scopes: Option<BTreeMap<KeyId, ScopeUsed>>,
}

impl<S: KeyStore> ProjectKeys<S> {
    /// What the query looks for among the keys of the project, newest key first. Revoked and expired keys reach nothing
    /// and are passed over.
    ///
    /// A page is that of as many keys as the query's limit, of which only those are told that something was found
    /// about: it may be empty and have a `next`. The store is asked three times for each page at most, for the keys and
    /// for what they were used for.
    ///
    /// What depends on uses is told as far as they were written and as this node has seen; not at all where this node
    /// records none, or has lost some, and of agents and prompts where the store keeps none. A node that records no uses
    /// while others do makes keys look idle that are not: all should.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of range or a cursor of a history; [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, AgentId, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::lifecycle::hygiene::HygieneQuery;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?;
    /// # let agents = Scope::parse(["support-bot", "gone"])?;
    /// # let review = project.draft().info(info).agents(agents).prompts(Scope::All)?;
    /// # project.generate(review).await?;
    /// let catalogue = [AgentId::new("support-bot")?, AgentId::new("triage")?];
    /// let mut query = HygieneQuery::default().never_used().agents_known(catalogue);
    /// loop {
    ///     let page = project.hygiene(&query).await?;
    ///     for found in &page.items {
    ///         let findings: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
    ///         assert!(findings[0].starts_with("never used since it was made on"));
    ///         assert_eq!(findings[1], "names 1 agent that no longer exists: gone");
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     query = query.after(next);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn hygiene(&self, query: &HygieneQuery) -> Result<Page<KeyFindings>, Error> {
        let page = self.list(query.keys()).await?;
        let now = self.now();
        let is_open = |key: &AccessKey| matches!(key.state(now), KeyState::Active | KeyState::Inactive);
        let keys: Vec<AccessKey> = page.items.into_iter().filter(is_open).collect();
        let known = self.known_of(query, &keys).await?;
        let look = |key: AccessKey| {
            let findings = findings(query, &key, &known, now);
            (!findings.is_empty()).then_some(KeyFindings { key, findings })
        };
        Ok(Page::new(keys.into_iter().filter_map(look).collect(), page.next))
    }

    /// What the query has to know of the uses of these keys.
    async fn known_of(&self, query: &HygieneQuery, keys: &[AccessKey]) -> Result<Known, Error> {
        let mut known = Known::default();
        if keys.is_empty() || !self.keys.verifier.knows_all_uses() {
            return Ok(known);
        }
        let ids = BTreeSet::from_iter(keys.iter().map(|key| key.id));
        if query.never_used || query.idle_since.is_some() {
            let mut latest = BTreeMap::new();
            for used in self.uses_of(&ids).await? {
                let last = latest.entry(used.key).or_insert(used.at);
                *last = used.at.max(*last);
            }
            known.last_uses = Some(latest);
        }
        if query.wider_than_used.is_some() && !self.keys.verifier.scope_uses().overflowed() {
            known.scopes = self.scopes_used(&ids).await?;
        }
        Ok(known)
    }
}

fn findings(query: &HygieneQuery, key: &AccessKey, known: &Known, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(last_uses) = &known.last_uses {
        let (last_used, created_at) = (last_uses.get(&key.id).copied(), key.created_at);
        if query.never_used && last_used.is_none() {
            findings.push(Finding::NeverUsed { created_at });
        } else if query.idle_since.is_some_and(|time| last_used.unwrap_or(created_at) < time) {
            findings.push(Finding::Idle { last_used, created_at });
        }
    }
    if let (Some(time), Some(expires_at)) = (query.expiring_before, key.expires_at)
        && expires_at < time
    {
        findings.push(Finding::Expiring { expires_at, now });
    }
    let used = known.scopes.as_ref().and_then(|scopes| scopes.get(&key.id));
    if let (Some(since), Some(used)) = (query.wider_than_used, used) {
        let agents = used_since(used, true, used.agents(), since);
        let prompts = used_since(used, false, used.prompts(), since);
        if let Some(used) = agents.and_then(|used| unless_all(&key.agents, &used)) {
            findings.push(Finding::AgentsUnused { scope: key.agents.clone(), used, since });
        }
        if let Some(used) = prompts.and_then(|used| unless_all(&key.prompts, &used)) {
            findings.push(Finding::PromptsUnused { scope: key.prompts.clone(), used, since });
        }
    }
    let agents = query.agents_known.as_deref().and_then(|known| unknown(&key.agents, known));
    findings.extend(agents.map(|ids| Finding::AgentsUnknown { ids }));
    let prompts = query.prompts_known.as_deref().and_then(|known| unknown(&key.prompts, known));
    findings.extend(prompts.map(|ids| Finding::PromptsUnknown { ids }));
    findings
}

/// What it was used for since then; `None` if that is not known. Of a kind that was not recorded from before then, or of
/// which nothing was since, it may be that the host asks in another way.
fn used_since<'u, T: ResourceId + 'u>(
    used: &ScopeUsed,
    agents: bool,
    of_kind: impl Iterator<Item = (&'u T, DateTime<Utc>)>,
    since: DateTime<Utc>,
) -> Option<BTreeSet<T>> {
    let more = if agents { used.more_agents } else { used.more_prompts };
    let is_of_kind = |used: &&ScopeUse| used.resource.is_agent() == agents;
    let recorded_since = used.uses.iter().filter(is_of_kind).map(|used| used.since).min()?;
    let ids: BTreeSet<T> =
        of_kind.filter(|(_, at)| since - *at <= COARSE).map(|(id, _)| id.clone()).collect();
    (!more && recorded_since <= since && !ids.is_empty()).then_some(ids)
}

/// What was used of a scope, if it reaches more than that.
fn unless_all<T: ResourceId>(scope: &Scope<T>, used: &BTreeSet<T>) -> Option<IdSet<T>> {
    let is_wider = match scope {
        Scope::All => true,
        Scope::Specific(ids) => ids.iter().any(|id| !used.contains(id)),
    };
    let used = used.iter().filter(|id| scope.allows(id)).cloned();
    is_wider.then(|| IdSet::of_sorted(used.collect()))
}

/// What a scope names that is not known.
fn unknown<T: ResourceId>(scope: &Scope<T>, known: &BTreeSet<T>) -> Option<IdSet<T>> {
    let Scope::Specific(ids) = scope else { return None };
    let ids: Vec<T> = ids.iter().filter(|id| !known.contains(*id)).cloned().collect();
    (!ids.is_empty()).then(|| IdSet::of_sorted(ids))
}
