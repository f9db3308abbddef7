//! What two threads do with the same key.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Peer;

/// Much shorter than what a thread gets of a core at a time.
const CHECKS: u32 = 500;
/// Threads that began on one core tend to stay there: new ones are begun so often.
const TURNS: usize = 30;
const TURN: Duration = Duration::from_millis(100);
/// How much slower two threads that share nothing may be than one of them, right before and right after.
const SLOWER_MAX: f64 = 1.1;

/// When a thread began and ended its checks.
type Span = (Instant, Instant);
/// The control alone, the control twice, the peer alone, the peer twice, the control twice.
type Round<T> = [T; 5];

/// The throughput of two threads over that of one, for each round in which both had a core of their own.
///
/// Whether they had is told by `control`, which shares nothing: that a thread waits tells nothing, since it may be
/// waiting for a lock of the peer.
#[must_use]
pub fn two_over_one(peer: &dyn Peer, control: &dyn Peer) -> Vec<f64> {
    let rounds = (0..TURNS).flat_map(|_| turn(peer, control));
    let had_cores = |[alone, before, .., after]: &Round<f64>| before.max(*after) <= alone * SLOWER_MAX;
    rounds.filter(had_cores).map(|[_, _, one, two, _]| 2.0 * one / two).collect()
}

/// The seconds of each step of each round.
fn turn(peer: &dyn Peer, control: &dyn Peer) -> Vec<Round<f64>> {
    let steps = [(control, 1), (control, 2), (peer, 1), (peer, 2), (control, 2)];
    let (arrivals, over, begun) = (AtomicUsize::new(0), AtomicBool::new(false), Instant::now());
    let work = |thread| {
        let mut arrived = 0;
        let mut meet = || {
            arrived += 2;
            wait(&arrivals, arrived);
        };
        let mut rounds: Vec<Round<Option<Span>>> = Vec::new();
        let _leaving = Leaving { arrivals: &arrivals, over: &over };
        loop {
            // One of them decides, so that both do the same number of rounds.
            if thread == 0 && begun.elapsed() > TURN {
                over.store(true, Ordering::Relaxed);
            }
            meet();
            if over.load(Ordering::Relaxed) {
                return rounds;
            }
            rounds.push(steps.map(|(peer, threads)| {
                meet();
                (thread < threads).then(|| time(peer))
            }));
        }
    };
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| work(1));
        (work(0), second.join().expect("a check does not panic"))
    });
    first.iter().zip(&second).map(|(a, b)| std::array::from_fn(|i| together(a[i], b[i]))).collect()
}

/// Seconds from the first beginning to the last end: threads that took turns on one core took as long as both.
fn together(a: Option<Span>, b: Option<Span>) -> f64 {
    let whole = a.into_iter().chain(b).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    whole.map_or(f64::NAN, |(begin, end)| (end - begin).as_secs_f64())
}

/// Waits until so many have arrived, without sleeping, so that both threads go on at the same moment.
fn wait(arrivals: &AtomicUsize, all: usize) {
    arrivals.fetch_add(1, Ordering::AcqRel);
    let mut spins = 0_u32;
    while arrivals.load(Ordering::Acquire) < all {
        spins += 1;
        if spins.is_multiple_of(1_000) { std::thread::yield_now() } else { spin_loop() }
    }
}

/// Lets the other thread go, too, so that a check that panics is heard of.
struct Leaving<'a> {
    arrivals: &'a AtomicUsize,
    over: &'a AtomicBool,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.arrivals.store(usize::MAX / 2, Ordering::Release);
    }
}

fn time(peer: &dyn Peer) -> Span {
    let begin = Instant::now();
    peer.run(CHECKS);
    (begin, Instant::now())
}
