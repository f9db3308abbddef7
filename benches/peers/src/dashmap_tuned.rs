//! The same job with every trick that a `DashMap` allows: the strongest opponent by hand.
//!
//! Environments are interned as numbers, agents keep their hash, an id is hashed by one multiplication, one clock is
//! read once, and a grant is one more count of the record. It lacks what [`dashmap`](crate::dashmap) lacks, except that
//! an unknown id meets a dummy digest.
//!
//! It reads the clock first, which is cheapest: a thread that is paused after that decides on what it knew before. The
//! variants beside it read the clock last, as this library must, and a coarse one.

use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use chrono::Utc;
use constant_time_eq::constant_time_eq_32;
use dashmap::DashMap;
use foldhash::fast::FixedState;
use rustix::time::{ClockId, clock_gettime};

use crate::fixture::{ENVIRONMENT, Fixture, Key, foreign_agent};
use crate::peer::{Case, Check, Peer};
use crate::tuned_agents::{Agent, Agents};
use crate::tuned_token::{Reader, Words, digest};

#[derive(Clone, Copy, PartialEq, Eq)]
struct Id(u128);

impl Hash for Id {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.0);
    }
}

struct Record {
    digest: Words,
    /// In nanoseconds of the wall clock.
    expires_at: i64,
    environment: u32,
    active: bool,
    agents: Agents,
}

struct Grant(Arc<Record>);

/// With the coarse clock it cannot be a cache: there is no deadline for what it knows.
struct Table<const LAST: bool, const COARSE: bool> {
    records: DashMap<Id, Arc<Record>, FixedState>,
    reader: Reader,
    dummy: Words,
    /// What the boot clock must not have reached for the table to be believed.
    good_until: AtomicI64,
    /// How far the wall clock is ahead of the boot clock.
    offset: AtomicI64,
}

impl<const LAST: bool, const COARSE: bool> Table<LAST, COARSE> {
    fn new(fixture: &Fixture) -> Self {
        let offset = Utc::now().timestamp_nanos_opt().unwrap_or_default() - nanos(ClockId::Boottime);
        Self {
            records: fixture.keys.iter().map(|key| record(key, &fixture.agents)).collect(),
            reader: Reader::new(),
            dummy: [0; 32],
            good_until: AtomicI64::new(i64::MAX),
            offset: AtomicI64::new(offset),
        }
    }

    /// The wall time, unless it is past the time for which the table is to be believed.
    #[inline]
    fn now(&self) -> Option<i64> {
        if COARSE {
            return Some(nanos(ClockId::RealtimeCoarse));
        }
        let boot = nanos(ClockId::Boottime);
        (boot < self.good_until.load(Relaxed)).then(|| boot + self.offset.load(Relaxed))
    }

    #[inline]
    fn verify(&self, token: &[u8], environment: u32) -> Option<Grant> {
        let first = if LAST { i64::MAX } else { self.now()? };
        let (id, signed) = self.reader.read(token)?;
        let digest = digest(signed);
        let record = self.records.get(&Id(u128::from_ne_bytes(id))).map(|record| Arc::clone(&record));
        let Some(record) = record else {
            black_box(constant_time_eq_32(&digest, &self.dummy));
            return None;
        };
        if !constant_time_eq_32(&digest, &record.digest) {
            return None;
        }
        let now = if LAST { self.now()? } else { first };
        let live = now < record.expires_at && record.active;
        (live && record.environment == environment).then_some(Grant(record))
    }
}

impl<const LAST: bool, const COARSE: bool> Check for Table<LAST, COARSE> {
    const NAME: &'static str = match (LAST, COARSE) {
        (_, true) => "dashmap_tuned_coarse_clock",
        (true, _) => "dashmap_tuned_clock_last",
        _ => "dashmap_tuned",
    };
    type Agent = Agent;

    fn accepts(&self, token: &str, agent: &Agent) -> bool {
        self.verify(token.as_bytes(), 0).is_some_and(|grant| black_box(&grant).0.agents.allows(agent))
    }
}

pub(crate) fn peer(fixture: &Fixture) -> Box<dyn Peer> {
    proved(Table::<false, false>::new(fixture), fixture)
}

pub(crate) fn peer_with_clock_last(fixture: &Fixture) -> Box<dyn Peer> {
    proved(Table::<true, false>::new(fixture), fixture)
}

pub(crate) fn peer_with_coarse_clock(fixture: &Fixture) -> Box<dyn Peer> {
    proved(Table::<false, true>::new(fixture), fixture)
}

fn proved(check: impl Check<Agent = Agent>, fixture: &Fixture) -> Box<dyn Peer> {
    let case = Case { check, good: fixture.good(), agent: Agent::new(&fixture.agents[3]) };
    case.proved(&Agent::new(&foreign_agent()), &fixture.bad_in_a_table())
}

fn record(key: &Key, agents: &[String]) -> (Id, Arc<Record>) {
    let (id, signed) = Reader::new().read(key.token.as_bytes()).expect("a token of the fixture");
    let record = Record {
        digest: digest(signed),
        expires_at: key.expires_at.timestamp_nanos_opt().unwrap_or(i64::MAX),
        environment: u32::from(key.environment != ENVIRONMENT),
        active: key.active,
        agents: Agents::new(agents),
    };
    (Id(u128::from_ne_bytes(id)), Arc::new(record))
}

#[inline]
fn nanos(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
