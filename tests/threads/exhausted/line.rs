//! The face that readers look at, and a row beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use chrono::DateTime;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use crate::clock::Moment;
use crate::freshness::{self, Face};
use crate::orders::{broken, every_order, found_out};

/// What this asks of every version of the library's `Line`.
pub(crate) trait Shown: Send + Sync + 'static {
    fn new(face: Face) -> Self;
    fn read(&self) -> (Face, u64);
    fn publish(&self, face: Face);
    fn turn(&self);
}

macro_rules! versions {
    ($($name:ident),* $(,)?) => { $(
        pub(crate) mod $name {
            include!(concat!(env!("OUT_DIR"), "/line/", stringify!($name), ".rs"));
        }

        impl Shown for $name::Line {
            fn new(face: Face) -> Self {
                Self::new(face)
            }

            fn read(&self) -> (Face, u64) {
                self.read()
            }

            fn publish(&self, face: Face) {
                self.publish(face);
            }

            fn turn(&self) {
                self.turn();
            }
        }
    )* };
}

versions!(
    right,
    offset_stored_first,
    deadline_read_first,
    generation_read_first,
    deadline_stored_relaxed,
    offset_stored_relaxed,
    generation_stored_relaxed,
    deadline_read_relaxed,
    offset_read_relaxed,
    generation_read_relaxed,
);

/// How a writer that removes a row goes about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    Right,
    PublishesBeforeItRemoves,
    TurnsBeforeItRemoves,
    NeverTurns,
    KeepsTheDeadlineOfAJump,
}

const OLD: u64 = 4_000_000_000;
const NEW: u64 = 8_000_000_000;
/// By how much the wall clock is set forward, in microseconds.
const JUMP: i64 = 1_000_000;

const fn face(good_until: u64, offset: i64) -> Face {
    Face { good_until, offset, slack: 200_000, store_offset: None }
}

/// A row that is there or not, as in a map whose every change is released and acquired.
struct Board<L> {
    line: L,
    row: AtomicBool,
}

impl<L: Shown> Board<L> {
    fn new() -> Arc<Self> {
        Arc::new(Self { line: L::new(face(OLD, 0)), row: AtomicBool::new(true) })
    }

    /// What an answer that names the key does.
    fn change(&self, writer: Writer, offset: i64) {
        if writer == Writer::PublishesBeforeItRemoves {
            self.line.publish(face(NEW, offset));
        }
        if writer == Writer::TurnsBeforeItRemoves {
            self.line.turn();
        }
        self.row.store(false, Ordering::Release);
        if !matches!(writer, Writer::NeverTurns | Writer::TurnsBeforeItRemoves) {
            self.line.turn();
        }
        self.line.publish(face(NEW, offset));
    }
}

/// A thread that verifies, with the generation in which it put the row aside.
#[derive(Default)]
struct Reader {
    aside: Option<u64>,
}

impl Reader {
    /// The face by which the row is used.
    fn find<L: Shown>(&mut self, board: &Board<L>) -> Option<Face> {
        let (face, generation) = board.line.read();
        if self.aside == Some(generation) || board.row.load(Ordering::Acquire) {
            self.aside = Some(generation);
            return Some(face);
        }
        None
    }
}

/// What came out over all orders, to see that every case was met.
#[derive(Default)]
struct Seen {
    used: AtomicUsize,
    gone: AtomicUsize,
}

impl Seen {
    fn note(&self, is_used: bool) {
        if is_used { &self.used } else { &self.gone }.fetch_add(1, Relaxed);
    }

    fn check(&self, what: &str, orders: usize) {
        let (used, gone) = (self.used.load(Relaxed), self.gone.load(Relaxed));
        println!("{what}: {orders} orders; the row was used {used} times and gone {gone} times");
        assert!(orders > 100 && used > 100 && gone > 100, "too few to tell");
    }
}

/// A key is named while a thread verifies twice; it may have put the row aside before.
fn change<L: Shown>(writer: Writer, aside: bool, seen: Arc<Seen>) -> impl Fn() + Send + Sync + 'static {
    move || {
        let (board, seen) = (Board::<L>::new(), Arc::clone(&seen));
        let mut reader = Reader::default();
        if aside {
            reader.find(&board);
        }
        let theirs = Arc::clone(&board);
        let reading = thread::spawn(move || {
            for _ in 0..2 {
                let found = reader.find(&theirs);
                if found.is_some_and(|face| face.good_until == NEW) {
                    broken("a removed row was used by the new deadline");
                }
                seen.note(found.is_some());
            }
        });
        board.change(writer, 0);
        reading.join().unwrap();
    }
}

