//! What readers see without a lock.

use crate::clock::Moment;
use crate::domain::KeyId;

/// What is known of one key, or that there is none with its id.
pub(crate) trait Row: Clone {
    /// The revision of the key; 0 for an absence.
    fn revision(&self) -> u64;
    /// Whether it says that there is no such key.
    fn is_absence(&self) -> bool;
    fn is_revoked(&self) -> bool;
    /// The same row, revoked where that `is_so`: in the same time either way.
    fn revoke_if(self, is_so: bool) -> Self;
    /// The last moment, in nanoseconds of deadline time, at which it may be used, beside that of the [`Face`].
    fn until(&self) -> u64;
    /// The same row, for use until then.
    fn ending(self, until: u64) -> Self;
}

/// The rows that readers find, and the face that they look at first.
///
/// Every call takes effect before the next one does: a reader that sees the face of a
/// [`publish`](Self::publish) sees no row that was removed before it.
pub(crate) trait Board {
    type Row: Row;

    fn find(&self, id: KeyId) -> Option<Self::Row>;
    /// Makes a row visible. It may be dropped again at any time, to make room.
    fn put(&mut self, id: KeyId, row: Self::Row);
    fn remove(&mut self, id: KeyId);
    fn clear(&mut self);
    fn publish(&mut self, face: Face);
}

/// The numbers that a reader needs to decide on a row that it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Face {
    /// The last moment, in nanoseconds of deadline time, at which a row may be used.
    pub(crate) good_until: u64,
    /// How far the wall time was ahead of the deadline time, in microseconds.
    pub(crate) offset: i64,
    /// By how much that may have moved, in microseconds, before one of the clocks is said to have jumped.
    pub(crate) slack: i64,
    /// How far the store's time is ahead of the deadline time, in microseconds; `None` where the wall clock of
    /// the node is the one that counts.
    pub(crate) store_offset: Option<i64>,
}

impl Face {
    /// Nothing may be used.
    pub(crate) const BLANK: Self = Self { good_until: 0, offset: 0, slack: i64::MAX, store_offset: None };

    /// Whether a clock was set, stopped or ran at another rate since the face was published.
    pub(crate) const fn shows_jump(&self, now: Moment) -> bool {
        now.offset().abs_diff(self.offset) > self.slack.unsigned_abs()
    }

    /// Whether a decision at `now` may rest on a row whose own end is `until`.
    ///
    /// `self` must have been read before the row was looked up, and `now` after the secret was compared.
    pub(crate) const fn allows(&self, until: u64, now: Moment) -> bool {
        now.boot() < self.good_until && now.boot() < until && !self.shows_jump(now)
    }
}
