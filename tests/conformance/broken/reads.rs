//! Wrong when they read one key, or in every call.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use access_keys::store::{ChangeCursor, Changes, KeyUse, StoreError, StoredKey, async_trait};
use access_keys::{AuditEvent, KeyId, ProjectId, Revision};

use crate::case::{Case, case};
use crate::plain::{Contents, Nothing, Plain, Wrong, pause};

type Found = Result<Option<StoredKey>, StoreError>;
type Many = Result<Vec<StoredKey>, StoreError>;
type Done = Result<(), StoreError>;

/// Finds the keys of the project that it met first.
#[derive(Default)]
struct OneProject(Mutex<Option<ProjectId>>);

#[async_trait]
impl Wrong for OneProject {
    async fn get(&self, right: &Plain, id: KeyId) -> Found {
        let found = Nothing.get(right, id).await?;
        let mut mine = self.0.lock().unwrap();
        Ok(found.filter(|key| *mine.get_or_insert_with(|| key.key().project.clone()) == key.key().project))
    }
}

/// Keeps what it read.
#[derive(Default)]
struct Caches {
    read: Mutex<HashMap<KeyId, StoredKey>>,
    /// Whether its own writes are noticed.
    notices: bool,
}

#[async_trait]
impl Wrong for Caches {
    async fn get(&self, right: &Plain, id: KeyId) -> Found {
        if let Some(read) = self.read.lock().unwrap().get(&id) {
            return Ok(Some(read.clone()));
        }
        let found = right.contents().keys.get(&id).cloned();
        self.read.lock().unwrap().extend(found.iter().map(|key| (id, key.clone())));
        Ok(found)
    }

    async fn update(&self, right: &Plain, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        if self.notices {
            self.read.lock().unwrap().remove(&key.key().id);
        }
        Nothing.update(right, key, expected, event).await
    }
}

/// Every third read is of a replica that lags.
#[derive(Default)]
struct Lags {
    replica: Mutex<HashMap<KeyId, StoredKey>>,
    reads: AtomicU64,
}

#[async_trait]
impl Wrong for Lags {
    async fn get(&self, right: &Plain, id: KeyId) -> Found {
        let found = right.contents().keys.get(&id).cloned();
        let turn = self.reads.fetch_add(1, Ordering::SeqCst);
        let mut replica = self.replica.lock().unwrap();
        if turn % 3 == 2 {
            return Ok(replica.get(&id).cloned().or(found));
        }
        if turn.is_multiple_of(3) {
            replica.extend(found.iter().map(|key| (id, key.clone())));
        }
        Ok(found)
    }
}

/// Finds many keys like this.
struct FindsMany(fn(&Contents, &[KeyId]) -> Many);

#[async_trait]
impl Wrong for FindsMany {
    async fn get_many(&self, right: &Plain, ids: &[KeyId]) -> Many {
        (self.0)(&right.contents(), ids)
    }
}

fn each(contents: &Contents, ids: &[KeyId]) -> Vec<StoredKey> {
    ids.iter().filter_map(|id| contents.keys.get(id).cloned()).collect()
}

/// Finds in one statement what it found before, and keeps it.
#[derive(Default)]
struct CachesMany(Mutex<HashMap<KeyId, StoredKey>>);

#[async_trait]
impl Wrong for CachesMany {
    async fn get_many(&self, right: &Plain, ids: &[KeyId]) -> Many {
        let mut read = self.0.lock().unwrap();
        let contents = right.contents();
        for id in ids {
            if let Some(found) = contents.keys.get(id) {
                read.entry(*id).or_insert_with(|| found.clone());
            }
        }
        Ok(BTreeSet::from_iter(ids).into_iter().filter_map(|id| read.get(id).cloned()).collect())
    }
}

struct SwallowsReadErrors;

impl Wrong for SwallowsReadErrors {
    fn failing_get(&self) -> Found {
        Ok(None)
    }
}

/// A statement that has to name something.
struct NeedsSomething;

#[async_trait]
impl Wrong for NeedsSomething {
    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Done {
        if uses.is_empty() {
            return Err(StoreError::backend("syntax error at or near \")\""));
        }
        Nothing.record_use(right, uses).await
    }
}

