//! How a rule says what it found.

use std::fmt::Debug;

use super::shown;
use crate::store::StoreError;

/// Why a rule went no further.
#[derive(Debug)]
pub(super) enum Stop {
    NotAsked(String),
    Broken { done: String, expected: String, came: String },
}

/// What a rule ends with.
pub(super) type Ruling<T = ()> = Result<T, Stop>;

impl Stop {
    pub(super) fn not_asked(because: impl Into<String>) -> Self {
        Self::NotAsked(because.into())
    }

    pub(super) fn broken(
        done: impl Into<String>,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) -> Self {
        Self::Broken { done: done.into(), expected: expected.into(), came: came.into() }
    }
}

/// `came` has to be `expected`. What is shown of the two is where they differ.
pub(super) fn same<T: PartialEq + Debug>(done: impl Into<String>, came: &T, expected: &T) -> Ruling {
    if came == expected {
        return Ok(());
    }
    let (expected, came) = shown::difference(&format!("{expected:?}"), &format!("{came:?}"));
    Err(Stop::broken(done, expected, came))
}

/// `is` has to hold, of what `came`.
pub(super) fn holds(
    is: bool,
    done: impl Into<String>,
    expected: impl Into<String>,
    came: impl Debug,
) -> Ruling {
    if is { Ok(()) } else { Err(Stop::broken(done, expected, shown::cut(&format!("{came:?}")))) }
}

/// The answer of a call that has no reason to fail.
pub(super) fn answered<T>(done: impl Into<String>, answer: Result<T, StoreError>) -> Ruling<T> {
    answer.map_err(|error| Stop::broken(done, "it succeeds", shown::chain(&error)))
}

/// The answer of a write that has to be refused with [`StoreError::Conflict`].
pub(super) fn conflicts(done: impl Into<String>, answer: Result<(), StoreError>) -> Ruling {
    match answer {
        Err(StoreError::Conflict) => Ok(()),
        other => Err(Stop::broken(done, "`Conflict`, and nothing is stored", shown::answer(&other))),
    }
}

/// The answer of an insert that has to be refused with [`StoreError::AlreadyExists`].
pub(super) fn exists_already(done: impl Into<String>, answer: Result<(), StoreError>) -> Ruling {
    match answer {
        Err(StoreError::AlreadyExists) => Ok(()),
        other => Err(Stop::broken(done, "`AlreadyExists`, and nothing is stored", shown::answer(&other))),
    }
}
