//! Why a presented token was refused.

use std::sync::Arc;

use crate::domain::KeyId;
use crate::store::StoreError;

/// Why a presented token, or what was asked of a grant, was refused.
///
/// For the host and its logs. The caller is told only the [`status`](Self::status): which of the 401s it was
/// is nobody's business who does not hold the secret.
///
/// ```
/// use access_keys::{AccessKeys, Denial, EnvironmentId, store::MemoryStore};
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let denial = keys.verify("no token at all", &EnvironmentId::new("production")?).await.unwrap_err();
/// assert!(matches!(denial, Denial::Malformed { .. }));
/// assert_eq!(denial.status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// It is no token of this environment's prefix: the length, the prefix, a character or the checksum is
    /// wrong. Nothing was looked up.
    #[error("the token is malformed, or has the prefix of another environment")]
    #[non_exhaustive]
    Malformed {},
    /// There is no such key, or its secret is another, or the secret was retired: which of them is not told.
    #[error("the token is not recognized")]
    #[non_exhaustive]
    Unrecognized {},
    /// The key is paused.
    #[error("key {key} is inactive")]
    #[non_exhaustive]
    Inactive {
        /// The key.
        key: KeyId,
    },
    /// The key was revoked.
    #[error("key {key} is revoked")]
    #[non_exhaustive]
    Revoked {
        /// The key.
        key: KeyId,
    },
    /// The key's expiry has passed.
    #[error("key {key} has expired")]
    #[non_exhaustive]
    Expired {
        /// The key.
        key: KeyId,
    },
    /// The key is valid in another environment.
    #[error("key {key} is not valid in this environment")]
    #[non_exhaustive]
    WrongEnvironment {
        /// The key.
        key: KeyId,
    },
    /// The key may not call this agent.
    #[error("the agent is not in the scope of key {key}")]
    #[non_exhaustive]
    AgentNotInScope {
        /// The key.
        key: KeyId,
    },
    /// The key may not call this prompt.
    #[error("the prompt is not in the scope of key {key}")]
    #[non_exhaustive]
    PromptNotInScope {
        /// The key.
        key: KeyId,
    },
    /// Whether the token is good cannot be known now. It says nothing about the key.
    #[error("{}", why_unavailable(source.is_some()))]
    #[non_exhaustive]
    Unavailable {
        /// The store's failure; `None` when this node lacks the pepper or the scheme of the key's digest.
        source: Option<Arc<StoreError>>,
    },
}

const fn why_unavailable(is_store: bool) -> &'static str {
    if is_store {
        "keys cannot be verified now"
    } else {
        "the key cannot be verified by this node, which lacks its pepper or its digest scheme"
    }
}

impl Denial {
    /// The key that it is about. `None` unless the secret was right.
    #[must_use]
    pub const fn key(&self) -> Option<KeyId> {
        match self {
            Self::Malformed {} | Self::Unrecognized {} | Self::Unavailable { .. } => None,
            Self::Inactive { key }
            | Self::Revoked { key }
            | Self::Expired { key }
            | Self::WrongEnvironment { key }
            | Self::AgentNotInScope { key }
            | Self::PromptNotInScope { key } => Some(*key),
        }
    }

    /// Its name in one word, for counters and logs, for example `unrecognized`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Malformed {} => "malformed",
            Self::Unrecognized {} => "unrecognized",
            Self::Inactive { .. } => "inactive",
            Self::Revoked { .. } => "revoked",
            Self::Expired { .. } => "expired",
            Self::WrongEnvironment { .. } => "wrong_environment",
            Self::AgentNotInScope { .. } => "agent_not_in_scope",
            Self::PromptNotInScope { .. } => "prompt_not_in_scope",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The HTTP status to answer with: 401 for a token that is not good, 403 for one that may not do this,
    /// 503 when it cannot be known.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed {}
            | Self::Unrecognized {}
            | Self::Inactive { .. }
            | Self::Revoked { .. }
            | Self::Expired { .. }
            | Self::WrongEnvironment { .. } => 401,
            Self::AgentNotInScope { .. } | Self::PromptNotInScope { .. } => 403,
            Self::Unavailable { .. } => 503,
        }
    }
}

impl From<StoreError> for Denial {
    fn from(error: StoreError) -> Self {
        Self::Unavailable { source: Some(Arc::new(error)) }
    }
}
