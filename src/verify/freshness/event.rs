//! What is told to the core, and what it answers.

use super::Face;
use crate::domain::KeyId;
use crate::store::{ChangeCursor, FeedState};

/// What a store answered to the question what has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    NoFeed,
    Feed {
        /// The keys that may have changed; `None` for all.
        named: Option<Vec<KeyId>>,
        next: ChangeCursor,
        state: FeedState,
    },
}

impl Answer {
    /// How many keys it names; `None` for all there are.
    pub(crate) fn named(&self) -> Option<usize> {
        match self {
            Self::Feed { named: Some(ids), .. } => Some(ids.len()),
            Self::Feed { named: None, .. } | Self::NoFeed => None,
        }
    }
}

/// The question what has changed, as it is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    /// What to ask the store for.
    pub(crate) since: Option<ChangeCursor>,
    /// When it is sent, in nanoseconds of deadline time.
    pub(super) sent: u64,
    /// How many jumps of our clocks there had been by then.
    pub(super) jumps: u64,
}

/// What came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// Knowledge is as fresh as can be.
    Fresh,
    /// The answer took longer than its own lease, or a clock jumped meanwhile: it gives no lease.
    Late,
}

/// By which clock to stamp what is about to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Ask for changes first.
    Ask,
    /// The wall clock of this node.
    Wall,
    /// The store's clock reads this, in microseconds since 1970.
    Store(i64),
}

/// What to do for a key that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LookUp<R> {
    /// Ask for changes first, then look up again.
    Refresh,
    /// Here it is. Decide by this face.
    Found(R, Face),
    /// Wait for the read in this place, then decide by this face.
    Join(usize, Face),
    /// Read the key, say how it ended by this place, then decide by this face.
    Read(usize, Face),
    /// The same, for this verification alone: a grant is good until the moment that was told.
    ReadOwn(usize, Face),
    /// Too many reads are under way.
    Busy,
}
