//! Writing a change exactly once, whatever the store can say about it.

use crate::domain::{AccessKey, Action, AuditEvent, AuditQuery, Cursor, FieldChange, Revision};
use crate::store::{KeyStore, StoreError, StoredDigest, StoredKey};

/// How often a write whose outcome is unknown is tried.
const TRIES: usize = 3;
/// How often a store may refuse a write and then show the same revision again.
const STALLS_MAX: u32 = 16;

/// What is done to a key: as it is then, and what is told of it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) key: AccessKey,
    pub(super) digests: Vec<StoredDigest>,
    pub(super) action: Action,
    pub(super) changes: Vec<FieldChange>,
    pub(super) reason: Option<String>,
}

/// A key and the event that tells of it: stored together.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) key: StoredKey,
    pub(super) event: AuditEvent,
}

/// How a write that did not fail ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Something else was there first, and nothing was stored.
    Overtaken,
}

impl Write {
    /// Stores a new key.
    pub(super) async fn insert(&self, store: &impl KeyStore) -> Result<Outcome, StoreError> {
        self.settle(store, None).await
    }

    /// Replaces a key, if it is still at `expected`.
    pub(super) async fn update(
        &self,
        store: &impl KeyStore,
        expected: Revision,
    ) -> Result<Outcome, StoreError> {
        self.settle(store, Some(expected)).await
    }

    /// Writes, and settles an unknown outcome by trying again and, where that is overtaken, looking for the event.
    ///
    /// Trying the same write again is safe: of all tries at most one can be stored, since an id can be
    /// inserted once and a revision replaced once, and all carry the same event.
    async fn settle(&self, store: &impl KeyStore, expected: Option<Revision>) -> Result<Outcome, StoreError> {
        let mut unknown = None;
        for _ in 0..TRIES {
            let tried = match expected {
                None => store.insert(&self.key, &self.event).await,
                Some(expected) => store.update(&self.key, expected, &self.event).await,
            };
            match (tried, unknown) {
                (Ok(()), _) => return Ok(Outcome::Done),
                (Err(StoreError::AlreadyExists | StoreError::Conflict), None) => {
                    return Ok(Outcome::Overtaken);
                }
                // Overtaken, perhaps by an earlier try.
                (Err(StoreError::AlreadyExists | StoreError::Conflict), Some(earlier)) => {
                    return match self.is_stored(store).await {
                        Ok(true) => Ok(Outcome::Done),
                        Ok(false) => Ok(Outcome::Overtaken),
                        Err(_) => Err(earlier),
                    };
                }
                (Err(error @ StoreError::OutcomeUnknown { .. }), _) => unknown = Some(error),
                // That this try stored nothing says nothing of the one before.
                (Err(error), earlier) => return Err(earlier.unwrap_or(error)),
            }
        }
        match self.is_stored(store).await {
            Ok(true) => Ok(Outcome::Done),
            _ => Err(unknown.unwrap_or(StoreError::Conflict)),
        }
    }

    /// Whether the event is stored, and so the key with it, even if others have changed the key since.
    async fn is_stored(&self, store: &impl KeyStore) -> Result<bool, StoreError> {
        match store.get(self.event.key).await? {
            None => return Ok(false),
            Some(stored) if stored.last_event() == self.event.id => return Ok(true),
            Some(_) => {}
        }
        let mut query = AuditQuery::default().key(self.event.key).action(self.event.action);
        loop {
            let page = store.history(&self.event.project, &query).await?;
            if page.items.iter().any(|event| event.id == self.event.id) {
                return Ok(true);
            }
            match page.next {
                // Newest first: what follows an older event is older still, and no list goes back.
                Some(next)
                    if next > Cursor::of_event(&self.event)
                        && query.after.is_none_or(|after| next < after) =>
                {
                    query = query.after(next);
                }
                _ => return Ok(false),
            }
        }
    }
}

/// Counts the times that a change lost to another, to tell a busy key from a store that goes back.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    stalls: u32,
    last: Option<Revision>,
}

impl Attempts {
    /// Notes the revision that is about to be replaced.
    ///
    /// Some other change won whenever one is overtaken, so revisions rise; a store that shows the same one
    /// again and again is broken, and asking it for ever would not mend it.
    pub(super) fn at(&mut self, revision: Revision) -> Result<(), StoreError> {
        self.stalls = if self.last.is_some_and(|last| revision <= last) { self.stalls + 1 } else { 0 };
        self.last = Some(revision);
        if self.stalls >= STALLS_MAX { Err(StoreError::Conflict) } else { Ok(()) }
    }
}
