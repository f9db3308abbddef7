//! Wrong with what they feed.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use access_keys::domain::{Action, EventId};
use access_keys::store::{ChangeCursor, Changes, FeedState, StoreError, StoredKey, async_trait};
use access_keys::{AuditEvent, KeyId, Revision};
use chrono::{DateTime, TimeDelta};

use crate::case::{Case, case};
use crate::plain::{Nothing, Plain, Wrong, answer, pause, state};

type Done = Result<(), StoreError>;
type Fed = Result<Changes, StoreError>;

/// Feeds like this.
struct Feeds(fn(&Plain, Option<&ChangeCursor>) -> Changes);

#[async_trait]
impl Wrong for Feeds {
    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        Ok((self.0)(right, since))
    }
}

/// Tells nothing of these events.
struct Forgets(fn(&AuditEvent) -> bool);

#[async_trait]
impl Wrong for Forgets {
    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        let contents = right.contents();
        let forgotten: HashSet<EventId> =
            contents.events.iter().filter(|event| (self.0)(event)).map(|event| event.id).collect();
        let place = since.and_then(|cursor| {
            let mut events = contents.feed.iter().map(|(event, _)| event.as_str().as_bytes());
            events.position(|event| event == cursor.as_bytes())
        });
        let ids = place.map(|place| {
            let told = contents.feed[place + 1..].iter().filter(|(event, _)| !forgotten.contains(event));
            told.map(|(_, key)| *key).collect()
        });
        Ok(answer(ids, contents.cursor()))
    }
}

/// A cursor is good for one answer.
#[derive(Default)]
struct Once(Mutex<HashSet<ChangeCursor>>);

#[async_trait]
impl Wrong for Once {
    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        let again = since.is_some_and(|cursor| !self.0.lock().unwrap().insert(cursor.clone()));
        let contents = right.contents();
        let known = since.and_then(|cursor| contents.since(cursor));
        let ids = if again { known.map(|_| Vec::new()) } else { known };
        Ok(answer(ids, contents.cursor()))
    }
}

/// Its cursor is a number.
fn by_number(right: &Plain, since: Option<&ChangeCursor>) -> Changes {
    let contents = right.contents();
    let place = since.and_then(|cursor| {
        let number = u64::from_be_bytes(cursor.as_bytes().try_into().ok()?);
        usize::try_from(number).ok()
    });
    let ids = place.map(|place| contents.feed.iter().skip(place).map(|(_, key)| *key).collect());
    answer(ids, ChangeCursor::new((contents.feed.len() as u64).to_be_bytes()))
}

/// Its feed is a list in memory.
struct CountsAnew;

#[async_trait]
impl Wrong for CountsAnew {
    fn opened(&self, right: &Plain) {
        right.contents().feed.clear();
    }

    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        Ok(by_number(right, since))
    }
}

/// Tells what was done by way of this handle.
#[derive(Default)]
struct OfItself(Mutex<HashSet<EventId>>);

#[async_trait]
impl Wrong for OfItself {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        self.0.lock().unwrap().insert(event.id);
        Nothing.insert(right, key, event).await
    }

    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        let contents = right.contents();
        let ids = since.and_then(|cursor| contents.since(cursor)).map(|ids| {
            let mine = self.0.lock().unwrap();
            let told =
                |id: &KeyId| contents.feed.iter().any(|(event, key)| key == id && mine.contains(event));
            ids.into_iter().filter(told).collect()
        });
        Ok(answer(ids, contents.cursor()))
    }
}

/// Draws the number of a change before it commits it.
struct NumbersFirst;

#[async_trait]
impl Wrong for NumbersFirst {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        if right.contents().keys.contains_key(&key.key().id) {
            return Err(StoreError::AlreadyExists);
        }
        right.contents().feed.push((event.id, event.key));
        // Some commits are slow, so that others overtake them.
        (0..right.count() % 4).for_each(|_| pause());
        let mut contents = right.contents();
        contents.events.push(event.clone());
        contents.keys.insert(key.key().id, key.clone());
        Ok(())
    }

    /// Tells what is committed, and goes on after the last number of that.
    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        let contents = right.contents();
        let is_committed =
            |(event, _): &&(EventId, KeyId)| contents.events.iter().any(|told| told.id == *event);
        let last = contents.feed.iter().rfind(is_committed);
        let next = ChangeCursor::new(last.map_or("", |(event, _)| event.as_str()));
        let place = since.and_then(|cursor| {
            contents.feed.iter().position(|(event, _)| event.as_str().as_bytes() == cursor.as_bytes())
        });
        let ids = place.map(|place| {
            contents.feed[place + 1..].iter().filter(is_committed).map(|(_, key)| *key).collect()
        });
        Ok(answer(ids, next))
    }
}

/// Tells of a change, and commits it then.
struct TellsFirst;

#[async_trait]
impl Wrong for TellsFirst {
    async fn update(&self, right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        if !right.contents().may_replace(key, expected) {
            return Err(StoreError::Conflict);
        }
        right.contents().feed.push((event.id, event.key));
        pause();
        let mut contents = right.contents();
        if !contents.may_replace(key, expected) {
            return Err(StoreError::Conflict);
        }
        contents.events.push(event.clone());
        contents.keys.insert(key.key().id, key.clone());
        Ok(())
    }
}

/// States this as its limit and clock.
struct States(fn(&Plain) -> FeedState);

#[async_trait]
impl Wrong for States {
    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Fed {
        let stated = (self.0)(right);
        Ok(match Nothing.changes(right, since).await? {
            Changes::Since { ids, next, .. } => Changes::Since { ids, next, state: stated },
            Changes::Everything { next, .. } => Changes::Everything { next, state: stated },
            other => other,
        })
    }
}

