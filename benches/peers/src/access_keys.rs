//! This library: [`AccessKeys::verify`] of a key that is in memory, then
//! [`Grant::require_agent`](access_keys::Grant::require_agent).

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use access_keys::clock::TickClock;
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, AgentId, EnvironmentId};

use crate::fixture::{ENVIRONMENT, Fixture, foreign_agent};
use crate::peer::{Case, Check, Peer};

pub(crate) type Keys = AccessKeys<MemoryStore>;
type Failure = Box<dyn std::error::Error>;

struct Library<const TICKS: bool> {
    keys: Keys,
    environment: EnvironmentId,
}

impl<const TICKS: bool> Check for Library<TICKS> {
    const NAME: &'static str = if TICKS { "access_keys_tick_clock" } else { "access_keys" };
    type Agent = AgentId;

    fn accepts(&self, token: &str, agent: &AgentId) -> bool {
        let grant = ready(self.keys.verify(token, &self.environment));
        grant.is_ok_and(|grant| black_box(&grant).require_agent(agent).is_ok())
    }
}

pub(crate) fn peer(fixture: &Fixture) -> Result<Box<dyn Peer>, Failure> {
    proved::<false>(fixture)
}

/// With the clock that is cheaper and assumes more.
pub(crate) fn peer_with_ticks() -> Result<Box<dyn Peer>, Failure> {
    proved::<true>(&Fixture::with_clock(TickClock)?)
}

fn proved<const TICKS: bool>(fixture: &Fixture) -> Result<Box<dyn Peer>, Failure> {
    let check =
        Library::<TICKS> { keys: fixture.library.clone(), environment: EnvironmentId::new(ENVIRONMENT)? };
    let agent = AgentId::new(&fixture.agents[3])?;
    Ok(Case { check, good: fixture.good(), agent }.proved(&AgentId::new(foreign_agent())?, &fixture.bad))
}

/// The result of a future that hardly ever waits, without the cost of an executor: a verification waits when another
/// thread is just asking the store for changes.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => pollster::block_on(future),
    }
}
