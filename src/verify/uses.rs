//! Uses of secrets, gathered until they are written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use super::parts::Parts;
use crate::domain::KeyId;
use crate::store::{KeyStore, KeyUse, StoreError};

/// How many secrets are remembered at once; uses of further ones are not recorded until the next flush.
const CAPACITY: usize = 100_000;
/// How many are written in one call of the store.
const BATCH: usize = 1_000;

/// The latest use of each secret since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    parts: Parts<Latest>,
    /// How many there are in all parts.
    count: AtomicUsize,
    /// Whether a use was ever lost because there was no room.
    overflowed: AtomicBool,
}

type Latest = BTreeMap<(KeyId, u32), DateTime<Utc>>;

impl Uses {
    pub(super) fn record(&self, key: KeyId, generation: u32, at: DateTime<Utc>) {
        let Some(mut latest) = self.parts.of(key) else { return };
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
        let Some(latest) = self.parts.of(key) else { return Vec::new() };
        let range = latest.range((key, 0)..=(key, u32::MAX));
        range.map(|((key, generation), at)| KeyUse::new(*key, *generation, *at)).collect()
    }

    /// Writes what was gathered when it was called. What could not be written, or was being written when the
    /// future was dropped, stays.
    pub(crate) async fn flush(&self, store: &(impl KeyStore + ?Sized)) -> Result<(), StoreError> {
        // Ordered, since batches in one order deadlock no database.
        let mut gathered = Latest::new();
        for part in self.parts.all() {
            gathered.extend(part.iter().map(|(used, at)| (*used, *at)));
        }
        let gathered: Vec<_> =
            gathered.into_iter().map(|((key, generation), at)| KeyUse::new(key, generation, at)).collect();
        for batch in gathered.chunks(BATCH) {
            store.record_use(batch).await?;
            // Only now: a use must be seen here until it is seen there.
            for used in batch {
                let Some(mut latest) = self.parts.of(used.key) else { continue };
                if latest.get(&(used.key, used.generation)) == Some(&used.at) {
                    latest.remove(&(used.key, used.generation));
                    self.count.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::domain::Invalid;
    use crate::store::MemoryStore;

    fn key(number: usize) -> Result<KeyId, Invalid> {
        KeyId::new(format!("{number:016}"))
    }

    #[test]
    fn what_is_full_takes_no_more_until_it_is_written() -> Result<(), Box<dyn std::error::Error>> {
        let (uses, store) = (Uses::default(), MemoryStore::new());
        let later = DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1);
        for number in 0..CAPACITY {
            uses.record(key(number)?, 1, DateTime::UNIX_EPOCH);
        }
        uses.record(key(0)?, 1, later);
        assert!(!uses.overflowed(), "it is there already");
        uses.record(key(0)?, 2, later);
        assert!(uses.overflowed());
        assert_eq!(uses.of(key(0)?), [KeyUse::new(key(0)?, 1, later)]);
        assert_eq!(uses.parts.all().map(|part| part.len()).sum::<usize>(), CAPACITY);

        block_on(uses.flush(&store))?;
        assert_eq!(uses.count.load(Ordering::Relaxed), 0);
        uses.record(key(0)?, 2, later);
        assert_eq!(uses.of(key(0)?), [KeyUse::new(key(0)?, 2, later)]);
        Ok(())
    }
}
