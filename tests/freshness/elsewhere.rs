//! What another node did: unseen at most until the lease ends, and seen from then on.

use std::time::Duration;

use access_keys::store::KeyStore;
use access_keys::{Clock, Denial, Edit, Grant, KeyId};

use crate::nodes::{HOUR, INSTANT, LEASE, Node, SECOND, World, agent, agents, name, run};
use crate::watched::Call;

pub(crate) const MICROSECOND: Duration = Duration::from_micros(1);

/// A change of a key, and what a verification says of its first token from then on.
pub(crate) type Change = (fn(&Node, KeyId, &World), &'static str);

pub(crate) const CHANGES: [Change; 6] = [
    (|node, id, _| drop(run(node.project.revoke(id, "")).unwrap()), "revoked"),
    (|node, id, _| drop(run(node.project.deactivate(id)).unwrap()), "inactive"),
    (
        |node, id, world| {
            let edit = Edit::new().expires_at(world.clock.wall() + MICROSECOND);
            drop(run(node.project.edit(id, edit)).unwrap());
        },
        "expired",
    ),
    (|node, id, _| drop(run(node.project.rotate(id, Duration::ZERO)).unwrap()), "unrecognized"),
    (
        |node, id, _| {
            // The second rotation ends the grace of the first.
            let _ = run(node.project.rotate(id, HOUR)).unwrap();
            let _ = run(node.project.rotate(id, HOUR)).unwrap();
        },
        "unrecognized",
    ),
    (
        |node, id, _| {
            // Revoked is seen as such, whatever came before it.
            run(node.project.deactivate(id)).unwrap();
            run(node.project.revoke(id, "")).unwrap();
        },
        "revoked",
    ),
];

#[test]
fn a_change_on_another_node_is_unseen_within_the_lease_and_seen_once_it_ends() {
    for (change, seen) in CHANGES {
        let world = World::new();
        let (one, other, issued, grant) = world.pair();
        change(&one, issued.key.id, &world);
        world.clock.advance(LEASE - INSTANT);
        world.store.made();
        assert_eq!(other.says(&issued), "good");
        assert_eq!(name(&other.recheck(&grant)), "good");
        assert_eq!(world.store.made(), []);
        world.clock.advance(INSTANT);
        assert_eq!(name(&other.recheck(&grant)), seen);
        assert_eq!(other.says(&issued), seen);
        assert_eq!(world.store.made(), [Call::Changes, Call::Get], "and then that is in the cache");
    }
}

#[test]
fn a_narrower_scope_on_another_node_holds_for_every_verification_after_the_lease() {
    let world = World::new();
    let (one, other, issued, old) = world.pair();
    let allows = |grant: &Grant| grant.allows_agent(&agent("support-bot"));
    assert!(allows(&old));
    run(one.project.edit(issued.key.id, Edit::new().agents(agents(&["billing"])))).unwrap();
    world.clock.advance(LEASE - INSTANT);
    assert!(allows(&other.verify(issued.token.expose()).unwrap()));
    world.clock.advance(INSTANT);
    let grant = other.verify(issued.token.expose()).unwrap();
    assert!(!allows(&grant) && grant.allows_agent(&agent("billing")));
    assert!(matches!(grant.require_agent(&agent("support-bot")), Err(Denial::AgentNotInScope { .. })));
    assert!(!allows(&other.recheck(&old).unwrap()));
}

#[test]
fn the_end_of_a_grace_that_is_known_holds_within_the_lease() {
    let world = World::new();
    let (one, other) = (world.node(), world.node());
    let issued = one.issue();
    let rotated = run(one.project.rotate(issued.key.id, SECOND)).unwrap();
    assert_eq!((other.says(&issued), other.says(&rotated)), ("good", "good"));
    world.store.made();
    world.clock.advance(SECOND - MICROSECOND);
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(MICROSECOND);
    assert_eq!((other.says(&issued), other.says(&rotated)), ("unrecognized", "good"));
    assert_eq!(world.store.made(), []);
}

#[test]
fn an_expiry_that_is_known_holds_within_the_lease() {
    let world = World::new();
    let (one, other) = (world.node(), world.node());
    let issued = one.issue();
    let edit = Edit::new().expires_at(world.clock.wall() + SECOND);
    run(one.project.edit(issued.key.id, edit)).unwrap();
    assert_eq!(other.says(&issued), "good");
    world.store.made();
    world.clock.advance(SECOND - MICROSECOND);
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(MICROSECOND);
    assert_eq!(other.says(&issued), "expired");
    assert_eq!(world.store.made(), []);
}

#[test]
fn a_hundred_thousand_hits_do_not_put_the_deadline_off() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    let step = INSTANT * 50_000;
    let steps_in_lease = LEASE.as_nanos() / step.as_nanos();
    for number in 0..100_000 {
        let expected = if number < steps_in_lease { "good" } else { "revoked" };
        let said = if number % 2 == 0 { other.says(&issued) } else { name(&other.recheck(&grant)) };
        assert_eq!(said, expected, "at {number} of {steps_in_lease}");
        world.clock.advance(step);
    }
}

#[test]
fn the_lease_begins_before_the_question_is_sent_and_not_when_its_answer_comes() {
    let world = World::new();
    let (one, other) = (world.node(), world.node());
    let issued = one.issue();
    let gate = world.store.hold(Call::Changes);
    let mut verifying = other.begin(&issued);
    verifying.waits();
    world.clock.advance(SECOND * 3);
    gate.open();
    let grant = verifying.ends().unwrap();
    assert_eq!(grant.good_until().remaining(&world.clock), SECOND);
    run(one.project.deactivate(issued.key.id)).unwrap();
    world.clock.advance(SECOND - INSTANT);
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(INSTANT);
    assert_eq!(other.says(&issued), "inactive");
}

#[test]
fn an_answer_that_took_longer_than_its_own_lease_gives_nothing_and_is_asked_for_once_more() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    for (late, said) in [(1, "good"), (2, "unavailable")] {
        world.clock.advance(LEASE);
        world.store.made();
        let mut verifying = other.begin(&issued);
        for _ in 0..late {
            let gate = world.store.hold(Call::Changes);
            verifying.waits();
            world.clock.advance(LEASE);
            gate.open();
        }
        assert_eq!(name(&verifying.ends()), said);
        assert_eq!(world.store.count(Call::Changes), 2);
    }
    assert_eq!(other.says(&issued), "good", "and it is back at once");
}

#[test]
fn a_change_that_the_store_had_not_yet_shown_when_it_was_asked_is_seen_one_lease_after_that() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    world.clock.advance(LEASE);
    // The answer is from before the change, and arrives after it.
    let gate = world.store.hold(Call::Changes);
    let mut verifying = other.begin(&issued);
    verifying.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    gate.open();
    assert_eq!(name(&verifying.ends()), "good", "it decides by what is known, within the lease");
    world.clock.advance(LEASE - INSTANT);
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(INSTANT);
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn what_a_node_saw_revoked_stays_so_even_if_the_store_loses_it() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let before = run(world.store.inner.get(issued.key.id)).unwrap();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    world.clock.advance(LEASE);
    assert_eq!(other.says(&issued), "revoked");
    world.store.answer_get(before);
    let second = one.issue();
    for _ in 0..3 {
        world.clock.advance(LEASE);
        world.store.forget_cursor();
        assert_eq!((other.says(&issued), one.says(&issued)), ("revoked", "revoked"));
        assert_eq!(other.says(&second), "good");
    }
    assert_eq!(world.node().says(&issued), "good", "a node that never saw it cannot know");
}
