//! When the changes of a key that were just made hold on every node, for whoever looks at the key meanwhile.

use std::time::{Duration, Instant};

use access_keys::KeyId;
use chrono::{DateTime, Utc};

use super::kept::Kept;

/// A change that was announced.
#[derive(Clone, Debug)]
pub(crate) struct Cutoff {
    /// What was done, as a sentence.
    pub(crate) what: String,
    ends: Instant,
    /// The same moment for people.
    pub(crate) ends_at: DateTime<Utc>,
}

impl Cutoff {
    /// How long until it holds everywhere; `None` when it does.
    pub(crate) fn left(&self) -> Option<Duration> {
        Some(self.ends.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}

#[derive(Debug)]
pub(crate) struct Cutoffs(Kept<Cutoff>);

impl Default for Cutoffs {
    /// Two minutes: the longest that a change can take, and as long again to be seen.
    fn default() -> Self {
        Self(Kept::new(120, 10_000))
    }
}

impl Cutoffs {
    /// Right after the call that announced it.
    pub(crate) fn announce(&self, key: KeyId, what: impl Into<String>, holds_in: Duration) {
        let cutoff =
            Cutoff { what: what.into(), ends: Instant::now() + holds_in, ends_at: Utc::now() + holds_in };
        self.0.put(key.as_str(), cutoff);
    }

    pub(crate) fn of(&self, key: KeyId) -> Option<Cutoff> {
        self.0.get(key.as_str())
    }
}
