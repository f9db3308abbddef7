//! Time as a parameter: wall time for what people set, and a deadline clock that no suspension stops.
//!
//! Nothing in this crate reads the system's time on its own. A [`Clock`] is given to the builder; the
//! default is [`SystemClock`], and tests give a [`FakeClock`] and never sleep.
//!
//! ```
//! use std::time::Duration;
//! use access_keys::clock::{Clock, FakeClock};
//!
//! let clock = FakeClock::default();
//! let before = clock.wall();
//! clock.clone().advance(Duration::from_secs(60)); // clones share time
//! assert_eq!((clock.wall() - before).num_seconds(), 60);
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeZone, Utc};

/// Where the library gets the time.
///
/// ```
/// use std::time::Duration;
/// use access_keys::clock::{Clock, SystemClock};
///
/// /// A node whose wall clock is an hour ahead.
/// struct Ahead;
///
/// impl Clock for Ahead {
///     fn wall(&self) -> chrono::DateTime<chrono::Utc> {
///         SystemClock.wall() + Duration::from_secs(3_600)
///     }
///
///     fn boot(&self) -> Duration {
///         SystemClock.boot()
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The wall time, by which expiry and grace are set and judged.
    fn wall(&self) -> DateTime<Utc>;

    /// The time since some fixed moment of this machine, for deadlines.
    ///
    /// It never goes back, no one can set it, and it counts the time in which the machine was
    /// suspended (`CLOCK_BOOTTIME` on Linux).
    fn boot(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn wall(&self) -> DateTime<Utc> {
        (**self).wall()
    }

    fn boot(&self) -> Duration {
        (**self).boot()
    }
}

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
pub struct Deadline(Duration);

impl Deadline {
    /// The moment at which [`Clock::boot`] reads `boot`.
    #[must_use]
    pub const fn at(boot: Duration) -> Self {
        Self(boot)
    }

    /// How long until then on `clock`; zero once it has passed.
    #[must_use]
    pub fn remaining(self, clock: &(impl Clock + ?Sized)) -> Duration {
        self.0.saturating_sub(clock.boot())
    }

    /// What [`Clock::boot`] reads at this moment.
    #[must_use]
    pub const fn boot(self) -> Duration {
        self.0
    }
}

/// The machine's own clocks: the default.
///
/// Deadlines use `CLOCK_BOOTTIME` on Linux and Android and `CLOCK_MONOTONIC` on Apple systems, both of
/// which count suspension. Elsewhere they use [`std::time::Instant`], which counts it on Windows; on
/// other systems a machine that was suspended may believe a deadline for as long again.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> DateTime<Utc> {
        // Not `DateTime::from`, which panics on a clock set beyond chrono's range.
        let (seconds, nanos) = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
            Err(before) => (i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s), 0),
        };
        Utc.timestamp_opt(seconds, nanos).single().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn boot(&self) -> Duration {
        boot()
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn boot() -> Duration {
    #[cfg(not(target_vendor = "apple"))]
    const COUNTS_SUSPENSION: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    #[cfg(target_vendor = "apple")]
    const COUNTS_SUSPENSION: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(COUNTS_SUSPENSION);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn boot() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// A clock that stands still until it is told to move; clones share its time. The default one starts in 2030.
///
/// ```
/// use std::time::Duration;
/// use access_keys::clock::FakeClock;
/// use access_keys::{AccessKeys, store::MemoryStore};
///
/// # fn main() -> Result<(), access_keys::Error> {
/// let clock = FakeClock::default();
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(clock.clone()).build()?;
/// clock.advance(Duration::from_secs(3_600)); // an hour later, at once
/// # let _ = keys;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FakeClock {
    times: Arc<Mutex<(DateTime<Utc>, Duration)>>,
}

impl FakeClock {
    /// A clock whose wall time is `wall`, on a machine that has been up for a day.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    #[must_use]
    pub fn new(wall: impl Into<DateTime<Utc>>) -> Self {
        Self { times: Arc::new(Mutex::new((wall.into(), Duration::from_secs(86_400)))) }
    }

    /// Lets `by` pass, on the wall and on the deadline clock.
    pub fn advance(&self, by: Duration) {
        self.change(|(wall, boot)| {
            *wall = chrono::TimeDelta::from_std(by)
                .ok()
                .and_then(|by| wall.checked_add_signed(by))
                .unwrap_or(DateTime::<Utc>::MAX_UTC);
            *boot = boot.saturating_add(by);
        });
    }

    /// Sets the wall clock, as an administrator or a time service would; no time passes.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    pub fn set_wall(&self, wall: impl Into<DateTime<Utc>>) {
        let to = wall.into();
        self.change(|(wall, _)| *wall = to);
    }

    fn change<T>(&self, f: impl FnOnce(&mut (DateTime<Utc>, Duration)) -> T) -> T {
        f(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for FakeClock {
    /// Starts at 2030-01-01 00:00 UTC.
    fn default() -> Self {
        Self::new(DateTime::from_timestamp(1_893_456_000, 0).unwrap_or(DateTime::UNIX_EPOCH))
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> DateTime<Utc> {
        self.change(|(wall, _)| *wall)
    }

    fn boot(&self) -> Duration {
        self.change(|(_, boot)| *boot)
    }
}
