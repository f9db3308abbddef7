//! Keys in PostgreSQL.

mod access;
mod ask;
mod columns;
mod connector;
mod event_list;
mod feed;
mod key_list;
mod link;
mod listener;
mod opening;
mod options;
mod paging;
mod problem;
mod pulse;
mod reading;
mod runner;
mod scope_uses;
mod session;
mod store;
mod writing;

pub use access::PostgresAccess;
pub use options::PostgresOptions;
pub use store::PostgresStore;
