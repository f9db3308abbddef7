//! Why a management call did not do what it was asked.

use crate::domain::{Action, Invalid, KeyId, KeyState, Revision};
use crate::store::{BoxError, StoreError};

/// Why a management call did not do what it was asked.
///
/// ```
/// use access_keys::{AccessKeys, Actor, Error, KeyId, ProjectId, store::MemoryStore};
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// match project.get(KeyId::new("7Hq2LkP9sTz4WcX1")?).await {
///     Err(Error::NotFound { key }) => println!("no key {key} in this project"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// This project has no such key.
    #[error("key {key} was not found")]
    NotFound {
        /// The key that was asked for.
        key: KeyId,
    },
    /// A key in this state does not allow this.
    ///
    /// Within an operation, an active or inactive key cannot be created or rotated once more when the value of
    /// the operation was used or replaced.
    #[error("{}", refusal(*key, *from, *action))]
    Refused {
        /// The key.
        key: KeyId,
        /// What it is.
        from: KeyState,
        /// What was asked.
        action: Action,
    },
    /// The key is no longer at the revision that the caller saw.
    #[error("key {key} is no longer at revision {expected}")]
    Conflict {
        /// The key.
        key: KeyId,
        /// The revision that the caller saw.
        expected: Revision,
    },
    /// This node lacks the pepper or the digest scheme of the key, so it cannot tell whether a token is good: asking
    /// again gives the same. Whoever must be sure revokes the key by its id.
    #[error("this node lacks the pepper or the digest scheme of key {key}")]
    PepperLacking {
        /// The key that the token claims to be of.
        key: KeyId,
    },
    /// The store did not do it, or cannot say whether it did.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness could be had. Nothing was stored.
    #[error("no randomness could be had")]
    Randomness {
        /// What happened.
        source: BoxError,
    },
}

fn refusal(key: KeyId, from: KeyState, action: Action) -> String {
    match (from, action) {
        (KeyState::Active | KeyState::Inactive, Action::Created | Action::Rotated) => {
            format!("key {key} was {action} by this operation, and its value was used or replaced")
        }
        _ => format!("key {key} is {from} and cannot be {action}"),
    }
}

impl Error {
    pub(super) const fn randomness(source: BoxError) -> Self {
        Self::Randomness { source }
    }
}
