//! What cannot be read back.

use crate::domain::{Invalid, KeyId};
use crate::store::BoxError;

/// A column of a row holds what was never written there. Nothing is guessed: the whole row is refused.
///
/// The source of a [`StoreError::Backend`](crate::store::StoreError::Backend). It tells where, never what.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} of {table} cannot be read{}", of(key.as_ref()))]
#[non_exhaustive]
pub struct Unreadable {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The key that the row is of, where that much can be read.
    pub key: Option<KeyId>,
    /// Which rule it breaks.
    pub source: BoxError,
}

fn of(key: Option<&KeyId>) -> String {
    key.map_or_else(String::new, |key| format!(" for key {key}"))
}

impl Unreadable {
    pub(crate) fn new(table: &'static str, column: &'static str, source: impl Into<BoxError>) -> Self {
        Self { table, column, key: None, source: source.into() }
    }

    pub(crate) const fn of(mut self, key: KeyId) -> Self {
        self.key = Some(key);
        self
    }
}

/// A rule that a column breaks.
pub(crate) fn breaks(table: &'static str, column: &'static str) -> impl Fn(Invalid) -> Unreadable {
    move |invalid| Unreadable::new(table, column, invalid)
}
