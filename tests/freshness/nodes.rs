//! Nodes over one store, what they say of a token, and futures that are polled by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use access_keys::lifecycle::Builder;
use access_keys::store::MemoryStore;
use access_keys::verify::Stats;
use access_keys::{AccessKeys, AgentId, Clock, Denial, FakeClock, Grant, Issued, ProjectKeys, Scope};
use chrono::TimeDelta;

use crate::support::{Woken, poll_at_most, production, project, review};
use crate::watched::Watched;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
/// 0.8 of the limit of a store whose limit nobody set.
pub(crate) const LEASE: Duration = Duration::from_secs(4);
pub(crate) const INSTANT: Duration = Duration::from_nanos(1);

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

pub(crate) fn agents(ids: &[&str]) -> Scope<AgentId> {
    Scope::parse(ids).unwrap()
}

/// Sets the wall clock forward by so many milliseconds, or back.
pub(crate) fn set_wall(clock: &FakeClock, millis: i64) {
    clock.set_wall(clock.wall() + TimeDelta::milliseconds(millis));
}

/// Lets a future run to its end. It must not wait for what the test itself holds.
#[track_caller]
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    poll_at_most(100, future).expect("it waits for what only the test can do")
}

/// A store and the clock of its nodes.
pub(crate) struct World {
    pub(crate) store: Arc<Watched>,
    pub(crate) clock: FakeClock,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { store: Watched::over(MemoryStore::new()), clock: FakeClock::default() }
    }

    /// A store whose clock is that of its nodes.
    pub(crate) fn with_store_clock() -> Self {
        let clock = FakeClock::default();
        Self { store: Watched::over(MemoryStore::with_clock(clock.clone())), clock }
    }

    pub(crate) fn without_feed() -> Self {
        Self { store: Watched::without_feed(), clock: FakeClock::default() }
    }

    pub(crate) fn node(&self) -> Node {
        self.node_with(|builder| builder)
    }

    pub(crate) fn node_with(&self, set: impl FnOnce(Builder<Arc<Watched>>) -> Builder<Arc<Watched>>) -> Node {
        self.node_at(&self.clock, set)
    }

    /// A node with a clock of its own.
    pub(crate) fn node_at(
        &self,
        clock: &(impl Clock + Clone),
        set: impl FnOnce(Builder<Arc<Watched>>) -> Builder<Arc<Watched>>,
    ) -> Node {
        let builder = AccessKeys::builder(self.store.clone()).prefix("acme").clock(clock.clone());
        let keys = set(builder).build().unwrap();
        let project = project(&keys, "ada");
        Node { keys, project }
    }

    /// Two nodes, a key, and its grant on the second one, which asks nothing more for one lease.
    pub(crate) fn pair(&self) -> (Node, Node, Issued, Grant) {
        let (one, other) = (self.node(), self.node());
        let issued = one.issue();
        let grant = other.verify(issued.token.expose()).unwrap();
        self.store.made();
        (one, other, issued, grant)
    }

    pub(crate) fn set_limit(&self, limit: Duration) {
        run(self.store.inner.set_max_staleness(limit)).unwrap();
    }
}

pub(crate) struct Node {
    pub(crate) keys: AccessKeys<Arc<Watched>>,
    pub(crate) project: ProjectKeys<Arc<Watched>>,
}

impl Node {
    pub(crate) fn issue(&self) -> Issued {
        run(self.project.generate(review("Mobile"))).unwrap()
    }

    pub(crate) fn issue_many(&self, count: usize) -> Vec<Issued> {
        (0..count).map(|_| self.issue()).collect()
    }

    #[track_caller]
    pub(crate) fn verify(&self, token: &str) -> Result<Grant, Denial> {
        run(self.keys.verify(token, &production()))
    }

    #[track_caller]
    pub(crate) fn recheck(&self, grant: &Grant) -> Result<Grant, Denial> {
        run(self.keys.verifier().recheck(grant))
    }

    /// `good`, or the name of the denial.
    #[track_caller]
    pub(crate) fn says(&self, issued: &Issued) -> &'static str {
        name(&self.verify(issued.token.expose()))
    }

    /// Whether the answer can be given without asking the store.
    pub(crate) fn knows(&self, issued: &Issued) -> bool {
        self.keys.verifier().verify_cached(issued.token.expose(), &production()).is_some()
    }

    /// A verification that is polled by hand.
    pub(crate) fn begin<'a>(&'a self, issued: &'a Issued) -> Polled<'a, Result<Grant, Denial>> {
        let token = issued.token.expose();
        Polled::new(async move { self.keys.verify(token, &production()).await })
    }

    pub(crate) fn stats(&self) -> Stats {
        self.keys.verifier().stats()
    }
}

/// `good`, or the name of the denial. One that is unavailable names its source and no key.
pub(crate) fn name(answer: &Result<Grant, Denial>) -> &'static str {
    if let Err(denial @ Denial::Unavailable { source, .. }) = answer {
        assert!(source.is_some(), "every node of these tests has the means to check every digest");
        assert_eq!((denial.key(), denial.status()), (None, 503));
    }
    answer.as_ref().map_or_else(Denial::as_str, |_| "good")
}

/// A future in the hand of the test.
pub(crate) struct Polled<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    woken: Arc<Woken>,
}

impl<'a, T> Polled<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self { future: Box::pin(future), woken: Arc::default() }
    }

    /// Polls once, as a task that was woken.
    pub(crate) fn poll(&mut self) -> Poll<T> {
        self.woken = Arc::default();
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls once; it must not have ended.
    #[track_caller]
    pub(crate) fn waits(&mut self) {
        assert!(self.poll().is_pending(), "it ended");
    }

    /// Polls once; it must have been woken and end.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> T {
        assert!(self.is_woken(), "nobody woke it");
        match self.poll() {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it goes on waiting"),
        }
    }

    /// Lets it run to its end.
    #[track_caller]
    pub(crate) fn run(self) -> T {
        run(self.future)
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken.was()
    }
}
