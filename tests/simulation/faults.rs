//! What goes wrong for a while, with a node or with the store.

use crate::setting::{Feed, hour};
use crate::tasks::Event;
use crate::world::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The wall clock of a node is set.
    WallJump,
    /// Nothing of a node runs, while its clocks go on.
    Freeze,
    /// The same, and its timers stand still too.
    Suspension,
    /// The process of a node ends, and another begins.
    Restart,
    /// A node cannot reach the store.
    Partition,
    /// Many calls of a node, or their answers, are lost.
    Loss,
    /// All calls take long.
    SlowStore,
    /// All calls fail.
    FailingStore,
    /// The store forgets what its cursors mean.
    Failover,
    /// No hint reaches a node.
    LostHints,
    /// Many tokens that nobody has.
    Flood,
}

impl Fault {
    pub(crate) const ALL: [Self; 11] = [
        Self::WallJump,
        Self::Freeze,
        Self::Suspension,
        Self::Restart,
        Self::Partition,
        Self::Loss,
        Self::SlowStore,
        Self::FailingStore,
        Self::Failover,
        Self::LostHints,
        Self::Flood,
    ];
}

impl State {
    /// Begins one of the faults of the seed.
    pub(crate) fn begin_fault(&mut self) {
        let kinds = self.setting.faults.clone();
        let fault = self.chance.pick(&kinds);
        let node = self.chance.place(self.nodes.len());
        let pace = self.setting.pace;
        let until = self.now + self.chance.below(pace * 5 / 2);
        self.tally.count_of(format!("fault: {fault:?}"));
        self.note(|_| format!("fault {fault:?} of node {node} until {}", crate::world::seconds(until)));
        match fault {
            Fault::WallJump => {
                let by = match self.chance.below(3) {
                    0 => i64::try_from(self.chance.below(pace / 1_000)).unwrap(),
                    _ => hour(&mut self.chance),
                };
                self.nodes[node].wall += by;
                self.nodes[node].resets += 1;
                self.nodes[node].seen.clear();
                self.fault(node, self.now);
            }
            Fault::Freeze => self.freeze(node, until),
            Fault::Suspension => {
                self.freeze(node, until);
                self.nodes[node].suspended += until - self.now;
                if self.setting.feed == Feed::WithClock && self.chance.percent(50) {
                    // Time that it then learns anew.
                    self.nodes[node].wall += hour(&mut self.chance) / 1_000;
                }
            }
            Fault::Restart => {
                let down = if self.chance.percent(50) { self.now } else { until };
                self.fault(node, down);
                self.push(self.now, Event::Restart { node, down });
            }
            Fault::Partition => {
                self.nodes[node].cut_until = until;
                self.fault(node, until);
            }
            Fault::Loss => self.nodes[node].lossy_until = until,
            Fault::SlowStore => self.shared.slow_until = until,
            Fault::FailingStore => self.shared.fails_until = until,
            Fault::Failover => self.shared.fail_over(self.now),
            Fault::LostHints => self.nodes[node].deaf_until = until,
            Fault::Flood => self.push(self.now, Event::Flood { node }),
        }
    }

    /// Nothing of the node runs until then.
    pub(crate) fn freeze(&mut self, node: usize, until: u64) {
        let frozen = &mut self.nodes[node].frozen_until;
        *frozen = until.max(*frozen);
        self.fault(node, until);
    }

    /// Something is wrong with the node until then: a verification that began before may be unavailable.
    pub(crate) fn fault(&mut self, node: usize, until: u64) {
        let fault = &mut self.nodes[node].fault_until;
        *fault = until.max(*fault);
    }

    /// Ends what is wrong, but for what is under way.
    pub(crate) fn heal(&mut self) {
        let now = self.now;
        for node in &mut self.nodes {
            for until in [&mut node.cut_until, &mut node.lossy_until, &mut node.deaf_until] {
                *until = now.min(*until);
            }
        }
        self.shared.slow_until = now.min(self.shared.slow_until);
        self.shared.fails_until = now.min(self.shared.fails_until);
        self.setting.chances = crate::setting::Chances::default();
        self.note(|_| "all is healed".to_owned());
    }
}
