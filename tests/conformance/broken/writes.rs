//! Wrong when they write.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use access_keys::domain::EventId;
use access_keys::store::{StoreError, StoredKey, async_trait};
use access_keys::{AuditEvent, KeyId, Revision, Status};

use crate::case::{Case, case};
use crate::plain::{Plain, Wrong, pause, yield_once};

type Done = Result<(), StoreError>;

/// Inserts like this.
struct Inserts(fn(&Plain, &StoredKey, &AuditEvent) -> Done);

#[async_trait]
impl Wrong for Inserts {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        (self.0)(right, key, event)
    }
}

/// Updates like this.
struct Updates(fn(&Plain, &StoredKey, Revision, &AuditEvent) -> Done);

#[async_trait]
impl Wrong for Updates {
    async fn update(&self, right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        (self.0)(right, key, expected, event)
    }
}

fn inserted(right: &Plain, key: &StoredKey, event: &AuditEvent, otherwise: fn(&Plain, &AuditEvent)) -> Done {
    let stored = right.contents().keys.contains_key(&key.key().id);
    if stored {
        otherwise(right, event);
        return Err(StoreError::AlreadyExists);
    }
    right.contents().put(key, event);
    Ok(())
}

/// A key with another name than it should have.
pub(crate) fn with(key: &StoredKey, field: &str, value: &serde_json::Value) -> StoredKey {
    let mut form = serde_json::to_value(key).unwrap();
    form["key"][field] = value.clone();
    serde_json::from_value(form).unwrap()
}

struct RemembersRefused(Mutex<HashSet<EventId>>);

#[async_trait]
impl Wrong for RemembersRefused {
    async fn update(&self, right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        if !self.0.lock().unwrap().insert(event.id) {
            return Err(StoreError::backend("the event exists already"));
        }
        replace(right, key, expected, event)
    }
}

fn replace(right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
    let mut contents = right.contents();
    if !contents.may_replace(key, expected) {
        return Err(StoreError::Conflict);
    }
    contents.put(key, event);
    Ok(())
}

/// Runs `does` with the number of those that are in the middle of it at the same time.
fn among(right: &Plain, does: impl FnOnce(usize) -> Done) -> Done {
    right.busy.fetch_add(1, Ordering::SeqCst);
    pause();
    let done = does(right.busy.load(Ordering::SeqCst));
    right.busy.fetch_sub(1, Ordering::SeqCst);
    done
}

/// Its writes are in two steps, with a place between them where they can be dropped.
struct HalfDone;

#[async_trait]
impl Wrong for HalfDone {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        let id = key.key().id;
        if right.contents().keys.contains_key(&id) {
            return Err(StoreError::AlreadyExists);
        }
        right.contents().keys.insert(id, key.clone());
        yield_once().await;
        right.contents().tell(event);
        Ok(())
    }

    async fn update(&self, right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        if !right.contents().may_replace(key, expected) {
            return Err(StoreError::Conflict);
        }
        right.contents().tell(event);
        yield_once().await;
        right.contents().keys.insert(key.key().id, key.clone());
        Ok(())
    }
}

/// Takes a connection and does not give it back when it is dropped.
struct Leaks;

#[async_trait]
impl Wrong for Leaks {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        if right.busy.swap(1, Ordering::SeqCst) != 0 {
            return Err(StoreError::backend("no connection is free"));
        }
        yield_once().await;
        right.busy.store(0, Ordering::SeqCst);
        inserted(right, key, event, |_, _| {})
    }
}

/// Gives up, and stores it all the same.
struct LatePromise;

impl Wrong for LatePromise {
    fn failing_insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        right.contents().put(key, event);
        Err(StoreError::backend("the answer was lost"))
    }
}

/// Says that it was done.
struct SwallowsErrors;

impl Wrong for SwallowsErrors {
    fn failing_insert(&self, _: &Plain, _: &StoredKey, _: &AuditEvent) -> Done {
        Ok(())
    }
}

/// Loses what was last written when it is opened again.
struct LosesTheLast;

impl Wrong for LosesTheLast {
    fn opened(&self, right: &Plain) {
        let mut contents = right.contents();
        let lost = contents.events.pop().map(|event| event.key);
        if let Some(id) = lost {
            contents.keys.remove(&id);
        }
    }
}

/// Does not write the uses to the disk.
struct LosesUses;

impl Wrong for LosesUses {
    fn opened(&self, right: &Plain) {
        right.contents().uses.clear();
    }
}

