//! Operations: a call repeated after a lost answer ends with one key, one change and one usable value.

mod support;

use std::sync::{Arc, Barrier};
use std::time::Duration;

use access_keys::domain::{Action, Field, Rule};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, AuditQuery, Denial, Edit, Error, FakeClock, Issued, KeyQuery, KeyState, ProjectId,
    ProjectKeys, Scope, Status,
};
use pollster::block_on;
use support::{checkout, keys, operation, production, project, review, verified_replay, verified_replays};

const HOUR: Duration = Duration::from_secs(3_600);

type Keys = AccessKeys<MemoryStore>;
type Project = ProjectKeys<MemoryStore>;

fn set_up() -> (Keys, Project, FakeClock) {
    let clock = FakeClock::default();
    let keys = keys(MemoryStore::new(), &clock);
    let project = project(&keys, "ada");
    (keys, project, clock)
}

fn generate(project: &Project, name: &str) -> Issued {
    block_on(project.generate(review(name))).unwrap()
}

fn works(keys: &Keys, issued: &Issued) -> bool {
    match block_on(keys.verify(issued.token.expose(), &production())) {
        Ok(grant) => grant.key().id == issued.key.id,
        Err(Denial::Unrecognized { .. }) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, state: KeyState, refused: Action) {
    match result {
        Err(Error::Refused { from, action, .. }) => assert_eq!((from, action), (state, refused)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_generate_repeated_before_its_value_was_used_gives_a_fresh_value_for_the_same_key() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let lost = generate(&req, "Mobile");
    let found = generate(&req, "Mobile");
    let again = generate(&req, "Mobile");
    assert_eq!((found.key.id, again.key.id), (lost.key.id, lost.key.id));
    assert_eq!([&lost, &found, &again].map(Issued::generation), [1, 2, 3]);
    assert!(!works(&keys, &lost) && !works(&keys, &found) && works(&keys, &again));
    assert_eq!(block_on(project.list(KeyQuery::default())).unwrap().items, std::slice::from_ref(&again.key));
    assert_eq!(verified_replay(keys.store(), &checkout(), again.key.id).last().unwrap().secrets, [(3, None)]);
}

#[test]
fn a_generate_repeated_after_its_value_was_used_is_refused_and_the_value_keeps_working() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let issued = generate(&req, "Mobile");
    assert!(works(&keys, &issued));
    assert_refused(block_on(req.generate(review("Mobile"))), KeyState::Active, Action::Created);
    block_on(keys.flush_uses()).unwrap();
    let refused = block_on(req.generate(review("Mobile")));
    let told = refused.as_ref().unwrap_err().to_string();
    assert_eq!(
        told,
        format!("key {} was created by this operation, and its value was used or replaced", issued.key.id)
    );
    assert_refused(refused, KeyState::Active, Action::Created);
    assert!(works(&keys, &issued));
    assert_eq!(verified_replay(keys.store(), &checkout(), issued.key.id).len(), 1);
}

#[test]
fn a_use_on_another_node_counts_once_that_node_has_written_it() {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let (here, there) = (keys(Arc::clone(&store), &clock), keys(store, &clock));
    let req = project(&here, "ada").operation(operation("req-7"));
    let issued = block_on(req.generate(review("Mobile"))).unwrap();
    let _ = block_on(there.verify(issued.token.expose(), &production())).unwrap();
    block_on(there.flush_uses()).unwrap();
    assert_refused(block_on(req.generate(review("Mobile"))), KeyState::Active, Action::Created);
    let _ = block_on(there.verify(issued.token.expose(), &production())).unwrap();
}

#[test]
fn a_refused_presentation_is_no_use_so_the_value_is_still_replaced() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let lost = generate(&req, "Mobile");
    let elsewhere = access_keys::EnvironmentId::new("staging").unwrap();
    let refused = block_on(keys.verify(lost.token.expose(), &elsewhere)).unwrap_err();
    assert!(matches!(refused, Denial::WrongEnvironment { .. }));
    let found = generate(&req, "Mobile");
    assert!(!works(&keys, &lost) && works(&keys, &found));
}

#[test]
fn a_generate_repeated_with_another_review_is_invalid_and_changes_nothing() {
    let (keys, project, clock) = set_up();
    let req = project.operation(operation("req-7"));
    let issued = generate(&req, "Mobile");
    let info = || access_keys::KeyInfo::new("Mobile", production()).unwrap();
    let staging = access_keys::EnvironmentId::new("staging").unwrap();
    let later = access_keys::Clock::wall(&clock) + HOUR;
    let no_agents = project.draft().info(info()).agents(Scope::none()).prompts(Scope::All).unwrap();
    let no_prompts = project.draft().info(info()).agents(Scope::All).prompts(Scope::none()).unwrap();
    let of_info = |info| project.draft().info(info).agents(Scope::All).prompts(Scope::All).unwrap();
    for other in [
        review("Another"),
        no_agents,
        no_prompts,
        of_info(info().description("with a description").unwrap()),
        of_info(info().expires_at(later)),
        of_info(access_keys::KeyInfo::new("Mobile", staging).unwrap()),
    ] {
        match block_on(req.generate(other)) {
            Err(Error::Invalid(invalid)) => {
                assert_eq!((invalid.field, invalid.rule), (Field::Operation, Rule::Repeated));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(works(&keys, &issued));
    assert_eq!(verified_replay(keys.store(), &checkout(), issued.key.id).len(), 1);
}

#[test]
fn an_edit_between_two_generates_does_not_make_the_review_another_one() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let lost = generate(&req, "Mobile");
    block_on(project.edit(lost.key.id, Edit::new().name("Renamed").unwrap())).unwrap();
    let found = generate(&req, "Mobile");
    assert_eq!((found.key.id, found.key.name.as_str()), (lost.key.id, "Renamed"));
    assert!(!works(&keys, &lost) && works(&keys, &found));
}

#[test]
fn a_generate_repeated_for_a_key_that_ended_meanwhile_is_refused() {
    let (keys, project, clock) = set_up();
    let revoked = project.operation(operation("req-7"));
    let issued = generate(&revoked, "Mobile");
    block_on(project.revoke(issued.key.id, "")).unwrap();
    assert_refused(block_on(revoked.generate(review("Mobile"))), KeyState::Revoked, Action::Created);

    let expired = project.operation(operation("req-8"));
    let info = access_keys::KeyInfo::new("Mobile", production()).unwrap();
    let info = info.expires_at(access_keys::Clock::wall(&clock) + HOUR);
    let short = project.draft().info(info).agents(Scope::All).prompts(Scope::All).unwrap();
    let id = block_on(expired.generate(short.clone())).unwrap().key.id;
    clock.advance(HOUR);
    assert_refused(block_on(expired.generate(short)), KeyState::Expired, Action::Created);
    verified_replays(keys.store(), &checkout());
    assert_ne!(id, issued.key.id);
}

#[test]
fn a_generate_repeated_after_a_plain_rotation_does_not_undo_the_rotation() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let lost = generate(&req, "Mobile");
    let rotated = block_on(project.rotate(lost.key.id, Duration::ZERO)).unwrap();
    assert_refused(block_on(req.generate(review("Mobile"))), KeyState::Active, Action::Created);
    assert!(works(&keys, &rotated));
}

#[test]
fn a_value_of_another_operation_is_not_replaced() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let id = generate(&req, "Mobile").key.id;
    let theirs = block_on(project.operation(operation("req-8")).rotate(id, Duration::ZERO)).unwrap();
    assert_refused(block_on(req.generate(review("Mobile"))), KeyState::Active, Action::Created);
    assert!(works(&keys, &theirs));
}

#[test]
fn a_rotation_repeated_replaces_the_newest_secret_and_keeps_the_grace_of_the_older_one() {
    let (keys, project, clock) = set_up();
    let first = generate(&project, "Mobile");
    let req = project.operation(operation("req-7"));
    let lost = block_on(req.rotate(first.key.id, HOUR)).unwrap();
    assert_eq!(lost.old_secret_ends_in(), Some(HOUR));
    clock.advance(HOUR / 4);
    let found = block_on(req.rotate(first.key.id, HOUR)).unwrap();
    assert_eq!(found.old_secret_ends_in(), Some(HOUR * 3 / 4), "the grace runs from the first rotation");
    assert!(works(&keys, &first) && !works(&keys, &lost) && works(&keys, &found));
    clock.advance(HOUR * 3 / 4 - Duration::from_micros(1));
    assert!(works(&keys, &first));
    clock.advance(Duration::from_micros(1));
    assert!(!works(&keys, &first) && works(&keys, &found));
    verified_replay(keys.store(), &checkout(), first.key.id);
}

#[test]
fn a_repeated_rotation_without_grace_also_tells_when_the_old_secret_ends() {
    let (keys, project, _) = set_up();
    let first = generate(&project, "Mobile");
    let req = project.operation(operation("req-7"));
    let lost = block_on(req.rotate(first.key.id, Duration::ZERO)).unwrap();
    let found = block_on(req.rotate(first.key.id, Duration::ZERO)).unwrap();
    assert_eq!(lost.old_secret_ends_in(), Some(lost.holds_everywhere_in()));
    assert_eq!(found.old_secret_ends_in(), Some(found.holds_everywhere_in()));
    assert!(!works(&keys, &first) && !works(&keys, &lost) && works(&keys, &found));
}

#[test]
fn a_rotation_repeated_after_its_value_was_used_or_replaced_is_refused() {
    let (keys, project, _) = set_up();
    let id = generate(&project, "Mobile").key.id;
    let req = project.operation(operation("req-7"));
    let used = block_on(req.rotate(id, HOUR)).unwrap();
    assert!(works(&keys, &used));
    assert_refused(block_on(req.rotate(id, HOUR)), KeyState::Active, Action::Rotated);
    assert!(works(&keys, &used));

    let other = project.operation(operation("req-8"));
    let lost = block_on(other.rotate(id, HOUR)).unwrap();
    let newest = block_on(project.rotate(id, HOUR)).unwrap();
    assert_refused(block_on(other.rotate(id, HOUR)), KeyState::Active, Action::Rotated);
    assert!(works(&keys, &lost) && works(&keys, &newest));

    let third = project.operation(operation("req-9"));
    let _lost = block_on(third.rotate(id, HOUR)).unwrap();
    block_on(project.revoke(id, "")).unwrap();
    assert_refused(block_on(third.rotate(id, HOUR)), KeyState::Revoked, Action::Rotated);
    verified_replay(keys.store(), &checkout(), id);
}

#[test]
fn sixty_four_generates_of_one_operation_at_once_end_with_one_key_and_one_usable_value() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let issued = at_once(64, || block_on(req.generate(review("Mobile"))));
    // Nobody used a value, so nobody is refused.
    let issued: Vec<Issued> = issued.into_iter().map(Result::unwrap).collect();
    let listed = block_on(project.list(KeyQuery::default())).unwrap().items;
    assert_eq!(listed.len(), 1);
    assert!(issued.iter().all(|issued| issued.key.id == listed[0].id));
    assert_eq!(issued.iter().filter(|issued| works(&keys, issued)).count(), 1);
    assert_eq!(verified_replay(keys.store(), &checkout(), listed[0].id).len(), 64);
}

