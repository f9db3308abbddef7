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

mod deadline;
mod fake;
mod moment;
mod system;
mod tick;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use deadline::Deadline;
pub use fake::FakeClock;
pub use moment::Moment;
pub use system::SystemClock;
pub use tick::TickClock;

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

    /// Both times, for a verification that finds its key in the cache. A clock may answer with less effort than
    /// for [`wall`](Self::wall) and [`boot`](Self::boot), within these bounds: the deadline time is *never* behind;
    /// the wall time is at most 20 ms behind or ahead, but may miss for a millisecond of deadline time that it was
    /// set.
    ///
    /// The default reads both.
    fn glance(&self) -> Moment {
        Moment::new(self.boot(), self.wall())
    }
}

macro_rules! forward {
    ($($pointer:ident)*) => {$(
        impl<C: Clock + ?Sized> Clock for $pointer<C> {
            fn wall(&self) -> DateTime<Utc> {
                (**self).wall()
            }

            fn boot(&self) -> Duration {
                (**self).boot()
            }

            fn glance(&self) -> Moment {
                (**self).glance()
            }
        }
    )*};
}

forward! { Arc Box }
