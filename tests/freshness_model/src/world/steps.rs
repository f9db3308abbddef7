//! What can happen next.

use super::node::Stage;
use super::store::Content;
use super::time::Still;
use super::{Model, World};
use crate::{Change, Wrong};

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Pass,
    StandStill(Still),
    BeginHot(usize, u8),
    Find(usize, usize),
    LookUp(usize, u8),
    Decide(usize, usize),
    GetSees(usize, usize, Content),
    GetArrives(usize, usize),
    GetLost(usize, usize),
    RefreshSent(usize),
    RefreshSees(usize, usize, bool),
    RefreshArrives(usize, usize),
    RefreshLost(usize, usize),
    Show(usize),
    ShowLate(usize, usize),
    Evict(usize, u8),
    Call(usize, u8, Option<Change>),
    CallGoesOn(usize),
    Stray(u8, Change),
    Cancelled(usize, u8),
    SetLimit(u64),
    Restore(usize),
    Restart(usize),
    OutOfReach(bool),
}

impl World {
    pub(super) fn steps(&self, model: &Model<'_>, add: &mut dyn FnMut(Step)) {
        add(Step::Pass);
        (0..2).for_each(|node| self.steps_of_node(model, node, add));
        self.steps_of_store(model, add);
    }

    fn steps_of_node(&self, model: &Model<'_>, node: usize, add: &mut dyn FnMut(Step)) {
        let (this, given) = (&self.nodes[node], &model.configuration.nodes[node]);
        let keys = 0..u8::from(model.configuration.keys > 1) + 1;
        let unlocked = this.pending.is_empty();
        let reachable = !self.store.out_of_reach;
        let works = given.verifications > 0;
        let room = this.verifications.len() < given.verifications;
        if !unlocked {
            add(Step::Show(node));
        }
        (0..this.late.len()).for_each(|which| add(Step::ShowLate(node, which)));
        for (which, it) in this.verifications.iter().enumerate() {
            match it.stage {
                Stage::Hot(_) => add(Step::Find(node, which)),
                Stage::Has(..) => add(Step::Decide(node, which)),
                Stage::Waits(..) => {}
            }
        }
        for key in keys.clone() {
            if room && given.hot && self.boot[node] < this.visible.face.good_until {
                add(Step::BeginHot(node, key));
            }
            if room && unlocked {
                add(Step::LookUp(node, key));
            }
            if model.configuration.evictions && this.visible.rows[usize::from(key)].is_some() {
                add(Step::Evict(node, key));
            }
        }
        for (which, get) in this.gets.iter().enumerate() {
            match get.row {
                None if reachable => self.what_a_read_sees(model, get.key, &mut |content| {
                    add(Step::GetSees(node, which, content));
                }),
                Some(_) if unlocked => add(Step::GetArrives(node, which)),
                _ => {}
            }
            if model.configuration.losses && unlocked {
                add(Step::GetLost(node, which));
            }
        }
        if unlocked
            && this.refreshes.len() < given.refreshes
            && this.core.refresh_in(self.moment(node)).is_some()
        {
            add(Step::RefreshSent(node));
        }
        for (which, refresh) in this.refreshes.iter().enumerate() {
            match refresh.answer {
                Some(said) if !said.half && unlocked => add(Step::RefreshArrives(node, which)),
                Some(said) if said.half && reachable => add(Step::RefreshSees(node, which, false)),
                None if reachable => {
                    add(Step::RefreshSees(node, which, false));
                    if model.configuration.forgets && refresh.asked.since.is_some() {
                        add(Step::RefreshSees(node, which, true));
                    }
                }
                _ => {}
            }
            if model.configuration.losses {
                add(Step::RefreshLost(node, which));
            }
        }
        if given.calls {
            self.steps_of_calls(model, node, keys, add);
        }
        if works && self.left.restarts > 0 {
            add(Step::Restart(node));
        }
        if self.left.jumps > 0 {
            add(Step::StandStill(Still::Deadline(node)));
        }
        if self.left.stops > 0 {
            add(Step::StandStill(Still::Both(node)));
        }
    }

    /// The contents that a read may see: what is stored, but of a wrong store.
    fn what_a_read_sees(&self, model: &Model<'_>, key: u8, add: &mut dyn FnMut(Content)) {
        add(self.store.content);
        let differs = |it: &&Content| it.keys[usize::from(key)] != self.store.content.keys[usize::from(key)];
        let mut past = self.store.past.iter().filter(differs);
        if model.configuration.reads_go_back {
            past.for_each(|content| add(*content));
        } else if model.is_wrong(Wrong::LaggingReads) {
            past.next_back().into_iter().for_each(|content| add(*content));
        }
    }

