//! Where keys live: the contract of a store, the records that it keeps, and the stores that come with the
//! crate.
//!
//! [`KeyStore`] is the contract, a numbered page. [`MemoryStore`] keeps everything in memory; `SqliteStore` (feature
//! `sqlite`) in one file for all processes of a machine; `PostgresStore` (feature `postgres`) in PostgreSQL for nodes
//! on many. A host with its own persistence implements the trait over
//! [`StoredKey`] and [`AuditEvent`](crate::AuditEvent), which are serde values: a document store needs one blob a
//! record and a few index columns. A small store can leave filtering, ordering and cutting to
//! [`KeyQuery::page`](crate::KeyQuery::page) and [`AuditQuery::page`](crate::AuditQuery::page);
//! `examples/own_store.rs` is a whole one over one file. The feature `conformance` has a test for each rule.
#![cfg_attr(feature = "postgres", doc = "")]
#![cfg_attr(feature = "postgres", doc = include_str!("../docs/many_nodes.md"))]
#![cfg_attr(feature = "postgres", doc = include_str!("../docs/revocation.svg"))]
#![cfg_attr(feature = "postgres", doc = "")]
#![cfg_attr(feature = "postgres", doc = include_str!("../docs/operations.md"))]

mod changes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod forward;
mod key_store;
mod limit;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod scope_use;
#[cfg(any(feature = "sqlite-system", feature = "postgres"))]
pub mod sql;
#[cfg(feature = "sqlite-system")]
mod sqlite;
mod together;
mod usage;
mod wakeup;

/// What an `impl KeyStore` is written with.
pub use async_trait::async_trait;

pub use changes::{ChangeCursor, Changes, FeedState};
pub use error::{BoxError, StoreError};
pub use key_store::KeyStore;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresAccess, PostgresOptions, PostgresStore};
pub use record::{StoredDigest, StoredKey};
pub use scope_use::ScopeUse;
#[cfg(any(feature = "sqlite-system", feature = "postgres"))]
pub use sql::Migrate;
#[cfg(feature = "sqlite-system")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use usage::KeyUse;

pub(crate) use together::together;
pub(crate) use wakeup::Wakeup;
