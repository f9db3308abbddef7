//! A store whose answers a test can count and alter.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

type Alter<T> = Mutex<Option<Box<dyn Fn(T) -> T + Send>>>;

/// A store in memory that counts its calls and answers reads as it is told to.
#[derive(Default)]
pub(crate) struct Altered {
    pub(crate) honest: MemoryStore,
    reads: AtomicUsize,
    writes: AtomicUsize,
    get: Alter<Option<StoredKey>>,
    list: Alter<Page<AccessKey>>,
    history: Alter<Page<AuditEvent>>,
    last_uses: Alter<Vec<KeyUse>>,
}

impl Altered {
    /// How often anything was read, the change feed apart.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// How often it was asked to store anything.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    pub(crate) fn alter_get(&self, f: impl Fn(Option<StoredKey>) -> Option<StoredKey> + Send + 'static) {
        set(&self.get, f);
    }

    pub(crate) fn alter_list(&self, f: impl Fn(Page<AccessKey>) -> Page<AccessKey> + Send + 'static) {
        set(&self.list, f);
    }

    pub(crate) fn alter_history(&self, f: impl Fn(Page<AuditEvent>) -> Page<AuditEvent> + Send + 'static) {
        set(&self.history, f);
    }

    pub(crate) fn alter_last_uses(&self, f: impl Fn(Vec<KeyUse>) -> Vec<KeyUse> + Send + 'static) {
        set(&self.last_uses, f);
    }

    fn read<T>(&self, alter: &Alter<T>, answer: T) -> T {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &*alter.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(alter) => alter(answer),
            None => answer,
        }
    }

    fn write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

fn set<T>(alter: &Alter<T>, f: impl Fn(T) -> T + Send + 'static) {
    *alter.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(f));
}

#[async_trait]
impl KeyStore for Altered {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.write();
        self.honest.insert(key, event).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let answer = self.honest.get(id).await?;
        Ok(self.read(&self.get, answer))
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.write();
        self.honest.update(key, expected, event).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        let answer = self.honest.list(project, query).await?;
        Ok(self.read(&self.list, answer))
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        let answer = self.honest.history(project, query).await?;
        Ok(self.read(&self.history, answer))
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.honest.record_use(uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        let answer = self.honest.last_uses(ids).await?;
        Ok(self.read(&self.last_uses, answer))
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        self.honest.changes(since).await
    }

    async fn changed(&self) {
        self.honest.changed().await;
    }
}
