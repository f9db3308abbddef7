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
        self.verifier.inner.learned.ring();
    }
}

/// How long until an acknowledged change holds on every node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced {
    pub(crate) holds_everywhere_in: Duration,
    /// What the store's clock read, where it has one.
    now: Option<DateTime<Utc>>,
    /// How much later a moment in the store's time may come on another node.
    tolerance: Duration,
}

impl Announced {
    /// How long until a secret that ends then is refused on every node.
    pub(crate) fn secret_ends_in(&self, ends_at: DateTime<Utc>, stamped: DateTime<Utc>) -> Duration {
        // From the clock as it was read after the commit: the stamp may have been ahead of it by a round trip.
        let grace = time::until(ends_at, self.now.unwrap_or(stamped));
        grace.max(self.holds_everywhere_in) + self.tolerance
    }
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
        match self.setup().store.changes(None).await {
            Ok(Changes::NoFeed) => {
                Announced { holds_everywhere_in: WITHOUT_FEED, now: None, tolerance: Duration::ZERO }
            }
            Ok(Changes::Since { state, .. } | Changes::Everything { state, .. }) => {
                let holds_everywhere_in = announced(&state);
                let tolerance = state.now.map_or(Duration::ZERO, |_| tolerance(holds_everywhere_in));
                Announced { holds_everywhere_in, now: state.now, tolerance }
            }
            Err(_) => Announced { holds_everywhere_in: UNKNOWN, now: None, tolerance: tolerance(UNKNOWN) },
        }
    }

    /// The time to stamp what is about to be stored: the store's, where it has a clock.
    pub(crate) async fn stamp(&self) -> Result<DateTime<Utc>, StoreError> {
        if self.stamp_known() == Stamp::Ask {
            self.inner.refresh().await.map_err(StoreError::backend)?;
        }
        match self.stamp_known() {
            Stamp::Wall => Ok(time::micros(self.setup().clock.wall())),
            Stamp::Store(micros) => Ok(DateTime::from_timestamp_micros(micros).unwrap_or_default()),
            // Not the wall clock: other nodes judge by the store's.
            Stamp::Ask => Err(StoreError::backend("the store's clock could not be read in time")),
        }
    }

    /// The same as far as it is known, without asking.
    pub(crate) fn roughly_now(&self) -> DateTime<Utc> {
        match self.stamp_known() {
            Stamp::Store(micros) => DateTime::from_timestamp_micros(micros).unwrap_or_default(),
            Stamp::Wall | Stamp::Ask => time::micros(self.setup().clock.wall()),
        }
    }

    fn stamp_known(&self) -> Stamp {
        let now = self.inner.now();
        self.inner.lock().core.stamp(now)
    }
}
