//! The face that readers look at, in numbers that need no lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::freshness::Face;

/// A [`Face`] and the generation of the rows, on a cache line of their own.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Line {
    good_until: AtomicU64,
    offset: AtomicI64,
    slack: AtomicI64,
    /// [`WALL`] for none.
    store_offset: AtomicI64,
    generation: AtomicU64,
}

/// Where the wall clock of the node counts.
const WALL: i64 = i64::MIN;

impl Line {
    /// Nothing may be used, and nothing is there.
    pub(crate) fn new(face: Face) -> Self {
        let line = Self {
            good_until: AtomicU64::new(0),
            offset: AtomicI64::new(0),
            slack: AtomicI64::new(0),
            store_offset: AtomicI64::new(WALL),
            generation: AtomicU64::new(0),
        };
        line.turn();
        line.publish(face);
        line
    }

    /// The face, then the generation: to be read before a row is looked up.
    ///
    /// The deadline is read after the offset: who sees the offset of a jump sees that the deadline went before it.
    /// And before the generation: who sees a new deadline sees that the rows went before it.
    #[inline]
    pub(crate) fn read(&self) -> (Face, u64) {
        let offset = self.offset.load(Ordering::Acquire);
        let slack = self.slack.load(Ordering::Acquire);
        let store_offset = self.store_offset.load(Ordering::Acquire);
        let good_until = self.good_until.load(Ordering::Acquire);
        let generation = self.generation.load(Ordering::Acquire);
        let store_offset = (store_offset != WALL).then_some(store_offset);
        (Face { good_until, offset, slack, store_offset }, generation)
    }

    /// Shows a new face: the deadline before the offset.
    pub(crate) fn publish(&self, face: Face) {
        self.good_until.store(face.good_until, Ordering::Release);
        self.store_offset.store(face.store_offset.unwrap_or(WALL), Ordering::Release);
        self.slack.store(face.slack, Ordering::Release);
        self.offset.store(face.offset, Ordering::Release);
    }

    /// Makes every row that a reader has put aside one that it may not use: told after a row was removed.
    pub(crate) fn turn(&self) {
        /// Unique in the process, so that readers can keep rows of several verifiers side by side.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.generation.store(NEXT.fetch_add(1, Ordering::Relaxed), Ordering::Release);
    }
}
