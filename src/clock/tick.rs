//! The cheaper clock, for who accepts one more assumption.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Clock, Moment, SystemClock};

/// The machine's own clocks, read anew only once a tick of its kernel: an opt-in that makes a cached verification
/// cheaper by the price of one exact clock read.
///
/// **The assumption.** It takes the time to stand still while the kernel's coarse clock does, and so adds the
/// 100 ms by which that clock is assumed to be late at most: a tick is 1 to 10 ms, and the kernel makes up for
/// ticks that it left out as soon as any of its code runs. On a machine whose kernel does not run for longer than that
/// while its programs do (a stalled virtual processor that carries the tick, a debugger on the kernel), a
/// verification may accept past the announced time by as much. The default clock assumes nothing of the kind.
///
/// Deadlines come 100 ms sooner. At limits of 200 ms or less, where that would be most of a lease, the
/// verifier falls back on exact reads again and again, and this clock gains nothing.
///
/// Where there is no coarse clock (outside Linux and Android) it is [`SystemClock`].
///
/// ```
/// use access_keys::{AccessKeys, clock::TickClock, store::MemoryStore};
///
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(TickClock).build()?;
/// # let _ = keys;
/// # Ok::<(), access_keys::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TickClock;

/// By how much the kernel's tick may be late, in nanoseconds.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LATE_MAX: u64 = 100_000_000;

impl Clock for TickClock {
    fn wall(&self) -> DateTime<Utc> {
        SystemClock.wall()
    }

    fn boot(&self) -> Duration {
        SystemClock.boot()
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn glance(&self) -> Moment {
        use std::cell::Cell;

        thread_local! {
            /// The coarse wall time at which this thread last read the deadline time, and what that was.
            static LAST: Cell<(i64, u64)> = const { Cell::new((i64::MIN, 0)) };
        }

        let wall = super::system::coarse_wall();
        let (tick, boot) = LAST.get();
        if tick == wall {
            return Moment::of_numbers(boot, wall);
        }
        let boot = super::system::boot_nanos().saturating_add(LATE_MAX);
        LAST.set((wall, boot));
        Moment::of_numbers(boot, wall)
    }
}
