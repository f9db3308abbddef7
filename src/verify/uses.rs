//! Uses of secrets, gathered until they are written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::KeyId;
use crate::store::{KeyStore, KeyUse, StoreError};

/// How many secrets are remembered at once; uses of further ones are not recorded until the next flush.
const CAPACITY: usize = 100_000;
/// How many are written in one call of the store.
const BATCH: usize = 1_000;

/// The latest use of each secret since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    latest: Mutex<Latest>,
    /// Whether a use was ever lost because there was no room.
    overflowed: AtomicBool,
}

/// Ordered, since batches in one order deadlock no database.
type Latest = BTreeMap<(KeyId, u32), DateTime<Utc>>;

impl Uses {
    pub(super) fn record(&self, key: KeyId, generation: u32, at: DateTime<Utc>) {
        let mut latest = self.latest();
        let full = latest.len() >= CAPACITY;
        match latest.get_mut(&(key, generation)) {
            Some(last) => *last = at.max(*last),
            None if full => self.overflowed.store(true, Ordering::Relaxed),
            None => drop(latest.insert((key, generation), at)),
        }
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// What is gathered of this key and not yet written.
    pub(crate) fn of(&self, key: KeyId) -> Vec<KeyUse> {
        let latest = self.latest();
        let range = latest.range((key, 0)..=(key, u32::MAX));
        range.map(|((key, generation), at)| KeyUse::new(*key, *generation, *at)).collect()
    }

    /// Writes what was gathered when it was called. What could not be written, or was being written when the
    /// future was dropped, stays.
    pub(crate) async fn flush(&self, store: &(impl KeyStore + ?Sized)) -> Result<(), StoreError> {
        let gathered = self.latest().clone();
        let gathered: Vec<_> =
            gathered.into_iter().map(|((key, generation), at)| KeyUse::new(key, generation, at)).collect();
        for batch in gathered.chunks(BATCH) {
            store.record_use(batch).await?;
            // Only now: a use must be seen here until it is seen there.
            let mut latest = self.latest();
            for used in batch {
                if latest.get(&(used.key, used.generation)) == Some(&used.at) {
                    latest.remove(&(used.key, used.generation));
                }
            }
        }
        Ok(())
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