/// The wall clock was set: the deadline is voided, and later another one is published, without the row. No use of
/// the row is right any more.
fn jump<L: Shown>(writer: Writer, seen: Arc<Seen>) -> impl Fn() + Send + Sync + 'static {
    move || {
        let (board, seen) = (Board::<L>::new(), Arc::clone(&seen));
        let theirs = Arc::clone(&board);
        let reading = thread::spawn(move || {
            let now =
                Moment::new(Duration::from_micros(1), DateTime::from_timestamp_micros(JUMP + 1).unwrap());
            let found = Reader::default().find(&theirs);
            if found.is_some_and(|face| face.allows(u64::MAX, now)) {
                broken("decided by the deadline of before the jump");
            }
            seen.note(found.is_some());
        });
        let voided = if writer == Writer::KeepsTheDeadlineOfAJump { OLD } else { 0 };
        board.line.publish(face(voided, JUMP));
        board.change(writer, JUMP);
        reading.join().unwrap();
    }
}

fn after_change<L: Shown>() -> impl Fn() + Send + Sync + 'static {
    change::<L>(Writer::Right, false, Arc::default())
}

fn after_jump<L: Shown>() -> impl Fn() + Send + Sync + 'static {
    jump::<L>(Writer::Right, Arc::default())
}

#[test]
fn who_sees_a_new_deadline_uses_no_row_that_was_removed_before_it() {
    for (aside, what) in [(false, "a row removed"), (true, "a row removed that was put aside")] {
        let seen = Arc::new(Seen::default());
        let orders = every_order(change::<right::Line>(Writer::Right, aside, Arc::clone(&seen)));
        seen.check(what, orders);
    }
}

#[test]
fn who_sees_the_offset_of_a_jump_sees_no_deadline_of_before_it() {
    let seen = Arc::new(Seen::default());
    let orders = every_order(jump::<right::Line>(Writer::Right, Arc::clone(&seen)));
    seen.check("a clock set", orders);
}

#[test]
fn no_part_of_a_face_is_newer_than_its_deadline() {
    let orders = every_order(|| {
        let shown = |n: i64| Face { slack: n, store_offset: Some(n), ..face(n.unsigned_abs(), n) };
        let line = Arc::new(right::Line::new(shown(1)));
        let theirs = Arc::clone(&line);
        let reading = thread::spawn(move || {
            let (face, _) = theirs.read();
            let deadline = face.good_until.cast_signed();
            if [Some(face.offset), Some(face.slack), face.store_offset]
                .into_iter()
                .flatten()
                .any(|n| n > deadline)
            {
                broken("a part of a newer face came with an older deadline");
            }
        });
        line.publish(shown(2));
        reading.join().unwrap();
    });
    println!("a face replaced: {orders} orders");
}

#[test]
fn a_writer_that_goes_about_it_in_another_order_is_found_out() {
    for (name, writer) in [
        ("publishes before it removes", Writer::PublishesBeforeItRemoves),
        ("turns before it removes", Writer::TurnsBeforeItRemoves),
        ("never turns", Writer::NeverTurns),
    ] {
        found_out(name, change::<right::Line>(writer, true, Arc::default()));
    }
    let writer = Writer::KeepsTheDeadlineOfAJump;
    found_out("keeps the deadline of a jump", jump::<right::Line>(writer, Arc::default()));
}

#[test]
fn a_face_stored_or_read_in_another_order_is_found_out() {
    found_out("offset stored first", after_jump::<offset_stored_first::Line>());
    found_out("deadline read first", after_jump::<deadline_read_first::Line>());
    found_out("generation read first", after_change::<generation_read_first::Line>());
}

#[test]
fn a_face_stored_or_read_without_an_order_is_found_out() {
    found_out("deadline stored relaxed", after_change::<deadline_stored_relaxed::Line>());
    found_out("offset stored relaxed", after_jump::<offset_stored_relaxed::Line>());
    found_out("generation stored relaxed", after_change::<generation_stored_relaxed::Line>());
    found_out("deadline read relaxed", after_change::<deadline_read_relaxed::Line>());
    found_out("offset read relaxed", after_jump::<offset_read_relaxed::Line>());
    found_out("generation read relaxed", after_change::<generation_read_relaxed::Line>());
}
