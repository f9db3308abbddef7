//! Reads of a key that changes meanwhile, those who join them, and the rules that say whose row may be used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use loom::future::block_on;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;

use crate::line::right::Line;
use crate::orders::{broken, every_order_of, found_out_of};
use crate::rules::{Rules, Shelf, ToDo, at, right};
use crate::rules::{fences_nothing, marks_no_read, never_removes, publishes_before_it_removes};
use crate::waiting::{Landing, right::Version as Flight};

/// How often, in an order, threads that could go on are stopped: more would be more orders than there is time for.
const STOPS: Option<usize> = Some(3);

/// The revision of the key before the change, and after.
const OLD: u64 = 1;
const NEW: u64 = 2;

/// A node with one key, and its store.
struct Node<R> {
    stored: AtomicU64,
    shelf: Shelf,
    locked: Mutex<Locked<R>>,
    is_acknowledged: AtomicBool,
}

struct Locked<R> {
    rules: R,
    reads: BTreeMap<usize, Arc<Flight>>,
}

/// The row that a verification used, and the deadline by which it did.
struct Used {
    revision: u64,
    good_until: u64,
}

impl<R: Rules> Node<R> {
    fn new(is_cached: bool) -> Arc<Self> {
        let shelf = Shelf { line: Line::new(right::Face::BLANK), row: AtomicU64::new(0) };
        let rules = R::new(&shelf, at(1));
        if is_cached {
            shelf.row.store(OLD, Ordering::Release);
        }
        let locked = Mutex::new(Locked { rules, reads: BTreeMap::new() });
        Arc::new(Self { stored: AtomicU64::new(OLD), shelf, locked, is_acknowledged: AtomicBool::new(false) })
    }

    /// By the face and the row that it finds without a lock, or else as [`ask`](Self::ask).
    fn verify(&self, seen: &Seen) -> Option<Used> {
        let (face, _) = self.shelf.line.read();
        let revision = self.shelf.row.load(Ordering::Acquire);
        if revision != 0 && face.allows(u64::MAX, at(2)) {
            return Some(Used { revision, good_until: face.good_until });
        }
        self.ask(seen)
    }

    /// By what a read brings, of its own or of another. `None` when the row was for nobody.
    fn ask(&self, seen: &Seen) -> Option<Used> {
        let mut locked = self.locked.lock().unwrap();
        let (to_do, good_until) = locked.rules.look_up(&self.shelf, at(2));
        let revision = match to_do {
            ToDo::Use(revision) => Some(revision),
            ToDo::Join(place) => {
                let flight = Arc::clone(&locked.reads[&place]);
                drop(locked);
                seen.joined.fetch_add(1, Relaxed);
                block_on(flight.wait()).filter(|revision| *revision != 0)
            }
            ToDo::Read(place) => {
                let flight = Flight::new();
                locked.reads.insert(place, Arc::clone(&flight));
                drop(locked);
                let read = self.stored.load(Ordering::Acquire);
                let mut locked = self.locked.lock().unwrap();
                locked.reads.remove(&place);
                let revision = locked.rules.row_arrived(&self.shelf, place, read, at(2));
                drop(locked);
                flight.land(Some(revision.unwrap_or(0)));
                revision
            }
        };
        revision.map(|revision| Used { revision, good_until })
    }

    /// A verification that must not use the old row if it began after the acknowledgement.
    fn verify_and_judge(&self, looks_first: bool, seen: &Seen) {
        let is_bound = self.is_acknowledged.load(Ordering::Acquire);
        let used = if looks_first { self.verify(seen) } else { self.ask(seen) };
        if is_bound && used.as_ref().is_some_and(|used| used.revision == OLD) {
            broken("a verification that began after the acknowledgement used the old row");
        }
        seen.note(used.as_ref(), is_bound);
    }

    /// A change through this node.
    fn change(&self, manner: Manner) {
        if manner == Manner::NamesBeforeTheCommit {
            self.locked.lock().unwrap().rules.changed_here(&self.shelf);
        }
        self.stored.store(NEW, Ordering::Release);
        if manner == Manner::Right {
            self.locked.lock().unwrap().rules.changed_here(&self.shelf);
        }
        self.is_acknowledged.store(true, Ordering::Release);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Right,
    NamesBeforeTheCommit,
}

/// What came out over all orders, to see that every case was met.
#[derive(Default)]
struct Seen {
    old: AtomicUsize,
    new: AtomicUsize,
    joined: AtomicUsize,
    for_nobody: AtomicUsize,
    bound: AtomicUsize,
}

impl Seen {
    fn note(&self, used: Option<&Used>, is_bound: bool) {
        let count = match used {
            Some(used) if used.revision == OLD => &self.old,
            Some(_) => &self.new,
            None => &self.for_nobody,
        };
        count.fetch_add(1, Relaxed);
        self.bound.fetch_add(usize::from(is_bound), Relaxed);
    }

