//! Management calls, and what happens to the store.

use std::time::Duration;

use super::board::Status;
use super::freshness::{WITHOUT_FEED, announced};
use super::node::Call;
use super::{Model, World};
use crate::{Change, Wrong};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Commit,
    Announce,
    Name,
}

/// The parts of a call, in their order. It returns after the last one.
const PARTS: [Part; 3] = [Part::Commit, Part::Announce, Part::Name];
const BEFORE_COMMIT: [Part; 3] = [Part::Announce, Part::Name, Part::Commit];

impl Call {
    pub(super) fn next(&self, model: &Model<'_>) -> Option<Part> {
        let parts = if model.is_wrong(Wrong::BeforeCommit) { BEFORE_COMMIT } else { PARTS };
        parts.get(usize::from(self.done)).copied()
    }
}

impl World {
    /// A call begins; `None` for one that will find that nothing needs writing.
    pub(super) fn call(&mut self, model: &Model<'_>, node: usize, key: u8, change: Option<Change>) {
        let left = if change.is_some() { &mut self.left.calls } else { &mut self.left.no_ops };
        *left -= 1;
        self.node(node).call = Some(Call { key, change, done: 0, event: 0, announced: 0 });
        self.call_goes_on(model, node);
    }

    /// The next part of a call.
    pub(super) fn call_goes_on(&mut self, model: &Model<'_>, node: usize) {
        let Some(mut call) = self.nodes[node].call else { return };
        match call.next(model) {
            None => return,
            Some(Part::Commit) => {
                call.event = match call.change {
                    Some(change) => self.commit(call.key, change),
                    None => self.store.content.keys[usize::from(call.key)].event,
                };
            }
            Some(Part::Announce) => {
                call.announced = u64::try_from(self.announced(model, node).as_nanos()).unwrap_or(u64::MAX);
            }
            Some(Part::Name) if call.change.is_none() && model.is_wrong(Wrong::SilentNoOp) => {}
            Some(Part::Name) => self.name(model, node, call),
        }
        call.done += 1;
        self.node(node).call = Some(call);
    }

    fn name(&mut self, model: &Model<'_>, node: usize, call: Call) {
        let id = model.ids[usize::from(call.key)];
        let revoked = self.store.content.keys[usize::from(call.key)].status == Status::Revoked;
        if call.change.is_none() && revoked {
            self.core(model, node, |core, board, _| core.seen_revoked(board, id));
            self.node(node).saw_revoked |= 1 << call.key;
        } else {
            self.core(model, node, |core, board, _| core.changed_here(board, id));
        }
        self.told(model, node, call.key, call.event);
    }

    /// A call that was cancelled or does not know its outcome drops its key.
    pub(super) fn cancelled(&mut self, model: &Model<'_>, node: usize, key: u8) {
        self.left.cancelled -= 1;
        let id = model.ids[usize::from(key)];
        self.core(model, node, |core, board, _| core.changed_here(board, id));
    }

    fn announced(&self, model: &Model<'_>, node: usize) -> Duration {
        let given = model.configuration;
        match given.wrong {
            Some(Wrong::AnnouncesOwnLimit) => {
                given.nodes[node].own.map_or(Duration::ZERO, Duration::from_millis)
            }
            Some(Wrong::AnnouncesEarlierAnswer) => Duration::from_millis(self.nodes[node].last_limit),
            _ if given.feed => announced(&self.state(model, None)),
            _ => WITHOUT_FEED,
        }
    }

    /// Stores a change and returns its event.
    pub(super) fn commit(&mut self, key: u8, change: Change) -> u8 {
        if change == Change::Insert {
            for node in 0..2 {
                let row = self.nodes[node].visible.rows[usize::from(key)];
                if row.is_some_and(|row| row.status == Status::Absent) {
                    self.node(node).had_absence |= 1 << key;
                }
            }
        }
        self.store().commit(key, change)
    }

    pub(super) fn set_limit(&mut self, model: &Model<'_>, limit: u64) {
        self.left.limit_changes -= 1;
        let old = self.store.limit;
        if limit < old && !model.is_wrong(Wrong::NoDrain) {
            self.drain(old);
        }
        self.store().limit = limit;
    }

    /// Until the last answer with this limit is used no more.
    fn drain(&mut self, limit: u64) {
        let drained_at = self.store_time + (limit * 1_100).cast_signed();
        let store = self.store();
        store.drained_at = store.drained_at.max(drained_at);
    }

    pub(super) fn restore(&mut self, backup: usize) {
        self.left.restores -= 1;
        self.drain(self.store.limit);
        self.store().restore(backup);
        let content = self.store.content;
        self.void_after(content.last);
        for node in 0..2 {
            for key in 0..2_u8 {
                let stored = content.keys[usize::from(key)].revision;
                let row = self.nodes[node].visible.rows[usize::from(key)];
                if row.is_some_and(|row| row.revision > stored) {
                    self.node(node).had_higher |= 1 << key;
                }
            }
        }
    }

    pub(super) fn restart(&mut self, model: &Model<'_>, node: usize) {
        self.left.restarts -= 1;
        self.start(model, node);
    }
}
