//! The configurations that a right core is explored in.

use crate::Witness::*;
use crate::{Change, Configuration, Judged, Node, Witness};

/// A node that only makes calls.
const CALLER: Node =
    Node { rate: 100, own: None, verifications: 0, hot: false, reads: 0, refreshes: 0, calls: true };
/// A node that only verifies.
const VERIFIER: Node =
    Node { rate: 100, own: None, verifications: 2, hot: false, reads: 2, refreshes: 1, calls: false };
const SINGLE: Node = Node { verifications: 1, ..VERIFIER };

/// What every configuration has in common. A lease is over after two steps of time, as is the limit.
const PLAIN: Configuration = Configuration {
    name: "",
    tick: 2_500,
    keys: 1,
    absent: false,
    nodes: [CALLER, VERIFIER],
    feed: true,
    store_clock: None,
    limit: 5_000,
    limits: &[],
    limit_changes: 0,
    changes: &[Change::Revoke],
    calls: 1,
    no_ops: 0,
    strays: 0,
    cancelled: 0,
    restores: 0,
    restarts: 0,
    jumps: 0,
    stops: 0,
    still: 6_000,
    outages: 0,
    evictions: false,
    losses: false,
    forgets: false,
    reads_go_back: false,
    judged: Judged { holds: true, told: false, forward: false, own_reads: true },
    wrong: None,
    witnesses: &[],
};

const fn named(name: &'static str, witnesses: &'static [Witness], given: Configuration) -> Configuration {
    Configuration { name, witnesses, ..given }
}

/// Everything that is explored: `deep` takes an hour instead of a minute.
#[must_use]
pub fn configurations(deep: bool) -> Vec<Configuration> {
    let all = [caches(deep), changes(deep), limits(deep), clocks(deep), stores(deep)];
    all.into_iter().flatten().collect()
}

/// What is cached, and how it is dropped.
fn caches(deep: bool) -> Vec<Configuration> {
    let more = usize::from(deep);
    let both = Node { verifications: 1, reads: 1, refreshes: 1, ..CALLER };
    vec![
        named(
            "elsewhere",
            &[
                AcceptedWarm,
                AcceptedFill,
                AcceptedJoin,
                LateFillFenced,
                RefreshNames,
                Late,
                AcceptedBeforeCutOff,
            ],
            Configuration {
                nodes: [CALLER, Node { verifications: 2 + more, ..VERIFIER }],
                evictions: true,
                ..PLAIN
            },
        ),
        named(
            "hot_readers",
            &[AcceptedHot, AcceptedFill, LateFillFenced],
            Configuration {
                nodes: [CALLER, Node { hot: true, ..VERIFIER }],
                tick: if deep { 1_000 } else { 2_500 },
                evictions: deep,
                ..PLAIN
            },
        ),
        named(
            "overlapping_refreshes",
            &[EverythingFlushes, LateFillFenced, RefreshNames],
            Configuration {
                nodes: [CALLER, Node { refreshes: 2, reads: 1 + more, ..SINGLE }],
                forgets: deep,
                ..PLAIN
            },
        ),
        named(
            "both_nodes",
            &[AcceptedWarm, AcceptedFill, LateFillFenced, RefreshNames],
            Configuration {
                nodes: [both, Node { reads: 1, calls: deep, ..SINGLE }],
                tick: if deep { 2_500 } else { 5_000 },
                ..PLAIN
            },
        ),
        named(
            "two_keys",
            &[AcceptedWarm, RefreshNames, Busy],
            Configuration {
                keys: 2,
                nodes: [CALLER, Node { reads: 1 + more, ..VERIFIER }],
                calls: if deep { 2 } else { 1 },
                ..PLAIN
            },
        ),
        named(
            "absence",
            &[AbsenceFound, AbsenceNamed],
            Configuration {
                absent: true,
                nodes: [CALLER, Node { verifications: 1 + more, ..VERIFIER }],
                changes: &[Change::Insert, Change::Revoke],
                calls: 2,
                evictions: true,
                ..PLAIN
            },
        ),
        named(
            "told",
            &[LateFillFenced],
            Configuration {
                nodes: [CALLER, Node { verifications: 1 + more, ..VERIFIER }],
                judged: Judged { told: true, ..PLAIN.judged },
                evictions: deep,
                ..PLAIN
            },
        ),
        named(
            "forward",
            &[AcceptedJoin, AcceptedWarm],
            Configuration {
                changes: &[Change::Edit],
                calls: if deep { 2 } else { 1 },
                judged: Judged { forward: true, ..PLAIN.judged },
                ..PLAIN
            },
        ),
    ]
}

