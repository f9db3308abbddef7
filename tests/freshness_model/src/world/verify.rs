//! Verifications and their reads.

use std::rc::Rc;

use super::board::{Row, Status};
use super::freshness::{Face, LookUp, Row as _};
use super::node::{Get, How, Stage, Verification};
use super::store::{Content, Store};
use super::{Model, World};
use crate::{Witness, Wrong};

impl World {
    /// A verification begins and reads the face without a lock.
    pub(super) fn begin_hot(&mut self, model: &Model<'_>, node: usize, key: u8) {
        let least = self.least(model, node, key);
        let face = self.nodes[node].visible.face;
        self.node(node).verifications.push(Verification { key, least, stage: Stage::Hot(face) });
    }

    /// It looks for its row without a lock.
    pub(super) fn find(&mut self, model: &Model<'_>, node: usize, which: usize) {
        let boot = self.boot[node];
        let this = self.node(node);
        let verification = this.verifications.remove(which);
        let Stage::Hot(face) = verification.stage else { return };
        if let Some(row) = this.visible.rows[usize::from(verification.key)] {
            self.has(model, node, verification, row, face, How::Hot, boot);
        }
    }

    /// A verification begins and looks up its key.
    pub(super) fn look_up(&mut self, model: &Model<'_>, node: usize, key: u8) {
        let least = self.least(model, node, key);
        let id = model.ids[usize::from(key)];
        let found = self.core(model, node, |core, board, now| core.look_up(board, id, now));
        let boot = self.boot[node];
        let own = matches!(found, LookUp::ReadOwn(..));
        let (place, face, how) = match found {
            LookUp::Refresh => return,
            LookUp::Busy => return model.witness(Witness::Busy),
            LookUp::Found(row, face) => {
                if row.is_absence() {
                    model.witness(Witness::AbsenceFound);
                }
                let verification = Verification { key, least, stage: Stage::Hot(face) };
                return self.has(model, node, verification, row, face, How::Found, boot);
            }
            LookUp::Join(place, face) => (place, face, How::Joined),
            LookUp::Read(place, face) => (place, face, How::Read),
            LookUp::ReadOwn(place, face) => (place, face, How::Own),
        };
        let this = self.node(node);
        if how != How::Joined {
            this.gets.push(Get { place, key, own, row: None, told: 0 });
        }
        this.verifications.push(Verification { key, least, stage: Stage::Waits(place, face, how) });
    }

    /// A read sees what is stored.
    pub(super) fn get_sees(&mut self, node: usize, which: usize, content: Content) {
        let get = &mut self.node(node).gets[which];
        get.row = Some(Store::row(&content, get.key));
    }

    /// What a read saw arrives.
    pub(super) fn get_arrives(&mut self, model: &Model<'_>, node: usize, which: usize) {
        let get = self.node(node).gets.remove(which);
        let Some(row) = get.row else { return };
        let latest = self.store.content.keys[usize::from(get.key)].event;
        let told = self.core(model, node, |core, board, now| core.row_arrived(board, get.place, row, now));
        if row.is_revoked() {
            self.node(node).saw_revoked |= 1 << get.key;
        }
        match told {
            None if row.event < latest => model.witness(Witness::LateFillFenced),
            Some(told) if told.is_revoked() && !row.is_revoked() => model.witness(Witness::RevokedStays),
            _ => {}
        }
        let verifications = self.nodes[node].verifications.clone();
        let (waiting, others) = verifications
            .into_iter()
            .partition::<Vec<_>, _>(|it| matches!(it.stage, Stage::Waits(place, ..) if place == get.place));
        self.node(node).verifications = others;
        let Some(told) = told else { return };
        let boot = self.boot[node];
        for mut verification in waiting {
            let Stage::Waits(_, face, how) = verification.stage else { continue };
            if row.event < get.told {
                verification.least = verification.least.max(get.told);
            }
            self.has(model, node, verification, told, face, how, boot);
        }
    }

    /// A read fails, or whoever began it goes away.
    pub(super) fn get_lost(&mut self, node: usize, which: usize) {
        let this = self.node(node);
        let get = this.gets.remove(which);
        this.core.abandon(get.place);
        this.verifications.retain(|it| !matches!(it.stage, Stage::Waits(place, ..) if place == get.place));
    }