#[test]
fn sixty_four_rotations_of_one_operation_at_once_keep_the_old_value_and_end_with_one_new_one() {
    let (keys, project, _) = set_up();
    let first = generate(&project, "Mobile");
    let req = project.operation(operation("req-7"));
    let issued = at_once(64, || block_on(req.rotate(first.key.id, HOUR)));
    let issued: Vec<Issued> = issued.into_iter().map(Result::unwrap).collect();
    assert_eq!(issued.iter().filter(|issued| works(&keys, issued)).count(), 1);
    assert!(works(&keys, &first), "its grace has not ended");
    assert_eq!(verified_replay(keys.store(), &checkout(), first.key.id).len(), 65);
}

#[test]
fn other_projects_and_other_operations_make_other_keys() {
    let (keys, project, _) = set_up();
    let warehouse =
        keys.project(ProjectId::new("warehouse").unwrap(), access_keys::Actor::user("bob").unwrap());
    let one = generate(&project.operation(operation("req-7")), "Mobile");
    let two = generate(&project.operation(operation("req-8")), "Mobile");
    let three = generate(&warehouse.operation(operation("req-7")), "Mobile");
    let ids = std::collections::BTreeSet::from([one.key.id, two.key.id, three.key.id]);
    assert_eq!(ids.len(), 3);
    assert!(works(&keys, &one) && works(&keys, &two) && works(&keys, &three));
}

