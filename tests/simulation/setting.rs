//! What a seed is about: the nodes, the store, the limits, and what goes wrong.

use std::time::Duration;

use crate::chance::Chance;
use crate::faults::Fault;

pub(crate) const MILLISECOND: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MILLISECOND;
/// The limit over a store without a feed.
pub(crate) const WITHOUT_FEED: u64 = 5 * SECOND;
/// Below this a node takes its own limit for zero.
const OWN_MIN: u64 = 10 * MILLISECOND;

/// What the store answers to the question what has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    /// All of it, with the time.
    WithClock,
    /// All of it, without the time.
    WithoutClock,
    /// That it has no feed.
    Absent,
}

/// All times are true ones, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) feed: Feed,
    /// Whether reads of keys go back, which no store may do: then only what was seen once is compared.
    pub(crate) goes_back: bool,
    /// Whether the wall clocks of all nodes show the same.
    pub(crate) walls_agree: bool,
    /// The shared limit at first.
    pub(crate) limit: u64,
    /// What it is changed to, and when.
    pub(crate) limits: Vec<(u64, u64)>,
    /// About a lease: the measure of everything that happens.
    pub(crate) pace: u64,
    pub(crate) length: u64,
    pub(crate) nodes: Vec<NodeSetting>,
    /// How fast the store's clock goes, in millionths.
    pub(crate) store_rate: u64,
    /// How many changes may be named before it is all keys.
    pub(crate) behind_max: usize,
    /// The longest way to or from the store when nothing is wrong.
    pub(crate) delay: u64,
    /// The store's own limit for a call.
    pub(crate) call_limit: u64,
    pub(crate) keys: usize,
    pub(crate) faults: Vec<Fault>,
    /// How many of them there are.
    pub(crate) fault_count: u64,
    pub(crate) chances: Chances,
}

/// How often, once in so many times, one thing goes wrong; never for 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chances {
    /// A thread stands still as it reads a clock.
    pub(crate) stalls: u64,
    /// A task is woken late.
    pub(crate) late_wakes: u64,
    /// A call, or its answer, is lost.
    pub(crate) losses: u64,
    pub(crate) slow_calls: u64,
    pub(crate) lost_hints: u64,
    /// A management call is given up half-way.
    pub(crate) cancelled: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct NodeSetting {
    /// How fast its clocks go, in millionths.
    pub(crate) rate: u64,
    /// How far its wall clock is ahead, in microseconds.
    pub(crate) wall: i64,
    /// The limit of its own.
    pub(crate) own: Option<u64>,
    pub(crate) cache_capacity: usize,
    pub(crate) concurrent_reads: usize,
    pub(crate) follows: bool,
}

impl NodeSetting {
    /// Whether each of its verifications reads the store, whatever the shared limit.
    pub(crate) fn is_zero(&self) -> bool {
        self.own.is_some_and(|own| own < OWN_MIN)
    }
}

