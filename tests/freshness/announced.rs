//! How long until a change holds everywhere, as told by the call that made it.

use std::time::Duration;

use access_keys::{Edit, Issued};

use crate::nodes::{HOUR, LEASE, Node, Polled, SECOND, World, agents, millis, run};
use crate::support::{operation, review};
use crate::watched::{Call, Fate};

/// What every kind of change announces; all of them the same.
#[track_caller]
fn announced(node: &Node) -> Duration {
    let issued = node.issue();
    let (project, id) = (&node.project, issued.key.id);
    assert_eq!(issued.holds_everywhere_in(), Duration::ZERO, "a new key cuts nothing off");
    assert_eq!(issued.old_secret_ends_in(), None);
    let edit = Edit::new().agents(agents(&["a"]));
    let announced = [
        run(project.deactivate(id)).unwrap().holds_everywhere_in(),
        run(project.deactivate(id)).unwrap().holds_everywhere_in(),
        run(project.activate(id)).unwrap().holds_everywhere_in(),
        run(project.edit(id, edit.clone())).unwrap().holds_everywhere_in(),
        run(project.edit(id, edit)).unwrap().holds_everywhere_in(),
        run(project.rotate(id, Duration::ZERO)).unwrap().holds_everywhere_in(),
        run(project.operation(operation("req-7")).deactivate(id)).unwrap().holds_everywhere_in(),
        run(project.operation(operation("req-7")).deactivate(id)).unwrap().holds_everywhere_in(),
        run(project.revoke(id, "")).unwrap().holds_everywhere_in(),
        run(project.revoke(id, "")).unwrap().holds_everywhere_in(),
    ];
    assert!(announced.windows(2).all(|pair| pair[0] == pair[1]), "{announced:?}");
    announced[0]
}

#[test]
fn a_change_announces_the_shared_limit_whatever_the_nodes_own() {
    let world = World::with_store_clock();
    let own = world.node_with(|builder| builder.max_staleness(Duration::ZERO));
    assert_eq!((announced(&world.node()), announced(&own)), (SECOND * 5, SECOND * 5));
    world.set_limit(SECOND * 60);
    assert_eq!((announced(&world.node()), announced(&own)), (SECOND * 60, SECOND * 60));
}

#[test]
fn a_lowered_limit_drains_for_eleven_tenths_of_the_old_one_by_the_clock_of_the_store() {
    let world = World::with_store_clock();
    let node = world.node();
    world.set_limit(SECOND * 60);
    assert_eq!(announced(&node), SECOND * 60, "a raised one holds at once");
    world.set_limit(SECOND);
    assert_eq!(announced(&node), SECOND * 66);
    world.clock.advance(SECOND * 10);
    assert_eq!(announced(&node), SECOND * 56);
    // Lowered once more, it does not drain sooner.
    world.set_limit(millis(100));
    assert_eq!(announced(&node), SECOND * 56);
    world.clock.advance(millis(55_950));
    assert_eq!(announced(&node), millis(100), "50 ms are left to drain, which is less than the limit");
    world.clock.advance(HOUR);
    assert_eq!(announced(&node), millis(100));
}

#[test]
fn a_limit_that_is_raised_while_it_drains_announces_the_longer_of_both() {
    let world = World::with_store_clock();
    let node = world.node();
    world.set_limit(SECOND);
    assert_eq!(announced(&node), millis(5_500));
    world.set_limit(SECOND * 3);
    assert_eq!(announced(&node), millis(5_500));
    world.clock.advance(SECOND * 3);
    assert_eq!(announced(&node), SECOND * 3);
    world.set_limit(SECOND * 30);
    assert_eq!(announced(&node), SECOND * 30);
    // Set to what it is, there is nothing to drain.
    world.clock.advance(HOUR);
    world.set_limit(SECOND * 30);
    assert_eq!(announced(&node), SECOND * 30);
}

#[test]
fn a_limit_of_zero_announces_nothing_once_the_old_one_has_drained() {
    let world = World::with_store_clock();
    let node = world.node();
    world.set_limit(Duration::ZERO);
    assert_eq!(announced(&node), millis(5_500));
    world.clock.advance(millis(5_500));
    assert_eq!(announced(&node), Duration::ZERO);
    world.set_limit(SECOND);
    assert_eq!(announced(&node), SECOND);
}

#[test]
fn no_node_accepts_past_what_was_announced_after_a_limit_was_lowered() {
    let world = World::with_store_clock();
    world.set_limit(SECOND * 60);
    let (one, other, issued, _) = world.pair();
    world.set_limit(SECOND);
    let change = run(one.project.revoke(issued.key.id, "")).unwrap();
    // The other has a lease of 48 seconds, which it was given under the old limit.
    world.clock.advance(SECOND * 48 - millis(1));
    assert_eq!(other.says(&issued), "good");
    world.clock.advance(millis(1));
    assert_eq!(other.says(&issued), "revoked");
    assert!(change.holds_everywhere_in() > SECOND * 48);
}

