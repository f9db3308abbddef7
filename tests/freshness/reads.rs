//! What a verification asks of the store, and which answers it believes.

use crate::nodes::{LEASE, Polled, World, name, run};
use crate::support::production;
use crate::watched::Call;

#[test]
fn a_warm_verification_asks_the_store_nothing() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.store.made();
    assert_eq!(node.says(&issued), "good");
    assert_eq!(world.store.made(), [Call::Get], "the generate has asked what has changed");
    let grant = node.verify(issued.token.expose()).unwrap();
    for _ in 0..1_000 {
        assert_eq!((node.says(&issued), name(&node.recheck(&grant))), ("good", "good"));
    }
    assert_eq!(world.store.made(), []);
}

#[test]
fn an_idle_node_asks_nothing_and_a_busy_one_asks_once_in_a_lease() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.clock.advance(LEASE);
    assert_eq!(node.says(&issued), "good", "the node hears of what it did itself");
    world.store.made();
    for _ in 0..10 {
        world.clock.advance(LEASE);
        assert_eq!(world.store.made(), []);
        for _ in 0..10 {
            assert_eq!(node.says(&issued), "good");
        }
        assert_eq!(world.store.made(), [Call::Changes], "and the key is not read again");
    }
}

#[test]
fn who_asks_after_a_change_does_not_join_a_read_from_before_it() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    let gate = world.store.hold(Call::Get);
    let mut before = node.begin(&issued);
    before.waits();
    run(node.project.deactivate(issued.key.id)).unwrap();
    assert_eq!(node.says(&issued), "inactive");
    // Nor does the one who asked before believe it, or leave what it read to others.
    gate.open();
    assert_eq!(name(&before.ends()), "inactive");
    assert_eq!(node.says(&issued), "inactive");
}

#[test]
fn a_read_from_before_a_refresh_is_believed_by_nobody_once_its_key_was_named() {
    // By its id, and by an answer that names everything.
    for forgets in [false, true] {
        let world = World::new();
        let (one, other) = (world.node(), world.node());
        let [issued, second] = [one.issue(), one.issue()];
        assert_eq!(other.says(&second), "good");
        let gate = world.store.hold(Call::Get);
        let mut before = other.begin(&issued);
        let mut joined = other.begin(&issued);
        before.waits();
        joined.waits();
        run(one.project.deactivate(issued.key.id)).unwrap();
        if forgets {
            world.store.forget_cursor();
        }
        world.clock.advance(LEASE);
        assert_eq!(other.says(&second), "good", "a refresh names the key that is being read");
        gate.open();
        assert_eq!((name(&before.ends()), name(&joined.ends())), ("inactive", "inactive"));
        assert_eq!((other.stats().fenced_fills, other.says(&issued)), (1, "inactive"));
    }
}

#[test]
fn nothing_that_was_known_is_believed_once_everything_may_have_changed() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    let (second, unknown) = (one.issue(), World::new().node().issue());
    assert_eq!((other.says(&second), other.says(&unknown)), ("good", "unrecognized"));
    run(one.project.revoke(issued.key.id, "")).unwrap();
    world.clock.advance(LEASE);
    world.store.forget_cursor();
    world.store.made();
    assert_eq!((name(&other.recheck(&grant)), other.says(&issued)), ("revoked", "revoked"));
    assert_eq!((other.says(&second), other.says(&unknown)), ("good", "unrecognized"));
    assert_eq!(world.store.made(), [Call::Changes, Call::Get, Call::Get, Call::Get]);
    // The next cursor is recognised again.
    world.clock.advance(LEASE);
    assert_eq!((other.says(&second), other.says(&unknown)), ("good", "unrecognized"));
    assert_eq!(world.store.made(), [Call::Changes]);
}

#[test]
fn a_read_that_takes_longer_than_the_lease_decides_nothing() {
    let world = World::new();
    let (one, other) = (world.node(), world.node());
    let [issued, second] = [one.issue(), one.issue()];
    assert_eq!(other.says(&second), "good");
    let gate = world.store.hold(Call::Get);
    let mut slow = other.begin(&issued);
    slow.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    world.clock.advance(LEASE);
    gate.open();
    assert_eq!(name(&slow.ends()), "revoked");
}

