//! The decision, once a secret has matched: a pure function of what is known, where and when.

use super::freshness::Row;
use super::row::{KeyRow, Secret};
use super::verdict::Refusal;

/// Whether a key is good at `now`, in microseconds since 1970, for the holder of `secret`, who asks in the
/// key's environment or `elsewhere`.
///
/// The order is part of the contract: who holds a retired secret learns nothing at all, and who holds a good
/// one of a revoked key learns that before anything else.
#[inline]
pub(super) fn decide(row: &KeyRow, secret: Secret, elsewhere: bool, now: i64) -> Result<(), Refusal> {
    if row.ends_at(secret) <= now {
        return Err(Refusal::Unrecognized);
    }
    if row.is_revoked() {
        return Err(Refusal::Revoked);
    }
    if elsewhere {
        return Err(Refusal::WrongEnvironment);
    }
    if row.expires_at() <= now {
        return Err(Refusal::Expired);
    }
    if !row.is_active() {
        return Err(Refusal::Inactive);
    }
    Ok(())
}
