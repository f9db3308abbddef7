//! The limit of a node's own, the one of all nodes, and zero.

use std::time::Duration;

use access_keys::domain::Field;
use access_keys::store::{Changes, KeyStore, StoreError};
use access_keys::{AccessKeys, Clock, Error, Invalid};

use crate::nodes::{HOUR, INSTANT, LEASE, Node, SECOND, World, millis, name, run, set_wall};
use crate::watched::Call;

fn node_with_limit(world: &World, own: Duration) -> Node {
    world.node_with(|builder| builder.max_staleness(own))
}

/// A node that has just heard of the limit uses what it knows for so long, and no longer.
#[track_caller]
fn assert_lease(world: &World, node: &Node, lease: Duration) {
    let issued = node.issue();
    // Whatever it knew before is over.
    world.clock.advance(SECOND * 60);
    assert_eq!(node.says(&issued), "good");
    world.store.fail(&[Call::Changes]);
    world.clock.advance(lease - INSTANT);
    assert_eq!(node.says(&issued), "good");
    world.clock.advance(INSTANT);
    assert_eq!(node.says(&issued), "unavailable");
    world.store.heal();
}

#[test]
fn the_lease_is_four_fifths_of_the_shared_limit() {
    let world = World::new();
    let node = world.node();
    assert_lease(&world, &node, LEASE);
    for limit in [millis(100), SECOND, SECOND * 60, Duration::from_micros(123_457), SECOND * 5] {
        world.set_limit(limit);
        assert_lease(&world, &node, limit / 5 * 4);
    }
}

#[test]
fn a_limit_of_a_nodes_own_counts_where_it_is_lower_than_the_shared_one() {
    let world = World::new();
    for (own, limit) in [
        (millis(10), millis(10)),
        (SECOND, SECOND),
        (SECOND * 5, SECOND * 5),
        (SECOND * 6, SECOND * 5),
        (SECOND * 60, SECOND * 5),
    ] {
        assert_lease(&world, &node_with_limit(&world, own), limit / 5 * 4);
    }
    // And goes on counting whatever the shared one becomes.
    let node = node_with_limit(&world, SECOND * 2);
    for (shared, limit) in [(SECOND, SECOND), (SECOND * 30, SECOND * 2)] {
        world.set_limit(shared);
        assert_lease(&world, &node, limit / 5 * 4);
    }
}

#[test]
fn a_limit_of_a_nodes_own_over_a_minute_is_invalid() {
    let build = |own| {
        let builder = AccessKeys::builder(World::new().store).prefix("acme").max_staleness(own);
        builder.build().map(drop)
    };
    build(SECOND * 60).unwrap();
    match build(SECOND * 60 + INSTANT) {
        Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, Field::MaxStaleness),
        other => panic!("{other:?}"),
    }
}

/// Nodes of which every verification reads the store.
fn at_zero() -> Vec<(World, Node)> {
    let own = [Duration::ZERO, millis(1), millis(10) - INSTANT].map(|own| {
        let world = World::new();
        let node = node_with_limit(&world, own);
        (world, node)
    });
    let world = World::new();
    world.set_limit(Duration::ZERO);
    let node = world.node();
    own.into_iter().chain([(world, node)]).collect()
}

#[test]
fn at_zero_every_verification_reads_the_store_and_nothing_is_cached() {
    for (world, node) in at_zero() {
        let issued = node.issue();
        let unknown = World::new().node().issue();
        world.store.made();
        let grant = node.verify(issued.token.expose()).unwrap();
        assert_eq!(world.store.made(), [Call::Get]);
        assert_eq!(grant.good_until().remaining(&world.clock), Duration::ZERO);
        for _ in 0..10 {
            assert_eq!((node.says(&issued), name(&node.recheck(&grant))), ("good", "good"));
            assert_eq!((node.says(&unknown), world.store.made()), ("unrecognized", vec![Call::Get; 3]));
        }
        assert!(!node.knows(&issued) && !node.knows(&unknown));
        assert_eq!((node.stats().keys, node.stats().bytes, node.stats().hits), (0, 0, 0));
    }
}

#[test]
fn at_zero_the_feed_is_asked_at_most_once_a_second() {
    for (world, node) in at_zero() {
        let issued = node.issue();
        world.clock.advance(SECOND * 2);
        assert_eq!(node.says(&issued), "good");
        world.store.made();
        for _ in 0..1_000 {
            world.clock.advance(millis(10));
            assert_eq!(node.says(&issued), "good");
        }
        let asked = world.store.count(Call::Changes);
        assert!((9..=10).contains(&asked), "{asked} times in ten seconds");
        assert_eq!(world.store.count(Call::Get), 1_000);
    }
}

#[test]
fn at_zero_the_feed_is_asked_as_soon_as_the_clock_of_the_store_is_not_known_any_more() {
    for own in [None, Some(Duration::ZERO)] {
        let world = World::with_store_clock();
        let node = match own {
            Some(own) => node_with_limit(&world, own),
            None => world.node(),
        };
        if own.is_none() {
            world.set_limit(Duration::ZERO);
            world.clock.advance(LEASE);
        }
        let issued = node.issue();
        assert_eq!(node.says(&issued), "good");
        world.store.made();
        set_wall(&world.clock, 3_600_000);
        assert_eq!((node.says(&issued), world.store.made()), ("good", vec![Call::Changes, Call::Get]));
        assert_eq!((node.says(&issued), world.store.made()), ("good", vec![Call::Get]));
    }
}

