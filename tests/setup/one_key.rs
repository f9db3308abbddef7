//! A store that keeps the last key and event alone, so that a million keys take no memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

#[derive(Default)]
pub(crate) struct OneKey {
    last: Mutex<Option<(StoredKey, AuditEvent)>>,
    none: MemoryStore,
}

impl OneKey {
    pub(crate) fn last(&self) -> MutexGuard<'_, Option<(StoredKey, AuditEvent)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for OneKey {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        *self.last() = Some((key.clone(), event.clone()));
        Ok(())
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.last().as_ref().map(|(key, _)| key).filter(|key| key.key().id == id).cloned())
    }

    async fn update(
        &self,
        key: &StoredKey,
        _expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.insert(key, event).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.none.list(project, query).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.none.history(project, query).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.none.record_use(uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.none.last_uses(ids).await
    }

    async fn changes(&self, _since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        Ok(Changes::NoFeed)
    }
}
