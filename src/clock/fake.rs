//! A clock for tests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Clock;

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
