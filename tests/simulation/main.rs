//! Many nodes over one store in virtual time: whatever goes wrong, no node accepts later than was announced.
//!
//! Each seed is a run of its own: real verifiers and real management calls, a store and a network that are
//! simulated, clocks that go wrong. `ACCESS_KEYS_SEEDS=10000` makes more runs, `ACCESS_KEYS_SEED=17` repeats one and
//! tells what happened in it. `ACCESS_KEYS_GO_ON=1` goes on after a broken promise, and tells of the first of each.

#[path = "../support/random.rs"]
mod random;

mod actions;
mod chance;
mod changes;
mod faults;
mod history;
mod judge;
mod node;
mod planned;
mod run;
mod setting;
mod shared;
mod tally;
mod tasks;
mod trips;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use faults::Fault;
use run::run;
use tally::Tally;

const SEEDS: u64 = 300;

#[test]
fn no_node_accepts_later_than_was_announced() {
    if let Some(seed) = number("ACCESS_KEYS_SEED") {
        let outcome = run(seed, true);
        println!("{}", outcome.told);
        assert!(outcome.broken.is_none(), "seed {seed} breaks a promise");
        return;
    }
    let seeds = number("ACCESS_KEYS_SEEDS").unwrap_or(SEEDS);
    let began = Instant::now();
    let tally = run_all(seeds);
    let asked = tally.quiet_accepts;
    println!(
        "seeds {seeds}, accepts {}, changes compared {}, fenced fills {}, availability 100 % of {asked}, {:.1} s",
        tally.accepts,
        tally.compared,
        tally.fenced_fills,
        began.elapsed().as_secs_f64()
    );
    println!("{}", tally.lines());
    for (count, what) in [
        (tally.accepts, "accepts"),
        (tally.compared, "accepts held against a change"),
        (tally.fenced_fills, "fenced fills"),
        (tally.hits, "hits"),
        (asked, "verifications in quiet times"),
    ] {
        assert!(count > 0, "no {what}");
    }
    let missing: Vec<_> = expected().into_iter().filter(|what| tally.of(what) == 0).collect();
    assert!(seeds < SEEDS || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn a_seed_decides_everything() {
    for seed in 0..10 {
        let [one, other] = [false, false].map(|traced| run(seed, traced).course);
        assert_eq!(one, other, "seed {seed}");
    }
}

/// Everything that must happen at least once.
fn expected() -> Vec<String> {
    let plain = [
        "accepted from the cache",
        "accepted after asking the store",
        "joined another's question",
        "verify_cached answers",
        "recheck",
        "token that nobody has",
        "refused: unrecognized",
        "refused: revoked",
        "refused: inactive",
        "refused: expired",
        "refused: unavailable",
        "generate: done",
        "revoke: done",
        "revoke: nothing to do",
        "deactivate: done",
        "deactivate: nothing to do",
        "activate: done",
        "activate: nothing to do",
        "earlier expiry: done",
        "other scope: done",
        "rotate at once: done",
        "rotate with grace: done",
        "change given up half-way",
        "change failed: whether the store did it is not known",
        "change failed: the store failed",
        "write carried out after it was given up",
        "verification given up",
        "limit lowered",
        "limit raised",
        "fault: stall",
        "fault: late wake",
        "fault: lost call",
        "fault: slow call",
        "fault: lost hint",
        "call timed out",
        "all named for an unknown cursor",
        "no feed",
        "node that follows",
        "node that does not follow",
        "read that went back",
        "order compared",
    ];
    let faults = Fault::ALL.into_iter().map(|fault| format!("fault: {fault:?}"));
    plain.into_iter().map(str::to_owned).chain(faults).collect()
}

/// Runs the seeds on all cores, up to the first that breaks a promise.
fn run_all(seeds: u64) -> Tally {
    let goes_on = number("ACCESS_KEYS_GO_ON").is_some();
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    // By promise: how many seeds break it, and the first that does.
    let broken = Mutex::new(BTreeMap::<&str, (u64, u64, String)>::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds || (!goes_on && !broken.lock().unwrap().is_empty()) {
                return;
            }
            let outcome = run(seed, false);
            total.lock().unwrap().add(outcome.tally);
            if let Some(one) = outcome.broken {
                let mut broken = broken.lock().unwrap();
                let first = broken.entry(one.promise).or_insert((0, u64::MAX, String::new()));
                first.0 += 1;
                if seed < first.1 {
                    (first.1, first.2) = (seed, one.how);
                }
            }
        }
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        (0..workers).for_each(|_| drop(scope.spawn(work)));
    });
    let broken = broken.into_inner().unwrap();
    for (promise, (times, seed, how)) in &broken {
        println!("seed {seed} breaks \"{promise}\" (the first of {times}): {how}");
    }
    if let Some(first) = broken.values().map(|(_, seed, _)| *seed).min() {
        panic!("{}\nACCESS_KEYS_SEED={first} repeats it", run(first, true).told);
    }
    total.into_inner().unwrap()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}
