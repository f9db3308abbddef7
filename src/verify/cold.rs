//! Asking the store: one read for all who need a key, one question what has changed for all who wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cache::Room;
use super::flight::Flight;
use super::freshness::{Answer, Asked, Core, Face, LookUp, Refreshed};
use super::near::Seen;
use super::row::KeyRow;
use super::stats::Count;
use super::trace::{self, Known};
use super::verdict::{Refusal, Verdict};
use super::verifier::Inner;
use super::{Denial, Grant};
use crate::domain::{EnvironmentId, KeyId};
use crate::store::{Changes, KeyStore, StoreError};
use crate::token::Signed;

/// How often a verification looks up again because the key changed while it was read, or because what it
/// knew had become too old by the time of the decision.
const AGAIN_MAX: u32 = 2;

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) core: Core,
    pub(super) room: Room,
    /// The reads that others may wait for, by their places.
    reads: BTreeMap<usize, Arc<Flight<Read>>>,
    refresh: Option<Arc<Flight<Refresh>>>,
    /// How many questions what has changed were answered.
    answers: u64,
    /// What an operator was told last; `None` before the first answer.
    told: Option<Known>,
}

/// How a shared read ended: `None` for a row that nobody may use.
type Read = Result<Option<KeyRow>, Arc<StoreError>>;
/// How a question what has changed ended.
type Refresh = Result<Refreshed, Arc<StoreError>>;

impl Locked {
    pub(super) const fn new(core: Core, room: Room) -> Self {
        Self { core, room, reads: BTreeMap::new(), refresh: None, answers: 0, told: None }
    }
}

