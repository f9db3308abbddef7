//! What is explored, and within which bounds.

use crate::Witness;

/// What is explored, and within which bounds.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    /// What it is called.
    pub name: &'static str,
    /// The length of a step of time, in milliseconds.
    pub tick: u64,
    /// How many keys there are.
    pub keys: usize,
    /// Whether the first key is not made yet.
    pub absent: bool,
    /// Both nodes.
    pub nodes: [Node; 2],
    /// Whether the store has a feed.
    pub feed: bool,
    /// By how many per cent of real time the store's clock runs, where it has one of its own.
    pub store_clock: Option<u64>,
    /// The limit at first, in milliseconds.
    pub limit: u64,
    /// The limits that may be set.
    pub limits: &'static [u64],
    /// How often the limit may be set.
    pub limit_changes: u8,
    /// What management calls may do.
    pub changes: &'static [Change],
    /// How many changes may be acknowledged.
    pub calls: u8,
    /// How many successful calls find that nothing needs writing.
    pub no_ops: u8,
    /// How many changes are stored that nobody acknowledges: by cancelled calls, or with an unknown outcome.
    pub strays: u8,
    /// How many calls of the first node are cancelled or end with an unknown outcome, and drop their key.
    pub cancelled: u8,
    /// How often the store goes back to a backup.
    pub restores: u8,
    /// How often a node starts again.
    pub restarts: u8,
    /// How often the deadline time of a node stands still while wall time goes on.
    pub jumps: u8,
    /// How often both clocks of a node stand still.
    pub stops: u8,
    /// How long clocks stand still, in milliseconds.
    pub still: u64,
    /// How often the store is out of reach.
    pub outages: u8,
    /// Whether the cache drops rows to make room.
    pub evictions: bool,
    /// Whether reads and answers may be lost.
    pub losses: bool,
    /// Whether the feed may have forgotten where a cursor is.
    pub forgets: bool,
    /// Whether a read may bring an earlier state of the store than one seen before.
    pub reads_go_back: bool,
    /// What is judged.
    pub judged: Judged,
    /// A wrong reading of what the core does not do itself.
    pub wrong: Option<Wrong>,
    /// What must be seen to happen.
    pub witnesses: &'static [Witness],
}

/// One node, and how much it may do at once.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// By how many per cent of real time its clocks run.
    pub rate: u64,
    /// The limit of its own, in milliseconds.
    pub own: Option<u64>,
    /// How many verifications it has at once.
    pub verifications: usize,
    /// Whether they look for the key without a lock first.
    pub hot: bool,
    /// How many reads of keys it has at once.
    pub reads: usize,
    /// How many refreshes are under way at once.
    pub refreshes: usize,
    /// Whether management calls are made here.
    pub calls: bool,
}

/// What a management call does to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// Makes it.
    Insert,
    /// Narrows its scope.
    Edit,
    /// Makes it inactive.
    Deactivate,
    /// Makes it active again.
    Activate,
    /// Revokes it.
    Revoke,
}

/// What is judged. That a node goes on refusing what it saw revoked always is.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Whether acknowledged changes hold: elsewhere after the cut-off, through the same node at once.
    pub holds: bool,
    /// Whether a row that is older than what its node was told since it was asked for is used by nobody.
    pub told: bool,
    /// Whether no verification of a node goes behind an earlier one of the same node.
    pub forward: bool,
    /// Whether a cut-off binds a verification that read for itself alone and began before it.
    pub own_reads: bool,
}

/// A wrong reading of what the core does not do itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// A row becomes visible some time after its fence was checked.
    LateInsertion,
    /// A decision goes by the deadline as it is by then.
    LatestDeadline,
    /// A decision goes by the time at which the key was looked up.
    TimeOfLookUp,
    /// A hit renews the deadline.
    HitsRenew,
    /// The time of a refresh is noted when its answer has come.
    TimeOfArrival,
    /// A call announces and drops its key before the commit.
    BeforeCommit,
    /// A call announces the limit of its own node.
    AnnouncesOwnLimit,
    /// A call announces by the last answer that its node had.
    AnnouncesEarlierAnswer,
    /// A call that wrote nothing drops nothing.
    SilentNoOp,
    /// A cursor is the number of changes so far.
    NumberedCursor,
    /// The limit is read some time after the ids.
    TwoSnapshots,
    /// Reads of keys may lag behind the feed by one change.
    LaggingReads,
    /// A lowered limit is not drained.
    NoDrain,
}