#[test]
fn a_key_that_changes_whenever_it_is_read_is_unavailable_after_three_reads() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.store.made();
    let mut verifying = node.begin(&issued);
    for round in 0..3 {
        let gate = world.store.hold(Call::Get);
        assert!(round == 0 || verifying.is_woken());
        verifying.waits();
        assert_eq!(world.store.count(Call::Get), round * 2 + 1);
        let change = if round % 2 == 0 {
            run(node.project.deactivate(issued.key.id))
        } else {
            run(node.project.activate(issued.key.id))
        };
        assert!(change.unwrap().is_new());
        gate.open();
    }
    assert_eq!(name(&verifying.ends()), "unavailable");
    assert_eq!(node.stats().fenced_fills, 3);
    let cached = node.keys.verifier().verify_cached(issued.token.expose(), &production());
    assert!(cached.is_none(), "what nobody may use is not kept: {cached:?}");
    assert_eq!(node.says(&issued), "inactive");
}

#[test]
fn one_read_more_than_is_allowed_is_unavailable_and_works_again_when_one_has_ended() {
    for (is_cancelled, fails) in [(false, false), (true, false), (false, true)] {
        let world = World::new();
        let node = world.node_with(|builder| builder.concurrent_reads(2));
        let keys = node.issue_many(4);
        let gates = [world.store.hold(Call::Get), world.store.hold(Call::Get)];
        let mut reading: Vec<_> = keys[..2].iter().map(|issued| node.begin(issued)).collect();
        reading.iter_mut().for_each(Polled::waits);
        let mut joined = node.begin(&keys[0]);
        joined.waits();
        world.store.made();
        assert_eq!(node.says(&keys[2]), "unavailable");
        assert_eq!(world.store.made(), [], "nor was it asked for");
        if is_cancelled {
            reading.remove(0);
        } else {
            gates[0].open();
            assert!(reading.remove(0).ends().is_ok());
        }
        if fails {
            world.store.next(Call::Get, crate::watched::Fate::Fails);
            assert_eq!(node.says(&keys[2]), "unavailable");
        }
        assert_eq!((node.says(&keys[2]), node.says(&keys[3])), ("good", "good"));
        assert!(joined.ends().is_ok());
        gates[1].open();
        assert!(reading.remove(0).ends().is_ok());
    }
}

#[test]
fn reads_that_nobody_can_use_count_as_well_until_they_end() {
    let world = World::new();
    let node = world.node_with(|builder| builder.concurrent_reads(1));
    let keys = node.issue_many(2);
    let gate = world.store.hold(Call::Get);
    let mut fenced = node.begin(&keys[0]);
    fenced.waits();
    // It joins no read from before the change, and there is no room for another.
    run(node.project.deactivate(keys[0].key.id)).unwrap();
    assert_eq!((node.says(&keys[0]), node.says(&keys[1])), ("unavailable", "unavailable"));
    gate.open();
    assert_eq!(name(&fenced.ends()), "inactive");
    assert_eq!((node.says(&keys[0]), node.says(&keys[1])), ("inactive", "good"));
}

#[test]
fn keys_that_are_known_are_good_while_as_many_reads_are_under_way_as_may_be() {
    let world = World::new();
    let keys = world.node().issue_many(3);
    let node = world.node_with(|builder| builder.concurrent_reads(1));
    assert_eq!(node.says(&keys[0]), "good");
    let gate = world.store.hold(Call::Get);
    let mut reading = node.begin(&keys[1]);
    reading.waits();
    for _ in 0..10 {
        assert_eq!((node.says(&keys[0]), node.says(&keys[2])), ("good", "unavailable"));
    }
    // Also once their lease is over: what has changed is no read of a key.
    world.clock.advance(LEASE);
    assert_eq!((node.says(&keys[0]), node.says(&keys[2])), ("good", "unavailable"));
    gate.open();
    assert_eq!(name(&reading.ends()), "good");
    assert_eq!(node.says(&keys[2]), "good");
}
