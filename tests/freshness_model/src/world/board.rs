//! The rows of a cache, and what one call of the core does to them.

use access_keys::domain::KeyId;

use super::freshness::{self, Board, Face};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Status {
    Absent,
    Good,
    Inactive,
    Revoked,
}

/// What a read brought of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row {
    /// The event of the last change in it. Unlike revisions, those never recur.
    pub(super) event: u8,
    pub(super) revision: u8,
    pub(super) status: Status,
    pub(super) until: u64,
}

impl freshness::Row for Row {
    fn revision(&self) -> u64 {
        self.revision.into()
    }

    fn is_absence(&self) -> bool {
        self.status == Status::Absent
    }

    fn is_revoked(&self) -> bool {
        self.status == Status::Revoked
    }

    fn revoke_if(self, is_so: bool) -> Self {
        Self { status: if is_so { Status::Revoked } else { self.status }, ..self }
    }

    fn until(&self) -> u64 {
        self.until
    }

    fn ending(self, until: u64) -> Self {
        Self { until, ..self }
    }
}

/// One thing that readers see happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Put(u8, Row),
    Remove(u8),
    Publish(Face),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rows {
    pub(super) rows: [Option<Row>; 2],
    pub(super) face: Face,
}

impl Rows {
    pub(super) const fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Put(key, row) => self.rows[key as usize] = Some(row),
            Operation::Remove(key) => self.rows[key as usize] = None,
            Operation::Publish(face) => self.face = face,
        }
    }
}

/// What the core sees while it works: its own changes at once, which readers see one by one.
pub(super) struct Recorder<'a> {
    pub(super) ids: &'a [KeyId; 2],
    pub(super) rows: Rows,
    pub(super) operations: Vec<Operation>,
}

impl Recorder<'_> {
    fn key(&self, id: KeyId) -> u8 {
        u8::from(id == self.ids[1])
    }

    fn record(&mut self, operation: Operation) {
        let before = self.rows.clone();
        self.rows.apply(operation);
        if self.rows != before {
            self.operations.push(operation);
        }
    }
}

impl Board for Recorder<'_> {
    type Row = Row;

    fn find(&self, id: KeyId) -> Option<Row> {
        self.rows.rows[usize::from(self.key(id))]
    }

    fn put(&mut self, id: KeyId, row: Row) {
        self.record(Operation::Put(self.key(id), row));
    }

    fn remove(&mut self, id: KeyId) {
        self.record(Operation::Remove(self.key(id)));
    }

    fn clear(&mut self) {
        (0..2).for_each(|key| self.record(Operation::Remove(key)));
    }

    fn publish(&mut self, face: Face) {
        self.record(Operation::Publish(face));
    }
}
