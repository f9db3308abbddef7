//! Uses of secrets, gathered until they are written.

use std::collections::BTreeMap;
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
pub(crate) struct Uses(Mutex<Latest>);

/// Ordered, since batches in one order deadlock no database.
type Latest = BTreeMap<(KeyId, u32), DateTime<Utc>>;

impl Uses {
    pub(super) fn record(&self, key: KeyId, generation: u32, at: DateTime<Utc>) {
        keep(&mut self.latest(), (key, generation), at);
    }

    /// What is gathered of these keys and not yet written.
    pub(crate) fn of(&self, key: KeyId) -> Vec<KeyUse> {
        let latest = self.latest();
        let range = latest.range((key, 0)..=(key, u32::MAX));
        range.map(|((key, generation), at)| KeyUse::new(*key, *generation, *at)).collect()
    }

    /// Writes what was gathered. What could not be written, or was being written when the future was
    /// dropped, is kept for the next flush.
    pub(crate) async fn flush(&self, store: &(impl KeyStore + ?Sized)) -> Result<(), StoreError> {
        let mut unwritten = Unwritten { uses: self, rest: std::mem::take(&mut *self.latest()) };
        while !unwritten.rest.is_empty() {
            let batch: Vec<_> = unwritten
                .rest
                .iter()
                .take(BATCH)
                .map(|((key, generation), at)| KeyUse::new(*key, *generation, *at))
                .collect();
            store.record_use(&batch).await?;
            for used in batch {
                unwritten.rest.remove(&(used.key, used.generation));
            }
        }
        Ok(())
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(latest: &mut Latest, secret: (KeyId, u32), at: DateTime<Utc>) {
    let full = latest.len() >= CAPACITY;
    match latest.get_mut(&secret) {
        Some(last) => *last = at.max(*last),
        None if full => {}
        None => drop(latest.insert(secret, at)),
    }
}

/// Taken out to be written; what is left of it goes back.
struct Unwritten<'a> {
    uses: &'a Uses,
    rest: Latest,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        let mut latest = self.uses.latest();
        for (secret, at) in std::mem::take(&mut self.rest) {
            keep(&mut latest, secret, at);
        }
    }
}
