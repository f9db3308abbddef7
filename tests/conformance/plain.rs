//! A store that is right and simple, for others to be wrong on top of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use access_keys::domain::{EventId, Resource};
use access_keys::store::{
    ChangeCursor, Changes, FeedState, KeyStore, KeyUse, ScopeUse, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision, Status};

/// Everything in the open: a wrong store changes it as it likes.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) keys: BTreeMap<KeyId, StoredKey>,
    pub(crate) events: Vec<AuditEvent>,
    /// What the feed tells, in its order.
    pub(crate) feed: Vec<(EventId, KeyId)>,
    pub(crate) uses: BTreeMap<(KeyId, u32), KeyUse>,
    pub(crate) scope_uses: BTreeMap<(KeyId, Resource), ScopeUse>,
}

impl Contents {
    pub(crate) fn put(&mut self, key: &StoredKey, event: &AuditEvent) {
        self.keys.insert(key.key().id, key.clone());
        self.tell(event);
    }

    pub(crate) fn tell(&mut self, event: &AuditEvent) {
        self.events.push(event.clone());
        self.feed.push((event.id, event.key));
    }

    pub(crate) fn may_replace(&self, key: &StoredKey, expected: Revision) -> bool {
        let current = self.keys.get(&key.key().id).map(StoredKey::key);
        current.is_some_and(|key| key.revision == expected && key.status != Status::Revoked)
    }

    pub(crate) fn note(&mut self, used: KeyUse) {
        let last = self.uses.entry((used.key, used.generation)).or_insert(used);
        last.at = last.at.max(used.at);
    }

    pub(crate) fn note_scope(&mut self, used: &ScopeUse) {
        let known = self.scope_uses.entry((used.key, used.resource.clone())).or_insert_with(|| used.clone());
        *known = used.clone().and(known);
    }

    pub(crate) fn of_project(&self, project: &ProjectId) -> Vec<AccessKey> {
        self.keys.values().map(|key| key.key().clone()).filter(|key| key.project == *project).collect()
    }

    pub(crate) fn events_of(&self, project: &ProjectId) -> Vec<AuditEvent> {
        self.events.iter().filter(|event| event.project == *project).cloned().collect()
    }

    pub(crate) fn cursor(&self) -> ChangeCursor {
        ChangeCursor::new(self.feed.last().map_or("", |(event, _)| event.as_str()))
    }

    /// The feed since a cursor; `None` for one that is not known.
    pub(crate) fn since(&self, cursor: &ChangeCursor) -> Option<Vec<KeyId>> {
        let place = self.feed.iter().position(|(event, _)| event.as_str().as_bytes() == cursor.as_bytes())?;
        Some(self.feed[place + 1..].iter().map(|(_, key)| *key).collect())
    }
}

#[derive(Default)]
pub(crate) struct Plain {
    contents: Mutex<Contents>,
    /// Whether every call fails.
    pub(crate) failing: AtomicBool,
    /// How many calls are in the middle of what they do.
    pub(crate) busy: AtomicUsize,
    /// Whatever a wrong store has to count.
    count: AtomicU64,
}

pub(crate) fn state() -> FeedState {
    FeedState::new(None, Duration::from_secs(5), Duration::ZERO)
}

impl Plain {
    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst)
    }
}

pub(crate) fn answer(ids: Option<Vec<KeyId>>, next: ChangeCursor) -> Changes {
    match ids {
        Some(ids) => Changes::Since { ids, next, state: state() },
        None => Changes::Everything { next, state: state() },
    }
}

/// Leaves time for other threads to come between.
pub(crate) fn pause() {
    (0..50).for_each(|_| std::thread::yield_now());
}

/// Gives the turn away once, where a future can be dropped.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

fn failed<T>() -> Result<T, StoreError> {
    Err(StoreError::backend("the disk is full"))
}

