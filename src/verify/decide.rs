//! The decision, once a secret has matched: a pure function of what is known, where and when.

use super::Denial;
use super::freshness::Row;
use super::row::{KeyRow, Secret};
use crate::domain::{EnvironmentId, KeyId};

/// Whether the key `id` is good in `environment` at `now`, in microseconds since 1970, for the holder of `secret`.
///
/// The order is part of the contract: who holds a retired secret learns nothing at all, and who holds a good
/// one of a revoked key learns that before anything else.
#[inline]
pub(super) fn decide(
    id: KeyId,
    row: &KeyRow,
    secret: Secret,
    environment: &EnvironmentId,
    now: i64,
) -> Result<(), Denial> {
    if row.ends_at(secret) <= now {
        return Err(Denial::Unrecognized {});
    }
    if row.is_revoked() {
        return Err(Denial::Revoked { key: id });
    }
    if !row.packed.is_in(environment) {
        return Err(Denial::WrongEnvironment { key: id });
    }
    if row.expires_at() <= now {
        return Err(Denial::Expired { key: id });
    }
    if !row.is_active() {
        return Err(Denial::Inactive { key: id });
    }
    Ok(())
}
