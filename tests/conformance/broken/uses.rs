//! Wrong with uses.

use std::sync::atomic::Ordering;

use access_keys::store::{KeyUse, StoreError, StoredKey, async_trait};
use access_keys::{AuditEvent, KeyId, Revision};
use chrono::{DateTime, TimeDelta};

use super::writes::with;
use crate::case::{Case, case};
use crate::plain::{Contents, Nothing, Plain, Wrong, pause, yield_once};

type Done = Result<(), StoreError>;

/// Records uses like this.
struct Records(fn(&mut Contents, &[KeyUse]) -> Done);

#[async_trait]
impl Wrong for Records {
    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Done {
        (self.0)(&mut right.contents(), uses)
    }
}

/// Tells uses like this.
struct Tells(fn(&Contents, &[KeyId]) -> Vec<KeyUse>);

#[async_trait]
impl Wrong for Tells {
    async fn last_uses(&self, right: &Plain, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        Ok((self.0)(&right.contents(), ids))
    }
}

/// Reads, and writes what it makes of that.
struct ReadsThenWrites;

#[async_trait]
impl Wrong for ReadsThenWrites {
    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Done {
        let mut read = right.contents().uses.clone();
        pause();
        for used in uses {
            let last = read.entry((used.key, used.generation)).or_insert(*used);
            last.at = last.at.max(used.at);
        }
        right.contents().uses = read;
        Ok(())
    }
}

/// Changes of keys do not wait for uses.
struct Disturbs;

#[async_trait]
impl Wrong for Disturbs {
    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Done {
        right.busy.fetch_add(1, Ordering::SeqCst);
        pause();
        let done = Nothing.record_use(right, uses).await;
        right.busy.fetch_sub(1, Ordering::SeqCst);
        done
    }

    async fn update(&self, right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        pause();
        if right.busy.load(Ordering::SeqCst) > 0 {
            return Err(StoreError::Conflict);
        }
        Nothing.update(right, key, expected, event).await
    }
}

/// Takes the old use out before it puts the new one in.
struct TakesOutFirst;

#[async_trait]
impl Wrong for TakesOutFirst {
    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Done {
        for used in uses {
            let old = right.contents().uses.remove(&(used.key, used.generation));
            yield_once().await;
            let latest = old.filter(|old| old.at > used.at).unwrap_or(*used);
            right.contents().note(latest);
        }
        Ok(())
    }
}

fn records(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    by: fn(&mut Contents, &[KeyUse]),
) -> Case {
    case(name, rule, says, move || RecordsWell(by))
}

struct RecordsWell(fn(&mut Contents, &[KeyUse]));

#[async_trait]
impl Wrong for RecordsWell {
    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Done {
        (self.0)(&mut right.contents(), uses);
        Ok(())
    }
}

fn rounded(used: &KeyUse, micros: i64) -> KeyUse {
    let at = used.at.timestamp_micros();
    let at = DateTime::from_timestamp_micros(at - at.rem_euclid(micros)).unwrap();
    KeyUse::new(used.key, used.generation, at)
}

pub(crate) fn all() -> Vec<Case> {
    vec![
        records("keeps the first use", "the_latest_use_is_kept", "after a later use", |contents, uses| {
            for used in uses {
                contents.uses.entry((used.key, used.generation)).or_insert(*used);
            }
        }),
        records("moves last-used back", "a_use_never_moves_back", "an earlier use", |contents, uses| {
            for used in uses {
                contents.uses.insert((used.key, used.generation), *used);
            }
        }),
        records(
            "moves on with each repetition",
            "repeating_a_use_changes_nothing",
            "once more",
            |contents, uses| {
                for used in uses {
                    let last = contents.uses.entry((used.key, used.generation)).or_insert(*used);
                    let again = last.at == used.at;
                    last.at = last.at.max(used.at + TimeDelta::microseconds(i64::from(again)));
                }
            },
        ),
        records(
            "keeps one use a key",
            "each_generation_has_its_own_use",
            "several secrets",
            |contents, uses| {
                for used in uses {
                    contents.note(KeyUse::new(used.key, 1, used.at));
                }
            },
        ),
        records(
            "rounds uses to seconds",
            "uses_are_kept_to_the_microsecond",
            "`last_uses` of a use",
            |contents, uses| {
                uses.iter().for_each(|used| contents.note(rounded(used, 1_000_000)));
            },
        ),
        records(
            "takes the last of a batch",
            "one_batch_may_name_a_secret_twice",
            "in the middle",
            |contents, uses| {
                for (i, used) in uses.iter().enumerate() {
                    let last = uses[i..]
                        .iter()
                        .rfind(|later| (later.key, later.generation) == (used.key, used.generation));
                    if last == Some(used) && !uses[..i].contains(used) {
                        contents.note(*used);
                    }
                }
            },
        ),
        case("refuses a batch with duplicates", "one_batch_may_name_a_secret_twice", "a second time", || {
            Records(|contents, uses| {
                for (i, used) in uses.iter().enumerate() {
                    let before = &uses[..i.min(50)];
                    if before.iter().any(|other| (other.key, other.generation) == (used.key, used.generation))
                    {
                        return Err(StoreError::backend("ON CONFLICT cannot affect a row a second time"));
                    }
                    contents.note(*used);
                }
                Ok(())
            })
        }),
        records(
            "records a thousand uses",
            "ten_thousand_uses_are_recorded_at_once",
            "10000 uses",
            |contents, uses| {
                uses.iter().take(1_000).for_each(|used| contents.note(*used));
            },
        ),
        case("loses uses among others", "uses_at_once_lose_none", "8 writers", || ReadsThenWrites),
        records(
            "bumps the revision with a use",
            "a_use_touches_no_key",
            "after a use was recorded",
            |contents, uses| {
                for used in uses {
                    contents.note(*used);
                    if let Some(key) = contents.keys.get(&used.key) {
                        let bumped = with(key, "revision", &key.revision().next().get().into());
                        contents.keys.insert(used.key, bumped);
                    }
                }
            },
        ),
        case("conflicts with changes", "a_use_conflicts_with_no_change", "while uses are recorded", || {
            Disturbs
        }),
        case("refuses uses of unknown keys", "uses_of_unknown_keys_are_harmless", "foreign key", || {
            Records(|contents, uses| {
                if uses.iter().any(|used| !contents.keys.contains_key(&used.key)) && uses.len() < 1_000 {
                    return Err(StoreError::backend("a foreign key is violated"));
                }
                uses.iter().for_each(|used| contents.note(*used));
                Ok(())
            })
        }),
        case("tells every use", "last_uses_are_of_the_given_keys", "a key that was never used", || {
            Tells(|contents, _| contents.uses.values().copied().collect())
        }),
        case("tells a use of what was never used", "last_uses_are_of_the_given_keys", "1970", || {
            Tells(|contents, ids| {
                let of = |id: &KeyId| {
                    let kept: Vec<_> =
                        contents.uses.values().filter(|used| used.key == *id).copied().collect();
                    if kept.is_empty() { vec![KeyUse::new(*id, 1, DateTime::UNIX_EPOCH)] } else { kept }
                };
                ids.iter().flat_map(of).collect()
            })
        }),
        case(
            "loses a use when dropped",
            "a_dropped_record_use_is_harmless",
            "for each secret a time",
            || TakesOutFirst,
        ),
    ]
}
