//! Rules of the filters of a list of keys.

use chrono::TimeDelta;

use super::Fixture;
use super::handle::Handle;
use super::kept::{same_list, start};
use super::ruling::Ruling;
use super::samples::{Samples, at, valid};
use crate::domain::{AccessKey, AgentId, Cursor, EnvironmentId, KeyQuery, KeyState, PromptId, Scope, Status};
use crate::store::KeyStore;

/// The names, which a search may confuse.
const NAMES: [&str; 12] = [
    "Mobile app",
    "MOBILE APP",
    "mobil",
    "100% of it",
    "100 of it",
    "a_b",
    "aXb",
    "Straße",
    "ÉTÉ à Ōsaka",
    "été",
    "back\\slash",
    "it's",
];

/// Keys of every kind, and a store that has them.
struct Shelf<S> {
    store: Handle<S>,
    samples: Samples,
    keys: Vec<AccessKey>,
}

async fn shelf<F: Fixture>(fixture: &F) -> Ruling<Shelf<F::Store>> {
    let (store, samples) = start(fixture).await?;
    let agents =
        [Scope::All, Scope::none(), valid(Scope::parse(["a"]))?, valid(Scope::parse(["A", "ab", "b"]))?];
    let prompts = [valid(Scope::parse(["p", "q"]))?, Scope::All, valid(Scope::parse(["P"]))?];
    let expiries = [None, Some(at(100)), Some(at(200)), Some(at(100) + TimeDelta::microseconds(1))];
    let environments = ["production", "staging", "Production"].map(EnvironmentId::new);
    let [production, staging, capital] = environments;
    let environments = [valid(production)?, valid(staging)?, valid(capital)?];
    let mut keys = Vec::new();
    for (i, name) in NAMES.iter().cycle().take(36).enumerate() {
        let made = samples.key_with(|key| {
            (*name).clone_into(&mut key.name);
            key.description = "Mobile app of the description".to_owned();
            key.created_at = at(u32::try_from(i / 3).unwrap_or_default());
            // Steps without a common measure, so that every kind meets every other.
            let picks = [i * 5 + i / 4, i * 7 + i / 3, i + i / 12, i * 2 + i / 5];
            let [agent, prompt, expiry, environment] = picks;
            pick(&mut key.agents, &agents, agent);
            pick(&mut key.prompts, &prompts, prompt);
            pick(&mut key.expires_at, &expiries, expiry);
            pick(&mut key.environment, &environments, environment);
        })?;
        store.put(&made).await?;
        let status = [Status::Active, Status::Inactive, Status::Revoked].into_iter().cycle().nth(i / 2);
        let last = match status {
            None | Some(Status::Active) => made,
            Some(status) => {
                let set = samples.set(&made, status)?;
                store.put(&set).await?;
                set
            }
        };
        keys.push(last.key.key().clone());
    }
    keys.sort_by_key(|key| std::cmp::Reverse(Cursor::of_key(key)));
    Ok(Shelf { store, samples, keys })
}

fn pick<T: Clone>(field: &mut T, from: &[T], which: usize) {
    if let Some(value) = from.get(which % from.len().max(1)) {
        field.clone_from(value);
    }
}

impl<S: KeyStore> Shelf<S> {
    /// The keys that the query asks for, no more and no less, on one page and on many.
    async fn answers(&self, what: &str, query: KeyQuery) -> Ruling {
        let expected: Vec<_> = self.keys.iter().filter(|key| query.matches(key)).cloned().collect();
        for limit in [4, 1_000] {
            let listed = self.store.keys(&self.samples.project, &query.clone().limit(limit)).await?;
            same_list(&format!("`list` of keys {what}, in pages of {limit}"), &listed, &expected)?;
        }
        Ok(())
    }
}

pub(super) async fn list_by_status<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for status in [Status::Active, Status::Inactive, Status::Revoked] {
        shelf.answers(&format!("of the status {status}"), KeyQuery::default().status(status)).await?;
    }
    Ok(())
}

pub(super) async fn list_by_state_at_the_time_of_the_query<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    let micro = TimeDelta::microseconds(1);
    for now in [at(0), at(100) - micro, at(100), at(100) + micro, at(200), at(5_000)] {
        for state in [KeyState::Active, KeyState::Inactive, KeyState::Revoked, KeyState::Expired] {
            let mut query = KeyQuery::default().state(state);
            query.now = now;
            shelf.answers(&format!("that are {state} at {now}"), query).await?;
        }
    }
    Ok(())
}

pub(super) async fn list_by_environment<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for environment in ["production", "Production", "staging", "prod", "elsewhere"] {
        let query = KeyQuery::default().environment(valid(EnvironmentId::new(environment))?);
        shelf.answers(&format!("of the environment {environment}"), query).await?;
    }
    Ok(())
}

pub(super) async fn list_by_name<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for name in
        ["mobile", "MOBIL", "bil", " ", "", "100", "strasse", "straße", "it's", "description", "no such name"]
    {
        shelf.answers(&format!("with {name:?} in their name"), KeyQuery::default().name(name)).await?;
    }
    Ok(())
}

pub(super) async fn list_by_name_beyond_ascii<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for name in ["été", "ÉTÉ", "Été À ō", "ŌSAKA", "ete", "ẞ", "ß"] {
        shelf.answers(&format!("with {name:?} in their name"), KeyQuery::default().name(name)).await?;
    }
    Ok(())
}

pub(super) async fn list_by_name_knows_no_patterns<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for name in ["%", "_", "100%", "a_b", "\\", "m%e", "mob*", ".", "'", "[a-z]", "\\_", "%%"] {
        shelf.answers(&format!("with {name:?} in their name"), KeyQuery::default().name(name)).await?;
    }
    Ok(())
}

pub(super) async fn list_by_agent<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for agent in ["a", "A", "ab", "b", "all", "unknown"] {
        let query = KeyQuery::default().agent(valid(AgentId::new(agent))?);
        shelf.answers(&format!("that may call the agent {agent}"), query).await?;
    }
    Ok(())
}

pub(super) async fn list_by_prompt<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    for prompt in ["p", "P", "q", "pq", "unknown"] {
        let query = KeyQuery::default().prompt(valid(PromptId::new(prompt))?);
        shelf.answers(&format!("that may call the prompt {prompt}"), query).await?;
    }
    Ok(())
}

pub(super) async fn list_by_expiry<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    let micro = TimeDelta::microseconds(1);
    for time in [at(0), at(100), at(100) + micro, at(100) + micro * 2, at(200), at(201), at(4_000_000_000)] {
        let query = KeyQuery::default().expiring_before(time);
        shelf.answers(&format!("that expire before {time}"), query).await?;
    }
    Ok(())
}

pub(super) async fn all_filters_of_a_list_must_be_met<F: Fixture>(fixture: &F) -> Ruling {
    let shelf = shelf(fixture).await?;
    let (production, a, p) =
        (valid(EnvironmentId::new("production"))?, valid(AgentId::new("a"))?, valid(PromptId::new("p"))?);
    for bits in 1..128_u32 {
        let on = |bit: u32| bits & 1 << bit != 0;
        let query = KeyQuery {
            now: at(150),
            status: on(0).then_some(Status::Active),
            environment: on(1).then(|| production.clone()),
            name: on(2).then(|| "A".to_owned()),
            agent: on(3).then(|| a.clone()),
            prompt: on(4).then(|| p.clone()),
            expiring_before: on(5).then(|| at(201)),
            state: on(6).then_some(KeyState::Active),
            ..KeyQuery::default()
        };
        shelf.answers(&format!("by the filters {query:?}"), query).await?;
    }
    Ok(())
}