    fn steps_of_calls(
        &self,
        model: &Model<'_>,
        node: usize,
        keys: std::ops::Range<u8>,
        add: &mut dyn FnMut(Step),
    ) {
        let this = &self.nodes[node];
        let unlocked = this.pending.is_empty();
        let reachable = !self.store.out_of_reach;
        if let Some(call) = this.call {
            let name = call.next(model) == Some(super::manage::Part::Name);
            if call.done < 3 && if name { unlocked } else { reachable } {
                add(Step::CallGoesOn(node));
            }
        }
        for key in keys {
            if self.left.cancelled > 0 && unlocked && node == 0 {
                add(Step::Cancelled(node, key));
            }
            if this.call.is_some() || !reachable {
                continue;
            }
            for change in model.configuration.changes {
                if self.left.calls > 0 && self.store.allows(key, *change) {
                    add(Step::Call(node, key, Some(*change)));
                }
            }
            let cut_off =
                !self.store.allows(key, Change::Deactivate) && !self.store.allows(key, Change::Insert);
            if self.left.no_ops > 0 && cut_off {
                add(Step::Call(node, key, None));
            }
        }
    }

    fn steps_of_store(&self, model: &Model<'_>, add: &mut dyn FnMut(Step)) {
        let given = model.configuration;
        if self.store.out_of_reach {
            return add(Step::OutOfReach(false));
        }
        if self.left.outages > 0 {
            add(Step::OutOfReach(true));
        }
        if self.left.strays > 0 {
            for key in 0..u8::from(given.keys > 1) + 1 {
                let allowed = given.changes.iter().filter(|change| self.store.allows(key, **change));
                allowed.for_each(|change| add(Step::Stray(key, *change)));
            }
        }
        if self.left.limit_changes > 0 {
            let others = given.limits.iter().filter(|limit| **limit != self.store.limit);
            others.for_each(|limit| add(Step::SetLimit(*limit)));
        }
        if self.left.restores > 0 {
            (0..self.store.past.len()).for_each(|backup| add(Step::Restore(backup)));
        }
    }

    /// Takes a step; an error when it breaks a promise.
    pub(super) fn take(&mut self, model: &Model<'_>, step: Step) -> Result<(), String> {
        match step {
            Step::Pass => self.pass(model, model.configuration.tick, None),
            Step::StandStill(still) => self.stand_still(model, still),
            Step::BeginHot(node, key) => self.begin_hot(model, node, key),
            Step::Find(node, which) => self.find(model, node, which),
            Step::LookUp(node, key) => self.look_up(model, node, key),
            Step::Decide(node, which) => return self.decide(model, node, which),
            Step::GetSees(node, which, content) => self.get_sees(node, which, content),
            Step::GetArrives(node, which) => self.get_arrives(model, node, which),
            Step::GetLost(node, which) => self.get_lost(node, which),
            Step::RefreshSent(node) => self.refresh_sent(model, node),
            Step::RefreshSees(node, which, forgotten) => self.refresh_sees(model, node, which, forgotten),
            Step::RefreshArrives(node, which) => self.refresh_arrives(model, node, which),
            Step::RefreshLost(node, which) => self.refresh_lost(node, which),
            Step::Show(node) => self.show(node),
            Step::ShowLate(node, which) => {
                let this = self.node(node);
                let operation = this.late.remove(which);
                this.visible.apply(operation);
            }
            Step::Evict(node, key) => self.node(node).visible.rows[usize::from(key)] = None,
            Step::Call(node, key, change) => self.call(model, node, key, change),
            Step::CallGoesOn(node) => self.call_goes_on(model, node),
            Step::Stray(key, change) => {
                self.left.strays -= 1;
                self.commit(key, change);
            }
            Step::Cancelled(node, key) => self.cancelled(model, node, key),
            Step::SetLimit(limit) => self.set_limit(model, limit),
            Step::Restore(backup) => self.restore(backup),
            Step::Restart(node) => self.restart(model, node),
            Step::OutOfReach(out) => {
                self.store().out_of_reach = out;
                self.left.outages -= u8::from(out);
            }
        }
        Ok(())
    }
}