#[test]
fn where_only_a_nodes_own_limit_is_zero_the_feed_is_asked_twice_in_a_shared_lease() {
    let world = World::new();
    world.set_limit(SECOND);
    let node = node_with_limit(&world, Duration::ZERO);
    let issued = node.issue();
    world.store.made();
    for _ in 0..800 {
        world.clock.advance(millis(10));
        assert_eq!(node.says(&issued), "good");
    }
    let asked = world.store.count(Call::Changes);
    assert!((18..=20).contains(&asked), "{asked} times in ten leases");
}

#[test]
fn at_zero_a_change_elsewhere_is_seen_by_every_verification_that_begins_after_it() {
    for (world, node) in at_zero() {
        let other = world.node();
        let issued = other.issue();
        assert_eq!(node.says(&issued), "good");
        run(other.project.deactivate(issued.key.id)).unwrap();
        assert_eq!(node.says(&issued), "inactive");
        // Nobody joins a read that began before.
        run(other.project.activate(issued.key.id)).unwrap();
        let gate = world.store.hold(Call::Get);
        let mut before = node.begin(&issued);
        before.waits();
        run(other.project.deactivate(issued.key.id)).unwrap();
        assert_eq!(node.says(&issued), "inactive");
        gate.open();
        assert_eq!(name(&before.ends()), "good", "it began before");
        assert_eq!(node.says(&issued), "inactive");
    }
}

#[test]
fn where_only_a_nodes_own_limit_is_zero_a_read_decides_nothing_once_the_shared_lease_is_over() {
    let world = World::new();
    let (one, node) = (world.node(), node_with_limit(&world, Duration::ZERO));
    let issued = one.issue();
    for (took, said) in [(LEASE - INSTANT, "good"), (LEASE, "inactive")] {
        run(one.project.activate(issued.key.id)).unwrap();
        assert_eq!(node.says(&issued), "good");
        let gate = world.store.hold(Call::Get);
        let mut slow = node.begin(&issued);
        slow.waits();
        run(one.project.deactivate(issued.key.id)).unwrap();
        world.clock.advance(took);
        gate.open();
        assert_eq!(name(&slow.ends()), said, "after {took:?}");
    }
}

#[test]
fn where_only_a_nodes_own_limit_is_zero_no_read_rests_on_a_shared_limit_longer_than_a_lease_after_it_was_asked_for()
 {
    // A lease of 48 seconds, of which the answer takes 40.
    for (opened, said) in
        [(SECOND * 48 - INSTANT, "good"), (SECOND * 48, "inactive"), (SECOND * 71, "inactive")]
    {
        let world = World::with_store_clock();
        world.set_limit(SECOND * 60);
        let (one, node) = (world.node(), node_with_limit(&world, Duration::ZERO));
        let issued = one.issue();
        let asked = world.clock.boot();
        let gate = world.store.hold(Call::Changes);
        let mut slow = node.begin(&issued);
        slow.waits();
        // What the node hears is no longer so, and will have drained after 66 seconds.
        world.set_limit(millis(100));
        world.clock.advance(SECOND * 40);
        gate.open();
        let gate = world.store.hold(Call::Get);
        slow.waits();
        let until = asked + opened;
        world.clock.advance(until - world.clock.boot() - millis(100));
        let change = run(one.project.deactivate(issued.key.id)).unwrap();
        let holds_in = change.holds_everywhere_in();
        assert_eq!(holds_in, (asked + SECOND * 66).saturating_sub(world.clock.boot()).max(millis(100)));
        world.clock.advance(millis(100));
        gate.open();
        assert_eq!(name(&slow.ends()), said, "{opened:?} after the question");
    }
}

#[test]
fn ten_milliseconds_are_a_limit_and_anything_less_is_zero() {
    let world = World::new();
    let node = node_with_limit(&world, millis(10));
    let issued = node.issue();
    assert_eq!(node.says(&issued), "good");
    world.store.made();
    world.clock.advance(millis(8) - INSTANT);
    assert_eq!((node.says(&issued), world.store.made()), ("good", vec![]));
    world.clock.advance(INSTANT);
    assert_eq!((node.says(&issued), world.store.made()[0]), ("good", Call::Changes));
    let node = node_with_limit(&world, millis(10) - INSTANT);
    assert_eq!((node.says(&issued), node.knows(&issued)), ("good", false));
}

#[test]
fn a_node_follows_the_shared_limit_to_zero_and_back() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    world.set_limit(Duration::ZERO);
    assert!(other.knows(&issued), "until it hears of it, at the end of its lease");
    world.clock.advance(LEASE);
    for _ in 0..2 {
        assert_eq!((other.says(&issued), other.knows(&issued)), ("good", false));
    }
    world.set_limit(SECOND);
    world.clock.advance(SECOND + INSTANT);
    assert_eq!((other.says(&issued), other.knows(&issued)), ("good", true));
    world.clock.advance(millis(800));
    assert!(!other.knows(&issued));
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn an_invalid_shared_limit_is_refused_and_changes_nothing() {
    let world = World::new();
    let limit = || match run(world.store.inner.changes(None)).unwrap() {
        Changes::Everything { state, .. } => (state.limit, state.drained_in),
        other => panic!("{other:?}"),
    };
    let before = limit();
    assert_eq!(before, (SECOND * 5, Duration::ZERO));
    for invalid in [INSTANT, millis(10), millis(100) - INSTANT, SECOND * 60 + INSTANT, HOUR, Duration::MAX] {
        match run(world.store.inner.set_max_staleness(invalid)) {
            Err(StoreError::Backend { source }) => {
                let invalid = source.downcast_ref::<Invalid>().expect("what is wrong with it");
                assert_eq!(invalid.field, Field::MaxStaleness);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(limit(), before, "{invalid:?}");
    }
    for valid in [millis(100), SECOND * 60, Duration::ZERO] {
        world.set_limit(valid);
        assert_eq!(limit().0, valid);
    }
}
