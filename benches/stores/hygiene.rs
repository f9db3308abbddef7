//! Looking through all keys of a project.

use std::time::{Duration, Instant};

use access_keys::KeyQuery;
use access_keys::lifecycle::hygiene::HygieneQuery;
use access_keys::store::{KeyStore, KeyUse, ScopeUse};
use access_keys::{KeyId, ProjectKeys};

use crate::Done;
use crate::sample::agent;
use crate::wait::Wait;

/// How many keys are looked at; the first of them are used, each for three agents.
const KEYS: usize = 100_000;
const USED: usize = 10_000;

/// A pass over the newest keys in pages of 1,000 with everything looked for.
pub(crate) fn measure<S: KeyStore>(
    what: &str,
    project: &ProjectKeys<S>,
    store: &S,
    wait: &impl Wait,
) -> Done {
    let now = project.now();
    let mut ids: Vec<KeyId> = Vec::new();
    let mut query = KeyQuery::default().limit(1_000);
    while ids.len() < USED {
        let page = wait.on(project.list(query.clone()))?;
        ids.extend(page.items.iter().map(|key| key.id));
        let Some(next) = page.next else { break };
        query = query.after(next);
    }
    let month = Duration::from_secs(30 * 86_400);
    let uses: Vec<KeyUse> = ids.iter().map(|id| KeyUse::new(*id, 1, now)).collect();
    wait.on(store.record_use(&uses))?;
    let reached: Vec<ScopeUse> = ids
        .iter()
        .flat_map(|id| (0..3).map(|i| ScopeUse::new(*id, agent(i), now).since(now - 2 * month)))
        .collect();
    let start = Instant::now();
    wait.on(store.record_scope_uses(&reached))?;
    println!("{what}: {} uses of agents written in {:.2} s", reached.len(), start.elapsed().as_secs_f64());

    let mut query = HygieneQuery::default()
        .limit(1_000)
        .never_used()
        .idle_since(now - month)
        .expiring_before(now + month)
        .wider_than_used(now - month)
        .agents_known((0..1_000).map(agent));
    let (start, mut pages, mut found) = (Instant::now(), 0, 0);
    loop {
        let page = wait.on(project.hygiene(&query))?;
        pages += 1;
        found += page.items.len();
        let Some(next) = page.next.filter(|_| pages < KEYS / 1_000) else { break };
        query = query.after(next);
    }
    let took = start.elapsed().as_secs_f64();
    println!("{what}: {} keys looked at in {took:.2} s, something found about {found}", pages * 1_000);
    Ok(())
}
