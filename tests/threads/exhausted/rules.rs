//! The rules of freshness as they are, and with one mistake each, in the words of a node with one key.

use std::time::Duration;

use chrono::DateTime;
use loom::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Moment;
use crate::domain::KeyId;
use crate::store::{ChangeCursor, FeedState};

/// What readers see: a face, and the revision of the one key; 0 where there is no row.
pub(crate) struct Shelf {
    pub(crate) line: crate::line::right::Line,
    pub(crate) row: AtomicU64,
}

/// What to do for the key.
pub(crate) enum ToDo {
    Use(u64),
    Join(usize),
    Read(usize),
}

/// What this asks of every version of the library's `Core`.
pub(crate) trait Rules: Send + 'static {
    /// A node that has just asked what has changed.
    fn new(shelf: &Shelf, now: Moment) -> Self;
    /// With the deadline by which to decide.
    fn look_up(&mut self, shelf: &Shelf, now: Moment) -> (ToDo, u64);
    fn row_arrived(&mut self, shelf: &Shelf, place: usize, revision: u64, now: Moment) -> Option<u64>;
    fn changed_here(&mut self, shelf: &Shelf);
    /// An answer that names the key.
    fn named(&mut self, shelf: &Shelf, now: Moment);
}

/// A row of the key, as the rules know it.
#[derive(Clone)]
pub(crate) struct Row(u64);

pub(crate) fn id() -> KeyId {
    KeyId::new("7Hq2LkP9sTz4WcX1").expect("it is well formed")
}

fn state() -> FeedState {
    FeedState::new(None, Duration::from_secs(5), Duration::ZERO)
}

pub(crate) fn at(seconds: u64) -> Moment {
    let wall =
        DateTime::from_timestamp(i64::try_from(seconds).expect("it is small"), 0).expect("it is small");
    Moment::new(Duration::from_secs(seconds), wall)
}

macro_rules! versions {
    ($($name:ident),* $(,)?) => { $(
        #[allow(dead_code, unused_imports, reason = "what decides is used, not what stamps")]
        pub(crate) mod $name {
            include!(concat!(env!("OUT_DIR"), "/rules/", stringify!($name), "/mod.rs"));
        }

        impl $name::Row for Row {
            fn revision(&self) -> u64 {
                self.0
            }

            fn is_absence(&self) -> bool {
                false
            }

            fn is_revoked(&self) -> bool {
                false
            }

            fn revoke_if(self, _: bool) -> Self {
                self
            }

            fn until(&self) -> u64 {
                u64::MAX
            }

            fn ending(self, _: u64) -> Self {
                self
            }
        }

        impl $name::Board for &Shelf {
            type Row = Row;

            fn find(&self, _: KeyId) -> Option<Row> {
                Some(self.row.load(Ordering::Acquire)).filter(|revision| *revision != 0).map(Row)
            }

            fn put(&mut self, _: KeyId, row: Row) {
                self.row.store(row.0, Ordering::Release);
            }

            fn remove(&mut self, _: KeyId) {
                self.row.store(0, Ordering::Release);
                self.line.turn();
            }

            fn clear(&mut self) {
                self.remove(id());
            }

            fn publish(&mut self, face: $name::Face) {
                let $name::Face { good_until, offset, slack, store_offset } = face;
                self.line.publish(right::Face { good_until, offset, slack, store_offset });
            }
        }

        impl Rules for $name::Core {
            fn new(mut shelf: &Shelf, now: Moment) -> Self {
                let mut core = Self::new(None, 8, now);
                let asked = core.refresh_sent(&mut shelf, now);
                let next = ChangeCursor::new([0]);
                let answer = $name::Answer::Feed { named: None, next, state: state() };
                core.changes_arrived(&mut shelf, &asked, answer, now);
                core
            }

            fn look_up(&mut self, mut shelf: &Shelf, now: Moment) -> (ToDo, u64) {
                match self.look_up(&mut shelf, id(), now) {
                    $name::LookUp::Found(row, face) => (ToDo::Use(row.0), face.good_until),
                    $name::LookUp::Join(place, face) => (ToDo::Join(place), face.good_until),
                    $name::LookUp::Read(place, face) => (ToDo::Read(place), face.good_until),
                    _ => unreachable!("the deadline is far and the limit is not zero"),
                }
            }

            fn row_arrived(
                &mut self,
                mut shelf: &Shelf,
                place: usize,
                revision: u64,
                now: Moment,
            ) -> Option<u64> {
                self.row_arrived(&mut shelf, place, Row(revision), now).map(|row| row.0)
            }

            fn changed_here(&mut self, mut shelf: &Shelf) {
                self.changed_here(&mut shelf, id());
            }

            fn named(&mut self, mut shelf: &Shelf, now: Moment) {
                let asked = self.refresh_sent(&mut shelf, now);
                let next = ChangeCursor::new([1]);
                let answer = $name::Answer::Feed { named: Some(vec![id()]), next, state: state() };
                self.changes_arrived(&mut shelf, &asked, answer, now);
            }
        }
    )* };
}

versions!(right, marks_no_read, fences_nothing, publishes_before_it_removes, never_removes);
