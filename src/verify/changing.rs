//! What management tells the verifier of the same keys, and asks of it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::freshness::{Stamp, UNKNOWN, WITHOUT_FEED, announced, tolerance};
use super::verifier::Verifier;
use crate::clock::Clock;
use crate::domain::{KeyId, time};
use crate::store::{Changes, KeyStore, StoreError};

/// A management call under way. However it ends, dropped half-way included, its key is forgotten at its end:
/// after the commit, if there is one, and before the call returns.
#[must_use]
pub(crate) struct Changing<'v> {
    verifier: &'v Verifier,
    id: KeyId,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.verifier.inner.with_core(|core, shelf| core.changed_here(shelf, self.id));
    }
}

/// How long until an acknowledged change holds on every node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced {
    pub(crate) holds_everywhere_in: Duration,
    /// How much later a moment in the store's time may come on another node.
    pub(crate) tolerance: Duration,
}

impl Verifier {
    /// The key may change from now on.
    pub(crate) const fn changing(&self, id: KeyId) -> Changing<'_> {
        Changing { verifier: self, id }
    }

    /// The key was seen revoked, which is final.
    pub(crate) fn seen_revoked(&self, id: KeyId) {
        self.inner.with_core(|core, shelf| core.seen_revoked(shelf, id));
    }

    /// How long until a change that was stored before this call holds on every node.
    pub(crate) async fn announced(&self) -> Announced {
        let (holds_everywhere_in, tolerance) = match self.setup().store.changes(None).await {
            Ok(Changes::NoFeed) => (WITHOUT_FEED, Duration::ZERO),
            Ok(Changes::Since { state, .. } | Changes::Everything { state, .. }) => {
                (announced(&state), tolerance(&state))
            }
            Err(_) => (UNKNOWN, Duration::ZERO),
        };
        Announced { holds_everywhere_in, tolerance }
    }

    /// The time to stamp what is about to be stored: the store's, where it has a clock.
    pub(crate) async fn stamp(&self) -> Result<DateTime<Utc>, StoreError> {
        let now = self.inner.now();
        let mut stamp = self.inner.lock().core.stamp(now);
        if matches!(stamp, Stamp::Ask) {
            self.inner.refresh().await.map_err(StoreError::backend)?;
            let now = self.inner.now();
            stamp = self.inner.lock().core.stamp(now);
        }
        let stamped = match stamp {
            Stamp::Store(micros) => DateTime::from_timestamp_micros(micros),
            Stamp::Wall | Stamp::Ask => None,
        };
        Ok(stamped.unwrap_or_else(|| time::micros(self.setup().clock.wall())))
    }

    /// The same as far as it is known, without asking.
    pub(crate) fn roughly_now(&self) -> DateTime<Utc> {
        let now = self.inner.now();
        let stamped = match self.inner.lock().core.stamp(now) {
            Stamp::Store(micros) => DateTime::from_timestamp_micros(micros),
            Stamp::Wall | Stamp::Ask => None,
        };
        stamped.unwrap_or_else(|| time::micros(self.setup().clock.wall()))
    }
}
