//! What a store answers when it cannot do what it was asked.

/// Any error, boxed: what a backend's own error becomes.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a store did not do what it was asked.
///
/// ```
/// use std::io;
/// use access_keys::store::StoreError;
///
/// fn read() -> Result<String, StoreError> {
///     std::fs::read_to_string("/no/such/file").map_err(StoreError::backend)
/// }
/// let error = read().unwrap_err();
/// assert_eq!(error.to_string(), "the store failed");
/// assert!(std::error::Error::source(&error).is_some()); // the cause is kept, not repeated
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An insert of an id that is there already. Nothing was stored.
    #[error("the key exists already")]
    AlreadyExists,
    /// The key is not there, is not at the expected revision, or is revoked. Nothing was stored.
    #[error("the stored key is no longer the expected one")]
    Conflict,
    /// Whether it was stored is not known, for example because the connection was lost during a commit.
    #[error("whether the store did it is not known")]
    OutcomeUnknown {
        /// What happened.
        source: BoxError,
    },
    /// The store failed. Nothing was stored, nor will it be: where that is in doubt, the error is
    /// [`OutcomeUnknown`](Self::OutcomeUnknown).
    #[error("the store failed")]
    Backend {
        /// What happened.
        source: BoxError,
    },
}

impl StoreError {
    /// A failure of the backend after which it is certain that nothing was stored.
    pub fn backend(source: impl Into<BoxError>) -> Self {
        Self::Backend { source: source.into() }
    }

    /// A failure of the backend after which it is not known whether something was stored.
    pub fn outcome_unknown(source: impl Into<BoxError>) -> Self {
        Self::OutcomeUnknown { source: source.into() }
    }
}
