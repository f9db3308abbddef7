//! Whether the clocks can be trusted, and what time it is at the store.

/// The store's clock as one answer brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    /// When the answer was asked for, in nanoseconds of deadline time.
    sent: u64,
    /// When it came.
    came: u64,
    /// What the store's clock read in between, in microseconds since 1970.
    store: i64,
    /// How many jumps of our clocks there had been by then.
    jumps: u64,
}

impl Reading {
    pub(super) const fn new(sent: u64, came: u64, store: i64, jumps: u64) -> Self {
        Self { sent, came, store, jumps }
    }

    /// How far the store's time is ahead of the deadline time, in microseconds: at most one round trip more than
    /// it is.
    pub(super) const fn offset(&self) -> i64 {
        self.store.saturating_sub((self.sent / 1_000).cast_signed())
    }

    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) const fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Whether, since an `earlier` reading, the store's clock has moved by over a quarter more or less than ours,
    /// beyond what both round trips can explain. `None` when the one was not asked for after the other came.
    pub(super) fn disagrees(&self, earlier: &Self) -> Option<bool> {
        let least = i128::from(self.sent.checked_sub(earlier.came)?);
        let most = i128::from(self.came.saturating_sub(earlier.sent));
        // Each reading of the store's clock is cut to a microsecond.
        let moved = (i128::from(self.store) - i128::from(earlier.store)) * 1_000;
        Some((moved + 1_000) * 4 < least * 3 || (moved - 1_000) * 4 > most * 5)
    }
}
