//! Rules of recording what keys were used for.

use chrono::{DateTime, TimeDelta, Utc};

use super::handle::{Handle, open, open_two};
use super::kept::{same_list, start};
use super::ruling::{Ruling, Stop, answered, holds, same};
use super::samples::{Samples, at, valid};
use super::threads::at_once;
use super::{Fixture, Opens};
use crate::domain::{AgentId, KeyId, PromptId, Resource};
use crate::store::{KeyStore, ScopeUse};

async fn record<S: KeyStore>(store: &Handle<S>, uses: &[ScopeUse]) -> Ruling {
    answered("`record_scope_uses`", store.store().record_scope_uses(uses).await)
}

/// What is kept of these keys, in the order of key and resource.
async fn kept<S: KeyStore>(store: &Handle<S>, ids: &[KeyId]) -> Ruling<Vec<ScopeUse>> {
    let Some(mut uses) = answered("`scope_uses`", store.store().scope_uses(ids).await)? else {
        return Err(Stop::not_asked("the store does not keep what keys were used for"));
    };
    uses.sort_by(|one, other| (one.key, &one.resource).cmp(&(other.key, &other.resource)));
    Ok(uses)
}

/// A handle of a store that keeps such uses, samples, and a key that is stored.
async fn begin<F: Fixture>(fixture: &F) -> Ruling<(Handle<F::Store>, Samples, KeyId)> {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    kept(&store, &[made.id()]).await?;
    Ok((store, samples, made.id()))
}

fn agent(id: impl AsRef<str>) -> Ruling<Resource> {
    valid(AgentId::new(id)).map(Resource::from)
}

pub(super) async fn a_store_keeps_scope_uses_or_never_does<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut handles = vec![store];
    if fixture.opens() == Opens::SameData {
        handles.push(open(fixture).await);
    }
    let made = samples.key()?;
    let mut first = None;
    for round in ["an empty store", "a store with a key", "a store with a use"] {
        for store in &handles {
            for ids in [&[][..], &[made.id()]] {
                let answer = answered("`scope_uses`", store.store().scope_uses(ids).await)?;
                let keeps = answer.is_some();
                let expected = *first.get_or_insert(keeps);
                let done = format!("whether `scope_uses` of {} keys is `None`, of {round}", ids.len());
                same(done, &keeps, &expected)?;
            }
        }
        if let Some(store) = handles.first() {
            match round {
                "an empty store" => store.put(&made).await?,
                _ => record(store, &[ScopeUse::new(made.id(), agent("a")?, at(1))]).await?,
            }
        }
    }
    Ok(())
}

pub(super) async fn the_first_and_the_last_scope_use_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, _, id) = begin(fixture).await?;
    let bot = agent("bot")?;
    let micros = TimeDelta::microseconds;
    let times = [at(50), at(51), at(51) + micros(1), at(20), at(20) - micros(1), at(30), at(51) + micros(1)];
    let mut expected: Option<ScopeUse> = None;
    for time in times {
        let used = ScopeUse::new(id, bot.clone(), time);
        record(&store, std::slice::from_ref(&used)).await?;
        let both = expected.take().map_or_else(|| used.clone(), |known| known.and(&used));
        let uses = kept(&store, &[id]).await?;
        same_list("`scope_uses` after one more use", &uses, std::slice::from_ref(&both))?;
        expected = Some(both);
    }
    let [other, far] = [agent("other")?, agent("far")?];
    let last: DateTime<Utc> = DateTime::from_timestamp_micros(253_402_300_799_999_999).unwrap_or_default();
    let batch = [
        ScopeUse::new(id, other.clone(), at(9)).since(at(7)),
        ScopeUse::new(id, far.clone(), last).since(DateTime::UNIX_EPOCH - micros(1)),
        ScopeUse::new(id, other.clone(), at(8)).since(at(3)),
        ScopeUse::new(id, other.clone(), at(9)).since(at(7)),
    ];
    record(&store, &batch).await?;
    record(&store, &batch).await?;
    let other = ScopeUse::new(id, other, at(9)).since(at(3));
    let far = ScopeUse::new(id, far, last).since(DateTime::UNIX_EPOCH - micros(1));
    let expected: Vec<ScopeUse> = expected.into_iter().chain([far, other]).collect();
    let done = "`scope_uses` after a batch that names a resource several times, recorded twice";
    same_list(done, &kept(&store, &[id]).await?, &expected)
}

