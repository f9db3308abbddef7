//! Proves a host's own store: one test for each numbered rule of [`KeyStore`](super::KeyStore).
//!
//! In the host's tests, with `access-keys = { …, features = ["conformance"] }` among its `dev-dependencies`:
//!
//! ```
//! #[cfg(test)]
//! mod conformance {
//! #   use access_keys::store::MemoryStore as MyStore;
//!     access_keys::conformance_tests!(|| async { MyStore::default() });
//! }
//! # fn main() {}
//! ```
//!
//! That is one `#[test]` a rule, named as the rule is. The same as a value, under any executor, is [`run`]: a
//! [`Report`] that tells of each [`Failure`] the rule, what was done, what was expected and what came.
//!
//! ```
//! use access_keys::store::{MemoryStore, conformance};
//!
//! # pollster::block_on(async {
//! let report = conformance::run(|| async { MemoryStore::new() }).await;
//! println!("{report}");
//! assert!(report.failures().is_empty());
//! # });
//! ```
//!
//! One rule alone is a [`Rule`], by its name or number: [`Rule::check`].
//!
//! # What it needs, and what it leaves behind
//!
//! The kit stores some thousand keys in new projects under new ids, and deletes nothing. It asks nothing about how
//! much else there is, so it can run beside live data; but what it stored stays.
//!
//! It makes threads for what has to happen at the same time, and none when it waits. Its tests bring a runtime of
//! tokio (features `rt` and `time`); a store that spawns tasks on another one needs the arm of
//! [`conformance_tests!`](crate::conformance_tests) that takes the host's own test attribute.
//!
//! # What is not asked
//!
//! A closure opens a store of its own each time. A [`Fixture`] whose every `open` is another handle on the same data
//! lets the kit reopen the store, and look at it from two nodes. What else a store can do, the fixture says by type:
//!
//! | ability | what is asked with it |
//! | --- | --- |
//! | [`RawWrites`] | no write past the library brings a revoked key back |
//! | [`SlowCommits`] | the feed loses no commit that was overtaken |
//! | [`Faults`] | a failing backend is told as such, and nothing is half done |
//!
//! A rule that could not be asked is in the report as such, with what was missing: it has not passed.
//!
//! # What it cannot show
//!
//! A test shows mistakes, not their absence: a race may not come about. Power that fails, a replica that lags and
//! a backup that is restored are not in its hands; nor is what a store costs.

mod abilities;
mod check;
mod cut;
mod fixture;
mod handle;
mod report;
mod rules;
mod ruling;
mod samples;
mod shown;
mod tests;
mod threads;
mod timer;

mod calling;
mod dropping;
mod feed_races;
mod feeding;
mod filtering;
mod histories;
mod inserting;
mod keeping_events;
mod keeping_texts;
mod keeping_values;
mod kept;
mod lasting;
mod listing;
mod pace;
mod racing;
mod reading;
mod revoking;
mod scoping;
mod updating;
mod using;
mod waiting;

pub use abilities::{Faults, HeldCommit, RawWrites, SlowCommits};
pub use check::run;
pub use fixture::{Fixture, Opens};
pub use report::{Failure, Report, Verdict};
pub use rules::Rule;
#[doc(hidden)]
pub use tests::__private;