impl Setting {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let feed = chance.weighted(&[(60, Feed::WithClock), (22, Feed::WithoutClock), (18, Feed::Absent)]);
        let goes_back = chance.percent(7);
        let is_calm = chance.percent(15);
        let walls_agree = feed != Feed::WithClock && chance.percent(50);
        let limit = match feed {
            Feed::Absent => WITHOUT_FEED,
            _ if chance.percent(8) => 0,
            _ => chance.between_evenly(100 * MILLISECOND, 60 * SECOND),
        };
        let pace = if limit == 0 { SECOND } else { limit / 5 * 4 };
        let length = pace * chance.between(12, 30);
        let limits = if feed == Feed::Absent { Vec::new() } else { draw_limits(chance, limit, length) };
        let rates = chance.weighted(&[(3, [1_000_000; 2]), (4, [900_000, 1_100_000]), (3, [0, 0])]);
        let rate = |chance: &mut Chance| match chance.pick(&rates) {
            _ if walls_agree => 1_000_000,
            0 => chance.between(900_000, 1_100_000),
            rate => rate,
        };
        let nodes: Vec<NodeSetting> = (0..chance.between(2, 6))
            .map(|_| NodeSetting {
                rate: rate(chance),
                wall: if walls_agree { 0 } else { hour(chance) },
                own: if chance.percent(70) { None } else { Some(draw_own(chance, limit)) },
                cache_capacity: if chance.percent(80) { 1_000 } else { chance.place(2) + 1 },
                concurrent_reads: if chance.percent(85) { 256 } else { chance.place(3) + 1 },
                follows: chance.percent(50),
            })
            .collect();
        let owns = nodes.iter().filter(|node| !node.is_zero()).filter_map(|node| node.own);
        let all =
            limits.iter().map(|(_, limit)| *limit).chain([limit]).filter(|limit| *limit > 0).chain(owns);
        let least = all.min().unwrap_or(pace);
        let delay = (least / chance.between(20, 200)).clamp(1_000, SECOND / 5);
        let often = |chance: &mut Chance, percent, low, high| match chance.percent(percent) {
            true if !is_calm => chance.between_evenly(low, high),
            _ => 0,
        };
        let chances = Chances {
            stalls: often(chance, 40, 100, 1_000),
            late_wakes: often(chance, 40, 40, 400),
            losses: often(chance, 40, 10, 100),
            slow_calls: often(chance, 50, 5, 80),
            lost_hints: often(chance, 50, 1, 10),
            cancelled: often(chance, 70, 3, 10),
        };
        let mut faults: Vec<Fault> = Fault::ALL.into_iter().filter(|_| chance.percent(50)).collect();
        faults.retain(|fault| !(walls_agree && *fault == Fault::WallJump));
        Self {
            feed,
            goes_back,
            walls_agree,
            limit,
            limits,
            pace,
            length,
            nodes,
            store_rate: rate(chance),
            behind_max: if chance.percent(30) { chance.place(4) } else { 1_000 },
            delay,
            call_limit: (pace / 10 * chance.between(3, 40)).max(20 * delay),
            keys: chance.place(4) + 1,
            fault_count: if is_calm || faults.is_empty() { 0 } else { chance.below(12) },
            faults,
            chances,
        }
    }

    /// Whether some verifications may rest on a read of their own.
    pub(crate) fn knows_zero(&self, node: usize) -> bool {
        self.nodes[node].is_zero() || self.limit == 0 || self.limits.iter().any(|(_, limit)| *limit == 0)
    }
}

/// Up to an hour ahead or behind, in microseconds.
pub(crate) fn hour(chance: &mut Chance) -> i64 {
    const HOUR: u64 = 3_600_000_000;
    chance.below(2 * HOUR).cast_signed() - HOUR.cast_signed()
}

pub(crate) fn duration(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

fn draw_own(chance: &mut Chance, limit: u64) -> u64 {
    let limit = limit.max(100 * MILLISECOND);
    match chance.below(4) {
        0 => 0,
        1 => chance.below(OWN_MIN),
        _ => chance.between(limit / 4, limit * 3 / 2).min(60 * SECOND),
    }
}

/// Changes of the shared limit, not by so much that one run would need too many steps.
fn draw_limits(chance: &mut Chance, first: u64, length: u64) -> Vec<(u64, u64)> {
    let count = chance.weighted(&[(5, 0), (3, 1), (2, 2), (1, 3)]);
    let scale = if first == 0 { SECOND } else { first };
    let mut limits: Vec<_> = (0..count)
        .map(|_| {
            let limit = match chance.below(5) {
                0 => 0,
                _ => chance.between(scale / 4, scale * 4).clamp(100 * MILLISECOND, 60 * SECOND),
            };
            (chance.between(length / 10, length * 9 / 10), limit)
        })
        .collect();
    limits.sort_unstable();
    limits
}
