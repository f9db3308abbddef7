//! Wrong with what keys were used for.

use access_keys::KeyId;
use access_keys::domain::Resource;
use access_keys::store::{ScopeUse, StoreError, async_trait};
use chrono::DateTime;

use crate::case::{Case, case};
use crate::plain::{Contents, Nothing, Plain, Wrong, pause};

type Done = Result<(), StoreError>;

/// Records uses like this.
struct Records(fn(&mut Contents, &ScopeUse));

#[async_trait]
impl Wrong for Records {
    async fn record_scope_uses(&self, right: &Plain, uses: &[ScopeUse]) -> Done {
        let mut contents = right.contents();
        uses.iter().for_each(|used| (self.0)(&mut contents, used));
        Ok(())
    }
}

/// Tells uses like this.
struct Tells(fn(&Contents, &[KeyId]) -> Option<Vec<ScopeUse>>);

#[async_trait]
impl Wrong for Tells {
    async fn scope_uses(&self, right: &Plain, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        Ok((self.0)(&right.contents(), ids))
    }
}

/// Reads, and writes what it makes of that.
struct ReadsThenWrites;

#[async_trait]
impl Wrong for ReadsThenWrites {
    async fn record_scope_uses(&self, right: &Plain, uses: &[ScopeUse]) -> Done {
        let mut read = right.contents().scope_uses.clone();
        pause();
        for used in uses {
            let known = read.entry((used.key, used.resource.clone())).or_insert_with(|| used.clone());
            *known = used.clone().and(known);
        }
        right.contents().scope_uses = read;
        Ok(())
    }
}

/// Fails where a batch has a key that is not stored.
struct RefusesUnknown;

#[async_trait]
impl Wrong for RefusesUnknown {
    async fn record_scope_uses(&self, right: &Plain, uses: &[ScopeUse]) -> Done {
        if uses.iter().any(|used| !right.contents().keys.contains_key(&used.key)) {
            return Err(StoreError::backend("a foreign key is violated"));
        }
        Nothing.record_scope_uses(right, uses).await
    }
}

fn records(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    by: fn(&mut Contents, &ScopeUse),
) -> Case {
    case(name, rule, says, move || Records(by))
}

fn of(contents: &Contents, ids: &[KeyId]) -> Vec<ScopeUse> {
    contents.scope_uses.values().filter(|used| ids.contains(&used.key)).cloned().collect()
}

pub(crate) fn all() -> Vec<Case> {
    vec![
        case(
            "keeps none until there is one",
            "a_store_keeps_scope_uses_or_never_does",
            "of a store with a key",
            || {
                Tells(|contents, ids| {
                    (contents.keys.is_empty() || !contents.scope_uses.is_empty()).then(|| of(contents, ids))
                })
            },
        ),
        case("says nothing of no key", "a_store_keeps_scope_uses_or_never_does", "of 1 keys", || {
            Tells(|contents, ids| (!ids.is_empty()).then(|| of(contents, ids)))
        }),
        records(
            "keeps the last scope use alone",
            "the_first_and_the_last_scope_use_are_kept",
            "one more use",
            |contents, used| {
                contents.scope_uses.insert((used.key, used.resource.clone()), used.clone());
            },
        ),
        records(
            "keeps the first scope use alone",
            "the_first_and_the_last_scope_use_are_kept",
            "one more use",
            |contents, used| {
                contents.scope_uses.entry((used.key, used.resource.clone())).or_insert(used.clone());
            },
        ),
        records(
            "rounds scope uses to seconds",
            "the_first_and_the_last_scope_use_are_kept",
            "one more use",
            |contents, used| {
                let whole =
                    |micros: i64| DateTime::from_timestamp_micros(micros - micros.rem_euclid(1_000_000));
                let [at, since] = [used.at, used.since].map(|time| whole(time.timestamp_micros()).unwrap());
                contents.note_scope(&ScopeUse::new(used.key, used.resource.clone(), at).since(since));
            },
        ),
        records(
            "takes a prompt for an agent",
            "an_agent_is_not_a_prompt",
            "with the same ids",
            |contents, used| {
                let agent: Resource = format!("agent:{}", used.resource.id()).parse().unwrap();
                contents.note_scope(&ScopeUse::new(used.key, agent, used.at).since(used.since));
            },
        ),
        records(
            "compares agents in lower case",
            "an_agent_is_not_a_prompt",
            "with the same ids",
            |contents, used| {
                let lower: Resource = used.resource.to_string().to_lowercase().parse().unwrap();
                contents.note_scope(&ScopeUse::new(used.key, lower, used.at).since(used.since));
            },
        ),
        records(
            "keeps a hundred and does not tell of more",
            "a_hundred_scope_uses_of_a_kind_are_kept",
            "101 agents at least",
            |contents, used| {
                let known = contents.scope_uses.contains_key(&(used.key, used.resource.clone()));
                let of_kind = contents.scope_uses.keys().filter(|(key, resource)| {
                    *key == used.key && resource.is_agent() == used.resource.is_agent()
                });
                if known || of_kind.count() < 100 {
                    contents.note_scope(used);
                }
            },
        ),
        records(
            "forgets a scope use for each new one",
            "a_hundred_scope_uses_of_a_kind_are_kept",
            "100 agents and 3 prompts",
            |contents, used| {
                contents.note_scope(used);
                let first = contents.scope_uses.keys().next().cloned();
                if let Some(first) = first.filter(|_| contents.scope_uses.len() > 101) {
                    contents.scope_uses.remove(&first);
                }
            },
        ),
        case(
            "tells every scope use",
            "scope_uses_are_of_the_given_keys",
            "a key that was never used",
            || Tells(|contents, _| Some(contents.scope_uses.values().cloned().collect())),
        ),
        case("refuses scope uses of unknown keys", "scope_uses_are_of_the_given_keys", "foreign key", || {
            RefusesUnknown
        }),
        case("loses scope uses that come at once", "scope_uses_at_once_lose_none", "8 writers", || {
            ReadsThenWrites
        }),
    ]
}
