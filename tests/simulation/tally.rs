//! What happened, counted: a simulation in which something never happens proves nothing about it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use access_keys::verify::Stats;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepts: u64,
    /// How often an accept was held against an acknowledged change that it had to know.
    pub(crate) compared: u64,
    pub(crate) fenced_fills: u64,
    pub(crate) hits: u64,
    /// Good keys while nothing was wrong: every one of them is accepted.
    pub(crate) quiet_accepts: u64,
    counts: BTreeMap<Cow<'static, str>, u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(Cow::Borrowed(what)).or_default() += 1;
    }

    pub(crate) fn count_of(&mut self, what: String) {
        *self.counts.entry(Cow::Owned(what)).or_default() += 1;
    }

    pub(crate) fn add_stats(&mut self, stats: &Stats) {
        self.fenced_fills += stats.fenced_fills;
        self.hits += stats.hits;
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.accepts += other.accepts;
        self.compared += other.compared;
        self.fenced_fills += other.fenced_fills;
        self.hits += other.hits;
        self.quiet_accepts += other.quiet_accepts;
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    pub(crate) fn of(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    pub(crate) fn lines(&self) -> String {
        self.counts.iter().map(|(what, count)| format!("  {count:>9}  {what}\n")).collect()
    }
}
