//! Guides: what a stranger to this crate needs, each on one page. There is no code here.
//!
//! | guide | for |
//! | --- | --- |
//! | [Start in ten minutes](start) | from an empty folder to a protected route and a revoked key, and what production needs |
//! | [Cookbook](crate::lifecycle#cookbook) | rotating, a found token, long runs, two editors, keys wider than used, bringing in a pepper, audit files |
//! | [Build the page](crate::lifecycle#build-the-page) | what a web page with the four steps needs |
//! | `http` (feature `tower`) | protecting routes, choosing the environment, ending streams |
//! | `store` (feature `postgres`) | many nodes, and operating them: sizing, alarms, upgrades, failover, restore |
//! | `import` (feature `import`) | moving from keypal, better-auth, unkey, LiteLLM or a table of your own |
//! | [When something leaked](crate::lifecycle#when-something-leaked) | a key, the pepper, the database; a restored backup |
//! | [Write your own store](own_store) | keys in your own database, proved by the conformance kit |
//! | [How fresh is a verification](freshness) | why a revocation holds, what that rests on, and what shows it |
//! | [Threat model](threats) | who attacks, what stops them, and what is not defended |
//! | [Comparison](comparison) | what others do better, and what this does |
//!
//! Every promise in them names the test that fails without it; `tests/guides.rs` looks whether each of those is there.
//! Tests, benches and the larger examples are in the repository of this crate, not in its package. The guides are read
//! here and run with the tests of the documentation, and are in no build of the library.

/// From an empty folder to a revoked key.
// It needs a server and a file: `tests/start_host` does what it says, command by command.
#[cfg_attr(not(doctest), doc = "")]
// Names of tests are long: cells may break them. The guides themselves have no style, so that they can be read as text.
#[doc = "<style>.docblock td { min-width: 8em } .docblock td code { overflow-wrap: anywhere }</style>"]
#[cfg_attr(not(doctest), doc = include_str!("docs/start.md"))]
pub mod start {}

/// Keys in a database of the host's own.
///
#[doc = "<style>.docblock td { min-width: 8em } .docblock td code { overflow-wrap: anywhere }</style>"]
#[doc = include_str!("docs/own_store.md")]
pub mod own_store {}

/// The promise, its argument, and what it rests on.
///
#[doc = "<style>.docblock td { min-width: 8em } .docblock td code { overflow-wrap: anywhere }</style>"]
#[doc = include_str!("docs/freshness.md")]
///
#[doc = include_str!("docs/freshness.svg")]
pub mod freshness {}

/// Who attacks, and what stops them.
///
#[doc = "<style>.docblock td { min-width: 8em } .docblock td code { overflow-wrap: anywhere }</style>"]
#[doc = include_str!("docs/threats.md")]
pub mod threats {}

/// Beside others that do the job.
///
#[doc = include_str!("docs/comparison.md")]
pub mod comparison {}
