//! What this node did: seen by its very next verification, however the call ended.

use std::time::Duration;

use access_keys::{Clock, Edit, Error, KeyId};

use crate::nodes::{HOUR, Node, Polled, SECOND, World, agent, agents, name, run};
use crate::support::{operation, review};
use crate::watched::{Call, Fate, Gate};

/// A call about a key, in a form that can be polled and dropped.
type Act = for<'a> fn(&'a Node, KeyId, &World) -> Polled<'a, Result<(), Error>>;

fn revoke<'a>(node: &'a Node, id: KeyId, _: &World) -> Polled<'a, Result<(), Error>> {
    Polled::new(async move { node.project.revoke(id, "").await.map(drop) })
}

fn deactivate<'a>(node: &'a Node, id: KeyId, _: &World) -> Polled<'a, Result<(), Error>> {
    Polled::new(async move { node.project.deactivate(id).await.map(drop) })
}

fn expire<'a>(node: &'a Node, id: KeyId, world: &World) -> Polled<'a, Result<(), Error>> {
    let edit = Edit::new().expires_at(world.clock.wall() + HOUR);
    Polled::new(async move { node.project.edit(id, edit).await.map(drop) })
}

fn narrow<'a>(node: &'a Node, id: KeyId, _: &World) -> Polled<'a, Result<(), Error>> {
    Polled::new(async move { node.project.edit(id, Edit::new().agents(agents(&["a"]))).await.map(drop) })
}

fn rotate<'a>(node: &'a Node, id: KeyId, _: &World) -> Polled<'a, Result<(), Error>> {
    Polled::new(async move { node.project.rotate(id, Duration::ZERO).await.map(drop) })
}

fn rotate_in_operation<'a>(node: &'a Node, id: KeyId, _: &World) -> Polled<'a, Result<(), Error>> {
    let request = node.project.operation(operation("req-7"));
    Polled::new(async move { request.rotate(id, Duration::ZERO).await.map(drop) })
}

const ACTS: [(Act, &str); 6] = [
    (revoke, "revoked"),
    (deactivate, "inactive"),
    (expire, "ends in an hour"),
    (narrow, "narrow"),
    (rotate, "unrecognized"),
    (rotate_in_operation, "unrecognized"),
];

/// What is known of a first token: `good` only for all agents and without an end.
#[track_caller]
fn seen(node: &Node, token: &str, world: &World) -> &'static str {
    let grant = match node.verify(token) {
        Ok(grant) => grant,
        Err(denial) => return denial.as_str(),
    };
    if !grant.allows_agent(&agent("b")) {
        return "narrow";
    }
    match grant.key().expires_at {
        Some(end) if end == world.clock.wall() + HOUR => "ends in an hour",
        _ => "good",
    }
}

#[test]
fn a_change_is_seen_by_the_very_next_verification_through_every_handle() {
    for (act, after) in ACTS {
        let world = World::new();
        let node = world.node();
        let issued = node.issue();
        let token = issued.token.expose();
        let clone = Node { keys: node.keys.clone(), project: node.project.clone() };
        let grant = clone.verify(token).unwrap();
        assert_eq!(seen(&node, token, &world), "good");
        act(&node, issued.key.id, &world).run().unwrap();
        assert_eq!((seen(&clone, token, &world), seen(&node, token, &world)), (after, after));
        let (rechecked, again) = (clone.recheck(&grant), clone.verify(token));
        assert_eq!(name(&rechecked), name(&again));
        if let (Ok(rechecked), Ok(again)) = (&rechecked, &again) {
            assert_eq!(rechecked.key(), again.key());
        }
    }
}

#[test]
fn a_call_that_wrote_nothing_relies_on_what_is_stored_and_is_seen_too() {
    for (act, after) in ACTS.into_iter().take(4) {
        let world = World::new();
        let (one, other) = (world.node(), world.node());
        let issued = one.issue();
        assert_eq!(seen(&other, issued.token.expose(), &world), "good");
        act(&one, issued.key.id, &world).run().unwrap();
        assert_eq!(seen(&other, issued.token.expose(), &world), "good", "within the lease");
        world.store.made();
        act(&other, issued.key.id, &world).run().unwrap();
        assert_eq!(world.store.count(Call::Update), 0, "{after}: it was as asked already");
        assert_eq!(seen(&other, issued.token.expose(), &world), after);
    }
}

