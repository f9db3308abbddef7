//! Who waits for an answer is woken, whenever it comes.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use loom::thread;

use crate::orders::{broken, every_order, found_out};

/// What this asks of every version of the library's `Flight` and `Wakeup`.
pub(crate) trait Landing: Send + Sync + 'static {
    fn new() -> Arc<Self>;
    fn land(&self, outcome: Option<u64>);
    fn wait(&self) -> impl Future<Output = Option<u64>>;
    fn ring(&self);
    fn rung(&self) -> impl Future<Output = ()>;
}

macro_rules! versions {
    ($($name:ident),* $(,)?) => { $(
        pub(crate) mod $name {
            use super::{Arc, Landing};

            mod wakeup {
                include!(concat!(env!("OUT_DIR"), "/waiting/", stringify!($name), "/wakeup.rs"));
            }
            mod flight {
                include!(concat!(env!("OUT_DIR"), "/waiting/", stringify!($name), "/flight.rs"));
            }

            pub(crate) struct Version(Arc<flight::Flight<u64>>, wakeup::Wakeup);

            impl Landing for Version {
                fn new() -> Arc<Self> {
                    Arc::new(Self(flight::Flight::new(), wakeup::Wakeup::default()))
                }

                fn land(&self, outcome: Option<u64>) {
                    self.0.land(outcome);
                }

                fn wait(&self) -> impl Future<Output = Option<u64>> {
                    self.0.wait()
                }

                fn ring(&self) {
                    self.1.ring();
                }

                fn rung(&self) -> impl Future<Output = ()> {
                    self.1.wait()
                }
            }
        }
    )* };
}

versions!(
    right,
    rings_are_not_counted,
    counts_anew_at_each_poll,
    looks_before_it_listens,
    rings_for_no_one_who_gave_up,
    rings_before_it_lands,
);

/// A waker that tells whether it was called.
#[derive(Default)]
struct Told(AtomicBool);

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// A future that was polled, with the waker that it was given last.
struct Waiting<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    last: Arc<Told>,
    ended: Option<T>,
}

impl<T> Waiting<T> {
    fn new(future: impl Future<Output = T> + 'static) -> Self {
        Self { future: Box::pin(future), last: Arc::default(), ended: None }
    }

    fn poll(&mut self) {
        if self.ended.is_none() {
            self.last = Arc::default();
            let waker = Waker::from(Arc::clone(&self.last));
            if let Poll::Ready(ended) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.ended = Some(ended);
            }
        }
    }

    /// How it ends, once nothing more will happen: a waiter that sleeps then and was not woken sleeps for ever.
    fn end(mut self) -> Result<T, &'static str> {
        if self.ended.is_none() && !self.last.0.load(Relaxed) {
            return Err("never woken");
        }
        self.poll();
        self.ended.take().ok_or("woken, and asleep again for ever")
    }
}

/// One thread waits, polling twice, for what another lands; a third wait may be dropped half-way.
fn landing<F: Landing>(
    outcome: Option<u64>,
    leaves: bool,
    slept: Arc<AtomicUsize>,
) -> impl Fn() + Send + Sync + 'static {
    move || {
        let flight = F::new();
        let theirs = Arc::clone(&flight);
        let waiting = thread::spawn(move || {
            let mut waiting = Waiting::new(async move { theirs.wait().await });
            waiting.poll();
            // Whether it was woken or not: whoever waits for several things is polled for each.
            waiting.poll();
            waiting
        });
        if leaves {
            let mut left = pin!(flight.wait());
            let _ = left.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        flight.land(outcome);
        // Whoever lands once more, as a guard that is dropped does, changes nothing.
        flight.land(None);
        let waiting = waiting.join().unwrap();
        slept.fetch_add(usize::from(waiting.ended.is_none()), Relaxed);
        check(waiting.end(), &outcome);
    }
}

/// Two who wait, each in a thread.
fn two<F: Landing>(outcome: Option<u64>) -> impl Fn() + Send + Sync + 'static {
    move || {
        let flight = F::new();
        let waiting = [0, 1].map(|_| {
            let theirs = Arc::clone(&flight);
            thread::spawn(move || {
                let mut waiting = Waiting::new(async move { theirs.wait().await });
                waiting.poll();
                waiting
            })
        });
        flight.land(outcome);
        for waiting in waiting.map(|waiting| waiting.join().unwrap()) {
            check(waiting.end(), &outcome);
        }
    }
}

/// One listens, looks whether something has changed, and if not waits until it hears of it.
fn listening<F: Landing>() -> impl Fn() + Send + Sync + 'static {
    || {
        let bell = F::new();
        let changed = Arc::new(loom::sync::atomic::AtomicBool::new(false));
        let (theirs, shown) = (Arc::clone(&bell), Arc::clone(&changed));
        let listening = thread::spawn(move || {
            let mut listening = Waiting::new(async move { theirs.rung().await });
            listening.poll();
            let seen = shown.load(Ordering::Acquire);
            listening.poll();
            (listening, seen)
        });
        changed.store(true, Ordering::Release);
        bell.ring();
        let (listening, seen) = listening.join().unwrap();
        let heard = listening.end();
        if !seen {
            check(heard, &());
        }
    }
}

fn check<T: PartialEq>(ended: Result<T, &'static str>, expected: &T) {
    match ended {
        Ok(ended) if ended == *expected => {}
        Ok(_) => broken("woken with another answer"),
        Err(what) => broken(what),
    }
}

const OUTCOMES: [(Option<u64>, &str); 2] = [(Some(7), "answered"), (None, "given up")];

#[test]
fn who_waits_is_woken_whether_it_came_before_during_or_after_the_landing() {
    for (outcome, words) in OUTCOMES {
        for leaves in [false, true] {
            let slept = Arc::new(AtomicUsize::new(0));
            let orders = every_order(landing::<right::Version>(outcome, leaves, Arc::clone(&slept)));
            let slept = slept.load(Relaxed);
            println!("one waits, {words}, another leaves: {leaves}: {orders} orders, in {slept} it slept");
            assert!(0 < slept && slept < orders, "some sleep and some do not need to");
        }
    }
}

#[test]
fn two_who_wait_are_both_woken() {
    for (outcome, words) in OUTCOMES {
        println!("two wait, {words}: {} orders", every_order(two::<right::Version>(outcome)));
    }
}

#[test]
fn who_listens_and_then_looks_misses_no_change() {
    println!("one listens: {} orders", every_order(listening::<right::Version>()));
}

#[test]
fn a_waiter_that_could_be_forgotten_is_found_out() {
    fn forgets<F: Landing>(name: &str, outcome: Option<u64>) {
        found_out(name, landing::<F>(outcome, false, Arc::default()));
    }
    forgets::<looks_before_it_listens::Version>("looks before it listens", Some(7));
    forgets::<rings_for_no_one_who_gave_up::Version>("rings for no one who gave up", None);
    forgets::<rings_before_it_lands::Version>("rings before it lands", Some(7));
    found_out("rings are not counted", listening::<rings_are_not_counted::Version>());
    found_out("counts anew at each poll", listening::<counts_anew_at_each_poll::Version>());
}
