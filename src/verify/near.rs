//! The rows that a thread has put aside for itself.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use super::row::KeyRow;
use super::scope_uses::Home;
use crate::domain::{AccessKey, KeyId};

/// How many keys a thread can put aside: a power of two.
const SLOTS: usize = 256;

/// A row that one thread put aside, and that the grants of that thread share.
///
/// A count of owners that every thread writes would be the slowest part of a verification. This one is written by
/// one thread alone, unless a grant travels.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) id: KeyId,
    pub(super) row: KeyRow,
    /// Where it is told what the key was used for.
    pub(super) home: Home,
    /// The record, unpacked when it is first asked for.
    key: OnceLock<Box<AccessKey>>,
}

impl Seen {
    pub(super) fn new(id: KeyId, row: KeyRow, home: Home) -> Arc<Self> {
        Arc::new(Self { id, row, home, key: OnceLock::new() })
    }

    pub(super) fn key(&self) -> &AccessKey {
        self.key.get_or_init(|| Box::new(self.row.key(self.id)))
    }
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// The generation in which the row was found; 0 is none.
    generation: u64,
    seen: Option<Arc<Seen>>,
    /// The key that was looked for last and is not put aside: the second time it will be.
    last: Option<KeyId>,
}

thread_local! {
    static NEAR: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// The row of this key, if this thread put it aside in this generation, or else what `find` finds.
///
/// Who comes twice is put aside; so a crowd that comes once pushes nobody out.
#[inline]
pub(super) fn find(
    id: KeyId,
    generation: u64,
    home: Home,
    find: impl FnOnce() -> Option<KeyRow>,
) -> Option<Arc<Seen>> {
    let mut find = Some(find);
    let near = NEAR.try_with(|near| {
        // Taken already only where a verification is made within one.
        let mut slots = near.try_borrow_mut().ok()?;
        let slot = slots.get_mut(place(id));
        if let Some(slot) = &slot
            && slot.generation == generation
            && let Some(seen) = slot.seen.as_ref().filter(|seen| seen.id.halves() == id.halves())
        {
            return Some(Some(Arc::clone(seen)));
        }
        Some(put_aside(&mut slots, id, generation, home, find.take()?))
    });
    match near {
        Ok(Some(found)) => found,
        _ => find.and_then(|find| find()).map(|row| Seen::new(id, row, home)),
    }
}

#[inline(never)]
fn put_aside(
    slots: &mut Vec<Slot>,
    id: KeyId,
    generation: u64,
    home: Home,
    find: impl FnOnce() -> Option<KeyRow>,
) -> Option<Arc<Seen>> {
    let seen = Seen::new(id, find()?, home);
    if slots.is_empty() {
        slots.resize(SLOTS, Slot::default());
    }
    let slot = slots.get_mut(place(id))?;
    if slot.last.replace(id) == Some(id) || slot.generation != generation {
        (slot.generation, slot.seen) = (generation, Some(Arc::clone(&seen)));
    }
    Some(seen)
}

#[inline]
fn place(id: KeyId) -> usize {
    usize::try_from(id.mixed() >> 56).unwrap_or(0) % SLOTS
}
