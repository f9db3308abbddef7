//! The machine's own clocks.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeZone, Utc};

use super::{Clock, Moment};

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

    /// Reads the deadline time, and the wall time only once a millisecond of it: between, both move alike.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn glance(&self) -> Moment {
        use std::cell::Cell;

        const MILLISECOND: u64 = 1_000_000;
        thread_local! {
            /// Until when, and how far the wall time was ahead.
            static OFFSET: Cell<(u64, i64)> = const { Cell::new((0, 0)) };
        }

        let boot = boot_nanos();
        let (until, offset) = OFFSET.get();
        if boot < until {
            return Moment::ahead(boot, offset);
        }
        let now = Moment::of_numbers(boot, coarse_wall());
        OFFSET.set((boot + MILLISECOND, now.offset()));
        now
    }
}

/// The wall clock as of the kernel's last tick, in microseconds: a tenth of the price of reading it exactly.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn coarse_wall() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn boot() -> Duration {
    let now = counting_suspension();
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// The same in nanoseconds.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
pub(super) fn boot_nanos() -> u64 {
    let now = counting_suspension();
    // Neither is ever negative.
    now.tv_sec.cast_unsigned() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
#[inline]
fn counting_suspension() -> rustix::time::Timespec {
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    #[cfg(target_vendor = "apple")]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    rustix::time::clock_gettime(CLOCK)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn boot() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