/// What management calls owe their own node.
fn changes(deep: bool) -> Vec<Configuration> {
    let one = Node { verifications: 2, reads: 2, refreshes: 1, ..CALLER };
    vec![
        named(
            "same_node",
            &[AcceptedWarm, AcceptedJoin, LateFillFenced],
            Configuration {
                nodes: [one, CALLER],
                calls: 1 + u8::from(deep),
                changes: &[Change::Edit],
                ..PLAIN
            },
        ),
        named(
            "same_node_hot",
            &[AcceptedHot, LateFillFenced],
            Configuration { nodes: [Node { hot: true, ..one }, CALLER], evictions: true, ..PLAIN },
        ),
        named(
            "nothing_to_write",
            &[AcceptedWarm, LateFillFenced],
            Configuration {
                nodes: [Node { verifications: if deep { 2 } else { 1 }, ..one }, CALLER],
                strays: 1,
                cancelled: 1,
                no_ops: 1,
                calls: u8::from(deep),
                changes: &[Change::Deactivate],
                ..PLAIN
            },
        ),
    ]
}

/// Limits that differ, and that are raised and lowered.
fn limits(deep: bool) -> Vec<Configuration> {
    let more = usize::from(deep);
    let zero = |own| Node { own, verifications: 1 + more, reads: 1 + more, ..VERIFIER };
    vec![
        named(
            "limit_raised",
            &[AcceptedWarm, LateFillFenced],
            Configuration {
                nodes: [CALLER, Node { reads: 1, ..SINGLE }],
                limits: &[5_000, 10_000],
                limit_changes: 1 + u8::from(deep),
                tick: if deep { 2_500 } else { 3_000 },
                ..PLAIN
            },
        ),
        named(
            "limit_lowered",
            &[AcceptedWarm, LateFillFenced],
            Configuration {
                nodes: [CALLER, Node { reads: 1, ..SINGLE }],
                limit: 10_000,
                limits: &[5_000],
                limit_changes: 1,
                tick: if deep { 2_500 } else { 3_000 },
                ..PLAIN
            },
        ),
        named(
            "own_limit",
            &[AcceptedWarm],
            Configuration {
                nodes: [
                    Node { own: Some(2_000), ..CALLER },
                    Node { own: Some(10_000), verifications: 1 + more, ..VERIFIER },
                ],
                ..PLAIN
            },
        ),
        named(
            "limit_zero",
            &[AcceptedOwn],
            Configuration {
                limit: 0,
                nodes: [Node { calls: true, ..zero(None) }, if deep { zero(None) } else { CALLER }],
                tick: 1_000,
                ..PLAIN
            },
        ),
        // Rule 4: at limit zero a change holds for what begins after it.
        named(
            "limit_from_and_to_zero",
            &[AcceptedOwn, AcceptedWarm],
            Configuration {
                nodes: [CALLER, Node { verifications: 1, reads: 1, ..VERIFIER }],
                limits: &[5_000, 0],
                limit_changes: 1 + u8::from(deep),
                tick: if deep { 1_000 } else { 2_500 },
                judged: Judged { own_reads: false, ..PLAIN.judged },
                ..PLAIN
            },
        ),
        // Promise 1: elsewhere than at limit zero it holds for what began before it, too.
        named("own_limit_zero", &[AcceptedOwn], Configuration { nodes: [CALLER, zero(Some(0))], ..PLAIN }),
    ]
}

