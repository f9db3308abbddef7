//! When the changes of a key that were just made hold on every node, for whoever looks at the key meanwhile.

use std::time::{Duration, Instant};

use access_keys::KeyId;
use chrono::{DateTime, Utc};

use super::kept::Kept;

/// What was done to a key last, and until when its changes may not hold everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Cutoff {
    /// What was done, as a sentence.
    pub(crate) what: String,
    /// When every change holds; `None` for what cuts nothing off.
    ends: Option<Instant>,
    /// The same moment for people.
    pub(crate) ends_at: DateTime<Utc>,
}

impl Cutoff {
    /// Whether it cuts something off.
    pub(crate) const fn cuts(&self) -> bool {
        self.ends.is_some()
    }

    /// How long until it holds everywhere; `None` when it does.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.ends?.saturating_duration_since(Instant::now());
        Some(left).filter(|left| !left.is_zero())
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
        let ends = Some(Instant::now() + holds_in);
        self.put(key, Cutoff { what: what.into(), ends, ends_at: Utc::now() + holds_in });
    }

    /// What was done, where nothing is cut off.
    pub(crate) fn tell(&self, key: KeyId, what: impl Into<String>) {
        self.put(key, Cutoff { what: what.into(), ends: None, ends_at: Utc::now() });
    }

    /// One that is still under way ends no sooner for what came after it.
    fn put(&self, key: KeyId, mut cutoff: Cutoff) {
        if let Some(earlier) =
            self.of(key).filter(|earlier| earlier.left().is_some() && earlier.ends > cutoff.ends)
        {
            (cutoff.ends, cutoff.ends_at) = (earlier.ends, earlier.ends_at);
        }
        self.0.put(key.as_str(), cutoff);
    }

    pub(crate) fn of(&self, key: KeyId) -> Option<Cutoff> {
        self.0.get(key.as_str())
    }
}
