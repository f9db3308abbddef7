//! A store that does not answer: what is known is used until its deadline, and then nothing is accepted.

use std::time::Duration;

use access_keys::Denial;

use crate::nodes::{INSTANT, LEASE, Polled, SECOND, World, name, run};
use crate::support::production;
use crate::watched::Call;

#[test]
fn without_an_answer_keys_are_good_until_the_deadline_then_unavailable_and_back_at_once() {
    for fail in [&[Call::Changes][..], &[Call::Changes, Call::Get]] {
        let world = World::new();
        let (_, other, issued, grant) = world.pair();
        world.store.fail(fail);
        for _ in 0..8 {
            assert_eq!((other.says(&issued), name(&other.recheck(&grant))), ("good", "good"));
            world.clock.advance(LEASE / 8 - INSTANT);
        }
        world.clock.advance(INSTANT * 7);
        assert_eq!(other.says(&issued), "good");
        world.clock.advance(INSTANT);
        for _ in 0..10 {
            assert_eq!((other.says(&issued), name(&other.recheck(&grant))), ("unavailable", "unavailable"));
            assert!(!other.knows(&issued));
            world.clock.advance(SECOND * 60);
        }
        world.store.heal();
        assert_eq!((other.says(&issued), name(&other.recheck(&grant))), ("good", "good"));
    }
}

#[test]
fn while_the_feed_fails_no_denial_blames_the_key() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let [paused, retired] = [one.issue(), one.issue()];
    run(one.project.deactivate(paused.key.id)).unwrap();
    let _ = run(one.project.rotate(retired.key.id, Duration::ZERO)).unwrap();
    let unknown = World::new().node().issue();
    for (issued, said) in
        [(&issued, "good"), (&paused, "inactive"), (&retired, "unrecognized"), (&unknown, "unrecognized")]
    {
        assert_eq!(other.says(issued), said);
    }
    world.store.fail(&[Call::Changes]);
    world.clock.advance(LEASE);
    for issued in [&issued, &paused, &retired, &unknown] {
        assert_eq!(other.says(issued), "unavailable");
    }
    assert!(matches!(run(other.keys.verify("acme_", &production())), Err(Denial::Malformed { .. })));
}

#[test]
fn a_node_that_never_had_an_answer_accepts_nothing() {
    let world = World::new();
    let issued = world.node().issue();
    let node = world.node();
    world.store.fail(&[Call::Changes]);
    world.store.made();
    assert_eq!(node.says(&issued), "unavailable");
    assert_eq!(world.store.made(), [Call::Changes], "what is read could not be used");
    world.store.heal();
    assert_eq!(node.says(&issued), "good");
}

#[test]
fn a_refresh_that_failed_ahead_of_the_deadline_takes_nothing_away() {
    let world = World::new();
    let (_, other, issued, grant) = world.pair();
    // A stream that was woken looks ahead, whatever comes of it.
    let verifier = other.keys.verifier();
    let mut ended = Polled::new(verifier.ended(&grant, |_| std::future::pending::<()>()));
    ended.waits();
    let _ = world.node().issue();
    world.store.fail(&[Call::Changes]);
    world.clock.advance(LEASE - INSTANT);
    world.store.made();
    assert!(ended.is_woken());
    ended.waits();
    assert_eq!(world.store.made(), [Call::Changes]);
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(INSTANT);
    assert_eq!(other.says(&issued), "unavailable");
}

#[test]
fn a_key_that_cannot_be_read_is_unavailable_and_the_ones_that_are_known_stay_good() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let second = one.issue();
    world.store.fail(&[Call::Get]);
    for _ in 0..3 {
        assert_eq!((other.says(&issued), other.says(&second)), ("good", "unavailable"));
        world.clock.advance(LEASE);
    }
    world.store.heal();
    assert_eq!(other.says(&second), "good", "a failed read is not remembered");
}

#[test]
fn after_an_outage_nothing_from_before_it_is_believed_that_changed_meanwhile() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    world.store.fail(&[Call::Changes]);
    world.clock.advance(LEASE);
    assert_eq!(other.says(&issued), "unavailable");
    world.store.heal();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert_eq!((name(&other.recheck(&grant)), other.says(&issued)), ("revoked", "revoked"));
}

#[test]
fn where_every_verification_reads_a_feed_that_fails_is_noticed_within_a_second() {
    let world = World::new();
    world.set_limit(Duration::ZERO);
    let (_, other, issued, _) = world.pair();
    world.store.fail(&[Call::Changes]);
    world.clock.advance(SECOND);
    assert_eq!(other.says(&issued), "good");
    // Others may follow a limit by now that this node knows nothing of.
    world.clock.advance(INSTANT);
    assert_eq!(other.says(&issued), "unavailable");
    world.store.heal();
    assert_eq!(other.says(&issued), "good");
}
