//! A pointer to a store is a store.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ChangeCursor, Changes, KeyStore, KeyUse, ScopeUse, StoreError, StoredKey};
use crate::domain::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

macro_rules! forward {
    ($pointer:ident) => {
        #[async_trait]
        impl<T: KeyStore + ?Sized> KeyStore for $pointer<T> {
            async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
                (**self).insert(key, event).await
            }

            async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
                (**self).get(id).await
            }

            async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
                (**self).get_many(ids).await
            }

            async fn update(
                &self,
                key: &StoredKey,
                expected: Revision,
                event: &AuditEvent,
            ) -> Result<(), StoreError> {
                (**self).update(key, expected, event).await
            }

            async fn list(
                &self,
                project: &ProjectId,
                query: &KeyQuery,
            ) -> Result<Page<AccessKey>, StoreError> {
                (**self).list(project, query).await
            }

            async fn history(
                &self,
                project: &ProjectId,
                query: &AuditQuery,
            ) -> Result<Page<AuditEvent>, StoreError> {
                (**self).history(project, query).await
            }

            async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
                (**self).record_use(uses).await
            }

            async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
                (**self).last_uses(ids).await
            }

            async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
                (**self).record_scope_uses(uses).await
            }

            async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
                (**self).scope_uses(ids).await
            }

            async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
                (**self).changes(since).await
            }

            async fn changed(&self) {
                (**self).changed().await;
            }
        }
    };
}

forward!(Arc);
forward!(Box);
