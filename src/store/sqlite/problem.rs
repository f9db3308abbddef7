//! What is wrong with a file, in words.

use std::time::Duration;

use rusqlite::ErrorCode;

use crate::store::{BoxError, StoreError};

/// What a failed statement or a refused file becomes on its way to the caller.
pub(super) type Result<T> = std::result::Result<T, BoxError>;

/// Why a file is refused, or a call failed. The source of a [`StoreError`].
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("the file cannot be opened, or one beside it cannot be made")]
    CannotOpen { source: rusqlite::Error },
    #[error("the file is not a database of SQLite")]
    NoDatabase { source: rusqlite::Error },
    #[error("the file is the database of another application")]
    Foreign,
    #[error("the database is of a later version: it has migration {found}, and this one knows {known}")]
    Ahead { found: i64, known: u32 },
    #[error("the database has migration {found} and needs {needed}: apply what is missing first")]
    Behind { found: i64, needed: u32 },
    #[error("the {kind} {name} of the database is missing or is not as the migrations make it")]
    Altered { kind: String, name: String },
    #[error("the file or its folder cannot be written")]
    ReadOnly { source: Option<rusqlite::Error> },
    #[error("the disk is full")]
    Full { source: rusqlite::Error },
    #[error("the disk cannot be read or written")]
    Disk { source: rusqlite::Error },
    #[error("the file is damaged")]
    Damaged { source: rusqlite::Error },
    #[error("the file was busy for {waited:?}")]
    Busy { waited: Duration, source: Option<rusqlite::Error> },
    #[error("SQLite has the setting {setting} at {found}, and it must be {needed}")]
    Setting { setting: &'static str, found: String, needed: &'static str },
    #[error("SQLite is of version {found}, and must be {needed} or later")]
    TooOld { found: &'static str, needed: &'static str },
    #[error("the settings of the database are missing")]
    NoSettings,
    #[error("the thread that writes has ended")]
    NoWriter,
}

/// Says in words what SQLite says in codes.
pub(super) fn explain(error: BoxError, time_limit: Duration) -> BoxError {
    let error = match error.downcast::<rusqlite::Error>() {
        Ok(error) => *error,
        Err(other) => return other,
    };
    let source = error;
    let problem = match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Problem::Busy { waited: time_limit, source: Some(source) }
        }
        Some(ErrorCode::CannotOpen) => Problem::CannotOpen { source },
        Some(ErrorCode::NotADatabase) => Problem::NoDatabase { source },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Problem::ReadOnly { source: Some(source) },
        Some(ErrorCode::DiskFull) => Problem::Full { source },
        Some(ErrorCode::SystemIoFailure) => Problem::Disk { source },
        Some(ErrorCode::DatabaseCorrupt) => Problem::Damaged { source },
        _ => return source.into(),
    };
    problem.into()
}

/// A failure after which nothing is or will be stored.
pub(super) fn backend(error: BoxError, time_limit: Duration) -> StoreError {
    StoreError::backend(explain(error, time_limit))
}
