//! All keys of a kind are revoked as one operation, whatever comes between.

mod setup;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use access_keys::domain::{Action, Field, Which};
use access_keys::lifecycle::RevokedAll;
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AgentId, AuditQuery, Edit, Error, FakeClock, KeyId, KeyInfo, KeyQuery, OperationId,
    ProjectId, ProjectKeys, PromptId, Scope, Status,
};
use pollster::block_on;
use setup::faulty::{Fault, FaultyStore, poll_at_most};
use setup::{SplitMix, agent, agents, anything, builder, checkout, env, production, prompt, prompts};

fn host() -> (AccessKeys<MemoryStore>, ProjectKeys<MemoryStore>) {
    let keys = builder(MemoryStore::new(), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    (keys, project)
}

fn operation(id: &str) -> OperationId {
    OperationId::new(id).unwrap()
}

fn generate<S: KeyStore>(project: &ProjectKeys<S>, count: usize) -> Vec<KeyId> {
    (0..count).map(|_| block_on(project.generate(anything())).unwrap().key.id).collect()
}

fn all<S: KeyStore>(project: &ProjectKeys<S>, which: Which) -> RevokedAll {
    block_on(project.revoke_all(which, "over").unwrap().finish()).unwrap()
}

/// The keys that are left.
fn left<S: KeyStore>(project: &ProjectKeys<S>) -> BTreeSet<KeyId> {
    let mut query = KeyQuery::default().limit(1_000);
    let mut left = BTreeSet::new();
    loop {
        let page = block_on(project.list(query.clone())).unwrap();
        left.extend(page.items.iter().filter(|key| key.status != Status::Revoked).map(|key| key.id));
        match page.next {
            Some(next) => query = query.after(next),
            None => return left,
        }
    }
}

/// The keys of the events of an operation, all of which must be revocations.
fn told<S: KeyStore>(project: &ProjectKeys<S>, operation: &OperationId) -> Vec<KeyId> {
    let query = AuditQuery::default().operation(operation.clone()).limit(1_000);
    let events = block_on(project.history(query)).unwrap().items;
    assert!(events.iter().all(|event| event.action == Action::Revoked));
    let mut keys: Vec<KeyId> = events.iter().map(|event| event.key).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn every_key_of_the_project_and_of_no_other_is_revoked_under_one_operation() {
    let (keys, project) = host();
    let other = keys.project(ProjectId::new("warehouse").unwrap(), Actor::user("bob").unwrap());
    let theirs = generate(&other, 2);
    let mut ours = generate(&project, 250);
    block_on(project.deactivate(ours[3])).unwrap();
    block_on(project.revoke(ours[7], "before")).unwrap();
    let done = all(&project, Which::every_key());
    assert_eq!((done.revoked, done.failed.len()), (249, 0));
    assert_eq!(done.holds_everywhere_in(), Duration::from_secs(5));
    assert!(left(&project).is_empty());
    assert_eq!(left(&other), theirs.into_iter().collect());
    assert!(done.operation.as_str().starts_with("revoke-all-"));
    ours.remove(7);
    ours.sort_unstable();
    assert_eq!(told(&project, &done.operation), ours);
}

#[test]
fn each_condition_means_the_keys_that_its_page_says() {
    let (keys, ada) = host();
    let bob = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("bob").unwrap());
    let make = |project: &ProjectKeys<_>, environment, reach: Scope<AgentId>, say: Scope<PromptId>| {
        let info = KeyInfo::new("x", env(environment)).unwrap();
        let draft = project.draft().info(info).agents(reach).prompts(say).unwrap();
        block_on(project.generate(draft)).unwrap().key
    };
    let made = [
        make(&ada, "production", Scope::All, Scope::All),
        make(&ada, "production", agents(&["a", "b"]), Scope::none()),
        make(&ada, "staging", agents(&["b"]), prompts(&["p"])),
        make(&bob, "staging", Scope::none(), Scope::All),
        make(&bob, "production", agents(&["a"]), prompts(&["p", "q"])),
    ];
    for (which, expected) in [
        (Which::every_key(), vec![0, 1, 2, 3, 4]),
        (Which::of_environment(env("staging")), vec![2, 3]),
        (Which::created_by(Actor::user("bob").unwrap()), vec![3, 4]),
        (Which::created_by(Actor::system("bob").unwrap()), vec![]),
        (Which::reaching_agent(agent("a")), vec![0, 1, 4]),
        (Which::naming_agent(agent("a")), vec![1, 4]),
        (Which::reaching_prompt(prompt("p")), vec![0, 2, 3, 4]),
        (Which::naming_prompt(prompt("p")), vec![2, 4]),
        (Which::naming_prompt(prompt("none")), vec![]),
        (Which::reaching_agent(agent("a")).and(Which::of_environment(production())), vec![0, 1, 4]),
        (Which::naming_agent(agent("a")).and(Which::naming_agent(agent("b"))), vec![1]),
        (Which::of_environment(production()).and(Which::of_environment(env("staging"))), vec![]),
        (Which::every_key().and(Which::of_environment(env("staging"))), vec![2, 3]),
    ] {
        // Every time over keys that are as they were made: the condition, and what is done by it.
        let meant = made.iter().enumerate().filter(|(_, key)| which.includes(key)).map(|(i, _)| i);
        assert_eq!(meant.collect::<Vec<_>>(), expected, "{which:?}");
        let (keys, project) = host();
        let again = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("bob").unwrap());
        let remade = made.each_ref().map(|key| {
            let by = if key.created_by.id() == "bob" { &again } else { &project };
            make(by, key.environment.as_str(), key.agents.clone(), key.prompts.clone()).id
        });
        let done = all(&project, which.clone());
        assert_eq!(done.revoked, expected.len(), "{which:?}");
        let left = left(&project);
        let gone = (0..remade.len()).filter(|i| !left.contains(&remade[*i]));
        assert_eq!(gone.collect::<Vec<_>>(), expected, "{which:?}");
    }
}

