//! A store whose every call gives way to others before and after it takes effect.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

use crate::orders::{Access, Touches};

/// What all nodes share, and what the judge notes.
pub(crate) struct Data {
    pub(crate) inner: MemoryStore,
    pub(crate) has_feed: bool,
    /// A change that the store's feed does not tell of, to see that this is found.
    pub(crate) forgets: bool,
    /// Whether the change that cuts the key off was acknowledged.
    pub(crate) is_acknowledged: AtomicBool,
    /// Whether, since then, as much time has passed as was announced.
    pub(crate) is_over: AtomicBool,
    /// Whether the other node has an answer to a question that was carried out after the acknowledgement.
    pub(crate) is_informed: AtomicBool,
}

/// One node's handle.
#[derive(Clone)]
pub(crate) struct Turns {
    pub(crate) data: Arc<Data>,
    pub(crate) node: usize,
}

/// What comes after a turn of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A call takes effect in the store, and in nothing else.
    Effect(Touches),
    /// The answer arrives.
    Arrival(Answer),
}

/// Of which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Get,
    Update,
    Changes,
}

thread_local! {
    /// What the step that comes after this one will be.
    static NEXT: Cell<Option<Next>> = const { Cell::new(None) };
    static IS_CALM: Cell<bool> = const { Cell::new(true) };
}

/// What the next step of the call that was polled last will be, if it waits for the store.
pub(crate) fn take_next() -> Option<Next> {
    NEXT.take()
}

/// Whether calls end at once, as they do while the scene is set.
pub(crate) fn calm(is_calm: bool) {
    IS_CALM.set(is_calm);
}

pub(crate) async fn give_way(next: Next) {
    let mut given = IS_CALM.get();
    poll_fn(|context| {
        if given {
            return Poll::Ready(());
        }
        given = true;
        NEXT.set(Some(next));
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Turns {
    /// Carries a call out between two turns of others.
    async fn call<T>(
        &self,
        effect: Touches,
        answer: Answer,
        carried_out: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        give_way(Next::Effect(effect)).await;
        let carried_out = carried_out.await;
        give_way(Next::Arrival(answer)).await;
        carried_out
    }
}

#[async_trait]
impl KeyStore for Turns {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.data.inner.insert(key, event).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.call(Touches::store(Access::Reads), Answer::Get, self.data.inner.get(id)).await
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let carried_out = self.data.inner.update(key, expected, event);
        self.call(Touches::store(Access::Writes), Answer::Update, carried_out).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.data.inner.list(project, query).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.data.inner.history(project, query).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.data.inner.record_use(uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.data.inner.last_uses(ids).await
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        let data = &self.data;
        let effect = Touches::store(Access::Reads).and_judge(Access::Reads);
        let carried_out = async {
            let changes = data.inner.changes(since).await;
            let changes = match changes {
                _ if !data.has_feed => Ok(Changes::NoFeed),
                Ok(Changes::Since { next, state, .. }) if data.forgets => {
                    Ok(Changes::Since { ids: Vec::new(), next, state })
                }
                changes => changes,
            };
            changes.map(|changes| (changes, data.is_acknowledged.load(SeqCst)))
        };
        let (changes, is_after) = self.call(effect, Answer::Changes, carried_out).await?;
        if is_after && self.node == OTHER && data.has_feed {
            data.is_informed.store(true, SeqCst);
        }
        Ok(changes)
    }

    async fn changed(&self) {
        self.data.inner.changed().await;
    }
}

/// The node on which the change is made.
pub(crate) const HERE: usize = 0;
/// Another one over the same data.
pub(crate) const OTHER: usize = 1;
