//! The clocks of a node: its wall clock where the store has none, jumps, and the clocks of the machine.

use access_keys::clock::{Deadline, SystemClock, TickClock};
use access_keys::lifecycle::Builder;
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Clock, Edit, FakeClock};
use chrono::TimeDelta;

use crate::nodes::{INSTANT, LEASE, Polled, SECOND, World, name, run, set_wall};
use crate::support::{production, project, review};
use crate::watched::Call;

#[test]
fn without_a_store_clock_the_wall_clock_of_the_node_counts_exactly() {
    let world = World::new();
    let behind = FakeClock::new(world.clock.wall() - TimeDelta::minutes(1));
    let (one, other) = (world.node(), world.node_at(&behind, |builder| builder));
    let issued = one.issue();
    let expires_at = world.clock.wall() + SECOND * 60;
    run(one.project.edit(issued.key.id, Edit::new().expires_at(expires_at))).unwrap();
    assert_eq!((one.says(&issued), other.says(&issued)), ("good", "good"));
    // Each by its own, from one moment to the next.
    for (clock, node) in [(&world.clock, &one), (&behind, &other)] {
        for (at, said) in [
            (expires_at - TimeDelta::microseconds(1), "good"),
            (expires_at, "expired"),
            (expires_at - TimeDelta::microseconds(1), "good"),
            (expires_at + TimeDelta::minutes(1), "expired"),
        ] {
            clock.set_wall(at);
            assert_eq!(node.says(&issued), said);
        }
    }
}

#[test]
fn without_a_store_clock_a_grace_ends_by_the_wall_clock_of_the_node() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    let ends_at = world.clock.wall() + SECOND * 60;
    let rotated = run(node.project.rotate(issued.key.id, SECOND * 60)).unwrap();
    for (at, said) in [
        (ends_at - TimeDelta::microseconds(1), "good"),
        (ends_at, "unrecognized"),
        (ends_at + TimeDelta::minutes(1), "unrecognized"),
        (ends_at - TimeDelta::minutes(1), "good"),
    ] {
        world.clock.set_wall(at);
        assert_eq!((node.says(&issued), node.says(&rotated)), (said, "good"));
    }
}

#[test]
fn a_wall_clock_that_jumps_voids_the_lease() {
    for world in [World::new, World::with_store_clock] {
        // A twentieth of a lease is 200 ms.
        for (jump, said) in [
            (200, "good"),
            (-200, "good"),
            (201, "unavailable"),
            (-201, "unavailable"),
            (60_000, "unavailable"),
            (-60_000, "unavailable"),
        ] {
            let world = world();
            let clock = FakeClock::default();
            let (one, other) = (world.node(), world.node_at(&clock, |builder| builder));
            let issued = one.issue();
            let grant = other.verify(issued.token.expose()).unwrap();
            world.store.stop();
            set_wall(&clock, jump);
            assert_eq!((other.says(&issued), name(&other.recheck(&grant))), (said, said), "{jump} ms");
            assert_eq!(other.knows(&issued), said == "good");
            // And a clock that is set back brings no lease back.
            set_wall(&clock, -jump);
            assert_eq!(other.says(&issued), said, "{jump} ms and back");
            world.store.heal();
            assert_eq!(other.says(&issued), "good");
        }
    }
}

#[test]
fn what_counts_as_a_jump_follows_the_lease() {
    for (limit, most) in [(SECOND, 40), (SECOND * 30, 1_200), (SECOND * 60, 2_400)] {
        for (jump, said) in [(most, "good"), (most + 1, "unavailable"), (-most - 1, "unavailable")] {
            let world = World::new();
            world.set_limit(limit);
            let (_, other, issued, _) = world.pair();
            world.store.stop();
            set_wall(&world.clock, jump);
            assert_eq!(other.says(&issued), said, "{jump} ms at {limit:?}");
        }
    }
}

