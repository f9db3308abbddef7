//! What several test files share: a set-up in one line, seeded randomness, a store that fails on demand, a timer.
#![allow(dead_code, unused_imports, reason = "every test file uses a part of it")]

mod faulty;
mod random;
mod replay;
mod timer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use access_keys::store::KeyStore;
use access_keys::{
    AccessKeys, Actor, Draft, EnvironmentId, FakeClock, KeyInfo, OperationId, ProjectId, ProjectKeys, Review,
    Scope,
};

pub(crate) use faulty::{Fault, FaultyStore, poll_at_most, yield_once};
pub(crate) use random::SplitMix;
pub(crate) use replay::{State, events_of, replay, verified_replay, verified_replays};
pub(crate) use timer::Timer;

/// Keys with one prefix for all environments, whose time is the test's.
pub(crate) fn keys<S: KeyStore>(store: S, clock: &FakeClock) -> AccessKeys<S> {
    AccessKeys::builder(store).prefix("acme").clock(clock.clone()).build().unwrap()
}

/// The same, of which every verification reads the store.
pub(crate) fn keys_at_zero<S: KeyStore>(store: S, clock: &FakeClock) -> AccessKeys<S> {
    let builder = AccessKeys::builder(store).prefix("acme").clock(clock.clone());
    builder.max_staleness(std::time::Duration::ZERO).build().unwrap()
}

/// The project `checkout`, managed by the user `actor`.
pub(crate) fn project<S: KeyStore>(keys: &AccessKeys<S>, actor: &str) -> ProjectKeys<S> {
    keys.project(checkout(), Actor::user(actor).unwrap())
}

pub(crate) fn checkout() -> ProjectId {
    ProjectId::new("checkout").unwrap()
}

pub(crate) fn production() -> EnvironmentId {
    EnvironmentId::new("production").unwrap()
}

pub(crate) fn operation(id: &str) -> OperationId {
    OperationId::new(id).unwrap()
}

/// A key for production that reaches everything and never expires.
pub(crate) fn review(name: &str) -> Review {
    Draft::at(access_keys::Clock::wall(&FakeClock::default()))
        .info(KeyInfo::new(name, production()).unwrap())
        .agents(Scope::All)
        .prompts(Scope::All)
        .unwrap()
}

/// A waker that remembers whether it was woken.
#[derive(Default)]
pub(crate) struct Woken(AtomicBool);

impl Woken {
    pub(crate) fn was(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