#[test]
fn a_call_that_was_refused_has_read_the_key_and_what_it_read_is_seen() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert_eq!(other.says(&issued), "good", "within the lease");
    assert!(matches!(run(other.project.activate(issued.key.id)), Err(Error::Refused { .. })));
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn a_change_whose_outcome_stays_unknown_is_seen_if_it_was_done() {
    for (act, after) in ACTS {
        let world = World::new();
        let node = world.node();
        let issued = node.issue();
        assert_eq!(seen(&node, issued.token.expose(), &world), "good");
        // It is done, and the next try cannot tell.
        world.store.next(Call::Update, Fate::DoneUnknown);
        world.store.next(Call::Update, Fate::Fails);
        let told = act(&node, issued.key.id, &world).run();
        assert!(matches!(told, Err(Error::Store(_))), "{told:?}");
        assert_eq!(seen(&node, issued.token.expose(), &world), after);
    }
}

#[test]
fn a_change_that_was_cancelled_is_seen_if_it_was_done() {
    for (act, after) in ACTS {
        // Cancelled before the store has answered, and before the announcement could be read.
        for hanging in [Call::Update, Call::Changes] {
            let world = World::new();
            let node = world.node();
            let issued = node.issue();
            assert_eq!(seen(&node, issued.token.expose(), &world), "good");
            world.store.next(hanging, Fate::DoneHangs);
            let mut acting = act(&node, issued.key.id, &world);
            acting.waits();
            assert_eq!(world.store.count(Call::Update), 1, "it got as far as that");
            drop(acting);
            assert_eq!(seen(&node, issued.token.expose(), &world), after);
        }
    }
}

#[test]
fn what_was_read_between_a_commit_and_its_acknowledgement_shows_it() {
    for (act, after) in ACTS {
        let world = World::new();
        let node = world.node();
        let issued = node.issue();
        let gate = world.store.hold(Call::Update);
        let mut acting = act(&node, issued.key.id, &world);
        acting.waits();
        assert_eq!(seen(&node, issued.token.expose(), &world), after);
        gate.open();
        acting.ends().unwrap();
        assert_eq!(seen(&node, issued.token.expose(), &world), after);
    }
}

#[test]
fn what_was_read_before_a_commit_is_not_left_to_who_asks_after_its_acknowledgement() {
    for (act, after) in ACTS {
        let world = World::new();
        let node = world.node();
        let issued = node.issue();
        let commit = Gate::default();
        world.store.next(Call::Update, Fate::Waits(commit.clone()));
        let mut acting = act(&node, issued.key.id, &world);
        acting.waits();
        // Cached anew while the call is under way, which the call has to drop at its end.
        assert_eq!(seen(&node, issued.token.expose(), &world), "good");
        commit.open();
        acting.ends().unwrap();
        assert_eq!(seen(&node, issued.token.expose(), &world), after);
    }
}

#[test]
fn what_widens_a_key_is_seen_at_once_too() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    run(node.project.deactivate(issued.key.id)).unwrap();
    assert_eq!(node.says(&issued), "inactive");
    run(node.project.activate(issued.key.id)).unwrap();
    assert_eq!(node.says(&issued), "good");
    let rotated = run(node.project.rotate(issued.key.id, SECOND)).unwrap();
    assert_eq!((node.says(&issued), node.says(&rotated)), ("good", "good"));
    let edit = |edit: Edit| drop(run(node.project.edit(issued.key.id, edit)).unwrap());
    edit(Edit::new().expires_at(world.clock.wall() + SECOND));
    world.clock.advance(SECOND);
    assert_eq!(node.says(&rotated), "expired");
    edit(Edit::new().never_expires());
    assert_eq!(node.says(&rotated), "good");
}

#[test]
fn a_value_that_an_operation_replaced_is_refused_at_once() {
    let world = World::new();
    let node = world.node();
    let request = node.project.operation(operation("req-7"));
    let lost = run(request.generate(review("Mobile"))).unwrap();
    let found = run(request.generate(review("Mobile"))).unwrap();
    assert_eq!((node.says(&found), node.says(&lost)), ("good", "unrecognized"));
    let request = node.project.operation(operation("req-8"));
    let lost = run(request.rotate(found.key.id, HOUR)).unwrap();
    // The key is in the cache with the value that is about to be replaced.
    assert_eq!(node.says(&found), "good");
    let newest = run(request.rotate(found.key.id, HOUR)).unwrap();
    assert_eq!([&found, &lost, &newest].map(|issued| node.says(issued)), ["good", "unrecognized", "good"]);
}
