//! The rows that all threads share, how many of them there may be, and what readers see.

use std::collections::{BTreeSet, VecDeque};

use papaya::HashMap;

use super::freshness::{Board, Face, Row};
use super::line::Line;
use super::near::{self, Seen};
use super::row::{KeyRow, Secret};
use super::scope_uses::Home;
use crate::domain::KeyId;

/// How many ids of keys that do not exist are remembered at most: a flood of them pushes out none but its own.
const ABSENCES: usize = 10_000;
/// How many bytes of rows there may be for each key of the capacity.
const BYTES_PER_KEY: usize = 1_024;

/// The rows of a verifier. Readers need no lock, writers hold the one around [`Room`].
#[derive(Debug)]
pub(crate) struct Cache {
    pub(super) line: Line,
    rows: HashMap<KeyId, KeyRow>,
    home: Home,
}

impl Cache {
    pub(super) fn new(face: Face, home: Home) -> Self {
        Self { line: Line::new(face), rows: HashMap::new(), home }
    }

    /// The row of a key, of this generation or later.
    #[inline]
    pub(super) fn find(&self, id: KeyId, generation: u64) -> Option<std::sync::Arc<Seen>> {
        near::find(id, generation, self.home, || self.rows.pin().get(&id).cloned())
    }

    /// Notes in the row that all share what was noted in a clone of it: the evictor sees it there, and so does who
    /// clones it next.
    pub(super) fn note(&self, id: KeyId, secret: Secret, now: i64) {
        if let Some(row) = self.rows.pin().get(&id) {
            row.note(secret, second(now));
        }
    }
}

/// Who is next to make room. Kept under the lock of the core.
#[derive(Debug)]
pub(crate) struct Room {
    capacity: usize,
    /// Ids of rows, the longest there first. Some may have been removed since, and some come twice.
    order: VecDeque<KeyId>,
    absences: VecDeque<KeyId>,
    keys: usize,
    /// Of the keys.
    bytes: usize,
    absent_bytes: usize,
}

impl Room {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            order: VecDeque::new(),
            absences: VecDeque::new(),
            keys: 0,
            bytes: 0,
            absent_bytes: 0,
        }
    }

    pub(super) const fn keys(&self) -> usize {
        self.keys
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes + self.absent_bytes
    }

    /// The count of bytes that a row belongs to.
    fn bytes_of(&mut self, row: &KeyRow) -> &mut usize {
        if row.is_absence() { &mut self.absent_bytes } else { &mut self.bytes }
    }
}

/// The cache as the core writes it.
pub(super) struct Shelf<'a> {
    pub(super) cache: &'a Cache,
    pub(super) room: &'a mut Room,
}

impl Shelf<'_> {
    /// Takes a row out of the map and out of the count.
    fn take_out(&mut self, id: KeyId) {
        if let Some(row) = self.cache.rows.pin().remove(&id) {
            *self.room.bytes_of(row) -= row.size();
            self.room.keys -= usize::from(!row.is_absence());
        }
    }

    /// Makes room for one more key of this size.
    ///
    /// Who was used since the last look comes last again: second chance, in the order of arrival.
    fn make_room(&mut self, size: usize) {
        let mut chances = self.room.order.len();
        while self.room.keys + 1 > self.room.capacity || self.room.bytes + size > self.bytes_max() {
            let Some(oldest) = self.room.order.pop_front() else { return };
            let rows = self.cache.rows.pin();
            let Some(row) = rows.get(&oldest).filter(|row| !row.is_absence()) else { continue };
            if row.take_noted() && chances > 0 {
                chances -= 1;
                self.room.order.push_back(oldest);
            } else {
                self.take_out(oldest);
            }
        }
    }

    /// Forgets ids of rows that are gone, when there are as many of them as of rows.
    fn tidy(&mut self) {
        if self.room.order.len() > 2 * self.room.keys + 1_024 {
            let rows = self.cache.rows.pin();
            let mut known = BTreeSet::new();
            self.room.order.retain(|id| rows.contains_key(id) && known.insert(*id));
        }
    }

    fn bytes_max(&self) -> usize {
        self.room.capacity.saturating_mul(BYTES_PER_KEY)
    }
}

