//! The keys that were seen revoked.

use std::collections::{BTreeSet, VecDeque};

use crate::domain::KeyId;

/// How many are remembered.
const CAPACITY: usize = 100_000;

/// The last keys that were seen revoked: what a flush does not forget.
///
/// Revoked is final, so that a store which shows such a key as good again has lost the revocation, for example
/// to a backup that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Revoked {
    ids: BTreeSet<KeyId>,
    /// Oldest first.
    order: VecDeque<KeyId>,
}

impl Revoked {
    pub(super) const fn new() -> Self {
        Self { ids: BTreeSet::new(), order: VecDeque::new() }
    }

    pub(super) fn contains(&self, id: KeyId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn add(&mut self, id: KeyId) {
        if !self.ids.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;

    fn id(number: usize) -> Result<KeyId, Invalid> {
        KeyId::new(format!("{number:016}"))
    }

    #[test]
    fn a_key_is_remembered_until_as_many_others_were_seen_revoked_as_there_is_room_for() -> Result<(), Invalid>
    {
        let mut revoked = Revoked::new();
        for number in 0..CAPACITY {
            revoked.add(id(number)?);
            revoked.add(id(0)?);
        }
        assert!(revoked.contains(id(0)?), "seen again, it takes no more room");
        for number in 0..1_000 {
            revoked.add(id(CAPACITY + number)?);
            assert_eq!((revoked.contains(id(number)?), revoked.contains(id(number + 1)?)), (false, true));
            assert_eq!((revoked.ids.len(), revoked.order.len()), (CAPACITY, CAPACITY));
        }
        Ok(())
    }
}
