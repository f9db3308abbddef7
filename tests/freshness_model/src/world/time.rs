//! Time, and clocks that do not follow it.

use super::{Model, World};

/// What the clocks of one node do while those of all others go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Still {
    /// Its deadline time stands still; its wall time goes on.
    Deadline(usize),
    /// Both stand still.
    Both(usize),
}

impl World {
    pub(super) fn pass(&mut self, model: &Model<'_>, millis: u64, still: Option<Still>) {
        let given = model.configuration;
        for node in 0..2 {
            let passes = millis * given.nodes[node].rate * 10_000;
            match still {
                Some(Still::Deadline(stands)) if stands == node => {
                    self.wall[node] += (passes / 1_000).cast_signed();
                }
                Some(Still::Both(stands)) if stands == node => {}
                _ => self.boot[node] += passes,
            }
        }
        self.store_time += (millis * given.store_clock.unwrap_or(100) * 10).cast_signed();
        self.passed += millis;
        if self.store.drained_at != 0 && self.store.drained_at <= self.store_time {
            self.store().drained_at = 0;
        }
        for node in 0..2 {
            let excused_until = self.nodes[node].excused_until;
            if excused_until != 0 && excused_until <= self.boot[node] {
                self.node(node).excused_until = 0;
            }
        }
        self.judge_time(model);
    }

    pub(super) fn stand_still(&mut self, model: &Model<'_>, still: Still) {
        let millis = model.configuration.still;
        match still {
            Still::Deadline(_) => self.left.jumps -= 1,
            Still::Both(node) => {
                self.left.stops -= 1;
                // At most one lease of its own running time.
                self.node(node).excused_until = self.boot[node] + model.longest_limit() / 5 * 4;
            }
        }
        self.pass(model, millis, Some(still));
    }
}
