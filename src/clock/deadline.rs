//! A moment up to which something holds.

use std::time::Duration;

use super::Clock;
use super::moment::nanos;

/// A moment on one node's deadline clock, as told by [`Grant::good_until`](crate::Grant::good_until).
///
/// It is not a wall time and means nothing on another machine.
///
/// ```
/// use std::time::Duration;
/// use access_keys::clock::{Clock, Deadline, FakeClock};
///
/// let clock = FakeClock::default();
/// let deadline = Deadline::at(clock.boot() + Duration::from_secs(4));
/// assert_eq!(deadline.remaining(&clock), Duration::from_secs(4));
/// clock.advance(Duration::from_secs(9));
/// assert_eq!(deadline.remaining(&clock), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(u64);

impl Deadline {
    /// The moment at which [`Clock::boot`] reads `boot`.
    #[must_use]
    pub const fn at(boot: Duration) -> Self {
        Self(nanos(boot))
    }

    /// How long until then on `clock`; zero once it has passed.
    #[must_use]
    pub fn remaining(self, clock: &(impl Clock + ?Sized)) -> Duration {
        self.boot().saturating_sub(clock.boot())
    }

    /// What [`Clock::boot`] reads at this moment.
    #[must_use]
    pub const fn boot(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    pub(crate) const fn at_nanos(boot: u64) -> Self {
        Self(boot)
    }
}