pub(super) async fn an_agent_is_not_a_prompt<F: Fixture>(fixture: &F) -> Ruling {
    let (store, _, id) = begin(fixture).await?;
    let mut expected = Vec::new();
    let long = "~".repeat(128);
    let texts = ["same", "Same", "a:b", "agent:same", "'%_\\\"", "!", long.as_str()];
    for (seconds, text) in (0..).zip(texts) {
        let resources = [agent(text)?, valid(PromptId::new(text))?.into()];
        for (shift, resource) in (0..).zip(resources) {
            expected.push(ScopeUse::new(id, resource, at(10 * seconds + shift)));
        }
    }
    record(&store, &expected).await?;
    expected.sort_by(|one, other| one.resource.cmp(&other.resource));
    same_list("`scope_uses` of agents and prompts with the same ids", &kept(&store, &[id]).await?, &expected)
}

pub(super) async fn a_hundred_scope_uses_of_a_kind_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, _, id) = begin(fixture).await?;
    let mut expected = Vec::new();
    for i in 0..100 {
        expected.push(ScopeUse::new(id, agent(format!("agent-{i:03}"))?, at(i)));
    }
    for i in 0..3 {
        expected.push(ScopeUse::new(id, valid(PromptId::new(format!("prompt-{i:03}")))?, at(i)));
    }
    record(&store, &expected).await?;
    same_list("`scope_uses` after 100 agents and 3 prompts", &kept(&store, &[id]).await?, &expected)?;
    for i in 100..300 {
        record(&store, &[ScopeUse::new(id, agent(format!("agent-{i:03}"))?, at(i))]).await?;
    }
    for used in &mut expected {
        used.at = at(1_000);
    }
    record(&store, &expected).await?;
    let uses = kept(&store, &[id]).await?;
    let (agents, prompts): (Vec<_>, Vec<_>) = uses.iter().partition(|used| used.resource.is_agent());
    let done = "`scope_uses` of a key that was used for 300 agents and 3 prompts";
    holds(agents.len() > ScopeUse::KEPT, done, "101 agents at least", format_args!("{}", agents.len()))?;
    same(format!("the prompts in {done}"), &prompts.len(), &3)?;
    // Those that came first are there, and go on being kept.
    for used in &expected {
        holds(uses.contains(used), done, format!("{used:?}"), format_args!("another or none"))?;
    }
    Ok(())
}

pub(super) async fn scope_uses_are_of_the_given_keys<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples, one) = begin(fixture).await?;
    let keys = [samples.key()?, samples.key()?, samples.key()?];
    for key in &keys {
        store.put(key).await?;
    }
    let [two, other, never] = keys.map(|key| key.id());
    let unknown = samples.key_id()?;
    let bot = agent("bot")?;
    let uses = [unknown, one, two, other].map(|id| ScopeUse::new(id, bot.clone(), at(4)));
    record(&store, &uses).await?;
    same("`scope_uses` of a key that was never used", &kept(&store, &[never]).await?, &vec![])?;
    let mut expected: Vec<ScopeUse> =
        uses.into_iter().filter(|used| [one, two].contains(&used.key)).collect();
    expected.sort_by_key(|used| used.key);
    let done = "`scope_uses` of two keys that were used, one of them named twice, and one that was not";
    same_list(done, &kept(&store, &[two, never, one, two]).await?, &expected)?;
    same("`get` of a key that is not stored, of which a use was recorded", &store.get(unknown).await?, &None)
}

pub(super) async fn scope_uses_at_once_lose_none<F: Fixture>(fixture: &F) -> Ruling {
    const AT_ONCE: u32 = 8;
    let (store, samples, first) = begin(fixture).await?;
    let mut keys = vec![first];
    for _ in 0..4 {
        let made = samples.key()?;
        store.put(&made).await?;
        keys.push(made.id());
    }
    let other = match open_two(fixture).await {
        Ok([other, _]) => other,
        Err(_) => store.clone(),
    };
    let bot = agent("bot")?;
    let writers = (0..AT_ONCE).map(|writer| {
        let store = if writer % 2 == 0 { store.clone() } else { other.clone() };
        let (mut keys, bot) = (keys.clone(), bot.clone());
        // Each in another order, so that locks taken in the order of a batch meet.
        keys.rotate_left(writer as usize % 5);
        async move {
            for round in 0..5 {
                let time = at(100 + writer * 10 + round);
                let uses: Vec<_> = keys.iter().map(|id| ScopeUse::new(*id, bot.clone(), time)).collect();
                record(&store, &uses).await?;
            }
            Ok(())
        }
    });
    at_once(writers.collect()).await?.into_iter().collect::<Ruling>()?;
    keys.sort();
    let last = at(100 + (AT_ONCE - 1) * 10 + 4);
    let expected: Vec<_> =
        keys.iter().map(|id| ScopeUse::new(*id, bot.clone(), last).since(at(100))).collect();
    same_list("`scope_uses` after 8 writers recorded uses of 5 keys", &kept(&store, &keys).await?, &expected)
}
