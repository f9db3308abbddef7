//! Keys in one file of SQLite.

mod columns;
mod connection;
mod event_list;
mod feed;
mod key_list;
mod opening;
mod options;
#[cfg(test)]
mod plans;
mod problem;
mod readers;
mod reading;
mod reply;
mod store;
mod watch;
mod writer;
mod writing;

pub use options::SqliteOptions;
pub use store::SqliteStore;
