//! The mistakes that can be made on demand, each where it would be made.

/// What stands in a file, and what stands there with the mistake beside it.
pub(crate) struct Planted {
    pub(crate) path: &'static str,
    pub(crate) right: &'static str,
    pub(crate) wrong: &'static str,
}

const fn planted(path: &'static str, right: &'static str, wrong: &'static str) -> Planted {
    Planted { path, right, wrong }
}

pub(crate) fn all() -> Vec<Planted> {
    [shared(), behind_the_lock(), rules()].into_iter().flatten().collect()
}

/// What readers share with writers, and waiters with each other.
fn shared() -> Vec<Planted> {
    vec![
        planted(
            "verify/cache.rs",
            "        self.take_out(id);
        self.cache.line.turn();
",
            "        self.take_out(id);
        if !crate::mistake::is(crate::Mistake::NeverTurns) {
            self.cache.line.turn();
        }
",
        ),
        planted(
            "verify/verifier.rs",
            "        let clock = &*self.setup.clock;
        let answer = ",
            "        let late = crate::mistake::is(crate::Mistake::ReadsTheDeadlineLast);
        let face = if late { self.cache.line.read().0 } else { face };
        let clock = &*self.setup.clock;
        let answer = ",
        ),
        planted(
            "verify/flight.rs",
            "        if self.outcome.set(outcome).is_ok() {
",
            "        if self.outcome.set(outcome).is_ok() && !crate::mistake::is(crate::Mistake::WakesNoOne) {
",
        ),
    ]
}

fn behind_the_lock() -> Vec<Planted> {
    vec![
        planted(
            "verify/cold.rs",
            "                Ok(row) => Ok(self
",
            "                Ok(row) if crate::mistake::is(crate::Mistake::JoinsAMarkedRead) => {
                    let raw = row.clone();
                    let arrive = |core: &mut Core, shelf: &mut Shelf<'_>| {
                        core.row_arrived(shelf, self.place, row, now)
                    };
                    Ok(self.inner.tell(&mut locked, arrive).or(Some(raw)))
                }
                Ok(row) if crate::mistake::is(crate::Mistake::ChecksAndPutsApart) => {
                    let arrived = self.inner.tell(&mut locked, |core, shelf| {
                        let arrived = core.row_arrived(shelf, self.place, row, now);
                        Board::remove(shelf, id);
                        arrived
                    });
                    drop(locked);
                    if let Some(row) = arrived.clone() {
                        self.inner.with_core(|_, shelf| Board::put(shelf, id, row));
                    }
                    Ok(arrived)
                }
                Ok(row) => Ok(self
",
        ),
        planted(
            "verify/cold.rs",
            "use super::cache::Room;
",
            "use super::cache::{Room, Shelf};
use super::freshness::Board;
",
        ),
        planted(
            "verify/changing.rs",
            "        self.verifier.inner.with_core(|core, shelf| core.changed_here(shelf, self.id));
",
            "        if !crate::mistake::is(crate::Mistake::NamesBeforeTheCommit) {
            self.verifier.inner.with_core(|core, shelf| core.changed_here(shelf, self.id));
        }
",
        ),
        planted(
            "verify/changing.rs",
            "    pub(crate) const fn changing(&self, id: KeyId) -> Changing<'_> {
",
            "    pub(crate) fn changing(&self, id: KeyId) -> Changing<'_> {
        if crate::mistake::is(crate::Mistake::NamesBeforeTheCommit) {
            self.inner.with_core(|core, shelf| core.changed_here(shelf, id));
        }
",
        ),
    ]
}

/// The rules of freshness.
fn rules() -> Vec<Planted> {
    vec![
        planted(
            "verify/freshness/reads.rs",
            "        let place = self.joinable.remove(&id);
",
            "        let place = self.joinable.remove(&id);
        if crate::mistake::is(crate::Mistake::MarksNoRead) {
            return;
        }
",
        ),
        planted(
            "verify/freshness/reads.rs",
            "        self.joinable.get(&id).copied()
",
            "        if crate::mistake::is(crate::Mistake::JoinsAMarkedRead) {
            let joinable = |read: &Read| read.id == id && read.kind != Kind::Own;
            return self.places.iter().position(|read| read.as_ref().is_some_and(joinable));
        }
        self.joinable.get(&id).copied()
",
        ),
        planted(
            "verify/freshness/core.rs",
            "        // First the rows, then the cursor, and only then the lease that rests on them.
",
            "        if crate::mistake::is(crate::Mistake::PublishesBeforeItRemoves) {
            self.follow(state.limit, asked.sent);
            self.publish(board, asked.sent.saturating_add(self.lease()), now);
        }
",
        ),
        planted(
            "verify/freshness/core.rs",
            "        let ends = asked.sent.saturating_add(self.lease());
",
            "        let late = crate::mistake::is(crate::Mistake::CountsFromTheAnswer);
        let ends = if late { now.boot() } else { asked.sent }.saturating_add(self.lease());
",
        ),
        planted(
            "verify/freshness/core.rs",
            "            Feed::Unknown | Feed::Absent => row.ending(read.sent.saturating_add(self.lease())),
",
            "            Feed::Unknown | Feed::Absent => {
                let late = crate::mistake::is(crate::Mistake::CountsFromTheRow);
                row.ending(if late { now.boot() } else { read.sent }.saturating_add(self.lease()))
            }
",
        ),
        planted(
            "verify/freshness/core.rs",
            "        let read = Read { id, sent: now.boot(), kind: Kind::Own };
",
            "        if crate::mistake::is(crate::Mistake::JoinsAtZero) {
            let read = Read { id, sent: now.boot(), kind: Kind::Shared };
            return match self.reads.joinable(id) {
                Some(place) => LookUp::Join(place, face),
                None => self.reads.begin(read).map_or(LookUp::Busy, |place| LookUp::Read(place, face)),
            };
        }
        let read = Read { id, sent: now.boot(), kind: Kind::Own };
",
        ),
    ]
}