    #[expect(clippy::too_many_arguments, reason = "it is what a verification holds by then")]
    fn has(
        &mut self,
        model: &Model<'_>,
        node: usize,
        verification: Verification,
        row: Row,
        face: Face,
        how: How,
        boot: u64,
    ) {
        if row.status != Status::Good {
            return self.decided(model, node, verification.key, row);
        }
        let looked_up = if model.is_wrong(Wrong::TimeOfLookUp) { boot } else { 0 };
        let stage = Stage::Has(row, face, how, looked_up);
        self.node(node).verifications.push(Verification { stage, ..verification });
    }

    /// A verification reads the clock and decides.
    pub(super) fn decide(&mut self, model: &Model<'_>, node: usize, which: usize) -> Result<(), String> {
        let now = self.moment(node);
        let latest = self.nodes[node].visible.face;
        let verification = self.node(node).verifications.remove(which);
        let Stage::Has(row, face, how, looked_up) = verification.stage else { return Ok(()) };
        let allowed = match model.configuration.wrong {
            Some(Wrong::LatestDeadline) => latest.allows(row.until, now),
            Some(Wrong::TimeOfLookUp) => looked_up < face.good_until && looked_up < row.until,
            _ => face.allows(row.until, now),
        };
        if !allowed {
            return Ok(());
        }
        if model.is_wrong(Wrong::HitsRenew) && matches!(how, How::Hot | How::Found) {
            let lease = self.store.limit * 800_000;
            let good_until = &mut self.node(node).visible.face.good_until;
            *good_until = (*good_until).max(now.boot() + lease);
        }
        self.decided(model, node, verification.key, row);
        self.accepted(model, node, verification, row, how)
    }

    /// Forgets what can have no effect any more, and puts the rest in order.
    pub(super) fn settle(&mut self, model: &Model<'_>) {
        for node in 0..2 {
            if self.nodes[node].refreshes.len() > 1 {
                let mut hasher = model.hasher();
                hasher.measured_by(self.boot[node], self.store_time);
                self.node(node).refreshes.sort_by_cached_key(|refresh| hasher.of(refresh));
            }
            if self.nodes[node].gets.len() > 1 {
                self.node(node).gets.sort_unstable_by_key(|get| get.place);
            }
        }
        for node in 0..2 {
            let this = &self.nodes[node];
            if this.call.is_some_and(|call| call.done == 3) && this.pending.is_empty() {
                self.acknowledge(model, node);
            }
        }
        let by_deadline =
            !matches!(model.configuration.wrong, Some(Wrong::LatestDeadline | Wrong::TimeOfLookUp));
        for node in 0..2 {
            if self.nodes[node].verifications.is_empty() {
                continue;
            }
            let boot = self.boot[node];
            let outdated = [self.outdated(0), self.outdated(1)];
            let this = Rc::make_mut(&mut self.nodes[node]);
            this.verifications.retain(|it| {
                let (Stage::Hot(face) | Stage::Waits(_, face, _) | Stage::Has(_, face, ..)) = it.stage;
                let until = if let Stage::Has(row, ..) = it.stage { row.until } else { u64::MAX };
                !by_deadline || boot < face.good_until && boot < until
            });
            for it in &mut this.verifications {
                // An own read may be bound by nothing else.
                if it.least <= outdated[usize::from(it.key)] && model.configuration.judged.own_reads {
                    it.least = 0;
                }
            }
            this.verifications.sort_unstable_by_key(order);
        }
    }
}

/// Which of two verifications of a node comes first makes no difference.
fn order(verification: &Verification) -> (u8, u8, u8, Option<Row>, Option<How>, usize, u64, i64) {
    let (key, least) = (verification.key, verification.least);
    match verification.stage {
        Stage::Hot(face) => (key, least, 0, None, None, 0, face.good_until, face.offset),
        Stage::Waits(place, face, how) => {
            (key, least, 1, None, Some(how), place, face.good_until, face.offset)
        }
        Stage::Has(row, face, how, looked_up) => {
            let place = usize::try_from(looked_up).unwrap_or(usize::MAX);
            (key, least, 2, Some(row), Some(how), place, face.good_until, face.offset)
        }
    }
}
