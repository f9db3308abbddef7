//! What is wrong with a server or a statement, in words.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// Why a database is refused, or a call failed. The source of a [`StoreError`].
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("the address of the database cannot be read")]
    Address { source: tokio_postgres::Error },
    #[error("there is no runtime of tokio here to connect in")]
    NoRuntime,
    #[error("the address asks for TLS, and none is set up")]
    NoTls,
    #[error("no connection: {words}")]
    NotConnected { words: String },
    #[error("no connection of the pool: {words}")]
    NoneOfPool { words: String },
    #[error("no answer within {waited:?}")]
    NoAnswer { waited: Duration },
    #[error("the connection was lost: {words}")]
    Lost { words: String },
    #[error("the server refused: {message} ({code})")]
    Refused { code: String, message: String },
    #[error("the server is a replica, and may not know what was changed")]
    Replica,
    #[error("the answer is to another question: something between here and the server repeats answers")]
    Replayed,
    #[error("the server is of version {found}, and must be {needed} or later")]
    TooOld { found: i64, needed: i64 },
    #[error("the server has the setting {setting} at {found}, and it must be {needed}")]
    Setting { setting: &'static str, found: String, needed: &'static str },
    #[error("the schema holds tables of another application")]
    Foreign,
    #[error("the schema is of a later version: it has migration {found}, and this one knows {known}")]
    Ahead { found: i64, known: u32 },
    #[error("the schema has migration {found} and needs {needed}: apply what is missing first")]
    Behind { found: i64, needed: u32 },
    #[error("the trigger {name} is missing, or does not always fire")]
    Altered { name: &'static str },
    #[error("the settings are missing")]
    NoSettings,
    #[error("the system gave no random bytes")]
    NoRandomness,
    #[error("a schema is named by 1 to 48 of a-z, 0-9 and _, and does not begin with a digit or pg_")]
    SchemaName,
    #[error("a role is named by 1 to 63 of a-z, 0-9 and _, and does not begin with a digit or pg_")]
    RoleName,
}

impl Problem {
    /// What the driver says, without what a server may have added: its details can show a whole row.
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) => Self::Refused {
                code: refused.code().code().to_owned(),
                message: refused.message().to_owned(),
            },
            None => Self::Lost { words: error.to_string() },
        }
    }

    pub(super) fn not_connected(error: &tokio_postgres::Error) -> Self {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let words = match error.as_db_error() {
            Some(refused) => refused.message().to_owned(),
            None => cause.unwrap_or_else(|| error.to_string()),
        };
        Self::NotConnected { words }
    }
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::of(&error)
    }
}

/// How a statement failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing of it is or will be stored.
    Undone(Problem),
    /// The same, because others were in the way: it may be sent again.
    Busy(Problem),
    /// A key with this id is there.
    Exists,
    /// It may be stored, or be stored yet.
    Unknown(Problem),
}

impl Failed {
    /// A failure of a statement that was sent.
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        let problem = Problem::of(error);
        let Some(refused) = error.as_db_error() else { return Self::Unknown(problem) };
        let code = refused.code();
        let busy = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
        ];
        if busy.contains(code) {
            Self::Busy(problem)
        } else if *code == SqlState::UNIQUE_VIOLATION && refused.constraint() == Some("keys_pkey") {
            Self::Exists
        } else if is_of_the_way(code) {
            Self::Unknown(problem)
        } else {
            Self::Undone(problem)
        }
    }

    pub(super) fn into_problem(self) -> Problem {
        match self {
            Self::Undone(problem) | Self::Busy(problem) | Self::Unknown(problem) => problem,
            Self::Exists => Problem::Refused {
                code: SqlState::UNIQUE_VIOLATION.code().to_owned(),
                message: "the key exists already".to_owned(),
            },
        }
    }

    /// What a write tells its caller.
    pub(super) fn of_write(self) -> StoreError {
        match self {
            Self::Exists => StoreError::AlreadyExists,
            Self::Undone(problem) | Self::Busy(problem) => StoreError::backend(problem),
            Self::Unknown(problem) => StoreError::outcome_unknown(problem),
        }
    }
}

/// Whether an error says that the way to the server is in trouble: something on it may have sent that after the server
/// had committed. Otherwise the server itself has rolled the statement back.
fn is_of_the_way(code: &SqlState) -> bool {
    ["08", "57P", "58", "XX"].iter().any(|class| code.code().starts_with(class))
}
