//! The contract of a store.

use async_trait::async_trait;

use super::{ChangeCursor, Changes, KeyUse, StoreError, StoredKey};
use crate::domain::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

/// Where keys live. Implement it to keep them in your own database.
///
/// The promises of this crate hold over a store that obeys these rules. They are numbered so that they can
/// be named.
///
/// **Writing**
///
/// 1. `insert` stores the key and its event together, or neither.
/// 2. `insert` of an id that is stored, in whatever project, is [`StoreError::AlreadyExists`] and stores
///    nothing. It is never an update.
/// 3. `update` stores the key and its event together, or neither.
/// 4. `update` succeeds only if the stored revision is `expected` and the stored key is not revoked. Else, and
///    when there is no such key, it is [`StoreError::Conflict`] and stores nothing. The comparison and the
///    write are one step with respect to every other write.
/// 5. When a write returns `Ok`, it survives whatever the store promises to survive.
/// 6. [`StoreError::Backend`] says that nothing was stored, nor will be. Where that is in doubt the answer is
///    [`StoreError::OutcomeUnknown`].
/// 7. A key is stored whole: every field, times to the microsecond, texts character by character, every digest
///    with its scheme, generation, end and operation, and the id of its last event. What cannot be read back
///    is an error, never a guess.
/// 8. Keys and events are never deleted, and events never changed.
/// 9. A future that is dropped leaves a write done or not done, never half done.
///
/// **Reading**
///
/// 10. Reads see committed state and never go back: a `get` that begins after `changes` or another `get`
///     returned sees at least what that call showed. No replica that lags, no cache in between.
/// 11. `get` finds a key by its id in whatever project.
/// 12. `list` and `history` answer for the given project alone.
/// 13. `list` applies every filter of the query, as [`KeyQuery::matches`] does; `state` is judged at the
///     query's `now`.
/// 14. `list` is ordered by creation time and id, both descending, and goes on strictly after `after`, which is
///     a position ([`Cursor::of_key`](crate::Cursor::of_key)), whether or not a key is there.
/// 15. `history` applies every filter of the query, as [`AuditQuery::matches`] does, and is ordered by time and
///     event id, both descending ([`Cursor::of_event`](crate::Cursor::of_event)).
/// 16. A page has at most `limit` items. `next` is `None` exactly when nothing follows; a page may be short,
///     even empty, and have a `next`.
/// 17. `list` gives no digests.
///
/// **Usage**
///
/// 18. `record_use` keeps the latest time of each key and generation. It never moves back, and repeating it
///     changes nothing.
/// 19. `record_use` touches no key, and conflicts with no change of one.
/// 20. `last_uses` gives what is kept of the given keys, for each generation, and nothing of others. A key
///     that was never used is simply absent.
///
/// **Change feed**
///
/// 21. A store without a feed answers `Ok(Changes::NoFeed)`, always. All handles on the same data have the feed,
///     or none has. A store for one process needs none.
/// 22. `changes(since)` names every key that was inserted or changed by any commit acknowledged before the call
///     began and not covered by `since`. Naming one twice, or one that did not change, is fine; missing one is
///     not. Beware of sequence numbers: a lower one can commit after a higher one was seen.
/// 23. Ids, cursor, clock and limit come from one snapshot.
/// 24. A cursor names the store's incarnation and the last change by a value that cannot recur, such as its
///     event's id; never by a number alone. It is recognised only while that change is still in the history.
///     A cursor that is not recognised, and none at all, is answered with [`Changes::Everything`].
/// 25. It is cheap whatever the number of keys. Each node asks about once in a lease (0.8 of the limit) while it
///     is used, and at each change while it follows.
/// 26. `changed` resolves soon after a change by any handle. It is a hint: it may resolve for nothing, and may
///     miss a change.
///
/// **All**
///
/// 27. Every call ends, within a time limit of the store's own.
/// 28. No call panics, and no error holds a digest.
///
/// `Arc<S>` and `Box<S>` of a store are stores, and so are `Arc<dyn KeyStore>` and `Box<dyn KeyStore>`.
///
/// No method but [`changed`](Self::changed) has a default: a wrapper that forgot to forward one would break a
/// promise in silence.
///
/// A store is implemented with [`async_trait`](macro@async_trait), which `store` re-exports. This one counts the
/// reads of another; `examples/own_store.rs` is one that keeps keys itself.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use access_keys::store::{ChangeCursor, Changes, KeyStore, KeyUse, StoreError, StoredKey, async_trait};
/// use access_keys::{
///     AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision,
/// };
///
/// struct Counting<S> { inner: S, reads: AtomicU64 }
///
/// #[async_trait]
/// impl<S: KeyStore> KeyStore for Counting<S> {
///     async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
///         self.inner.insert(key, event).await
///     }
///
///     async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
///         self.reads.fetch_add(1, Ordering::Relaxed);
///         self.inner.get(id).await
///     }
///
///     async fn update(
///         &self, key: &StoredKey, expected: Revision, event: &AuditEvent,
///     ) -> Result<(), StoreError> {
///         self.inner.update(key, expected, event).await
///     }
///
///     async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
///         self.inner.list(project, query).await
///     }
///
///     async fn history(
///         &self, project: &ProjectId, query: &AuditQuery,
///     ) -> Result<Page<AuditEvent>, StoreError> {
///         self.inner.history(project, query).await
///     }
///
///     async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
///         self.inner.record_use(uses).await
///     }
///
///     async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
///         self.inner.last_uses(ids).await
///     }
///
///     async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
///         self.inner.changes(since).await
///     }
///
///     async fn changed(&self) {
///         self.inner.changed().await
///     }
/// }
/// ```
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Stores a new key and the event that tells of it.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::OutcomeUnknown`], [`StoreError::Backend`].
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError>;

    /// The key with this id.
    ///
    /// # Errors
    /// [`StoreError::Backend`], also for a stored key that cannot be read.
    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError>;

    /// Replaces a key, if it is still at the expected revision and not revoked, and stores the event that
    /// tells of it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::OutcomeUnknown`], [`StoreError::Backend`].
    async fn update(&self, key: &StoredKey, expected: Revision, event: &AuditEvent)
    -> Result<(), StoreError>;

    /// The keys of a project that the query asks for, newest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError>;

    /// The audit events of a project that the query asks for, newest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError>;

    /// Records uses of keys, in whatever order. Uses of unknown keys may be kept or dropped.
    ///
    /// # Errors
    /// [`StoreError::Backend`], also when only some were recorded: they can all be recorded again.
    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError>;

    /// When each secret of these keys was last used.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError>;

    /// Which keys may have changed since `since`.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError>;

    /// Waits for a change by any handle on the same data. The default waits for ever.
    async fn changed(&self) {
        std::future::pending().await
    }
}
