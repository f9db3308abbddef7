//! What both clocks of a node read.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// What both clocks of a node read at one moment, as numbers: deadline time in nanoseconds, wall time in
/// microseconds since 1970.
///
/// ```
/// use access_keys::clock::{Clock, FakeClock, Moment};
///
/// let clock = FakeClock::default();
/// assert_eq!(clock.glance(), Moment::new(clock.boot(), clock.wall()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    boot: u64,
    wall: i64,
}

impl Moment {
    /// The moment at which [`Clock::boot`](super::Clock::boot) reads `boot` and
    /// [`Clock::wall`](super::Clock::wall) reads `wall`.
    #[must_use]
    pub fn new(boot: Duration, wall: DateTime<Utc>) -> Self {
        Self { boot: nanos(boot), wall: wall.timestamp_micros() }
    }

    /// The deadline time, in nanoseconds.
    #[must_use]
    pub const fn boot(self) -> u64 {
        self.boot
    }

    /// The wall time, in microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn wall(self) -> i64 {
        self.wall
    }

    /// How far the wall time is ahead of the deadline time, in microseconds: constant unless one of the clocks
    /// is set, stops or runs at another rate.
    #[must_use]
    pub const fn offset(self) -> i64 {
        self.wall.saturating_sub(micros(self.boot))
    }

    /// What a clock reads now, in microseconds, that is this much ahead of the deadline time.
    #[must_use]
    pub const fn after(self, offset: i64) -> i64 {
        offset.saturating_add(micros(self.boot))
    }

    /// The moment at which the wall time is this much ahead.
    pub(super) const fn ahead(boot: u64, offset: i64) -> Self {
        Self { boot, wall: offset.saturating_add(micros(boot)) }
    }

    pub(super) const fn of_numbers(boot: u64, wall: i64) -> Self {
        Self { boot, wall }
    }
}

/// Nanoseconds of a duration; 584 years at most.
pub(super) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

/// A number of nanoseconds as microseconds.
const fn micros(nanos: u64) -> i64 {
    // Less than 2⁵⁴.
    (nanos / 1_000).cast_signed()
}
