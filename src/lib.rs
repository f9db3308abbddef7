// The links of the README, as they are here: of two definitions the first one counts, and files are no pages.
//! [`verify`]: crate::verify
//! [`KeyStore`]: crate::store::KeyStore
//! [runbook]: crate::lifecycle#when-something-leaked
//! [start in ten minutes]: crate::guide::start
//! [your own store]: crate::guide::own_store
//! [how fresh is a verification]: crate::guide::freshness
//! [threat model]: crate::guide::threats
//! [comparison]: crate::guide::comparison
//! [beside them]: crate::guide
//! [`TickClock`]: crate::clock::TickClock
//! [Apache License, Version 2.0]: https://www.apache.org/licenses/LICENSE-2.0
//! [MIT license]: https://opensource.org/license/mit
//!
#![doc = include_str!("../README.md")]
//!
//! # How this documentation is organised
//!
//! What most hosts need is re-exported here. Each layer has a page of its own, and knows only those before it:
//!
//! | page | what it tells |
//! | --- | --- |
//! | [`clock`] | time as a parameter, and the fake for tests |
//! | [`domain`] | identifiers, scopes, drafts, edits, queries, audit events, and the rules that they obey |
//! | [`token`] | the layout of a token, digests, peppers, scanning for leaked tokens |
//! | [`store`] | the numbered contract of a store, and the stores in memory, in a file and in PostgreSQL |
//! | [`verify`] | how a token is decided on, in which order, and what time tells |
//! | [`lifecycle`] | setting up, managing the keys of a project, a cookbook, and what to do when something leaked |
//! | `import` | reading the exports of other systems (feature `import`) |
//! | `http` | the layer in front of routes, refusals, streams that end with their key (features `tower`, `axum`) |
//! | [`guide`] | all guides: start in ten minutes, write a store, freshness, threats, a comparison |
//!
//! Begin with [`AccessKeys`]. It verifies, gives [`Verifier`]s to request handlers, and [`ProjectKeys`] to
//! whoever manages. A [`Draft`] or a [`KeyForm`] becomes a [`Review`], a review an [`Issued`] key with its
//! [`Token`]; a token becomes a [`Grant`] or a [`Denial`]; an [`Edit`] becomes a [`Change`].
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::exhaustive_enums,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc
)]

pub mod clock;
pub mod domain;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub mod http;
#[cfg(feature = "import")]
#[cfg_attr(docsrs, doc(cfg(feature = "import")))]
pub mod import;
pub mod lifecycle;
pub mod store;
pub mod token;
pub mod verify;

pub use clock::{Clock, FakeClock};
pub use domain::{
    AccessKey, Actor, AgentId, AuditEvent, AuditQuery, Cursor, Draft, Edit, EditForm, EnvironmentId, IdSet,
    Invalid, Invalids, KeyForm, KeyId, KeyInfo, KeyQuery, KeyState, OperationId, Page, ProjectId, PromptId,
    Review, Revision, Scope, Status,
};
#[cfg(feature = "leak")]
#[cfg_attr(docsrs, doc(cfg(feature = "leak")))]
pub use lifecycle::leak;
pub use lifecycle::{AccessKeys, Change, Error, Issued, ProjectKeys};
pub use token::{Pepper, Token};
pub use verify::{Denial, Grant, Verifier};