#[test]
fn a_creator_is_compared_as_a_whole_and_a_rotation_makes_nobody_one() {
    let (keys, project) = host();
    let made = generate(&project, 1)[0];
    let user = |name: &str| Actor::user(name).unwrap();
    let bob = keys.project(ProjectId::new("checkout").unwrap(), user("bob"));
    let drawn = block_on(bob.rotate(made, Duration::ZERO)).unwrap();
    for actor in [user("Ada"), user("adda"), Actor::system("ada").unwrap(), user("bob")] {
        let done = all(&project, Which::created_by(actor));
        assert_eq!((done.revoked, done.failed.len()), (0, 0));
    }
    assert!(block_on(keys.verify(drawn.token.expose(), &production())).is_ok());
    let rotated = AuditQuery::default().actor(user("bob")).action(Action::Rotated);
    let events = block_on(project.history(rotated)).unwrap().items;
    assert_eq!(events.iter().map(|event| event.key).collect::<Vec<_>>(), [made]);
    assert_eq!(all(&project, Which::created_by(user("ada"))).revoked, 1);
}

#[test]
fn keys_that_come_or_wake_or_change_between_two_steps_are_revoked_too() {
    let clock = FakeClock::default();
    let keys = builder(MemoryStore::new(), &clock).build().unwrap();
    let project = checkout(&keys);
    // The oldest of them, and so the last in the list.
    let before = generate(&project, 50);
    clock.advance(Duration::from_secs(1));
    generate(&project, 100);
    clock.advance(Duration::from_secs(1));
    block_on(project.deactivate(before[0])).unwrap();
    let mut revoking = project.revoke_all(Which::reaching_agent(agent("a")), "over").unwrap();
    let batch = block_on(revoking.next()).unwrap().unwrap();
    assert_eq!((batch.seen, batch.revoked.len(), revoking.revoked()), (100, 100, 100));
    // The newest come first: these stand before the place that was reached.
    let new = generate(&project, 2);
    block_on(project.activate(before[0])).unwrap();
    block_on(project.deactivate(before[1])).unwrap();
    let _ = block_on(project.rotate(before[2], Duration::from_secs(60))).unwrap();
    block_on(project.edit(before[3], Edit::new().name("Renamed").unwrap())).unwrap();
    let narrowed = block_on(project.edit(new[0], Edit::new().agents(agents(&["b"])))).unwrap();
    let operation = revoking.operation().clone();
    let done = block_on(revoking.finish()).unwrap();
    assert_eq!(done.revoked, 151);
    assert_eq!(left(&project), BTreeSet::from([narrowed.key().id]));
    assert_eq!(told(&project, &operation).len(), 151);
}

#[test]
fn a_key_that_is_generated_in_the_last_walk_is_left_to_a_repeat_as_the_page_says() {
    let (_, project) = host();
    let project = project.operation(operation("incident-1"));
    generate(&project.operation(operation("other")), 1);
    let mut revoking = project.revoke_all(Which::every_key(), "over").unwrap();
    assert_eq!(block_on(revoking.next()).unwrap().unwrap().revoked.len(), 1);
    assert_eq!(block_on(revoking.next()).unwrap().unwrap().revoked.len(), 0, "the last walk");
    let late = block_on(project.operation(operation("late")).generate(anything())).unwrap();
    assert!(block_on(revoking.next()).unwrap().is_none());
    assert_eq!(block_on(revoking.finish()).unwrap().revoked, 1);
    assert_eq!(left(&project), BTreeSet::from([late.key.id]));
    assert_eq!(all(&project, Which::every_key()).revoked, 1);
    assert_eq!(told(&project, &operation("incident-1")).len(), 2);
}