fn revive(right: &Plain, key: &StoredKey) {
    let revived = with(key, "status", &"active".into());
    right.contents().keys.insert(key.key().id, revived);
}

fn rename_all(right: &Plain, id: KeyId, name: &str) {
    let mut contents = right.contents();
    let project = contents.keys[&id].key().project.clone();
    for key in contents.keys.values_mut().filter(|key| key.key().project == project) {
        *key = with(key, "name", &name.into());
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = inserts();
    all.extend(updates());
    all.extend(lasting());
    all
}

fn inserts() -> Vec<Case> {
    vec![
        case("stores nothing", "insert_stores_the_key", "came      None", || Inserts(|_, _, _| Ok(()))),
        case("forgets the event of an insert", "insert_stores_the_event", "came      []", || {
            Inserts(|right, key, event| {
                let mut contents = right.contents();
                if contents.keys.contains_key(&key.key().id) {
                    return Err(StoreError::AlreadyExists);
                }
                contents.feed.push((event.id, event.key));
                contents.keys.insert(key.key().id, key.clone());
                Ok(())
            })
        }),
        case(
            "stores the event of an insert without the key",
            "insert_stores_the_key",
            "came      None",
            || {
                Inserts(|right, _, event| {
                    right.contents().tell(event);
                    Ok(())
                })
            },
        ),
        case("upserts on insert", "insert_is_never_an_update", "came      it succeeded", || {
            Inserts(|right, key, event| {
                right.contents().put(key, event);
                Ok(())
            })
        }),
        case(
            "takes an id once a project",
            "an_id_is_taken_in_every_project",
            "came      it succeeded",
            || {
                Inserts(|right, key, event| {
                    let mut contents = right.contents();
                    let project = contents.keys.get(&key.key().id).map(|key| key.key().project.clone());
                    if project.is_some_and(|project| project == key.key().project) {
                        return Err(StoreError::AlreadyExists);
                    }
                    contents.put(key, event);
                    Ok(())
                })
            },
        ),
        case(
            "tells of an insert before it is refused",
            "a_refused_insert_stores_no_event",
            "refused insert",
            || {
                Inserts(|right, key, event| {
                    inserted(right, key, event, |right, event| right.contents().tell(event))
                })
            },
        ),
        case(
            "looks first and inserts then",
            "one_insert_of_many_at_once_wins",
            "exactly one succeeds",
            || {
                Inserts(|right, key, event| {
                    if right.contents().keys.contains_key(&key.key().id) {
                        return Err(StoreError::AlreadyExists);
                    }
                    pause();
                    right.contents().put(key, event);
                    Ok(())
                })
            },
        ),
    ]
}

fn updates() -> Vec<Case> {
    vec![
        case("updates the status alone", "update_replaces_the_key", "Another name", || {
            Updates(|right, key, expected, event| {
                let old = right.contents().keys.get(&key.key().id).map(|key| key.key().name.clone());
                let key = old.map_or(key.clone(), |name| with(key, "name", &name.into()));
                replace(right, &key, expected, event)
            })
        }),
        case("forgets the event of an update", "update_stores_the_event", "`history` of a key", || {
            Updates(|right, key, expected, event| {
                let mut contents = right.contents();
                if !contents.may_replace(key, expected) {
                    return Err(StoreError::Conflict);
                }
                contents.feed.push((event.id, event.key));
                contents.keys.insert(key.key().id, key.clone());
                Ok(())
            })
        }),
        case("inserts on update", "update_of_an_absent_key_conflicts", "came      it succeeded", || {
            Updates(|right, key, expected, event| {
                let mut contents = right.contents();
                if contents.keys.contains_key(&key.key().id) && !contents.may_replace(key, expected) {
                    return Err(StoreError::Conflict);
                }
                contents.put(key, event);
                Ok(())
            })
        }),
        case("ignores the expected revision", "update_at_another_revision_conflicts", "it succeeded", || {
            Updates(|right, key, _, event| {
                let mut contents = right.contents();
                let current = contents.keys.get(&key.key().id);
                if current.is_none_or(|key| key.key().status == Status::Revoked) {
                    return Err(StoreError::Conflict);
                }
                contents.put(key, event);
                Ok(())
            })
        }),
        case(
            "takes a revision that is not older",
            "update_at_another_revision_conflicts",
            "after the stored",
            || {
                Updates(|right, key, expected, event| {
                    let current = right.contents().keys.get(&key.key().id).map(StoredKey::revision);
                    let at = current.filter(|current| *current <= expected).unwrap_or(expected);
                    replace(right, key, at, event)
                })
            },
        ),
        case(
            "stores the event of a refused update",
            "a_refused_update_stores_nothing",
            "refused updates",
            || {
                Updates(|right, key, expected, event| {
                    let answer = replace(right, key, expected, event);
                    if answer.is_err() && right.contents().keys.contains_key(&key.key().id) {
                        right.contents().tell(event);
                    }
                    answer
                })
            },
        ),
        case(
            "remembers refused events",
            "the_loser_of_a_conflict_can_try_again",
            "the event exists already",
            || RemembersRefused(Mutex::default()),
        ),
        case(
            "renames the whole project",
            "a_change_touches_no_other_key",
            "after another was written",
            || {
                Updates(|right, key, expected, event| {
                    replace(right, key, expected, event)?;
                    rename_all(right, key.key().id, &key.key().name);
                    Ok(())
                })
            },
        ),
        case(
            "compares first and writes then",
            "one_update_of_many_at_once_wins",
            "exactly one succeeds",
            || {
                Updates(|right, key, expected, event| {
                    if !right.contents().may_replace(key, expected) {
                        return Err(StoreError::Conflict);
                    }
                    pause();
                    right.contents().put(key, event);
                    Ok(())
                })
            },
        ),
        case(
            "loses events when it is busy",
            "updates_at_once_lose_none",
            "the revisions of the events",
            || {
                Updates(|right, key, expected, event| {
                    among(right, |busy| {
                        replace(right, key, expected, event)?;
                        if busy > 1 {
                            right.contents().events.pop();
                        }
                        Ok(())
                    })
                })
            },
        ),
    ]
}

fn lasting() -> Vec<Case> {
    vec![
        case("revives by a late write", "revoked_is_final", "an update of a revoked key", || {
            Updates(|right, key, expected, event| {
                let mut contents = right.contents();
                if contents.keys.get(&key.key().id).is_none_or(|stored| stored.revision() != expected) {
                    return Err(StoreError::Conflict);
                }
                contents.put(key, event);
                Ok(())
            })
        }),
        case("revives when it is busy", "revoked_is_final_among_others", "revoked", || {
            Updates(|right, key, expected, event| {
                among(right, |busy| {
                    let mut contents = right.contents();
                    let current = contents.keys.get(&key.key().id).map(StoredKey::revision);
                    let is_busy = busy > 1 && current == Some(expected);
                    if !is_busy && !contents.may_replace(key, expected) {
                        return Err(StoreError::Conflict);
                    }
                    contents.put(key, event);
                    Ok(())
                })
            })
        }),
        case("has no trigger", "revoked_is_final_for_raw_writes", "set the status to active", || {
            crate::Nothing
        })
        .raw(revive),
        case("keeps the newest events", "the_past_is_never_changed", "changed 40 times", || {
            Updates(|right, key, expected, event| {
                replace(right, key, expected, event)?;
                let mut contents = right.contents();
                if contents.events.iter().filter(|told| told.key == event.key).count() > 20 {
                    let oldest = contents.events.iter().position(|told| told.key == event.key).unwrap();
                    contents.events.remove(oldest);
                }
                Ok(())
            })
        }),
        case(
            "loses the last commit when it stops",
            "what_was_acknowledged_is_there_after_reopening",
            "after the store was reopened",
            || LosesTheLast,
        ),
        case(
            "loses uses when it stops",
            "what_was_acknowledged_is_there_after_reopening",
            "`last_uses` after the store was reopened",
            || LosesUses,
        ),
        case(
            "half inserts when dropped",
            "a_dropped_insert_is_done_or_not_done",
            "its event is not stored",
            || HalfDone,
        ),
        case(
            "half updates when dropped",
            "a_dropped_update_is_done_or_not_done",
            "the key is not stored",
            || HalfDone,
        ),
        case(
            "leaks a connection when dropped",
            "a_dropped_call_blocks_nothing",
            "no connection is free",
            || Leaks,
        ),
        case("fails and stores it", "a_store_that_fails_tells_the_truth", "and it is stored", || LatePromise),
        case("swallows write errors", "a_store_that_fails_tells_the_truth", "and it is not stored", || {
            SwallowsErrors
        }),
    ]
}
