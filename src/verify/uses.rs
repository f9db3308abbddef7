//! Uses of secrets, gathered until they are written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::KeyId;
use crate::store::{KeyStore, KeyUse, StoreError};

/// How many secrets are remembered at once; uses of further ones are not recorded until the next flush.
const CAPACITY: usize = 100_000;
/// How many are written in one call of the store.
const BATCH: usize = 1_000;
/// In how many parts they are kept, so that threads do not wait for each other.
const PARTS: usize = 16;

/// The latest use of each secret since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    parts: [Mutex<Latest>; PARTS],
    /// How many there are in all parts.
    count: AtomicUsize,
    /// Whether a use was ever lost because there was no room.
    overflowed: AtomicBool,
}

type Latest = BTreeMap<(KeyId, u32), DateTime<Utc>>;

impl Uses {
    pub(super) fn record(&self, key: KeyId, generation: u32, at: DateTime<Utc>) {
        let Some(mut latest) = self.part(key) else { return };
        match latest.get_mut(&(key, generation)) {
            Some(last) => *last = at.max(*last),
            None if self.count.fetch_add(1, Ordering::Relaxed) >= CAPACITY => {
                self.count.fetch_sub(1, Ordering::Relaxed);
                self.overflowed.store(true, Ordering::Relaxed);
            }
            None => drop(latest.insert((key, generation), at)),
        }
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// What is gathered of this key and not yet written.
    pub(crate) fn of(&self, key: KeyId) -> Vec<KeyUse> {
        let Some(latest) = self.part(key) else { return Vec::new() };
        let range = latest.range((key, 0)..=(key, u32::MAX));
        range.map(|((key, generation), at)| KeyUse::new(*key, *generation, *at)).collect()
    }

    /// Writes what was gathered when it was called. What could not be written, or was being written when the
    /// future was dropped, stays.
    pub(crate) async fn flush(&self, store: &(impl KeyStore + ?Sized)) -> Result<(), StoreError> {
        // Ordered, since batches in one order deadlock no database.
        let mut gathered = Latest::new();
        for part in &self.parts {
            gathered.extend(locked(part).iter().map(|(used, at)| (*used, *at)));
        }
        let gathered: Vec<_> =
            gathered.into_iter().map(|((key, generation), at)| KeyUse::new(key, generation, at)).collect();
        for batch in gathered.chunks(BATCH) {
            store.record_use(batch).await?;
            // Only now: a use must be seen here until it is seen there.
            for used in batch {
                let Some(mut latest) = self.part(used.key) else { continue };
                if latest.get(&(used.key, used.generation)) == Some(&used.at) {
                    latest.remove(&(used.key, used.generation));
                    self.count.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    fn part(&self, key: KeyId) -> Option<MutexGuard<'_, Latest>> {
        let [low, high] = key.halves();
        // Of the ends of the id: neighbouring characters of a random one differ in few bits.
        let place = usize::try_from((low ^ (low >> 5) ^ high ^ (high >> 3)) & 0xFF).unwrap_or(0);
        self.parts.get(place % PARTS).map(locked)
    }
}

fn locked(part: &Mutex<Latest>) -> MutexGuard<'_, Latest> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
