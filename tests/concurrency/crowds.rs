//! Sixty-four threads that ask for the same at the same moment.

use std::sync::Barrier;
use std::time::Duration;

use access_keys::store::{KeyStore, KeyUse, MemoryStore};
use access_keys::{
    AccessKeys, Clock, Edit, Error, FakeClock, KeyId, KeyState, ProjectKeys, Revision, Status,
};
use pollster::block_on;

use crate::support::{checkout, keys, production, project, review, verified_replay};

const CROWD: usize = 64;
const GRACE: Duration = Duration::from_secs(3_600);

struct Crowd {
    keys: AccessKeys<MemoryStore>,
    project: ProjectKeys<MemoryStore>,
    clock: FakeClock,
    id: KeyId,
    token: String,
}

impl Crowd {
    fn new() -> Self {
        let clock = FakeClock::default();
        let keys = keys(MemoryStore::new(), &clock);
        let project = project(&keys, "ada");
        let issued = block_on(project.generate(review("Mobile"))).unwrap();
        Self { keys, project, clock, id: issued.key.id, token: issued.token.expose().to_owned() }
    }

    /// What each of the threads gets, all of which begin at once.
    fn ask<T: Send>(&self, call: impl Fn(usize, &Self) -> T + Sync) -> Vec<T> {
        let barrier = Barrier::new(CROWD);
        let begin = |i| {
            barrier.wait();
            call(i, self)
        };
        std::thread::scope(|scope| {
            let begin = &begin;
            let threads: Vec<_> = (0..CROWD).map(|i| scope.spawn(move || begin(i))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn works(&self, token: &str) -> bool {
        block_on(self.keys.verify(token, &production())).is_ok()
    }
}

#[test]
fn of_sixty_four_revocations_exactly_one_is_new_and_none_fails() {
    let crowd = Crowd::new();
    let changes = crowd.ask(|_, crowd| block_on(crowd.project.revoke(crowd.id, "leaked")).unwrap());
    assert_eq!(changes.iter().filter(|change| change.is_new()).count(), 1);
    assert!(changes.iter().all(|change| change.key().status == Status::Revoked));
    assert_eq!(verified_replay(crowd.keys.store(), &checkout(), crowd.id).len(), 2);
    assert!(!crowd.works(&crowd.token));
}

#[test]
fn sixty_four_rotations_all_issue_and_leave_at_most_two_secrets_of_which_the_newest_is_current() {
    for grace in [Duration::ZERO, GRACE] {
        let crowd = Crowd::new();
        let mut issued = crowd.ask(|_, crowd| block_on(crowd.project.rotate(crowd.id, grace)).unwrap());
        issued.sort_by_key(|issued| issued.key.revision);
        let revisions: Vec<u64> = issued.iter().map(|issued| issued.key.revision.get()).collect();
        assert_eq!(revisions, (2..=65).collect::<Vec<_>>());
        let works: Vec<bool> = issued.iter().map(|issued| crowd.works(issued.token.expose())).collect();
        let live = if grace.is_zero() { 1 } else { 2 };
        assert_eq!(works, (0..CROWD).map(|i| i >= CROWD - live).collect::<Vec<_>>());
        assert!(!crowd.works(&crowd.token));
        let states = verified_replay(crowd.keys.store(), &checkout(), crowd.id);
        assert_eq!(states.last().unwrap().secrets.len(), live);
        crowd.clock.advance(GRACE);
        let works = issued.iter().filter(|issued| crowd.works(issued.token.expose()));
        assert_eq!(works.map(|issued| issued.key.revision.get()).collect::<Vec<_>>(), [65]);
    }
}

#[test]
fn of_sixty_four_edits_of_one_revision_exactly_one_wins() {
    let crowd = Crowd::new();
    let results = crowd.ask(|i, crowd| {
        let edit = Edit::new().name(format!("Name {i}")).unwrap().if_revision(Revision::FIRST);
        block_on(crowd.project.edit(crowd.id, edit))
    });
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for lost in lost {
        match lost {
            Err(Error::Conflict { key, expected }) => {
                assert_eq!((key, expected), (crowd.id, Revision::FIRST));
            }
            other => panic!("{other:?}"),
        }
    }
    let stored = block_on(crowd.project.get(crowd.id)).unwrap();
    assert_eq!(won.into_iter().next().unwrap().unwrap().key(), &stored);
    assert_eq!(verified_replay(crowd.keys.store(), &checkout(), crowd.id).len(), 2);
}

#[test]
fn sixty_four_edits_without_a_revision_all_count() {
    let crowd = Crowd::new();
    let results = crowd.ask(|i, crowd| {
        block_on(crowd.project.edit(crowd.id, Edit::new().name(format!("Name {i}")).unwrap()))
    });
    assert!(results.iter().all(|result| result.as_ref().unwrap().is_new()));
    assert_eq!(verified_replay(crowd.keys.store(), &checkout(), crowd.id).len(), 65);
}

#[test]
fn sixty_four_generates_make_sixty_four_keys_that_all_work() {
    let crowd = Crowd::new();
    let issued = crowd.ask(|i, crowd| block_on(crowd.project.generate(review(&format!("Key {i}")))).unwrap());
    let ids: std::collections::BTreeSet<KeyId> = issued.iter().map(|issued| issued.key.id).collect();
    assert_eq!(ids.len(), CROWD);
    assert!(issued.iter().all(|issued| crowd.works(issued.token.expose())));
    assert_eq!(crate::support::verified_replays(crowd.keys.store(), &checkout()).len(), CROWD + 1);
}

#[test]
fn uses_written_by_a_crowd_neither_undo_a_change_nor_move_back() {
    let crowd = Crowd::new();
    let start = crowd.clock.wall();
    let at = |i: usize| start + Duration::from_secs(u64::try_from(i).unwrap());
    crowd.ask(|i, crowd| match i {
        20 => match block_on(crowd.project.deactivate(crowd.id)) {
            Ok(_) | Err(Error::Refused { from: KeyState::Revoked, .. }) => {}
            Err(other) => panic!("{other:?}"),
        },
        40 => drop(block_on(crowd.project.revoke(crowd.id, "leaked")).unwrap()),
        _ if i % 2 == 0 => {
            let _ = block_on(crowd.keys.verify(&crowd.token, &production()));
            block_on(crowd.keys.flush_uses()).unwrap();
        }
        _ => block_on(crowd.keys.store().record_use(&[KeyUse::new(crowd.id, 1, at(i))])).unwrap(),
    });
    let states = verified_replay(crowd.keys.store(), &checkout(), crowd.id);
    assert_eq!(states.last().unwrap().key.status, Status::Revoked);
    block_on(crowd.keys.store().record_use(&[KeyUse::new(crowd.id, 1, start)])).unwrap();
    let used = block_on(crowd.project.last_used(&[crowd.id])).unwrap();
    assert_eq!(used, [KeyUse::new(crowd.id, 1, at(CROWD - 1))]);
}
