//! Two threads that verify the same key.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use access_keys::AccessKeys;
use access_keys::store::MemoryStore;

use crate::Done;
use crate::figure::{at_least, median};
use crate::host::{Host, hash};

const ROUNDS: usize = 41;
const PER_ROUND: u32 = 20_000;
/// A round in which threads with nothing in common gain less from each other says nothing of what they share: the
/// machine had no second core.
const HAD_BOTH: f64 = 1.95;

pub(crate) fn measure() -> Done {
    let host = Host::of(AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?)?;
    let (issued, agents) = host.issue(8)?;
    let verify = |_| {
        host.verify(PER_ROUND, issued.token.expose(), &agents[4]);
    };
    // Two verifiers that have nothing in common: what the machine itself can gain by the same work.
    let apart = [separate()?, separate()?];
    let verify_apart = |thread: usize| {
        let (host, issued, agents) = &apart[thread];
        host.verify(PER_ROUND, issued.token.expose(), &agents[4]);
    };
    let (mut verifying, mut hashing, mut all, mut apart_gained) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        hashing.push(gain(&|_| {
            hash(PER_ROUND);
        }));
        let (alone, gained) = (gain(&verify_apart), gain(&verify));
        all.push(gained);
        if alone >= HAD_BOTH {
            apart_gained.push(alone);
            verifying.push(gained);
        }
    }
    println!("two threads that only hash gain {:.2} x", median(hashing));
    println!(
        "two threads that verify with nothing in common gain {:.2} x in {} of {ROUNDS} rounds, those that count",
        median(apart_gained),
        verifying.len()
    );
    println!("two threads that verify the same key gain {:.2} x over all rounds", median(all.clone()));
    at_least("verify_two_threads", median(if verifying.is_empty() { all } else { verifying }), "x", 1.95);
    Ok(())
}

type Separate = (Host, access_keys::Issued, Vec<access_keys::AgentId>);

fn separate() -> Result<Separate, Box<dyn std::error::Error>> {
    let host = Host::of(AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?)?;
    let (issued, agents) = host.issue(8)?;
    Ok((host, issued, agents))
}

/// The throughput of two threads over that of one.
fn gain(work: &(impl Fn(usize) + Sync)) -> f64 {
    let one = time(1, work);
    let two = time(2, work);
    2.0 * one.as_secs_f64() / two.as_secs_f64()
}

/// How long the slowest of so many threads takes for the same work, once to warm up and once to be timed.
fn time(threads: usize, work: &(impl Fn(usize) + Sync)) -> Duration {
    let barrier = Barrier::new(threads);
    let (barrier, work) = (&barrier, &work);
    let run = move |thread| {
        work(thread);
        barrier.wait();
        let start = Instant::now();
        work(thread);
        start.elapsed()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).max().unwrap_or_default()
    })
}