#[test]
fn small_slews_add_up_within_a_lease_and_are_measured_anew_by_the_next() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    for _ in 0..10 {
        for _ in 0..4 {
            set_wall(&world.clock, 50);
            assert!(other.knows(&issued));
        }
        set_wall(&world.clock, 1);
        assert!(!other.knows(&issued), "201 ms in one lease");
        assert_eq!(other.says(&issued), "good");
        world.clock.advance(LEASE);
        assert_eq!(other.says(&issued), "good");
    }
}

#[test]
fn a_slew_is_not_measured_anew_by_an_answer_that_makes_nothing_good_for_longer() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    let gate = world.store.hold(Call::Changes);
    let mut following = Polled::new(other.keys.verifier().follow(|_| std::future::pending::<()>()));
    following.waits();
    set_wall(&world.clock, 150);
    gate.open();
    following.waits();
    assert!(other.knows(&issued));
    set_wall(&world.clock, 50);
    assert!(other.knows(&issued));
    set_wall(&world.clock, 1);
    assert!(!other.knows(&issued), "201 ms in one lease");
}

#[test]
fn a_machine_that_stood_still_believes_nothing_of_before() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    // Its deadline clock stood, its wall clock was set right.
    set_wall(&world.clock, 3_600_000);
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn a_jump_while_the_question_is_under_way_voids_its_answer_and_it_is_asked_again() {
    for jump in [60_000, -60_000] {
        let world = World::new();
        let (one, other, issued, _) = world.pair();
        world.clock.advance(LEASE);
        let gate = world.store.hold(Call::Changes);
        let mut verifying = other.begin(&issued);
        verifying.waits();
        // The answer is from before this, and when it was asked for nobody can tell any more.
        run(one.project.revoke(issued.key.id, "")).unwrap();
        set_wall(&world.clock, jump);
        world.store.made();
        gate.open();
        assert_eq!(name(&verifying.ends()), "revoked");
        assert_eq!(world.store.made(), [Call::Changes, Call::Get]);
    }
}

#[test]
fn a_jump_while_a_key_is_read_voids_what_it_would_decide_by() {
    let world = World::new();
    let (one, other) = (world.node(), world.node());
    let [issued, second] = [one.issue(), one.issue()];
    assert_eq!(other.says(&second), "good");
    let gate = world.store.hold(Call::Get);
    let mut verifying = other.begin(&issued);
    verifying.waits();
    set_wall(&world.clock, 60_000);
    world.store.fail(&[Call::Changes]);
    gate.open();
    assert_eq!(name(&verifying.ends()), "unavailable");
    world.store.heal();
    assert_eq!(other.says(&issued), "good");
}

#[test]
fn a_machine_without_jumps_goes_on_for_days() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    for _ in 0..1_000 {
        world.clock.advance(SECOND * 300 + INSTANT * 333);
        assert_eq!(other.says(&issued), "good");
        assert!(other.knows(&issued));
    }
}

/// A key is good on a clock of the machine, is so again and again without a question, and ends.
fn good_by(set: impl FnOnce(Builder<MemoryStore>) -> Builder<MemoryStore>) {
    let keys = set(AccessKeys::builder(MemoryStore::new()).prefix("acme")).build().unwrap();
    let owner = project(&keys, "ada");
    let issued = run(owner.generate(review("Mobile"))).unwrap();
    let (token, verifier) = (issued.token.expose(), keys.verifier());
    let mut grant = run(keys.verify(token, &production())).unwrap();
    let began = Deadline::at(SystemClock.boot());
    for _ in 0..10_000 {
        grant = run(verifier.recheck(&grant)).unwrap();
        let _ = run(keys.verify(token, &production())).unwrap();
    }
    assert!(grant.good_until() > began);
    assert!(verifier.stats().hits >= 10_000, "{:?}", verifier.stats());
    run(owner.revoke(issued.key.id, "")).unwrap();
    assert_eq!(name(&run(keys.verify(token, &production()))), "revoked");
    assert_eq!(name(&run(verifier.recheck(&grant))), "revoked");
}

#[test]
fn the_clocks_of_the_machine_verify_good_keys() {
    good_by(|builder| builder);
    good_by(|builder| builder.clock(SystemClock));
    good_by(|builder| builder.clock(TickClock));
}
