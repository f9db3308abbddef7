//! Thousands of random orders, and what came out of them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};

/// How orders are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draw {
    /// At every step, each thread that can go on is as likely as any other to do so.
    Evenly,
    /// The first of a random order of the threads that can go on does so; at this many random steps it comes last.
    ByPriority(usize),
}

/// What came of all orders.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) orders: AtomicUsize,
    pub(crate) accepted: AtomicUsize,
    pub(crate) refused: AtomicUsize,
    /// Verifications that began when nothing but a refusal would do.
    pub(crate) bound: AtomicUsize,
    /// The first order that broke a promise, and how.
    broken: OnceLock<(usize, String)>,
}

impl Tally {
    /// This order broke a promise. It goes on to its end, and no other one begins.
    pub(crate) fn broken(&self, what: impl Into<String>) {
        let _ = self.broken.set((self.orders.load(Relaxed), what.into()));
    }
}

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.failure_persistence = FailurePersistence::None;
    // That atomics are all as if sequentially consistent is said where this is begun.
    config.silence_warnings = true;
    config.stack_size = 0x4_0000;
    config
}

/// Carries `world` out in so many orders. The number of the order that broke a promise, and how it did.
pub(crate) fn explore(
    draw: Draw,
    orders: usize,
    tally: &Arc<Tally>,
    world: impl Fn(&Arc<Tally>) + Send + Sync + 'static,
) -> Result<(), (usize, String)> {
    const SEED: u64 = 0x5EED;
    let scheduler: Box<dyn Scheduler + Send> = match draw {
        Draw::Evenly => Box::new(RandomScheduler::new_from_seed(SEED, orders)),
        Draw::ByPriority(depth) => Box::new(PctScheduler::new_from_seed(SEED, depth, orders)),
    };
    let theirs = Arc::clone(tally);
    let explored = catch_unwind(AssertUnwindSafe(|| {
        Runner::new(scheduler, config()).run(move || {
            if theirs.broken.get().is_none() {
                theirs.orders.fetch_add(1, Relaxed);
                world(&theirs);
            }
        });
    }));
    // Some thread waits for ever, or panicked.
    if let Err(panicked) = explored {
        tally.broken(said(&*panicked));
    }
    tally.broken.get().map_or(Ok(()), |broken| Err(broken.clone()))
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [orders, accepted, refused, bound] =
            [&self.orders, &self.accepted, &self.refused, &self.bound].map(|count| count.load(Relaxed));
        write!(f, "{orders} orders, {accepted} accepted, {refused} refused, {bound} begun after the cut-off")
    }
}

fn said(broken: &(dyn Any + Send)) -> String {
    let text = broken.downcast_ref::<String>().cloned();
    let text = text.or_else(|| broken.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "without a word".to_owned())
}
