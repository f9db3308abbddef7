//! One node: the core, what readers see, and what is under way.

use std::time::Duration;

use access_keys::clock::Moment;

use super::board::{Operation, Recorder, Row, Rows};
use super::freshness::{Asked, Core, Face};
use super::{Model, World};
use crate::{Change, Witness, Wrong};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) core: Core,
    pub(super) visible: Rows,
    /// What the last call of the core did and readers do not see yet. Until they do, the lock is held.
    pub(super) pending: Vec<Operation>,
    /// Rows that become visible after the lock was given back, by a wrong reading.
    pub(super) late: Vec<Operation>,
    pub(super) verifications: Vec<Verification>,
    pub(super) gets: Vec<Get>,
    pub(super) refreshes: Vec<Refresh>,
    pub(super) call: Option<Call>,
    /// The keys that it saw revoked, one bit for each.
    pub(super) saw_revoked: u8,
    /// The latest event that a verification decided on, of each key.
    pub(super) decided: [u8; 2],
    /// Until when nothing is judged since both clocks stood still, in nanoseconds of deadline time.
    pub(super) excused_until: u64,
    /// The limit of the last answer, in milliseconds, where a wrong reading announces it.
    pub(super) last_limit: u64,
    /// The keys whose absence was in the cache when they were made, one bit for each.
    pub(super) had_absence: u8,
    /// The keys whose row was of a higher revision when the store went back.
    pub(super) had_higher: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Verification {
    pub(super) key: u8,
    /// A row whose event came before this one must not be accepted.
    pub(super) least: u8,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Has read the face without a lock.
    Hot(Face),
    /// Waits for the read in this place.
    Waits(usize, Face, How),
    /// Has a row and will decide. The time is that of its look-up, where a wrong reading decides by it.
    Has(Row, Face, How, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum How {
    Hot,
    Found,
    Read,
    Joined,
    Own,
}

/// A read of a key that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Get {
    pub(super) place: usize,
    pub(super) key: u8,
    pub(super) own: bool,
    /// What the store said; `None` while it has not yet.
    pub(super) row: Option<Row>,
    /// The latest event of the key that the node was told of since.
    pub(super) told: u8,
}

/// A question what has changed that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Refresh {
    pub(super) asked: Asked,
    pub(super) answer: Option<Said>,
}

/// What the store said has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Said {
    /// One bit for each key; `None` for all.
    pub(super) named: Option<u8>,
    pub(super) cursor: [u8; 2],
    /// The last event of each key.
    pub(super) events: [u8; 2],
    /// In milliseconds.
    pub(super) limit: u64,
    /// In microseconds.
    pub(super) drained_in: u64,
    /// By the store's clock, in microseconds.
    pub(super) now: i64,
    /// Whether the limit is still to be read, by a wrong reading.
    pub(super) half: bool,
}

/// A management call that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) key: u8,
    /// `None` for one that finds that nothing needs writing.
    pub(super) change: Option<Change>,
    /// How many of its parts are done.
    pub(super) done: u8,
    pub(super) event: u8,
    /// What it announces, in nanoseconds.
    pub(super) announced: u64,
}

impl Default for Node {
    fn default() -> Self {
        let now = Moment::new(Duration::ZERO, chrono::DateTime::UNIX_EPOCH);
        Self {
            core: Core::new(None, 0, now),
            visible: Rows { rows: [None; 2], face: Face::BLANK },
            pending: Vec::new(),
            late: Vec::new(),
            verifications: Vec::new(),
            gets: Vec::new(),
            refreshes: Vec::new(),
            call: None,
            saw_revoked: 0,
            decided: [0; 2],
            excused_until: 0,
            last_limit: 0,
            had_absence: 0,
            had_higher: 0,
        }
    }
}

impl World {
    /// Starts a node, which knows nothing.
    pub(super) fn start(&mut self, model: &Model<'_>, node: usize) {
        let now = self.moment(node);
        let given = model.configuration.nodes[node];
        let own = given.own.map(Duration::from_millis);
        let decided = self.nodes[node].decided;
        let excused_until = self.nodes[node].excused_until;
        let core = Core::new(own, given.reads, now);
        let last_limit = model.configuration.limit;
        let last_limit = if model.is_wrong(Wrong::AnnouncesEarlierAnswer) { last_limit } else { 0 };
        *self.node(node) = Node { core, decided, excused_until, last_limit, ..Node::default() };
    }

    /// Calls the core of a node, as one step but for what readers see of it.
    pub(super) fn core<T>(
        &mut self,
        model: &Model<'_>,
        node: usize,
        call: impl FnOnce(&mut Core, &mut Recorder<'_>, Moment) -> T,
    ) -> T {
        let now = self.moment(node);
        let hot = model.configuration.nodes[node].hot;
        let this = self.node(node);
        let face = this.visible.face;
        if face.shows_jump(now) && now.boot() < face.good_until && face.good_until < u64::MAX {
            model.witness(Witness::JumpVoids);
        }
        let mut board = Recorder { ids: &model.ids, rows: this.visible.clone(), operations: Vec::new() };
        let result = call(&mut this.core, &mut board, now);
        let mut operations = board.operations;
        if model.is_wrong(Wrong::LateInsertion) {
            let late;
            (late, operations) = operations.into_iter().partition(|it| matches!(it, Operation::Put(..)));
            this.late.extend::<Vec<_>>(late);
        }
        // Nobody can tell the call from the first thing that readers see of it.
        let at_once = if hot { 1.min(operations.len()) } else { operations.len() };
        operations.drain(..at_once).for_each(|operation| this.visible.apply(operation));
        this.pending = operations;
        result
    }

    /// Readers see one more thing that the core did.
    pub(super) fn show(&mut self, node: usize) {
        let this = self.node(node);
        let operation = this.pending.remove(0);
        this.visible.apply(operation);
    }

    /// Notes for the reads under way that the node was told of an event of a key.
    pub(super) fn told(&mut self, model: &Model<'_>, node: usize, key: u8, event: u8) {
        if model.configuration.judged.told {
            let gets = self.node(node).gets.iter_mut().filter(|get| get.key == key && !get.own);
            gets.for_each(|get| get.told = get.told.max(event));
        }
    }
}
