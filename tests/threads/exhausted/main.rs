//! The parts that threads share without a lock, or wait on, in every order that there is.
//!
//! Compiled from the library's own source, with the locks and atomics of loom: the face that readers look at, the
//! answer that some wait for, the bell that wakes them, and the rules of freshness with a map of one row. A load may
//! be as late as its ordering allows. Not under loom: the map of rows, which is taken to release and acquire, and
//! what a verification does with the row that it found.

mod fence;
mod line;
mod once;
mod orders;
mod rules;
mod waiting;

// What the parts need of the library.
use rules::right as freshness;
use scheduled::{clock, domain, store};
