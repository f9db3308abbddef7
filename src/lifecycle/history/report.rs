//! What a check of histories found.

use std::fmt;

use crate::domain::{EventId, Field, KeyId, Revision};

/// What a check of histories found: how much was looked at, and where it breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct HistoryReport {
    pub(super) keys: u64,
    pub(super) events: u64,
    pub(super) unsealed: u64,
    pub(super) breaks: Vec<Break>,
}

impl HistoryReport {
    /// Whether nothing is broken.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.breaks.is_empty()
    }

    /// Of how many keys events were looked at.
    #[must_use]
    pub const fn keys(&self) -> u64 {
        self.keys
    }

    /// How many events were looked at.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// How many of them have no seal, being older than the first of their key that has one: nothing proves them.
    #[must_use]
    pub const fn unsealed(&self) -> u64 {
        self.unsealed
    }

    /// Where it breaks: of each key the first event at which it does, in the order in which they were made.
    #[must_use]
    pub fn breaks(&self) -> &[Break] {
        &self.breaks
    }
}

/// One line for all, and one for each break.
impl fmt::Display for HistoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", counted(self.keys, "key"), counted(self.events, "event"))?;
        if self.unsealed > 0 {
            write!(f, ", {} of them without a seal", self.unsealed)?;
        }
        let lacking =
            self.breaks.iter().filter(|found| matches!(found.cause, Cause::PepperLacking { .. })).count();
        match (self.breaks.len() - lacking, lacking) {
            (0, 0) => write!(f, ": intact")?,
            (0, lacking) => write!(f, ": {lacking} cannot be checked")?,
            (broken, 0) => write!(f, ": {broken} broken")?,
            (broken, lacking) => write!(f, ": {broken} broken, {lacking} cannot be checked")?,
        }
        for broken in &self.breaks {
            write!(f, "\n{broken}")?;
        }
        Ok(())
    }
}

fn counted(number: u64, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

/// The first place at which the history of a key is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Break {
    /// The key.
    pub key: KeyId,
    /// The revision of the key since the event at which it breaks.
    pub revision: Revision,
    /// The event that stands there, if there is one.
    pub event: Option<EventId>,
    /// What is wrong with it.
    pub cause: Cause,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} at revision {}: {}", self.key, self.revision, self.cause)
    }
}

/// Why a history does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// There is no event of this revision.
    Missing,
    /// The event is not what was sealed, or not after the event that it was sealed after.
    Altered,
    /// There is more than one event of this revision, or they are in another order.
    OutOfOrder,
    /// The event has no seal, though one before it has.
    Unsealed,
    /// Its seal is a plain hash, which everyone can make, though there is a pepper.
    Unpeppered,
    /// This node lacks the pepper of this version, so it cannot tell.
    #[non_exhaustive]
    PepperLacking {
        /// The version.
        version: u32,
    },
    /// It is sealed under the pepper of this version, which others may have, and no checkpoint holds it.
    #[non_exhaustive]
    Retired {
        /// The version.
        version: u32,
    },
    /// The key is not what its history makes of it, in this field.
    #[non_exhaustive]
    Record {
        /// The field.
        field: Field,
    },
    /// It is not what the checkpoint holds of it.
    Checkpoint,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("its event is missing"),
            Self::Altered => f.write_str("its event is not what was sealed"),
            Self::OutOfOrder => f.write_str("its event is out of order"),
            Self::Unsealed => f.write_str("its event has lost its seal"),
            Self::Unpeppered => f.write_str("its event is sealed without a pepper"),
            Self::PepperLacking { version } => {
                write!(
                    f,
                    "its event is sealed under pepper {version}, which is lacking: it cannot be checked"
                )
            }
            Self::Retired { version } => {
                write!(
                    f,
                    "its event is sealed under pepper {version}, which is retired, and held by no checkpoint"
                )
            }
            Self::Record { field } => {
                write!(f, "what the key says of its {field} is not what the history makes of it")
            }
            Self::Checkpoint => f.write_str("it is not what the checkpoint holds"),
        }
    }
}
