//! What the stores over SQL databases have in common: the form of the tables, and reading what stands in them.
//!
//! The tables hold each field in a column of its own, with checks and triggers, so that no statement, from whatever
//! client, brings a revoked key back, changes what a key was made with, or deletes anything. A column that cannot be
//! read is an [`Unreadable`], never a guess.

mod event_row;
mod key_row;
mod migration;
mod unreadable;

pub use migration::{Database, Migration, migrations};
pub use unreadable::Unreadable;

pub(crate) use event_row::{EventRow, operation_text, reason_text};
pub(crate) use key_row::{KeyRow, SecretRow, StoredRow, expiry_micros, search_text};
pub(crate) use unreadable::breaks;