/// Clocks that run at other rates, jump and stand still.
fn clocks(deep: bool) -> Vec<Configuration> {
    let fast = Node { rate: 110, ..CALLER };
    let slow = Node { rate: 90, reads: 1, ..SINGLE };
    vec![
        named(
            "slow_clock",
            &[AcceptedWarm, AcceptedBeforeCutOff],
            Configuration { nodes: [fast, slow], tick: if deep { 500 } else { 1_000 }, ..PLAIN },
        ),
        named(
            "slow_clock_without_feed",
            &[AcceptedWarm, AcceptedBeforeCutOff],
            Configuration {
                nodes: [fast, Node { hot: true, ..slow }],
                feed: false,
                tick: if deep { 250 } else { 500 },
                ..PLAIN
            },
        ),
        named(
            "store_clock",
            &[AcceptedWarm],
            Configuration {
                nodes: [fast, slow],
                store_clock: Some(110),
                tick: if deep { 1_000 } else { 2_500 },
                ..PLAIN
            },
        ),
        named(
            "jumps",
            &[JumpVoids, JumpVoidsAnswer, AcceptedAfterJump],
            Configuration {
                nodes: [CALLER, Node { hot: true, verifications: 1 + usize::from(deep), ..VERIFIER }],
                jumps: 1 + u8::from(deep),
                ..PLAIN
            },
        ),
        named(
            "jumps_without_feed",
            &[AcceptedAfterJump],
            Configuration {
                nodes: [CALLER, Node { hot: true, ..VERIFIER }],
                feed: false,
                jumps: 2,
                tick: 1_000,
                ..PLAIN
            },
        ),
        named(
            "stops",
            &[AcceptedWarm],
            Configuration {
                nodes: [CALLER, Node { verifications: 1 + usize::from(deep), ..VERIFIER }],
                stops: 1,
                ..PLAIN
            },
        ),
    ]
}

/// Stores without a feed, out of reach, restored, and wrong.
fn stores(deep: bool) -> Vec<Configuration> {
    let one = Node { verifications: 2, reads: 2, refreshes: 1, ..CALLER };
    vec![
        named(
            "no_feed",
            &[AcceptedWarm, AcceptedFill, AcceptedJoin],
            Configuration { feed: false, evictions: true, tick: 1_000, ..PLAIN },
        ),
        named(
            "no_feed_same_node",
            &[AcceptedWarm, AcceptedFill, LateFillFenced],
            Configuration { feed: false, nodes: [one, CALLER], tick: 1_000, ..PLAIN },
        ),
        named(
            "no_feed_restored",
            &[AcceptedAfterRestore, AcceptedAtLowerRevision],
            Configuration {
                feed: false,
                nodes: [CALLER, SINGLE],
                changes: &[Change::Edit, Change::Deactivate],
                restores: 1,
                ..PLAIN
            },
        ),
        named(
            "restored",
            &[EverythingFlushes, AcceptedAfterRestore, RevokedStays, AcceptedAtLowerRevision],
            Configuration {
                nodes: [CALLER, Node { reads: 1 + usize::from(deep), ..SINGLE }],
                changes: &[Change::Revoke, Change::Edit],
                calls: 2,
                restores: 1,
                ..PLAIN
            },
        ),
        named(
            "faults",
            &[AcceptedAfterOutage, AcceptedAfterRestart, EverythingFlushes],
            Configuration {
                nodes: [CALLER, Node { reads: 1 + usize::from(deep), ..SINGLE }],
                losses: true,
                forgets: true,
                outages: 1,
                restarts: 1,
                ..PLAIN
            },
        ),
        named(
            "reads_go_back",
            &[RevokedStays],
            Configuration {
                reads_go_back: true,
                judged: Judged { holds: false, ..PLAIN.judged },
                evictions: true,
                ..PLAIN
            },
        ),
    ]
}
