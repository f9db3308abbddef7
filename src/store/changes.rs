//! The change feed: which keys may have changed since a point in the past.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::KeyId;

/// The answer of [`KeyStore::changes`](super::KeyStore::changes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changes {
    /// This store has no feed, and never has one.
    NoFeed,
    /// These keys, and no others, may have changed.
    Since {
        /// The keys; the same one may be named more than once.
        ids: Vec<KeyId>,
        /// Where to go on.
        next: ChangeCursor,
        /// Clock and limit, of the same snapshot.
        state: FeedState,
    },
    /// No cursor was given, or it is not known here, or it is too far behind: forget all.
    Everything {
        /// Where to go on.
        next: ChangeCursor,
        /// Clock and limit, of the same snapshot.
        state: FeedState,
    },
}

/// A place in a store's change feed, in the store's own form.
///
/// ```
/// use access_keys::store::ChangeCursor;
///
/// let cursor = ChangeCursor::new([1, 2, 3]);
/// assert_eq!(cursor.as_bytes(), [1, 2, 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChangeCursor(Arc<[u8]>);

impl ChangeCursor {
    /// A cursor that means something to the store that made it.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().into())
    }

    /// What the store put into it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What comes with every answer of a change feed, read in the same snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FeedState {
    /// The store's clock; `None` for a store that has no clock but its callers'.
    pub now: Option<DateTime<Utc>>,
    /// The longest that any node may go on using what it knew of a key.
    pub limit: Duration,
    /// How long until every node follows that limit, after it was lowered; else zero.
    pub drained_in: Duration,
}

impl FeedState {
    /// The state of a feed.
    #[must_use]
    pub const fn new(now: Option<DateTime<Utc>>, limit: Duration, drained_in: Duration) -> Self {
        Self { now, limit, drained_in }
    }
}
