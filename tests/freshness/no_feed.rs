//! A store without a feed: each row lives one lease by itself, and an absence is not kept.

use std::time::Duration;

use crate::nodes::{HOUR, INSTANT, LEASE, Polled, SECOND, World, millis, name, run, set_wall};
use crate::watched::Call;

#[test]
fn each_row_lives_one_lease_from_before_its_read_was_sent() {
    let world = World::without_feed();
    let (one, other) = (world.node(), world.node());
    let [first, second, slow] = [one.issue(), one.issue(), one.issue()];
    assert_eq!(other.says(&first), "good");
    world.clock.advance(SECOND);
    assert_eq!(other.says(&second), "good");
    let gate = world.store.hold(Call::Get);
    let mut reading = other.begin(&slow);
    reading.waits();
    world.clock.advance(SECOND);
    gate.open();
    let grant = reading.ends().unwrap();
    assert_eq!(grant.good_until().remaining(&world.clock), SECOND * 3);
    world.store.made();

    world.clock.advance(SECOND * 2 - INSTANT);
    assert_eq!([&first, &second, &slow].map(|issued| other.says(issued)), ["good"; 3]);
    assert_eq!(world.store.made(), []);
    world.clock.advance(INSTANT);
    assert_eq!(other.says(&first), "good");
    assert_eq!(world.store.made(), [Call::Get], "and nobody asks what has changed");
    world.clock.advance(SECOND - INSTANT);
    assert_eq!([&first, &second, &slow].map(|issued| other.says(issued)), ["good"; 3]);
    assert_eq!(world.store.made(), []);
    world.clock.advance(INSTANT);
    assert_eq!([&first, &second, &slow].map(|issued| other.says(issued)), ["good"; 3]);
    assert_eq!(world.store.made(), [Call::Get; 2]);
}

#[test]
fn a_change_elsewhere_is_seen_when_the_row_ends_and_one_here_at_once() {
    let world = World::without_feed();
    let (one, other, issued, grant) = world.pair();
    assert_eq!(one.says(&issued), "good");
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert_eq!(one.says(&issued), "revoked");
    world.clock.advance(LEASE - INSTANT);
    assert_eq!((other.says(&issued), name(&other.recheck(&grant))), ("good", "good"));
    world.clock.advance(INSTANT);
    assert_eq!((other.says(&issued), name(&other.recheck(&grant))), ("revoked", "revoked"));
}

#[test]
fn hits_do_not_put_the_end_of_a_row_off() {
    let world = World::without_feed();
    let (one, other, issued, _) = world.pair();
    run(one.project.deactivate(issued.key.id)).unwrap();
    for step in 0..5_000 {
        assert_eq!(other.says(&issued), if step < 4_000 { "good" } else { "inactive" }, "at {step} ms");
        world.clock.advance(millis(1));
    }
}

#[test]
fn a_change_announces_five_seconds_whatever_limit_a_node_or_the_store_has() {
    let world = World::without_feed();
    world.set_limit(SECOND * 30);
    for own in [None, Some(Duration::ZERO), Some(SECOND), Some(SECOND * 60)] {
        let node = world.node_with(|builder| match own {
            Some(own) => builder.max_staleness(own),
            None => builder,
        });
        let issued = node.issue();
        assert_eq!(issued.holds_everywhere_in(), Duration::ZERO);
        let rotated = run(node.project.rotate(issued.key.id, Duration::ZERO)).unwrap();
        assert_eq!(rotated.holds_everywhere_in(), SECOND * 5);
        assert_eq!(rotated.old_secret_ends_in(), Some(SECOND * 5));
        let rotated = run(node.project.rotate(issued.key.id, HOUR)).unwrap();
        assert_eq!(rotated.old_secret_ends_in(), Some(HOUR), "nodes judge it by their own clocks");
        for _ in 0..2 {
            let change = run(node.project.revoke(issued.key.id, "")).unwrap();
            assert_eq!(change.holds_everywhere_in(), SECOND * 5);
        }
    }
}

