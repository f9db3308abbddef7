//! A store as the rules call it: what has no reason to fail must not fail.

use std::sync::Arc;

use super::ruling::{Ruling, Stop, answered};
use super::samples::Write;
use super::{Fixture, Opens};
use crate::domain::{AccessKey, AuditEvent, AuditQuery, Cursor, KeyId, KeyQuery, Page, ProjectId, Revision};
use crate::store::{ChangeCursor, Changes, FeedState, KeyStore, KeyUse, StoreError, StoredKey};

/// More pages than any list of the kit has.
const PAGES_MAX: usize = 10_000;

/// A handle on a store that can go to other threads.
#[derive(Debug)]
pub(super) struct Handle<S>(Arc<S>);

impl<S> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// One handle on what the fixture opens.
pub(super) async fn open<F: Fixture>(fixture: &F) -> Handle<F::Store> {
    Handle(Arc::new(fixture.open().await))
}

/// Two handles on the same data.
pub(super) async fn open_two<F: Fixture>(fixture: &F) -> Ruling<[Handle<F::Store>; 2]> {
    match fixture.opens() {
        Opens::SameData => Ok([open(fixture).await, open(fixture).await]),
        Opens::OwnData => {
            Err(Stop::not_asked("each `open` gives a store of its own, and this needs two on the same data"))
        }
    }
}

/// One answer of a feed.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// What it named; `None` is everything.
    pub(super) ids: Option<Vec<KeyId>>,
    pub(super) next: ChangeCursor,
    pub(super) state: FeedState,
}

impl Answer {
    pub(super) fn names(&self, id: KeyId) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
    }
}

impl<S: KeyStore> Handle<S> {
    /// The store itself, for calls that may be refused.
    pub(super) fn store(&self) -> &S {
        &self.0
    }

    pub(super) async fn try_insert(&self, write: &Write) -> Result<(), StoreError> {
        self.0.insert(&write.key, &write.event).await
    }

    pub(super) async fn try_update(&self, write: &Write, expected: Revision) -> Result<(), StoreError> {
        self.0.update(&write.key, expected, &write.event).await
    }

    /// Stores a new key or a change of one.
    pub(super) async fn put(&self, write: &Write) -> Ruling {
        match write.before() {
            None => answered("an insert of a new key", self.try_insert(write).await),
            Some(before) => answered(
                "an update of a stored key at its own revision",
                self.try_update(write, before).await,
            ),
        }
    }

    pub(super) async fn get(&self, id: KeyId) -> Ruling<Option<StoredKey>> {
        answered("`get`", self.0.get(id).await)
    }

    /// What is found of these ids, in the order of the ids.
    pub(super) async fn get_many(&self, ids: &[KeyId]) -> Ruling<Vec<StoredKey>> {
        let mut found = answered("`get_many`", self.0.get_many(ids).await)?;
        found.sort_by_key(|stored| stored.key().id);
        Ok(found)
    }

    pub(super) async fn page(&self, project: &ProjectId, query: &KeyQuery) -> Ruling<Page<AccessKey>> {
        answered("`list`", self.0.list(project, query).await)
    }

    pub(super) async fn event_page(
        &self,
        project: &ProjectId,
        query: &AuditQuery,
    ) -> Ruling<Page<AuditEvent>> {
        answered("`history`", self.0.history(project, query).await)
    }

    /// Every key that the query asks for, page by page.
    pub(super) async fn keys(&self, project: &ProjectId, query: &KeyQuery) -> Ruling<Vec<AccessKey>> {
        let (mut query, mut keys) = (query.clone(), Vec::new());
        for _ in 0..PAGES_MAX {
            let page = self.page(project, &query).await?;
            keys.extend(page.items);
            match goes_on(query.after, page.next, "`list`")? {
                None => return Ok(keys),
                next => query.after = next,
            }
        }
        Err(endless("`list`"))
    }

    /// Every event that the query asks for, page by page.
    pub(super) async fn events(&self, project: &ProjectId, query: &AuditQuery) -> Ruling<Vec<AuditEvent>> {
        let (mut query, mut events) = (query.clone(), Vec::new());
        for _ in 0..PAGES_MAX {
            let page = self.event_page(project, &query).await?;
            events.extend(page.items);
            match goes_on(query.after, page.next, "`history`")? {
                None => return Ok(events),
                next => query.after = next,
            }
        }
        Err(endless("`history`"))
    }

    /// The whole history of a key, newest first.
    pub(super) async fn history_of(&self, write: &Write) -> Ruling<Vec<AuditEvent>> {
        self.events(&write.event.project, &AuditQuery::default().key(write.id())).await
    }

    pub(super) async fn record_use(&self, uses: &[KeyUse]) -> Ruling {
        answered("`record_use`", self.0.record_use(uses).await)
    }

    /// What is kept of these keys, in the order of key and generation.
    pub(super) async fn last_uses(&self, ids: &[KeyId]) -> Ruling<Vec<KeyUse>> {
        let mut uses = answered("`last_uses`", self.0.last_uses(ids).await)?;
        uses.sort_by_key(|used| (used.key, used.generation));
        Ok(uses)
    }

    /// An answer of the feed of a store that has one.
    pub(super) async fn changes(&self, since: Option<&ChangeCursor>) -> Ruling<Answer> {
        match answered("`changes`", self.0.changes(since).await)? {
            Changes::NoFeed => Err(Stop::not_asked("the store has no change feed")),
            Changes::Everything { next, state } => Ok(Answer { ids: None, next, state }),
            Changes::Since { ids, next, state } => Ok(Answer { ids: Some(ids), next, state }),
        }
    }
}

/// Where a list goes on. A cursor that does not lead on would lead round in a circle.
fn goes_on(after: Option<Cursor>, next: Option<Cursor>, call: &str) -> Ruling<Option<Cursor>> {
    match (after, next) {
        (Some(after), Some(next)) if next >= after => Err(Stop::broken(
            format!("{call} page by page"),
            format!("after {after}, a `next` that is further on"),
            format!("{next}"),
        )),
        _ => Ok(next),
    }
}

fn endless(call: &str) -> Stop {
    Stop::broken(format!("{call} page by page"), "an end", format!("{PAGES_MAX} pages, and a `next` still"))
}