#[test]
fn the_events_of_an_operation_carry_it_and_can_be_asked_for() {
    let (keys, project, _) = set_up();
    let req = project.operation(operation("req-7"));
    let id = generate(&req, "Mobile").key.id;
    block_on(req.edit(id, Edit::new().name("Renamed").unwrap())).unwrap();
    block_on(req.deactivate(id)).unwrap();
    block_on(project.activate(id)).unwrap();
    block_on(req.revoke(id, "over")).unwrap();
    let of = AuditQuery::default().operation(operation("req-7"));
    let events = block_on(project.history(of)).unwrap().items;
    let actions: Vec<Action> = events.iter().rev().map(|event| event.action).collect();
    assert_eq!(actions, [Action::Created, Action::Edited, Action::Deactivated, Action::Revoked]);
    assert!(events.iter().all(|event| event.operation == Some(operation("req-7"))));
    let stored = block_on(keys.store().get(id)).unwrap().unwrap();
    assert_eq!(stored.digests()[0].operation(), Some(&operation("req-7")));
    let all = block_on(project.history(AuditQuery::default())).unwrap().items;
    assert_eq!(all.iter().filter(|event| event.operation.is_none()).count(), 1);
}

#[test]
fn a_repeated_change_is_not_done_again_over_what_came_later() {
    let (keys, project, _) = set_up();
    let id = generate(&project, "Mobile").key.id;
    let req = project.operation(operation("req-7"));

    assert!(block_on(req.deactivate(id)).unwrap().is_new());
    block_on(project.activate(id)).unwrap();
    let repeated = block_on(req.deactivate(id)).unwrap();
    assert!(!repeated.is_new());
    assert_eq!(repeated.key().status, Status::Active, "the key as it is");

    assert!(block_on(req.edit(id, Edit::new().name("One").unwrap())).unwrap().is_new());
    block_on(project.edit(id, Edit::new().name("Two").unwrap())).unwrap();
    let repeated = block_on(req.edit(id, Edit::new().name("One").unwrap())).unwrap();
    assert!(!repeated.is_new());
    assert_eq!(repeated.key().name, "Two");

    block_on(project.deactivate(id)).unwrap();
    assert!(block_on(req.activate(id)).unwrap().is_new());
    block_on(project.deactivate(id)).unwrap();
    assert_eq!(block_on(req.activate(id)).unwrap().key().status, Status::Inactive);

    assert!(block_on(req.revoke(id, "over")).unwrap().is_new());
    let repeated = block_on(req.revoke(id, "over")).unwrap();
    assert!(!repeated.is_new());
    assert_eq!(repeated.key().status, Status::Revoked);
    verified_replay(keys.store(), &checkout(), id);
}

#[test]
fn another_operation_does_over_again_what_was_undone() {
    let (_, project, _) = set_up();
    let id = generate(&project, "Mobile").key.id;
    block_on(project.operation(operation("req-7")).deactivate(id)).unwrap();
    block_on(project.activate(id)).unwrap();
    let other = block_on(project.operation(operation("req-8")).deactivate(id)).unwrap();
    assert!(other.is_new() && other.key().status == Status::Inactive);
}

/// What each of `n` threads gets that all begin at the same moment.
fn at_once<T: Send>(n: usize, call: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(n);
    std::thread::scope(|scope| {
        let begin = || {
            barrier.wait();
            call()
        };
        let threads: Vec<_> = (0..n).map(|_| scope.spawn(begin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