#[test]
fn a_node_may_lower_the_limit_for_itself_and_not_raise_it() {
    for (own, lease) in [(SECOND, millis(800)), (SECOND * 5, LEASE), (SECOND * 60, LEASE)] {
        let world = World::without_feed();
        let node = world.node_with(|builder| builder.max_staleness(own));
        let issued = node.issue();
        assert_eq!(node.says(&issued), "good");
        world.store.made();
        world.clock.advance(lease - INSTANT);
        assert_eq!((node.says(&issued), world.store.count(Call::Get)), ("good", 0));
        world.clock.advance(INSTANT);
        assert_eq!((node.says(&issued), world.store.count(Call::Get)), ("good", 1));
    }
}

#[test]
fn at_a_limit_of_zero_every_verification_reads_the_key_and_nothing_else() {
    let world = World::without_feed();
    let node = world.node_with(|builder| builder.max_staleness(Duration::ZERO));
    let issued = node.issue();
    world.store.made();
    for _ in 0..3 {
        assert_eq!(node.says(&issued), "good");
        assert_eq!(world.store.made(), [Call::Get]);
        world.clock.advance(HOUR);
    }
    assert_eq!(node.stats().keys, 0);
}

#[test]
fn an_absence_is_not_kept() {
    let world = World::without_feed();
    let node = world.node();
    let unknown = World::new().node().issue();
    assert_eq!(node.says(&unknown), "unrecognized");
    world.store.made();
    for _ in 0..3 {
        assert_eq!(node.says(&unknown), "unrecognized");
        assert_eq!(world.store.made(), [Call::Get]);
    }
    assert_eq!((node.stats().bytes, node.stats().age), (0, None));
}

#[test]
fn a_row_serves_until_it_ends_when_the_store_is_down_and_then_nothing_does() {
    let world = World::without_feed();
    let (_, other, issued, _) = world.pair();
    world.store.stop();
    world.clock.advance(LEASE - INSTANT);
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(INSTANT);
    assert_eq!(other.says(&issued), "unavailable");
    world.store.heal();
    assert_eq!(other.says(&issued), "good");
}

#[test]
fn a_wall_clock_that_jumps_voids_every_row() {
    // A twentieth of a lease is 200 ms.
    for (jump, is_void) in
        [(200, false), (-200, false), (201, true), (-201, true), (60_000, true), (-60_000, true)]
    {
        let world = World::without_feed();
        let (_, other, issued, _) = world.pair();
        world.store.stop();
        set_wall(&world.clock, jump);
        assert_eq!(other.says(&issued), if is_void { "unavailable" } else { "good" }, "{jump} ms");
        world.store.heal();
        assert_eq!(other.says(&issued), "good");
        world.store.made();
        assert_eq!((other.says(&issued), world.store.made()), ("good", vec![]));
    }
}

#[test]
fn a_wall_clock_that_is_slewed_for_hours_voids_nothing() {
    let world = World::without_feed();
    let (_, other, issued, _) = world.pair();
    world.store.made();
    for _ in 0..1_000 {
        // A little over a hundredth: more than time services do.
        world.clock.advance(SECOND);
        set_wall(&world.clock, 12);
        assert_eq!(other.says(&issued), "good");
    }
    let reads = world.store.count(Call::Get);
    assert!(reads <= 1_000 / 4 + 1, "{reads} reads in 250 leases");
}

#[test]
fn what_is_known_stays_when_the_store_says_once_more_that_it_has_no_feed() {
    let world = World::without_feed();
    let node = world.node();
    let issued = node.issue();
    assert_eq!(node.says(&issued), "good");
    world.store.made();
    let mut following = Polled::new(node.keys.verifier().follow(|_| std::future::pending::<()>()));
    following.waits();
    assert!(world.store.made().contains(&Call::Changes));
    assert!(node.knows(&issued));
    assert_eq!((node.says(&issued), world.store.made()), ("good", vec![]));
}
