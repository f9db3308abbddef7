//! What is worth telling an operator, as events of `tracing` with that feature, and nothing without.
//!
//! Ids of keys at most; never a token, a secret or a digest.

use crate::domain::KeyId;
use crate::store::StoreError;

/// What the core knows that an operator wants to know of when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) limit: std::time::Duration,
    pub(super) jumps: u64,
    pub(super) suspicious: bool,
}

#[cfg(feature = "tracing")]
mod told {
    use super::{KeyId, Known, StoreError};

    pub(in super::super) fn refreshed(named: Option<usize>, before: Option<Known>, after: Known) {
        match named {
            Some(keys) => tracing::debug!(keys, "asked the store what has changed"),
            None => tracing::debug!("asked the store what has changed: everything may have"),
        }
        // The first answer changes nothing.
        let before = before.unwrap_or(after);
        if before.limit != after.limit {
            tracing::info!(before = ?before.limit, after = ?after.limit, "the limit has changed");
        }
        if before.jumps != after.jumps {
            tracing::warn!("a clock of this node was set or stood still: what was known is asked anew");
        }
        match (before.suspicious, after.suspicious) {
            (false, true) => {
                tracing::warn!(
                    "the store's clock and this node's disagree: every verification reads the store"
                );
            }
            (true, false) => tracing::info!("the store's clock and this node's agree again"),
            _ => {}
        }
    }

    pub(in super::super) fn refresh_failed(error: &StoreError) {
        tracing::warn!(error = error as &dyn std::error::Error, "could not ask the store what has changed");
    }

    pub(in super::super) fn read_failed(key: KeyId, error: &StoreError) {
        tracing::warn!(%key, error = error as &dyn std::error::Error, "could not read a key");
    }

    pub(in super::super) fn fenced(key: KeyId) {
        tracing::debug!(%key, "a key changed while it was read: it is read again");
    }

    pub(in super::super) fn busy() {
        tracing::warn!("too many keys are being read at once: a verification was unavailable");
    }
}

#[cfg(not(feature = "tracing"))]
mod told {
    use super::{KeyId, Known, StoreError};

    pub(in super::super) const fn refreshed(_: Option<usize>, _: Option<Known>, _: Known) {}
    pub(in super::super) const fn refresh_failed(_: &StoreError) {}
    pub(in super::super) const fn read_failed(_: KeyId, _: &StoreError) {}
    pub(in super::super) const fn fenced(_: KeyId) {}
    pub(in super::super) const fn busy() {}
}

pub(super) use told::{busy, fenced, read_failed, refresh_failed, refreshed};
