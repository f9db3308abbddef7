//! Ids that no key has, and keys that are made under them.

use access_keys::Issued;

use crate::nodes::{INSTANT, LEASE, Node, Polled, World, run};
use crate::support::{operation, review};
use crate::watched::Call;
use crate::watched::Fate::{DoneHangs, DoneUnknown, Fails};

/// A key whose id is derived from the operation.
fn generate(node: &Node) -> Issued {
    run(node.project.operation(operation("req-7")).generate(review("Mobile"))).unwrap()
}

/// A token with a wrong secret, of the key that [`generate`] will make.
fn early() -> Issued {
    generate(&World::new().node())
}

#[test]
fn an_unknown_id_is_remembered_as_absent() {
    let world = World::new();
    let (node, early) = (world.node(), early());
    assert_eq!(node.says(&early), "unrecognized");
    assert_eq!(world.store.made(), [Call::Changes, Call::Get]);
    for _ in 0..100 {
        assert_eq!(node.says(&early), "unrecognized");
        assert!(node.knows(&early));
    }
    assert_eq!(world.store.made(), []);
    assert_eq!(node.stats().keys, 0, "and it is no key");
    // It ends with the lease, and is not read again then: the feed would have named it.
    world.clock.advance(LEASE);
    assert_eq!(node.says(&early), "unrecognized");
    assert_eq!(world.store.made(), [Call::Changes]);
}

#[test]
fn several_unknown_ids_are_remembered_side_by_side() {
    let world = World::new();
    let node = world.node();
    let elsewhere = World::new();
    let unknown: Vec<Issued> = elsewhere.node().issue_many(20);
    unknown.iter().for_each(|issued| assert_eq!(node.says(issued), "unrecognized"));
    world.store.made();
    unknown.iter().for_each(|issued| assert_eq!(node.says(issued), "unrecognized"));
    assert_eq!(world.store.made(), []);
}

#[test]
fn a_key_made_under_an_id_that_was_absent_is_good_at_once_on_the_same_node() {
    let world = World::new();
    let (node, early) = (world.node(), early());
    assert_eq!(node.says(&early), "unrecognized");
    let issued = generate(&node);
    assert_eq!(issued.key.id, early.key.id);
    assert_eq!((node.says(&issued), node.says(&early)), ("good", "unrecognized"));
}

#[test]
fn a_key_made_under_an_id_that_was_absent_is_good_on_another_node_at_the_latest_one_lease_later() {
    let world = World::new();
    let (one, other, early) = (world.node(), world.node(), early());
    assert_eq!(other.says(&early), "unrecognized");
    let issued = generate(&one);
    assert_eq!(issued.key.id, early.key.id);
    world.clock.advance(LEASE - INSTANT);
    world.store.made();
    assert_eq!(other.says(&issued), "unrecognized", "within the lease it need not be known");
    assert_eq!(world.store.made(), []);
    world.clock.advance(INSTANT);
    assert_eq!((other.says(&issued), other.says(&early)), ("good", "unrecognized"));
    assert_eq!(world.store.made(), [Call::Changes, Call::Get]);
}

#[test]
fn an_absence_that_was_read_before_a_key_was_made_is_not_left_to_who_asks_after() {
    for is_here in [true, false] {
        let world = World::new();
        let (one, other, early) = (world.node(), world.node(), early());
        let second = one.issue();
        assert_eq!(other.says(&second), "good");
        let gate = world.store.hold(Call::Get);
        let mut before = other.begin(&early);
        before.waits();
        let issued = generate(if is_here { &other } else { &one });
        if !is_here {
            world.clock.advance(LEASE);
            assert_eq!(other.says(&second), "good", "a refresh names the new key");
        }
        assert_eq!(other.says(&issued), "good");
        gate.open();
        assert!(before.ends().is_err());
        assert_eq!(other.says(&issued), "good");
    }
}

#[test]
fn an_absence_is_not_kept_when_the_generate_was_cancelled_or_in_doubt() {
    for is_cancelled in [true, false] {
        let world = World::new();
        let (node, early) = (world.node(), early());
        assert_eq!(node.says(&early), "unrecognized");
        let request = node.project.operation(operation("req-7"));
        let mut generating = Polled::new(request.generate(review("Mobile")));
        if is_cancelled {
            world.store.next(Call::Insert, DoneHangs);
            generating.waits();
            drop(generating);
        } else {
            world.store.next(Call::Insert, DoneUnknown);
            world.store.next(Call::Insert, Fails);
            assert!(generating.run().is_err());
        }
        world.store.made();
        assert_eq!(node.says(&early), "unrecognized");
        assert_eq!(world.store.made(), [Call::Get], "nobody knows its secret, but the key is there");
        assert_eq!(node.stats().keys, 1);
    }
}
