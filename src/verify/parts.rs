//! What is kept of keys in parts, so that threads do not wait for each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::KeyId;

const PARTS: usize = 16;

/// A `T` for each part of all ids.
#[derive(Debug, Default)]
pub(super) struct Parts<T>([Mutex<T>; PARTS]);

impl<T> Parts<T> {
    /// The part that an id belongs to.
    pub(super) fn of(&self, key: KeyId) -> Option<MutexGuard<'_, T>> {
        let place = usize::try_from(key.mixed() >> 56).unwrap_or(0);
        self.0.get(place % PARTS).map(locked)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(locked)
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;

    #[test]
    fn ids_are_spread_over_all_parts_and_each_belongs_to_one() -> Result<(), Invalid> {
        let parts = Parts::<Vec<KeyId>>::default();
        let ids =
            (0..3_200).map(|number| KeyId::new(format!("{number:016}"))).collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            if let Some(mut part) = parts.of(*id) {
                part.push(*id);
            }
        }
        for id in &ids {
            assert!(parts.of(*id).is_some_and(|part| part.contains(id)));
        }
        let there = parts.all().map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!((there.len(), there.iter().sum::<usize>()), (16, ids.len()));
        assert!(there.iter().all(|there| (50..=600).contains(there)), "{there:?}");
        Ok(())
    }
}