#[test]
fn a_repeat_goes_on_where_a_crash_ended_it_and_writes_nothing_twice() {
    for polls in [1, 2, 3, 5, 8, 13] {
        let store = FaultyStore::new();
        let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
        let project = checkout(&keys).operation(operation("incident-1"));
        let plain = checkout(&keys);
        let made = generate(&plain, 120);
        store.plan(|_| Fault::Yields);
        assert!(
            poll_at_most(polls, project.revoke_all(Which::every_key(), "over").unwrap().finish()).is_none()
        );
        store.heal();
        let done = all(&project, Which::every_key());
        assert!(left(&plain).is_empty() && done.failed.is_empty());
        assert_eq!(told(&plain, &operation("incident-1")).len(), made.len());
        assert_eq!(all(&project, Which::every_key()).revoked, 0);
    }
}

#[test]
fn a_key_that_cannot_be_revoked_is_told_of_and_stops_none_of_the_others() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let mut random = SplitMix(7);
    let made = generate(&project, 30);
    // About one call in five fails for a while, but not the first, which lists.
    store.plan(
        move |call| if call > 1 && call < 60 && random.below(5) == 0 { Fault::Fails } else { Fault::Works },
    );
    let mut revoking = project.revoke_all(Which::every_key(), "over").unwrap();
    let batch = block_on(revoking.next()).unwrap().unwrap();
    assert!(!batch.failed.is_empty() && !batch.revoked.is_empty());
    assert_eq!(batch.failed.len() + batch.revoked.len(), made.len());
    assert_eq!(left(&project), batch.failed.iter().copied().collect());
    store.heal();
    let done = block_on(revoking.finish()).unwrap();
    // The next walk tried them again.
    assert!(done.failed.is_empty() && done.revoked == made.len() && left(&project).is_empty());
}

#[test]
fn a_key_that_never_can_be_revoked_does_not_go_on_for_ever() {
    let store = Arc::new(setup::altered::Altered::default());
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let made = generate(&project, 3);
    let stuck = made[1];
    store.alter_get(move |stored| stored.filter(|stored| stored.key().id != stuck));
    let done = all(&project, Which::every_key());
    assert_eq!(done.revoked, 2);
    match &done.failed[..] {
        [(key, Error::NotFound { key: told })] => assert_eq!((*key, *told), (stuck, stuck)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_that_failed_and_was_revoked_by_another_since_has_not_failed() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    generate(&project, 3);
    let mut revoking = project.revoke_all(Which::every_key(), "over").unwrap();
    // The list, and what is done to the first key.
    store.plan(|call| if call <= 3 { Fault::Works } else { Fault::Fails });
    let batch = block_on(revoking.next()).unwrap().unwrap();
    assert_eq!((batch.revoked.len(), batch.failed.len()), (1, 2));
    store.heal();
    assert!(block_on(project.revoke(batch.failed[0], "by hand")).unwrap().is_new());
    let done = block_on(revoking.finish()).unwrap();
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    assert_eq!(done.revoked, 2);
}

#[test]
fn a_list_that_fails_is_an_error_after_which_it_goes_on() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    generate(&project, 150);
    let mut revoking = project.revoke_all(Which::every_key(), "over").unwrap();
    block_on(revoking.next()).unwrap();
    store.plan(|_| Fault::Fails);
    assert!(matches!(block_on(revoking.next()), Err(Error::Store(_))));
    store.heal();
    assert_eq!(block_on(revoking.finish()).unwrap().revoked, 150);
}

#[test]
fn how_long_it_takes_to_hold_is_asked_once_after_the_last_commit() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    generate(&project, 50);
    store.plan(|_| Fault::Works);
    let done = all(&project, Which::every_key());
    // Two lists, a read and a write for each key, and the question at the end.
    assert_eq!((done.revoked, store.calls()), (50, 2 + 2 * 50 + 1));
}

#[test]
fn a_reason_is_recorded_with_each_and_a_bad_one_revokes_nothing() {
    let (_, project) = host();
    generate(&project, 2);
    match project.revoke_all(Which::every_key(), "\u{7}") {
        Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, Field::Reason),
        other => panic!("{other:?}"),
    }
    all(&project, Which::every_key()).failed.clear();
    let events = block_on(project.history(AuditQuery::default().action(Action::Revoked))).unwrap().items;
    assert!(events.len() == 2 && events.iter().all(|event| event.reason.as_deref() == Some("over")));
}

#[test]
fn every_key_is_refused_on_this_node_once_it_returns() {
    let (keys, project) = host();
    let issued: Vec<_> = (0..3).map(|_| block_on(project.generate(anything())).unwrap()).collect();
    let tokens: Vec<&str> = issued.iter().map(|issued| issued.token.expose()).collect();
    let verifier = keys.verifier();
    assert!(block_on(verifier.verify_many(&tokens, &production())).iter().all(Result::is_ok));
    let _ = all(&project, Which::every_key());
    assert!(block_on(verifier.verify_many(&tokens, &production())).iter().all(Result::is_err));
}