/// What is wrong with a store: each method that is not written is right.
#[async_trait]
pub(crate) trait Wrong: Send + Sync + 'static {
    /// What happens when a handle is made.
    fn opened(&self, _right: &Plain) {}

    /// What an insert does while the backend fails.
    fn failing_insert(
        &self,
        _right: &Plain,
        _key: &StoredKey,
        _event: &AuditEvent,
    ) -> Result<(), StoreError> {
        failed()
    }

    /// What a `get` answers while the backend fails.
    fn failing_get(&self) -> Result<Option<StoredKey>, StoreError> {
        failed()
    }

    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        let mut contents = right.contents();
        if contents.keys.contains_key(&key.key().id) {
            return Err(StoreError::AlreadyExists);
        }
        contents.put(key, event);
        Ok(())
    }

    async fn get(&self, right: &Plain, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(right.contents().keys.get(&id).cloned())
    }

    async fn get_many(&self, right: &Plain, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        let contents = right.contents();
        let ids = BTreeSet::from_iter(ids);
        Ok(ids.into_iter().filter_map(|id| contents.keys.get(id).cloned()).collect())
    }

    async fn update(
        &self,
        right: &Plain,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let mut contents = right.contents();
        if !contents.may_replace(key, expected) {
            return Err(StoreError::Conflict);
        }
        contents.put(key, event);
        Ok(())
    }

    async fn list(
        &self,
        right: &Plain,
        project: &ProjectId,
        query: &KeyQuery,
    ) -> Result<Page<AccessKey>, StoreError> {
        Ok(query.page(right.contents().of_project(project)))
    }

    async fn history(
        &self,
        right: &Plain,
        project: &ProjectId,
        query: &AuditQuery,
    ) -> Result<Page<AuditEvent>, StoreError> {
        Ok(query.page(right.contents().events_of(project)))
    }

    async fn record_use(&self, right: &Plain, uses: &[KeyUse]) -> Result<(), StoreError> {
        let mut contents = right.contents();
        uses.iter().for_each(|used| contents.note(*used));
        Ok(())
    }

    async fn last_uses(&self, right: &Plain, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        Ok(right.contents().uses.values().filter(|used| ids.contains(&used.key)).copied().collect())
    }

    async fn record_scope_uses(&self, right: &Plain, uses: &[ScopeUse]) -> Result<(), StoreError> {
        let mut contents = right.contents();
        uses.iter().for_each(|used| contents.note_scope(used));
        Ok(())
    }

    async fn scope_uses(&self, right: &Plain, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        let contents = right.contents();
        Ok(Some(contents.scope_uses.values().filter(|used| ids.contains(&used.key)).cloned().collect()))
    }

    async fn changes(&self, right: &Plain, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        let contents = right.contents();
        Ok(answer(since.and_then(|cursor| contents.since(cursor)), contents.cursor()))
    }

    async fn changed(&self, _right: &Plain) {
        std::future::pending().await
    }
}

/// A store of which some methods are wrong.
pub(crate) struct Broken<W> {
    pub(crate) right: Arc<Plain>,
    pub(crate) wrong: W,
}

impl<W> Broken<W> {
    fn fails(&self) -> bool {
        self.right.failing.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<W: Wrong> KeyStore for Broken<W> {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        if self.fails() {
            return self.wrong.failing_insert(&self.right, key, event);
        }
        self.wrong.insert(&self.right, key, event).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        if self.fails() {
            return self.wrong.failing_get();
        }
        self.wrong.get(&self.right, id).await
    }

    async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.get_many(&self.right, ids).await
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.update(&self.right, key, expected, event).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.list(&self.right, project, query).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.history(&self.right, project, query).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.record_use(&self.right, uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.last_uses(&self.right, ids).await
    }

    async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.record_scope_uses(&self.right, uses).await
    }

    async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.scope_uses(&self.right, ids).await
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        if self.fails() {
            return failed();
        }
        self.wrong.changes(&self.right, since).await
    }

    async fn changed(&self) {
        self.wrong.changed(&self.right).await
    }
}

/// Nothing is wrong.
pub(crate) struct Nothing;

impl Wrong for Nothing {}
