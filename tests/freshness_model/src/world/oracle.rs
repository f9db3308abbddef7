//! What was promised, and whether it is kept.

use super::board::{Row, Status};
use super::node::{How, Verification};
use super::{Model, World};
use crate::Witness;

/// What the acknowledgement of a change promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CutOff {
    pub(super) key: u8,
    /// The node that acknowledged.
    pub(super) by: u8,
    /// Rows whose event came before this one are outdated.
    pub(super) event: u8,
    /// When it holds everywhere, in nanoseconds of deadline time of the node that acknowledged; 0 when that has
    /// passed.
    pub(super) at: u64,
    /// Whether it holds at once for what begins now, and for nothing that began before.
    pub(super) for_what_begins: bool,
}

/// What every row comes before.
const NEVER: u8 = u8::MAX;

impl World {
    pub(super) fn acknowledge(&mut self, model: &Model<'_>, node: usize) {
        let Some(call) = self.node(node).call.take() else { return };
        if call.event <= self.store.content.last {
            let at = self.boot[node] + call.announced;
            let by = u8::from(node == 1);
            let for_what_begins = call.announced == 0;
            self.cut_offs.push(CutOff { key: call.key, by, event: call.event, at, for_what_begins });
            self.judge_time(model);
        }
    }

    /// A restore made every change after `last` void.
    pub(super) fn void_after(&mut self, last: u8) {
        self.cut_offs.retain(|cut_off| cut_off.event <= last);
        for node in 0..2 {
            let node = self.node(node);
            node.decided = [0; 2];
            let lost = |event: u8| event != NEVER && event > last;
            node.verifications.iter_mut().filter(|it| lost(it.least)).for_each(|it| it.least = 0);
            node.gets.iter_mut().filter(|it| lost(it.told)).for_each(|it| it.told = 0);
            // It would promise what is stored no more.
            if node.call.is_some_and(|call| lost(call.event)) {
                node.call = None;
            }
        }
    }

    /// Before which event a verification that begins now may accept nothing.
    pub(super) fn least(&self, model: &Model<'_>, node: usize, key: u8) -> u8 {
        let this = &self.nodes[node];
        if this.saw_revoked & (1 << key) != 0 {
            return NEVER;
        }
        let holds_here = |it: &&CutOff| it.key == key && (usize::from(it.by) == node || it.for_what_begins);
        let holds = self.cut_offs.iter().filter(holds_here).map(|it| it.event).max();
        let holds = holds.unwrap_or_default().max(self.outdated(key));
        let holds = if model.configuration.judged.holds { holds } else { 0 };
        holds.max(if model.configuration.judged.forward { this.decided[usize::from(key)] } else { 0 })
    }

    /// Takes note of the cut-offs that have passed, and forgets those that say nothing more.
    pub(super) fn judge_time(&mut self, model: &Model<'_>) {
        let boot = self.boot;
        for cut_off in &mut self.cut_offs {
            if !cut_off.for_what_begins && boot[usize::from(cut_off.by)] >= cut_off.at {
                (cut_off.at, cut_off.by) = (0, 0);
            }
        }
        let restores = self.left.restores > 0 || model.configuration.reads_go_back;
        let all = std::mem::take(&mut self.cut_offs);
        let covers = |one: &CutOff, other: &CutOff| {
            one != other
                && one.key == other.key
                && one.at == 0
                && !one.for_what_begins
                && one.event >= other.event
        };
        let kept = all.iter().filter(|it| restores || !all.iter().any(|other| covers(other, it)));
        for cut_off in kept {
            if !self.cut_offs.contains(cut_off) {
                self.cut_offs.push(*cut_off);
            }
        }
    }

    /// The event before which every row is outdated everywhere.
    pub(super) fn outdated(&self, key: u8) -> u8 {
        let passed = self.cut_offs.iter().filter(|it| it.key == key && it.at == 0 && !it.for_what_begins);
        passed.map(|it| it.event).max().unwrap_or_default()
    }

    /// Judges that a verification accepts.
    pub(super) fn accepted(
        &mut self,
        model: &Model<'_>,
        node: usize,
        verification: Verification,
        row: Row,
        how: How,
    ) -> Result<(), String> {
        self.witness_accepted(model, node, verification, row, how);
        let key = verification.key;
        if verification.least == NEVER {
            return Err("a node accepted a key that it had seen revoked".into());
        }
        if row.event < verification.least {
            return Err("a verification that began after it was to hold accepted an outdated row".into());
        }
        let excused = self.boot[node] < self.nodes[node].excused_until
            || how == How::Own && !model.configuration.judged.own_reads;
        if model.configuration.judged.holds && !excused && row.event < self.outdated(key) {
            return Err("an outdated row was accepted after the announced cut-off".into());
        }
        Ok(())
    }

    fn witness_accepted(
        &self,
        model: &Model<'_>,
        node: usize,
        verification: Verification,
        row: Row,
        how: How,
    ) {
        let (this, given, left) = (&self.nodes[node], model.configuration, self.left);
        let bit = 1 << verification.key;
        let stored = self.store.content.keys[usize::from(verification.key)];
        model.witness(match how {
            How::Hot => Witness::AcceptedHot,
            How::Found => Witness::AcceptedWarm,
            How::Read => Witness::AcceptedFill,
            How::Joined => Witness::AcceptedJoin,
            How::Own => Witness::AcceptedOwn,
        });
        let waits = |it: &super::CutOff| it.key == verification.key && it.at > 0 && row.event < it.event;
        for (seen, witness) in [
            (this.had_absence & bit != 0, Witness::AbsenceNamed),
            (this.had_higher & bit != 0 && row.event == stored.event, Witness::AcceptedAtLowerRevision),
            (left.outages < given.outages && !self.store.out_of_reach, Witness::AcceptedAfterOutage),
            (left.restores < given.restores, Witness::AcceptedAfterRestore),
            (left.restarts < given.restarts, Witness::AcceptedAfterRestart),
            (left.jumps < given.jumps, Witness::AcceptedAfterJump),
            (self.cut_offs.iter().any(waits), Witness::AcceptedBeforeCutOff),
        ] {
            if seen {
                model.witness(witness);
            }
        }
    }

    /// Takes note that a verification of a node decided on a row.
    pub(super) fn decided(&mut self, model: &Model<'_>, node: usize, key: u8, row: Row) {
        if model.configuration.judged.forward && row.status != Status::Absent {
            let decided = &mut self.node(node).decided[usize::from(key)];
            *decided = row.event.max(*decided);
        }
    }
}
