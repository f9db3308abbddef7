//! What is stored, and what reads of it say.

use super::board::{Row, Status};
use crate::{Change, Configuration};

/// A key as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) event: u8,
    pub(super) revision: u8,
    pub(super) status: Status,
    /// How many changes there were with the last one of this key.
    pub(super) number: u8,
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Content {
    pub(super) keys: [Key; 2],
    /// The last event.
    pub(super) last: u8,
    /// How many changes there were.
    pub(super) number: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Store {
    pub(super) content: Content,
    pub(super) incarnation: u8,
    next_event: u8,
    /// The earlier contents, where anything may go back to them.
    pub(super) past: Vec<Content>,
    /// In milliseconds.
    pub(super) limit: u64,
    /// By the store's clock, in microseconds; 0 when it has passed.
    pub(super) drained_at: i64,
    pub(super) out_of_reach: bool,
    keeps_past: bool,
}

impl Store {
    pub(super) fn new(configuration: &Configuration) -> Self {
        let good = Key { event: 1, revision: 1, status: Status::Good, number: 1 };
        let none = Key { event: 0, revision: 0, status: Status::Absent, number: 0 };
        let keys = [if configuration.absent { none } else { good }, good];
        let lags = configuration.wrong == Some(crate::Wrong::LaggingReads);
        Self {
            content: Content { keys, last: 1, number: 1 },
            incarnation: 0,
            next_event: 2,
            past: Vec::new(),
            limit: configuration.limit,
            drained_at: 0,
            out_of_reach: false,
            keeps_past: configuration.restores > 0 || configuration.reads_go_back || lags,
        }
    }

    /// Whether the change can be made of the key as it is.
    pub(super) fn allows(&self, key: u8, change: Change) -> bool {
        let status = self.content.keys[usize::from(key)].status;
        match change {
            Change::Insert => status == Status::Absent,
            Change::Edit | Change::Deactivate => status == Status::Good,
            Change::Activate => status == Status::Inactive,
            Change::Revoke => matches!(status, Status::Good | Status::Inactive),
        }
    }

    /// Stores a change and returns its event.
    pub(super) fn commit(&mut self, key: u8, change: Change) -> u8 {
        if self.keeps_past {
            self.past.push(self.content);
        }
        let event = self.next_event;
        self.next_event += 1;
        self.content.number += 1;
        self.content.last = event;
        let stored = &mut self.content.keys[usize::from(key)];
        let status = match change {
            Change::Insert | Change::Edit | Change::Activate => Status::Good,
            Change::Deactivate => Status::Inactive,
            Change::Revoke => Status::Revoked,
        };
        let number = self.content.number;
        *stored = Key { event, revision: stored.revision + 1, status, number };
        event
    }

    /// Goes back to an earlier content, as a new incarnation.
    pub(super) fn restore(&mut self, backup: usize) {
        self.content = self.past[backup];
        self.past.truncate(backup);
        self.incarnation += 1;
    }

    /// The keys that changed since a cursor, one bit for each; `None` when it is not known here.
    pub(super) fn changed_since(&self, cursor: [u8; 2], numbered: bool) -> Option<u8> {
        let (kind, at) = (cursor[0], cursor[1]);
        let known = if numbered { at <= self.content.number } else { kind == self.incarnation };
        let changed = |key: &Key| if numbered { key.number > at } else { key.event > at };
        let keys = self.content.keys.iter().enumerate();
        known.then(|| keys.filter(|(_, key)| changed(key)).map(|(bit, _)| 1 << bit).sum())
    }

    pub(super) const fn cursor(&self, numbered: bool) -> [u8; 2] {
        if numbered { [0, self.content.number] } else { [self.incarnation, self.content.last] }
    }

    /// What a read says that sees this content.
    pub(super) fn row(content: &Content, key: u8) -> Row {
        let stored = content.keys[usize::from(key)];
        Row { event: stored.event, revision: stored.revision, status: stored.status, until: u64::MAX }
    }
}
