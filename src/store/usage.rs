//! When a secret was last used.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::quiet::read_quietly;
use crate::domain::{KeyId, time};

/// When a secret of a key was last used.
///
/// Kept apart from the key, so that recording a use can undo no change of it.
///
/// ```
/// use access_keys::{KeyId, store::KeyUse};
///
/// let used = KeyUse::new(KeyId::new("7Hq2LkP9sTz4WcX1")?, 1, std::time::SystemTime::now());
/// assert_eq!(used.generation, 1); // the first secret of the key
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyUse {
    /// The key.
    pub key: KeyId,
    /// Which of its secrets: 1 for the first, one more with each new one.
    pub generation: u32,
    /// When it was last used.
    #[serde(with = "time")]
    pub at: DateTime<Utc>,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    KeyUse {
        key: KeyId,
        generation: u32,
        #[serde(with = "time")]
        at: DateTime<Utc>,
    }
}

impl KeyUse {
    /// A use at `at`.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    #[must_use]
    pub fn new(key: KeyId, generation: u32, at: impl Into<DateTime<Utc>>) -> Self {
        Self { key, generation, at: time::micros(at.into()) }
    }
}
