//! What several test files share: a set-up in one line, seeded randomness, a store that fails on demand.
#![allow(dead_code, unused_imports, reason = "every test file uses a part of it")]

mod faulty;
mod replay;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use access_keys::store::KeyStore;
use access_keys::{
    AccessKeys, Actor, Draft, EnvironmentId, FakeClock, KeyInfo, OperationId, ProjectId, ProjectKeys, Review,
    Scope,
};
use rand_core::{TryCryptoRng, TryRng};

pub(crate) use faulty::{Fault, FaultyStore, yield_once};
pub(crate) use replay::{State, events_of, replay, verified_replay, verified_replays};

/// Keys with one prefix for all environments, whose time is the test's.
pub(crate) fn keys<S: KeyStore>(store: S, clock: &FakeClock) -> AccessKeys<S> {
    AccessKeys::builder(store).prefix("acme").clock(clock.clone()).build().unwrap()
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

/// Polls at most `polls` times and then drops the future: `None` when it had not ended.
pub(crate) fn poll_at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
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

/// SplitMix64: the same numbers for the same seed, everywhere.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

impl TryRng for SplitMix {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::try_from(self.next() >> 32).unwrap_or_default())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SplitMix {}