#[test]
fn what_is_announced_is_read_after_the_commit() {
    let world = World::with_store_clock();
    let node = world.node();
    let issued = node.issue();
    assert_eq!(node.says(&issued), "good", "an earlier answer told of five seconds");
    let gate = world.store.hold(Call::Update);
    let mut revoking = Polled::new(node.project.revoke(issued.key.id, ""));
    revoking.waits();
    world.set_limit(SECOND * 30);
    world.store.made();
    gate.open();
    assert_eq!(revoking.ends().unwrap().holds_everywhere_in(), SECOND * 30);
    assert_eq!(world.store.made(), [Call::Changes]);
}

#[test]
fn a_minute_is_announced_when_the_limit_cannot_be_read_after_the_commit() {
    let world = World::with_store_clock();
    let node = world.node();
    let issued = node.issue();
    world.store.fail(&[Call::Changes]);
    let change = run(node.project.deactivate(issued.key.id)).unwrap();
    assert!(change.is_new());
    assert_eq!(change.holds_everywhere_in(), SECOND * 60);
    for (grace, ends_in) in [(Duration::ZERO, SECOND * 72), (HOUR, HOUR + SECOND * 12)] {
        let rotated = run(node.project.rotate(issued.key.id, grace)).unwrap();
        assert_eq!(rotated.holds_everywhere_in(), SECOND * 60);
        assert_eq!(rotated.old_secret_ends_in(), Some(ends_in), "a quarter of its lease late at most");
    }
    world.store.heal();
    let change = run(node.project.deactivate(issued.key.id)).unwrap();
    assert!(!change.is_new());
    assert_eq!(change.holds_everywhere_in(), SECOND * 5);
}

#[test]
fn a_generate_asks_nothing_after_it_has_stored_the_key() {
    let world = World::with_store_clock();
    let node = world.node();
    let _ = node.issue();
    world.store.made();
    let issued = node.issue();
    assert_eq!(world.store.made(), [Call::Insert]);
    assert_eq!(issued.holds_everywhere_in(), Duration::ZERO);
    // The clock of the store is asked for when it was last read over a lease ago, and before.
    world.clock.advance(LEASE + millis(1));
    let _ = node.issue();
    assert_eq!(world.store.made(), [Call::Changes, Call::Insert]);
    // Nor when the store cannot say whether it did it, and it was tried once more.
    world.store.next(Call::Insert, Fate::DoneUnknown);
    let issued = node.issue();
    assert_eq!(world.store.made(), [Call::Insert, Call::Insert, Call::Get]);
    assert_eq!(issued.holds_everywhere_in(), Duration::ZERO);
}

#[test]
fn a_value_that_an_operation_replaces_is_announced_as_a_rotation_is() {
    let world = World::with_store_clock();
    let node = world.node();
    let request = node.project.operation(operation("req-7"));
    let first = run(request.generate(review("Mobile"))).unwrap();
    assert_eq!(first.holds_everywhere_in(), Duration::ZERO);
    let again = run(request.generate(review("Mobile"))).unwrap();
    assert_eq!(again.key.id, first.key.id);
    assert_eq!(again.holds_everywhere_in(), SECOND * 5);
}

fn rotate(node: &Node, issued: &Issued, grace: Duration) -> Option<Duration> {
    run(node.project.rotate(issued.key.id, grace)).unwrap().old_secret_ends_in()
}

#[test]
fn an_old_secret_ends_with_the_longer_of_grace_and_announcement_and_the_tolerance_of_the_stores_clock() {
    for (limit, tolerance) in
        [(SECOND * 5, SECOND), (SECOND * 60, SECOND * 12), (millis(100), millis(250)), (SECOND, millis(250))]
    {
        let world = World::with_store_clock();
        world.set_limit(limit);
        world.clock.advance(HOUR);
        let node = world.node();
        let issued = node.issue();
        for grace in [Duration::ZERO, limit / 2, limit, limit + millis(1), HOUR, HOUR * 24 * 90] {
            let expected = grace.max(limit) + tolerance;
            assert_eq!(rotate(&node, &issued, grace), Some(expected), "{limit:?}, {grace:?}");
        }
    }
    // Without a clock of the store each node judges by its own, and nobody can tell how far that is off.
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    assert_eq!(rotate(&node, &issued, Duration::ZERO), Some(SECOND * 5));
    assert_eq!(rotate(&node, &issued, HOUR), Some(HOUR));
}

#[test]
fn an_old_secret_is_good_until_its_grace_ends_and_refused_everywhere_by_what_was_told() {
    let world = World::with_store_clock();
    let (one, other, issued, _) = world.pair();
    let rotated = run(one.project.rotate(issued.key.id, SECOND * 30)).unwrap();
    assert_eq!(rotated.old_secret_ends_in(), Some(SECOND * 31));
    world.clock.advance(SECOND * 30 - millis(1));
    assert_eq!((one.says(&issued), other.says(&issued)), ("good", "good"));
    world.clock.advance(SECOND + millis(1));
    assert_eq!((one.says(&issued), other.says(&issued)), ("unrecognized", "unrecognized"));
    assert_eq!((one.says(&rotated), other.says(&rotated)), ("good", "good"));
}