impl Board for Shelf<'_> {
    type Row = KeyRow;

    fn find(&self, id: KeyId) -> Option<KeyRow> {
        self.cache.rows.pin().get(&id).cloned()
    }

    fn put(&mut self, id: KeyId, row: KeyRow) {
        let size = row.size();
        self.take_out(id);
        if row.is_absence() {
            if self.room.absences.len() >= ABSENCES.min(self.room.capacity)
                && let Some(oldest) = self.room.absences.pop_front()
                && self.cache.rows.pin().get(&oldest).is_some_and(Row::is_absence)
            {
                self.take_out(oldest);
            }
            self.room.absences.push_back(id);
        } else if size > self.bytes_max() {
            return;
        } else {
            self.make_room(size);
            // Before its own id, which it would take for one of a row that is gone.
            self.tidy();
            self.room.order.push_back(id);
            self.room.keys += 1;
        }
        *self.room.bytes_of(&row) += size;
        self.cache.rows.pin().insert(id, row);
    }

    fn remove(&mut self, id: KeyId) {
        self.take_out(id);
        self.cache.line.turn();
    }

    fn clear(&mut self) {
        self.cache.rows.pin().clear();
        self.room.order.clear();
        self.room.absences.clear();
        (self.room.keys, self.room.bytes, self.room.absent_bytes) = (0, 0, 0);
        self.cache.line.turn();
    }

    fn publish(&mut self, face: Face) {
        self.cache.line.publish(face);
    }
}

/// A use of a key in this second, about: `true` for the first one that is told here.
#[inline]
pub(super) fn is_first_use(seen: &Seen, secret: Secret, now: i64) -> bool {
    seen.row.note(secret, second(now))
}

/// Seconds of 2²⁰ microseconds, told apart within nine hours, and never 0.
#[inline]
fn second(now: i64) -> u16 {
    u16::try_from((now >> 20) & 0x7FFF).unwrap_or(0) | 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;
    use crate::store::StoredKey;
    use crate::token::PepperRing;

    type Tested = Result<(), Invalid>;

    fn id(number: usize) -> Result<KeyId, Invalid> {
        KeyId::new(format!("{number:016}"))
    }

    fn row() -> KeyRow {
        let ring = PepperRing::default();
        KeyRow::of(&StoredKey::dummy(ring.dummy()), true, &ring)
    }

    fn cache(capacity: usize) -> (Cache, Room) {
        (Cache::new(Face::BLANK, Home::NOWHERE), Room::new(capacity))
    }

    /// Puts these, and what is never next to make room then.
    fn put(shelf: &mut Shelf<'_>, ids: impl Iterator<Item = usize>) -> Result<(), Invalid> {
        for number in ids {
            shelf.put(id(number)?, row());
            let rows = shelf.cache.rows.pin();
            assert!(rows.keys().all(|id| shelf.room.order.contains(id)), "nothing stays for ever");
            assert!(rows.len() == shelf.room.keys && shelf.room.keys <= shelf.room.capacity);
        }
        Ok(())
    }

    #[test]
    fn ids_of_rows_that_were_removed_are_forgotten_when_they_are_many() -> Tested {
        let (cache, mut room) = cache(10_000);
        let mut shelf = Shelf { cache: &cache, room: &mut room };
        for number in 0..3_000 {
            shelf.put(id(number)?, row());
        }
        for number in 0..3_000 {
            shelf.remove(id(number)?);
        }
        put(&mut shelf, 5_000..5_002)?;
        assert!(shelf.room.order.len() < 1_100, "{} ids of 2 rows", shelf.room.order.len());
        Ok(())
    }

    #[test]
    fn ids_that_come_again_and_again_are_kept_once_when_they_are_many() -> Tested {
        let (cache, mut room) = cache(10);
        let mut shelf = Shelf { cache: &cache, room: &mut room };
        for round in 0..200 {
            put(&mut shelf, (0..10).chain(round..round + 2))?;
            assert!(shelf.room.order.len() < 1_100, "{} ids of 10 rows", shelf.room.order.len());
        }
        Ok(())
    }
}