    fn check(&self, what: &str, orders: usize, with: &[&AtomicUsize]) {
        let counts = [&self.old, &self.new, &self.joined, &self.for_nobody, &self.bound];
        let [old, new, joined, for_nobody, bound] = counts.map(|count| count.load(Relaxed));
        println!(
            "{what}: {orders} orders; the old row was used {old} times, the new one {new} times; {joined} joined a \
             read, {for_nobody} times a row was for nobody; {bound} were bound to refuse the old row"
        );
        let counts = [&self.old, &self.new, &self.bound].into_iter().chain(with.iter().copied());
        assert!(counts.into_iter().all(|count| count.load(Relaxed) > 10), "too few to tell");
    }
}

/// A change while so many threads verify; then the one who made it verifies too.
fn local<R: Rules>(
    manner: Manner,
    threads: usize,
    is_cached: bool,
    seen: Arc<Seen>,
) -> impl Fn() + Send + Sync + 'static {
    move || {
        let node = Node::<R>::new(is_cached);
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let (node, seen) = (Arc::clone(&node), Arc::clone(&seen));
                thread::spawn(move || node.verify_and_judge(is_cached, &seen))
            })
            .collect();
        node.change(manner);
        node.verify_and_judge(is_cached, &seen);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// An answer names the key, on another node than the one that changed it, while a thread verifies.
fn told<R: Rules>(seen: Arc<Seen>) -> impl Fn() + Send + Sync + 'static {
    move || {
        let node = Node::<R>::new(true);
        let (theirs, seen) = (Arc::clone(&node), Arc::clone(&seen));
        let verifying = thread::spawn(move || {
            let used = theirs.verify(&seen);
            let is_bound = used.as_ref().is_some_and(|used| used.good_until > at(6).boot());
            if is_bound && used.as_ref().is_some_and(|used| used.revision == OLD) {
                broken("the old row was used by the new deadline");
            }
            seen.note(used.as_ref(), is_bound);
        });
        node.stored.store(NEW, Ordering::Release);
        node.locked.lock().unwrap().rules.named(&node.shelf, at(3));
        verifying.join().unwrap();
    }
}

#[test]
fn no_verification_begun_after_a_change_here_uses_a_row_of_before() {
    for (threads, is_cached) in [(1, true), (2, false)] {
        let seen = Arc::new(Seen::default());
        let model = local::<right::Core>(Manner::Right, threads, is_cached, Arc::clone(&seen));
        let orders = every_order_of(STOPS, model);
        let what = format!("a change here, {threads} verify, in the cache: {is_cached}");
        // Who finds the row in the cache reads only what is new.
        let with = if is_cached { vec![] } else { vec![&seen.joined, &seen.for_nobody] };
        seen.check(&what, orders, &with);
    }
}

#[test]
fn who_uses_the_deadline_of_an_answer_uses_no_row_that_it_named() {
    let seen = Arc::new(Seen::default());
    let orders = every_order_of(None, told::<right::Core>(Arc::clone(&seen)));
    seen.check("an answer names the key", orders, &[]);
}

#[test]
fn a_rule_that_is_taken_out_is_found_out() {
    fn local_with<R: Rules>(name: &str, manner: Manner, is_cached: bool) {
        found_out_of(STOPS, name, local::<R>(manner, 2, is_cached, Arc::default()));
    }
    local_with::<right::Core>("names before the commit", Manner::NamesBeforeTheCommit, false);
    local_with::<marks_no_read::Core>("marks no read", Manner::Right, false);
    local_with::<fences_nothing::Core>("fences nothing", Manner::Right, false);
    local_with::<never_removes::Core>("never removes", Manner::Right, true);
    found_out_of(
        None,
        "publishes before it removes",
        told::<publishes_before_it_removes::Core>(Arc::default()),
    );
}
