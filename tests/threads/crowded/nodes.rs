//! Two nodes, the threads on each, and what they may never see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use scheduled::store::StoreError;
use scheduled::{AccessKeys, Clock, Edit, Error, FakeClock, Scope, Verifier};
use shuttle::future::{block_on, yield_now};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::orders::Tally;
use crate::world::{Kind, Store, agent, id, node, other_agent, other_token, production, project, token};

/// What cuts the key off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Revoke,
    Deactivate,
    Rotate,
    Narrow,
}

/// Who does what in an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) cut: Cut,
    /// How many threads verify on the node of the one who makes the change, and on another.
    pub(crate) here: usize,
    pub(crate) there: usize,
    /// How often each of them verifies.
    pub(crate) times: usize,
    /// How many seconds pass, at most, before each verification.
    pub(crate) seconds: u64,
    /// Whether both nodes follow.
    pub(crate) follow: bool,
    /// Whether there is room for one key alone, and a thread on each node that verifies another one.
    pub(crate) evict: bool,
}

/// From when on nothing is accepted, in nanoseconds of deadline time.
struct CutOffs {
    here: AtomicU64,
    there: AtomicU64,
}

/// One order. What is compared is read and noted without giving way to others.
pub(crate) fn run(plan: Plan, tally: &Arc<Tally>) {
    let clock = FakeClock::default();
    let store = block_on(Store::new(plan.kind, &clock));
    let [here, there] = [(); 2].map(|()| node(&store, &clock, plan.evict));
    let cut_offs = Arc::new(CutOffs { here: AtomicU64::new(u64::MAX), there: AtomicU64::new(u64::MAX) });
    let mut threads = Vec::new();
    for (node, count, is_here) in [(&here, plan.here, true), (&there, plan.there, false)] {
        for _ in 0..count {
            let (verifier, clock, cut_offs) = (node.verifier(), clock.clone(), Arc::clone(&cut_offs));
            let tally = Arc::clone(tally);
            threads.push(thread::spawn(move || {
                for _ in 0..plan.times {
                    clock.advance(Duration::from_secs(thread_rng().gen_range(0..=plan.seconds)));
                    let cut_off = if is_here { &cut_offs.here } else { &cut_offs.there };
                    verify(&verifier, plan.cut, &clock, cut_off, &tally);
                }
            }));
        }
        if plan.evict {
            let verifier = node.verifier();
            threads.push(thread::spawn(move || {
                for _ in 0..plan.times {
                    drop(block_on(verifier.verify(other_token(), &production())));
                }
            }));
        }
        if plan.follow {
            let follow = node.verifier().follow(|_| yield_now());
            threads.push(thread::spawn(move || block_on(follow)));
        }
    }
    let theirs = Arc::clone(tally);
    threads.push(thread::spawn(move || cut_off(&here, plan.cut, &clock, &cut_offs, &theirs)));
    drop(there);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn verify(verifier: &Verifier, cut: Cut, clock: &FakeClock, cut_off: &AtomicU64, tally: &Tally) {
    let is_bound = boot(clock) >= cut_off.load(Relaxed);
    let verified = block_on(verifier.verify(token(), &production()));
    let is_accepted = verified.is_ok_and(|grant| cut != Cut::Narrow || grant.require_agent(&agent()).is_ok());
    tally.bound.fetch_add(usize::from(is_bound), Relaxed);
    if is_accepted { &tally.accepted } else { &tally.refused }.fetch_add(1, Relaxed);
    if is_accepted && is_bound {
        tally.broken("accepted after the cut-off");
    }
}

fn cut_off(keys: &AccessKeys<Arc<Store>>, cut: Cut, clock: &FakeClock, cut_offs: &CutOffs, tally: &Tally) {
    let holds_everywhere_in = block_on(async {
        loop {
            match make(keys, cut).await {
                Ok(holds_everywhere_in) => return Some(holds_everywhere_in),
                // More time has passed between two steps than an answer is good for: nothing was stored.
                Err(Error::Store(StoreError::Backend { .. })) => {}
                Err(error) => {
                    tally.broken(error.to_string());
                    return None;
                }
            }
        }
    });
    let Some(holds_everywhere_in) = holds_everywhere_in else { return };
    let acknowledged = boot(clock);
    let holds_everywhere_in = u64::try_from(holds_everywhere_in.as_nanos()).unwrap();
    cut_offs.here.store(acknowledged, Relaxed);
    cut_offs.there.store(acknowledged + holds_everywhere_in, Relaxed);
}

async fn make(keys: &AccessKeys<Arc<Store>>, cut: Cut) -> Result<Duration, Error> {
    let project = project(keys);
    let change = match cut {
        Cut::Revoke => project.revoke(id(), "leaked").await,
        Cut::Deactivate => project.deactivate(id()).await,
        Cut::Narrow => {
            project.edit(id(), Edit::new().agents(Scope::specific([other_agent()]).unwrap())).await
        }
        Cut::Rotate => {
            let issued = project.rotate(id(), Duration::ZERO).await?;
            return Ok(issued.old_secret_ends_in().expect("there is an old one"));
        }
    };
    change.map(|change| change.holds_everywhere_in())
}

fn boot(clock: &FakeClock) -> u64 {
    u64::try_from(clock.boot().as_nanos()).unwrap()
}