/// Each handle has a limit of its own.
struct OwnLimit(Duration);

impl OwnLimit {
    fn new() -> Self {
        static HANDLES: AtomicU64 = AtomicU64::new(1);
        Self(Duration::from_secs(1 + HANDLES.fetch_add(1, Ordering::SeqCst) % 50))
    }
}

#[async_trait]
impl Wrong for OwnLimit {
    async fn changes(&self, right: &Plain, _: Option<&ChangeCursor>) -> Fed {
        let state = FeedState::new(None, self.0, Duration::ZERO);
        Ok(Changes::Everything { next: right.contents().cursor(), state })
    }
}

struct PanicsWhenWaitedFor;

#[async_trait]
impl Wrong for PanicsWhenWaitedFor {
    async fn changed(&self, _: &Plain) {
        panic!("no listener");
    }
}

/// Nobody writes while somebody waits.
#[derive(Default)]
struct BlocksWriters(AtomicUsize);

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Wrong for BlocksWriters {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        if self.0.load(Ordering::SeqCst) > 8 {
            return Err(StoreError::backend("every connection listens"));
        }
        Nothing.insert(right, key, event).await
    }

    async fn changed(&self, _: &Plain) {
        self.0.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.0);
        std::future::pending().await
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = answers();
    all.extend(races());
    all
}

fn answers() -> Vec<Case> {
    vec![
        case(
            "has a feed from the first change on",
            "a_store_has_a_feed_or_never_has_one",
            "`NoFeed` 4 times",
            || {
                Feeds(|right, since| {
                    let contents = right.contents();
                    if contents.feed.is_empty() {
                        return Changes::NoFeed;
                    }
                    answer(since.and_then(|cursor| contents.since(cursor)), contents.cursor())
                })
            },
        ),
        case("answers nothing at first", "the_first_answer_is_everything", "ids", || {
            Feeds(|right, since| {
                let contents = right.contents();
                let ids = since.map_or(Some(Vec::new()), |cursor| contents.since(cursor));
                answer(ids, contents.cursor())
            })
        }),
        case("feeds no insert", "the_feed_names_an_insert", "not its", || {
            Forgets(|event| event.action == Action::Created)
        }),
        case("feeds no revocation", "the_feed_names_every_kind_of_change", "revoked", || {
            Forgets(|event| event.action == Action::Revoked)
        }),
        case("answers a cursor once", "a_cursor_can_be_used_again", "used before", Once::default),
        case(
            "loses its place when nothing changed",
            "a_cursor_goes_on_without_changes",
            "without changes",
            || {
                Feeds(|right, since| {
                    let contents = right.contents();
                    if since.is_some_and(|cursor| cursor.as_bytes() == b"the end") {
                        return answer(Some(Vec::new()), contents.cursor());
                    }
                    let ids = since.and_then(|cursor| contents.since(cursor));
                    let nothing = ids.as_ref().is_some_and(Vec::is_empty);
                    answer(ids, if nothing { ChangeCursor::new("the end") } else { contents.cursor() })
                })
            },
        ),
        case("always answers everything", "a_fresh_cursor_is_recognised", "`Since`", || {
            Feeds(|right, _| answer(None, right.contents().cursor()))
        }),
        case("takes any number for a cursor", "an_unknown_cursor_is_everything", "`Since` with", || {
            Feeds(by_number)
        }),
        case(
            "takes the cursor of another store",
            "a_cursor_of_another_store_is_everything",
            "`Since` with",
            || Feeds(by_number),
        ),
        case("counts anew when reopened", "a_cursor_lives_through_a_reopening", "or `Everything`", || {
            CountsAnew
        }),
        case("feeds what it did itself", "every_handle_feeds_every_change", "not its", OfItself::default),
        case("has a limit of an hour", "the_limit_is_within_its_bounds", "3600s", || {
            States(|_| FeedState::new(None, Duration::from_secs(3_600), Duration::ZERO))
        }),
        case("drains for a day", "the_limit_is_within_its_bounds", "at most 66 s", || {
            States(|_| FeedState::new(None, state().limit, Duration::from_secs(86_400)))
        }),
        case("has a limit a handle", "every_handle_has_the_same_limit", "the limit", OwnLimit::new),
        case("has a clock that goes back", "the_clock_of_a_store_goes_forward", "not before", || {
            States(|right| {
                let seconds = i64::try_from(right.count()).unwrap();
                let now = DateTime::UNIX_EPOCH - TimeDelta::seconds(seconds);
                FeedState::new(Some(now), state().limit, Duration::ZERO)
            })
        }),
        case("panics when waited for", "changed_wakes_who_waits", "a panic: no listener", || {
            PanicsWhenWaitedFor
        }),
        case(
            "blocks writers by those who wait",
            "waiting_for_a_change_blocks_nothing",
            "listens",
            BlocksWriters::default,
        ),
    ]
}

fn races() -> Vec<Case> {
    vec![
        case("loses a change behind a slow commit", "nothing_is_missed_at_64_writers", "never named", || {
            NumbersFirst
        }),
        case(
            "loses a change of another handle",
            "nothing_is_missed_by_another_handle",
            "never named",
            || NumbersFirst,
        ),
        case("loses an overtaken commit", "an_overtaken_commit_is_named", "the key of the slow one", || {
            NumbersFirst
        })
        .early(),
        case("tells of a change before it is there", "a_copy_follows_the_feed", "a copy of a key", || {
            TellsFirst
        }),
    ]
}