/// What shows that its holder may use a key.
#[derive(Clone, Copy)]
pub(super) enum Proof<'p> {
    /// What a token says.
    Token(&'p Signed),
    /// An earlier grant.
    Grant(&'p Grant),
}

/// Why there is no grant, after the store was asked.
enum Refused {
    By(Refusal),
    Store(Arc<StoreError>),
}

impl From<Arc<StoreError>> for Refused {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Store(error)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// What to do next, with what it takes.
enum Next {
    Refresh,
    Judge(Box<KeyRow>, Face),
    Wait(Arc<Flight<Read>>, Face),
    Read {
        flight: Arc<Flight<Read>>,
        place: usize,
        face: Face,
        /// When it began, where it is for this verification alone.
        began: Option<u64>,
    },
    Busy,
}

impl Inner {
    /// The answer that the cache could not give.
    pub(super) async fn ask(
        &self,
        id: KeyId,
        proof: Proof<'_>,
        environment: &EnvironmentId,
    ) -> Result<Grant, Denial> {
        let answer = self.look_up(id, proof, environment).await;
        self.counters.add(Count::Asked);
        self.counters.add(match &answer {
            Ok(_) => Count::Accepted,
            Err(Refused::By(refusal)) => refusal.count().unwrap_or(Count::Unavailable),
            Err(Refused::Store(_)) => Count::Unavailable,
        });
        answer.map_err(|refused| match refused {
            Refused::By(refusal) => refusal.denial(id),
            Refused::Store(source) => Denial::Unavailable { source: Some(source) },
        })
    }

    async fn look_up(
        &self,
        id: KeyId,
        proof: Proof<'_>,
        environment: &EnvironmentId,
    ) -> Result<Grant, Refused> {
        let (mut again, mut refreshed) = (0, 0);
        while again <= AGAIN_MAX && refreshed <= AGAIN_MAX {
            let (row, face, began) = match self.next(id) {
                Next::Refresh => {
                    self.refresh().await?;
                    refreshed += 1;
                    continue;
                }
                Next::Judge(row, face) => (Some(*row), face, None),
                Next::Wait(flight, face) => match flight.wait().await {
                    Some(read) => (read?, face, None),
                    // Who read gave up.
                    None => continue,
                },
                Next::Read { flight, place, face, began } => {
                    (self.read(id, flight, place).await?, face, began)
                }
                Next::Busy => {
                    trace::busy();
                    return Err(StoreError::backend("too many keys are being read").into());
                }
            };
            let judged = row.map_or(Verdict::refused(Refusal::AskStore), |row| {
                self.judge(Seen::new(id, row, self.home), proof, environment, &face, || self.now())
            });
            match (judged.into_result(), began) {
                (Err(Refusal::AskStore), _) => again += 1,
                (Err(refusal), _) => return Err(Refused::By(refusal)),
                (Ok(grant), None) => return Ok(grant),
                // What comes after the read began may have changed already.
                (Ok(grant), Some(began)) => return Ok(grant.ending(began)),
            }
        }
        Err(StoreError::backend("what is known of the key was too old each time").into())
    }

    /// What an operator was told last, and what there is to tell now. A jump may have been seen long before an answer.
    fn told(&self) -> (Option<Known>, Known) {
        let mut locked = self.lock();
        let core = &locked.core;
        let known = Known { limit: core.limit(), jumps: core.jumps(), suspicious: core.is_suspicious() };
        (locked.told.replace(known), known)
    }

    /// What a verification does next, and the one place in which it waits for others.
    fn next(&self, id: KeyId) -> Next {
        let now = self.now();
        let mut locked = self.lock();
        let read = |locked: &mut Locked, place, face, began| {
            let flight = Flight::new();
            locked.reads.insert(place, Arc::clone(&flight));
            Next::Read { flight, place, face, began }
        };
        match self.tell(&mut locked, |core, shelf| core.look_up(shelf, id, now)) {
            LookUp::Refresh => Next::Refresh,
            LookUp::Found(row, face) => Next::Judge(Box::new(row), face),
            LookUp::Join(place, face) => match locked.reads.get(&place) {
                Some(flight) => Next::Wait(Arc::clone(flight), face),
                None => Next::Busy,
            },
            LookUp::Read(place, face) => read(&mut locked, place, face, None),
            LookUp::ReadOwn(place, face) => read(&mut locked, place, face, Some(now.boot())),
            LookUp::Busy => Next::Busy,
        }
    }

    /// Reads a key for all who wait for it. `None` when nobody may use what came.
    async fn read(
        &self,
        id: KeyId,
        flight: Arc<Flight<Read>>,
        place: usize,
    ) -> Result<Option<KeyRow>, Arc<StoreError>> {
        let reading = Reading { inner: self, flight, place };
        let read = match self.setup.store.get(id).await {
            Ok(stored) => self
                .row_of(id, stored.as_ref())
                .ok_or_else(|| Arc::new(StoreError::backend("the store answered with another key"))),
            Err(error) => Err(Arc::new(error)),
        };
        if let Err(error) = &read {
            trace::read_failed(id, error);
        }
        reading.end(id, read)
    }

    /// Asks the store what has changed, or waits for who asks already.
    ///
    /// An answer that took longer than its own lease gives nothing; it is asked for once more.
    pub(super) async fn refresh(&self) -> Result<(), Arc<StoreError>> {
        let mut late = 0;
        let answers = self.lock().answers;
        while late < AGAIN_MAX {
            let now = self.now();
            let joined = {
                let mut locked = self.lock();
                match &locked.refresh {
                    Some(flight) => Ok(Arc::clone(flight)),
                    None => {
                        let flight = Flight::new();
                        locked.refresh = Some(Arc::clone(&flight));
                        Err((flight, self.tell(&mut locked, |core, shelf| core.refresh_sent(shelf, now))))
                    }
                }
            };
            let refreshed = match joined {
                Ok(flight) => flight.wait().await,
                Err((flight, asked)) => Some(self.ask_changes(flight, &asked).await),
            };
            match refreshed {
                Some(Ok(Refreshed::Fresh)) => return Ok(()),
                Some(Ok(Refreshed::Late)) => late += 1,
                Some(Err(error)) => return Err(error),
                // Who asked gave up, and another may have asked since.
                None if self.lock().answers > answers => return Ok(()),
                None => {}
            }
        }
        Err(Arc::new(StoreError::backend("the store took longer to answer than its answer may be used")))
    }

    /// The same, with a question that is asked after this is called: the store may have answered one that is under way
    /// before the change that was heard of.
    pub(super) async fn refresh_anew(&self) -> Result<(), Arc<StoreError>> {
        let under_way = self.lock().refresh.clone();
        if let Some(flight) = under_way {
            flight.wait().await;
        }
        self.refresh().await
    }

    async fn ask_changes(&self, flight: Arc<Flight<Refresh>>, asked: &Asked) -> Refresh {
        let asking = Asking { inner: self, flight };
        let answer = self.setup.store.changes(asked.since.as_ref()).await;
        if let Err(error) = &answer {
            trace::refresh_failed(error);
        }
        asking.end(answer.map(|changes| {
            let (now, answer) = (self.now(), Answer::from(changes));
            let named = answer.named();
            let refreshed = self.with_core(|core, shelf| core.changes_arrived(shelf, asked, answer, now));
            let (before, after) = self.told();
            trace::refreshed(named, before, after);
            if named != Some(0) {
                self.learned.ring();
            }
            refreshed
        }))
    }
}

/// A read under way; dropped, it is given up.
struct Reading<'v> {
    inner: &'v Inner,
    flight: Arc<Flight<Read>>,
    place: usize,
}

impl Reading<'_> {
    /// Tells the core, then all who wait: nobody joins a read that has ended.
    fn end(self, id: KeyId, read: Result<KeyRow, Arc<StoreError>>) -> Read {
        let now = self.inner.now();
        let read = {
            let mut locked = self.inner.lock();
            locked.reads.remove(&self.place);
            match read {
                Ok(row) => Ok(self
                    .inner
                    .tell(&mut locked, |core, shelf| core.row_arrived(shelf, self.place, row, now))),
                Err(error) => {
                    locked.core.abandon(self.place);
                    Err(error)
                }
            }
        };
        if let Ok(row) = &read {
            self.inner.counters.add(Count::Fills);
            if row.is_none() {
                self.inner.counters.add(Count::FencedFills);
                trace::fenced(id);
            }
        }
        self.flight.land(Some(read.clone()));
        read
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        {
            let mut locked = self.inner.lock();
            // Ended, its place may be another's by now.
            let is_ours =
                locked.reads.get(&self.place).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight));
            if is_ours {
                locked.reads.remove(&self.place);
                locked.core.abandon(self.place);
            }
        }
        self.flight.land(None);
    }
}

/// A question under way; dropped, it is given up.
struct Asking<'v> {
    inner: &'v Inner,
    flight: Arc<Flight<Refresh>>,
}

impl Asking<'_> {
    fn end(self, answer: Result<Refreshed, StoreError>) -> Refresh {
        let count = if answer.is_ok() { Count::Refreshes } else { Count::FailedRefreshes };
        self.inner.counters.add(count);
        let refreshed = answer.map_err(Arc::new);
        {
            let mut locked = self.inner.lock();
            locked.refresh = None;
            locked.answers += u64::from(refreshed.is_ok());
        }
        self.flight.land(Some(refreshed.clone()));
        refreshed
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        {
            let mut locked = self.inner.lock();
            if locked.refresh.as_ref().is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
                locked.refresh = None;
            }
        }
        self.flight.land(None);
    }
}

impl From<Changes> for Answer {
    fn from(changes: Changes) -> Self {
        match changes {
            Changes::NoFeed => Self::NoFeed,
            Changes::Since { ids, next, state } => Self::Feed { named: Some(ids), next, state },
            Changes::Everything { next, state } => Self::Feed { named: None, next, state },
        }
    }
}
