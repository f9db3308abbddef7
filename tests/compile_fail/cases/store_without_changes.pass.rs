//! A store says what changed, or says that it cannot: forgetting it is no answer.

#![allow(unused_imports)]

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

type Answer<T> = Result<T, StoreError>;

pub struct Logged(MemoryStore);

#[async_trait]
impl KeyStore for Logged {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Answer<()> {
        self.0.insert(key, event).await
    }
    async fn get(&self, id: KeyId) -> Answer<Option<StoredKey>> {
        self.0.get(id).await
    }
    async fn update(&self, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Answer<()> {
        self.0.update(key, expected, event).await
    }
    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Answer<Page<AccessKey>> {
        self.0.list(project, query).await
    }
    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Answer<Page<AuditEvent>> {
        self.0.history(project, query).await
    }
    async fn record_use(&self, uses: &[KeyUse]) -> Answer<()> {
        self.0.record_use(uses).await
    }
    async fn last_uses(&self, ids: &[KeyId]) -> Answer<Vec<KeyUse>> {
        self.0.last_uses(ids).await
    }
    async fn changes(&self, since: Option<&ChangeCursor>) -> Answer<Changes> {
        self.0.changes(since).await
    }
}

fn main() {}
