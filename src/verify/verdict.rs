//! An answer in two numbers.

use std::sync::Arc;

use super::near::Seen;
use super::row::Secret;
use super::stats::Count;
use super::{Denial, Grant};
use crate::domain::KeyId;

/// A grant, or why there is none: as two numbers, which a processor hands over in registers. Moving a [`Grant`] or
/// a [`Denial`] through memory from one function to the next costs more than comparing a secret.
#[must_use]
pub(super) struct Verdict {
    seen: Option<Arc<Seen>>,
    /// Of a grant, until when it is good and of which secret; else the refusal.
    number: u64,
}

impl Verdict {
    #[inline]
    pub(super) const fn granted(seen: Arc<Seen>, secret: Secret, good_until: u64) -> Self {
        Self { seen: Some(seen), number: good_until & !1 | secret as u64 }
    }

    #[inline]
    pub(super) const fn refused(refusal: Refusal) -> Self {
        Self { seen: None, number: refusal as u64 }
    }

    /// How it is counted; `None` where nothing is answered yet.
    #[inline]
    pub(super) const fn count(&self) -> Option<Count> {
        match &self.seen {
            Some(_) => Some(Count::Accepted),
            None => Refusal::of(self.number).count(),
        }
    }

    #[inline]
    pub(super) fn into_result(self) -> Result<Grant, Refusal> {
        match self.seen {
            Some(seen) => Ok(Grant::new(seen, self.number)),
            None => Err(Refusal::of(self.number)),
        }
    }
}

/// Why there is no grant: a [`Denial`] without what it says of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Refusal {
    /// The cache cannot tell: the store must be asked.
    AskStore = 0,
    Malformed = 1,
    Unrecognized = 2,
    /// This node lacks the pepper or the scheme.
    Lacking = 3,
    Revoked = 4,
    WrongEnvironment = 5,
    Expired = 6,
    Inactive = 7,
}

impl Refusal {
    const fn of(number: u64) -> Self {
        match number {
            1 => Self::Malformed,
            2 => Self::Unrecognized,
            3 => Self::Lacking,
            4 => Self::Revoked,
            5 => Self::WrongEnvironment,
            6 => Self::Expired,
            7 => Self::Inactive,
            _ => Self::AskStore,
        }
    }

    #[cold]
    pub(super) const fn denial(self, key: KeyId) -> Denial {
        match self {
            Self::Malformed => Denial::Malformed {},
            Self::Unrecognized => Denial::Unrecognized {},
            Self::AskStore | Self::Lacking => Denial::Unavailable { source: None },
            Self::Revoked => Denial::Revoked { key },
            Self::WrongEnvironment => Denial::WrongEnvironment { key },
            Self::Expired => Denial::Expired { key },
            Self::Inactive => Denial::Inactive { key },
        }
    }

    /// How it is counted; `None` where nothing is answered yet.
    pub(super) const fn count(self) -> Option<Count> {
        Some(match self {
            Self::AskStore => return None,
            Self::Malformed => Count::Malformed,
            Self::Unrecognized => Count::Unrecognized,
            Self::Lacking => Count::Unavailable,
            Self::Revoked => Count::Revoked,
            Self::WrongEnvironment => Count::WrongEnvironment,
            Self::Expired => Count::Expired,
            Self::Inactive => Count::Inactive,
        })
    }
}
