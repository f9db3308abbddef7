//! A memory store of which chosen calls fail, hang, lie about their outcome, or give way to others.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, ScopeUse, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is carried out.
    Works,
    /// It is not carried out, and says so.
    Fails,
    /// It is not carried out and never ends.
    Hangs,
    /// It is carried out, and says that it does not know.
    DoneUnknown,
    /// It is not carried out, and says that it does not know.
    LostUnknown,
    /// It is carried out and never ends.
    DoneHangs,
    /// It is carried out after others had a turn.
    Yields,
}

type Plan = dyn FnMut(u64) -> Fault + Send;

/// A [`MemoryStore`] whose calls are numbered from 1 and meet the fault that the plan has for the number.
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    plan: Mutex<(u64, Box<Plan>)>,
}

impl FaultyStore {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new(), plan: Mutex::new((0, Box::new(|_| Fault::Works))) })
    }

    /// Follows a new plan, and counts from 1 again.
    pub(crate) fn plan(&self, plan: impl FnMut(u64) -> Fault + Send + 'static) {
        *self.plan.lock().unwrap() = (0, Box::new(plan));
    }

    pub(crate) fn heal(&self) {
        self.plan(|_| Fault::Works);
    }

    /// How many calls were made since the last plan.
    pub(crate) fn calls(&self) -> u64 {
        self.plan.lock().unwrap().0
    }

    fn next(&self) -> Fault {
        let (calls, plan) = &mut *self.plan.lock().unwrap();
        *calls += 1;
        plan(*calls)
    }

    async fn call<T>(
        &self,
        carried_out: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.next() {
            Fault::Works => carried_out.await,
            Fault::Fails => Err(StoreError::backend("failed on purpose")),
            Fault::Hangs => pending().await,
            Fault::DoneUnknown => {
                let _ = carried_out.await;
                Err(StoreError::outcome_unknown("cut off on purpose, after"))
            }
            Fault::LostUnknown => Err(StoreError::outcome_unknown("cut off on purpose, before")),
            Fault::DoneHangs => {
                let _ = carried_out.await;
                pending().await
            }
            Fault::Yields => {
                yield_once().await;
                carried_out.await
            }
        }
    }
}

/// Polls at most `polls` times and then drops the future: `None` when it had not ended.
pub(crate) fn poll_at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Lets others have a turn.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl KeyStore for FaultyStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.call(self.inner.insert(key, event)).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.call(self.inner.get(id)).await
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.call(self.inner.update(key, expected, event)).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.call(self.inner.list(project, query)).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.call(self.inner.history(project, query)).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.call(self.inner.record_use(uses)).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.call(self.inner.last_uses(ids)).await
    }

    async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
        self.call(self.inner.record_scope_uses(uses)).await
    }

    async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        self.call(self.inner.scope_uses(ids)).await
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        self.call(self.inner.changes(since)).await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }
}
