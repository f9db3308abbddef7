//! A memory store that tells which calls were made of it, and of which chosen calls fail or wait.

use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

/// A method of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Insert,
    Get,
    Update,
    Changes,
    Other,
}

/// What becomes of one call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is not carried out, and says so.
    Fails,
    /// The same, once the gate is open.
    FailsLater(Gate),
    /// It is carried out, and says that it does not know.
    DoneUnknown,
    /// It is carried out and never ends.
    DoneHangs,
    /// It is carried out once the gate is open.
    Waits(Gate),
    /// It is carried out, and answers once the gate is open.
    DoneWaits(Gate),
}

/// How the store tells that something has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hints {
    /// When it has.
    #[default]
    Come,
    /// Never.
    AreLost,
    /// Without a pause.
    NeverStop,
}

/// What a call waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    pub(crate) fn open(&self) {
        let waiting = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            std::mem::take(&mut state.1)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    async fn pass(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

pub(crate) struct Watched {
    pub(crate) inner: MemoryStore,
    has_feed: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: Vec<Call>,
    /// What becomes of the next calls of a method, each once.
    fates: VecDeque<(Call, Fate)>,
    /// The methods that fail until the store is healed.
    failing: Vec<Call>,
    /// What is answered for this key, whatever is stored.
    instead: Option<StoredKey>,
    /// Whether the next cursor is not recognised.
    forgets_cursor: bool,
    hints: Hints,
}

impl Watched {
    pub(crate) fn over(inner: MemoryStore) -> Arc<Self> {
        Arc::new(Self { inner, has_feed: true, state: Mutex::default() })
    }

    pub(crate) fn without_feed() -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new(), has_feed: false, state: Mutex::default() })
    }

    /// The calls that were made since this was last asked.
    pub(crate) fn made(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().made)
    }

    /// How many calls of this method there were since it was last asked which were made.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.state.lock().unwrap().made.iter().filter(|made| **made == call).count()
    }

    /// What becomes of the next call of this method that has no fate yet.
    pub(crate) fn next(&self, call: Call, fate: Fate) {
        self.state.lock().unwrap().fates.push_back((call, fate));
    }

    /// Lets the next call of this method be carried out, and answer when the gate is opened.
    pub(crate) fn hold(&self, call: Call) -> Gate {
        let gate = Gate::default();
        self.next(call, Fate::DoneWaits(gate.clone()));
        gate
    }

    /// Every call of these methods fails from now on.
    pub(crate) fn fail(&self, calls: &[Call]) {
        self.state.lock().unwrap().failing = calls.to_vec();
    }

    /// Every call fails from now on.
    pub(crate) fn stop(&self) {
        self.fail(&[Call::Insert, Call::Get, Call::Update, Call::Changes, Call::Other]);
    }

    pub(crate) fn heal(&self) {
        self.fail(&[]);
    }

    /// Answers with this record for its key from now on, as a store that was restored.
    pub(crate) fn answer_get(&self, stored: Option<StoredKey>) {
        self.state.lock().unwrap().instead = stored;
    }

    /// Does not recognise the next cursor, and so answers that everything may have changed.
    pub(crate) fn forget_cursor(&self) {
        self.state.lock().unwrap().forgets_cursor = true;
    }

    pub(crate) fn hint(&self, hints: Hints) {
        self.state.lock().unwrap().hints = hints;
    }

    fn begin(&self, call: Call) -> Option<Fate> {
        let mut state = self.state.lock().unwrap();
        state.made.push(call);
        if state.failing.contains(&call) {
            return Some(Fate::Fails);
        }
        let place = state.fates.iter().position(|(of, _)| *of == call)?;
        state.fates.remove(place).map(|(_, fate)| fate)
    }

    async fn call<T>(
        &self,
        call: Call,
        carried_out: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.begin(call) {
            None => carried_out.await,
            Some(Fate::Fails) => Err(StoreError::backend("failed on purpose")),
            Some(Fate::FailsLater(gate)) => {
                gate.pass().await;
                Err(StoreError::backend("failed on purpose"))
            }
            Some(Fate::DoneUnknown) => {
                let _ = carried_out.await;
                Err(StoreError::outcome_unknown("cut off on purpose"))
            }
            Some(Fate::DoneHangs) => {
                let _ = carried_out.await;
                pending().await
            }
            Some(Fate::Waits(gate)) => {
                gate.pass().await;
                carried_out.await
            }
            Some(Fate::DoneWaits(gate)) => {
                let answer = carried_out.await;
                gate.pass().await;
                answer
            }
        }
    }
}

#[async_trait]
impl KeyStore for Watched {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.call(Call::Insert, self.inner.insert(key, event)).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let instead = self.state.lock().unwrap().instead.clone().filter(|stored| stored.key().id == id);
        self.call(Call::Get, async {
            match instead {
                Some(stored) => Ok(Some(stored)),
                None => self.inner.get(id).await,
            }
        })
        .await
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.call(Call::Update, self.inner.update(key, expected, event)).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.call(Call::Other, self.inner.list(project, query)).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.call(Call::Other, self.inner.history(project, query)).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.call(Call::Other, self.inner.record_use(uses)).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.call(Call::Other, self.inner.last_uses(ids)).await
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        if !self.has_feed {
            return self.call(Call::Changes, async { Ok(Changes::NoFeed) }).await;
        }
        let forgets = since.is_some() && std::mem::take(&mut self.state.lock().unwrap().forgets_cursor);
        self.call(Call::Changes, self.inner.changes(since.filter(|_| !forgets))).await
    }

    async fn changed(&self) {
        let hints = self.state.lock().unwrap().hints;
        match hints {
            Hints::Come => self.inner.changed().await,
            Hints::AreLost => pending().await,
            Hints::NeverStop => {}
        }
    }
}
