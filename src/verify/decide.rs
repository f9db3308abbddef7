//! The decision, once a secret has matched: a pure function of what is stored, where and when.

use chrono::{DateTime, Utc};

use super::Denial;
use crate::domain::{AccessKey, EnvironmentId, KeyState};
use crate::store::StoredDigest;

/// Whether `key` is good in `environment` at `now` for the holder of the secret of `digest`.
///
/// The order is part of the contract: who holds a retired secret learns nothing at all, and who holds a good
/// one of a revoked key learns that before anything else.
pub(super) fn decide(
    key: &AccessKey,
    digest: &StoredDigest,
    environment: &EnvironmentId,
    now: DateTime<Utc>,
) -> Result<(), Denial> {
    if digest.ends_at().is_some_and(|end| end <= now) {
        return Err(Denial::Unrecognized {});
    }
    let (id, elsewhere) = (key.id, key.environment != *environment);
    match key.state(now) {
        KeyState::Revoked => Err(Denial::Revoked { key: id }),
        _ if elsewhere => Err(Denial::WrongEnvironment { key: id }),
        KeyState::Expired => Err(Denial::Expired { key: id }),
        KeyState::Inactive => Err(Denial::Inactive { key: id }),
        KeyState::Active => Ok(()),
    }
}