/// Has two connections, and waits for none.
struct FewConnections;

#[async_trait]
impl Wrong for FewConnections {
    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        Nothing.changes(right, since).await
    }

    async fn last_uses(&self, right: &Plain, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        let busy = right.busy.fetch_add(1, Ordering::SeqCst);
        pause();
        right.busy.fetch_sub(1, Ordering::SeqCst);
        if busy >= 2 {
            return Err(StoreError::backend("too many connections"));
        }
        Nothing.last_uses(right, ids).await
    }
}

struct Panics;

#[async_trait]
impl Wrong for Panics {
    async fn get(&self, right: &Plain, id: KeyId) -> Found {
        let found = Nothing.get(right, id).await?;
        Ok(Some(found.expect("a key with this id")))
    }
}

/// Says in its error what it was given.
struct ShowsDigests;

#[async_trait]
impl Wrong for ShowsDigests {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Done {
        match Nothing.insert(right, key, event).await {
            Err(StoreError::AlreadyExists) => {
                Err(StoreError::backend(format!("duplicate key: {}", serde_json::to_string(key).unwrap())))
            }
            answer => answer,
        }
    }
}

pub(crate) fn all() -> Vec<Case> {
    vec![
        case(
            "finds keys of one project",
            "get_finds_a_key_of_any_project",
            "one of five projects",
            OneProject::default,
        ),
        case(
            "caches reads",
            "reads_see_what_was_acknowledged",
            "by the handle that made it",
            Caches::default,
        ),
        case(
            "caches reads until its own writes",
            "every_handle_sees_what_was_acknowledged",
            "by another handle",
            || Caches { notices: true, ..Caches::default() },
        ),
        case("reads a replica that lags", "reads_never_go_back", "`get` after `get`", Lags::default),
        case(
            "has a handle that lags",
            "reads_by_two_handles_never_go_back",
            "`get` after `get`",
            Lags::default,
        ),
        case("swallows read errors", "a_failed_read_is_no_answer", "came      0 items", || {
            SwallowsReadErrors
        }),
        case("finds a key as often as it is named", "get_many_finds_what_get_finds", "named twice", || {
            FindsMany(|contents, ids| Ok(each(contents, ids)))
        }),
        case("finds the first few of many keys", "get_many_finds_what_get_finds", "of 100 keys", || {
            FindsMany(|contents, ids| Ok(each(contents, &ids[..ids.len().min(64)])))
        }),
        case("finds many keys of one project", "get_many_finds_what_get_finds", "of other projects", || {
            FindsMany(|contents, ids| {
                let mut found = each(contents, ids);
                let project = found.last().map(|key| key.key().project.clone());
                found.retain(|key| Some(&key.key().project) == project.as_ref());
                Ok(found)
            })
        }),
        case(
            "finds no key where one of many is not there",
            "get_many_finds_what_get_finds",
            "that nothing has",
            || {
                FindsMany(|contents, ids| {
                    let ids: Vec<_> = BTreeSet::from_iter(ids).into_iter().copied().collect();
                    let found = each(contents, &ids);
                    Ok(if found.len() == ids.len() { found } else { Vec::new() })
                })
            },
        ),
        case("cannot find none of many keys", "get_many_finds_what_get_finds", "syntax error", || {
            FindsMany(|contents, ids| match ids {
                [] => Err(StoreError::backend("syntax error at or near \")\"")),
                ids => Ok(each(contents, &BTreeSet::from_iter(ids).into_iter().copied().collect::<Vec<_>>())),
            })
        }),
        case(
            "keeps what it read of many keys",
            "get_many_sees_what_was_acknowledged",
            "at once after write 2",
            CachesMany::default,
        ),
        case("cannot record no use", "calls_about_nothing_end", "syntax error", || NeedsSomething),
        case("has two connections", "many_calls_at_once_end", "too many connections", || FewConnections),
        case("panics at an unknown id", "insert_stores_the_key", "a panic: a key with this id", || Panics),
        case("shows digests in errors", "no_error_shows_a_digest", "hexadecimal digits", || ShowsDigests),
    ]
}
