//! What the stores over SQL databases have in common: the form of the tables, and reading what stands in them.
//!
//! The tables hold each field in a column of its own, with checks and triggers, so that no statement, from whatever
//! client, brings a revoked key back, changes what a key was made with, or deletes anything. A column that cannot be
//! read is an [`Unreadable`], never a guess.

mod columns;
mod event_row;
mod head;
mod key_row;
mod migration;
mod unreadable;

pub use migration::{Database, Migrate, Migration, migrations};
pub use unreadable::Unreadable;

pub(crate) use columns::{Columns, Values, event_columns, key_columns, secret_columns};
pub(crate) use event_row::{EventRow, operation_text, reason_text, seal_text};
#[cfg(feature = "sqlite-system")]
pub(crate) use head::DRAINED_IN_MAX;
pub(crate) use head::{BEHIND_MAX, Entry, Head, INCARNATION_LEN};
pub(crate) use key_row::{KeyRow, SecretRow, StoredRow, expiry_micros, search_text};
pub(crate) use unreadable::breaks;
