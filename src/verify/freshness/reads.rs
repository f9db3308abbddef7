//! The reads of keys that are under way.

use std::collections::BTreeMap;

use crate::domain::KeyId;

/// One read that is under way, by its place in [`Reads`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Read {
    pub(super) id: KeyId,
    /// When it was about to be sent, in nanoseconds of deadline time.
    pub(super) sent: u64,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Its row is for the cache and for all who join.
    Shared,
    /// It was shared; its key was named since, so that its row is for nobody.
    Fenced,
    /// Its row is for the one verification that began it.
    Own,
}

/// The reads that are under way: a bounded number of them, and of these at most one unfenced shared one of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reads {
    capacity: usize,
    places: Vec<Option<Read>>,
    /// The place of the one read of a key that others may join.
    joinable: BTreeMap<KeyId, usize>,
}

impl Reads {
    pub(super) const fn new(capacity: usize) -> Self {
        Self { capacity, places: Vec::new(), joinable: BTreeMap::new() }
    }

    pub(super) fn joinable(&self, id: KeyId) -> Option<usize> {
        self.joinable.get(&id).copied()
    }

    /// Takes a place; `None` when there are too many.
    pub(super) fn begin(&mut self, read: Read) -> Option<usize> {
        let place = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
        if place >= self.capacity {
            return None;
        }
        if read.kind == Kind::Shared {
            self.joinable.insert(read.id, place);
        }
        match self.places.get_mut(place) {
            Some(free) => *free = Some(read),
            None => self.places.push(Some(read)),
        }
        Some(place)
    }

    /// Gives a place back.
    pub(super) fn end(&mut self, place: usize) -> Option<Read> {
        let read = self.places.get_mut(place)?.take()?;
        if read.kind == Kind::Shared {
            self.joinable.remove(&read.id);
        }
        Some(read)
    }

    /// Fences the read of this key: nobody may join it, and nobody will use its row.
    pub(super) fn fence(&mut self, id: KeyId) {
        let place = self.joinable.remove(&id);
        if let Some(Some(read)) = place.and_then(|place| self.places.get_mut(place)) {
            read.kind = Kind::Fenced;
        }
    }

    /// Fences every read that others may join.
    pub(super) fn fence_all(&mut self) {
        while let Some((id, _)) = self.joinable.first_key_value() {
            self.fence(*id);
        }
    }
}
