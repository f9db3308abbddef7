//! A verifier that is kept informed: it knows of changes sooner, and no request waits.

use std::future::Future;
use std::time::Duration;

use access_keys::{Clock, Denial};

use crate::nodes::{LEASE, Node, Polled, SECOND, World, millis, run};
use crate::support::Timer;
use crate::watched::{Call, Hints};

/// What keeps this node informed, and the timer that it sleeps by.
fn follow(node: &Node) -> (Polled<'static, ()>, Timer) {
    let timer = Timer::default();
    let sleeper = timer.clone();
    let follow = node.keys.verifier().follow(move |duration| sleeper.sleep(duration));
    (Polled::new(follow), timer)
}

/// Lets the time pass that was asked for, and the task go on that waits for it.
#[track_caller]
fn pass<T>(world: &World, timer: &Timer, waiting: &mut Polled<'_, T>) -> Duration {
    let passed = timer.last();
    world.clock.advance(passed);
    timer.ring();
    assert!(waiting.is_woken());
    waiting.waits();
    passed
}

#[test]
fn no_request_waits_while_every_answer_takes_nearly_half_a_lease() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    let (mut following, timer) = follow(&other);
    following.waits();
    for _ in 0..20 {
        let gate = world.store.hold(Call::Changes);
        pass(&world, &timer, &mut following);
        assert!(other.knows(&issued), "it asks half a lease ahead");
        // Between two looks there are ten milliseconds at least.
        world.clock.advance(LEASE / 2 - millis(10));
        assert!(other.knows(&issued), "and the answer is still under way");
        gate.open();
        following.waits();
        assert!(other.knows(&issued));
        assert_eq!(world.store.count(Call::Get), 0);
    }
}

#[test]
fn following_goes_on_after_the_store_has_failed_and_needs_no_request_to_be_informed_again() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut following, timer) = follow(&other);
    following.waits();
    world.store.stop();
    let mut failed = Duration::ZERO;
    while failed < LEASE * 3 {
        let passed = pass(&world, &timer, &mut following);
        failed += passed;
        assert!(failed <= LEASE || !other.knows(&issued), "what is known ends all the same");
        let next = timer.last();
        assert!(next >= millis(10) && next <= millis(250), "{next:?} until the next try");
    }
    run(other.keys.verify(issued.token.expose(), &crate::support::production())).unwrap_err();
    let stats = other.stats();
    assert!(stats.failed_refreshes > 10, "{stats:?}");
    world.store.heal();
    assert!(pass(&world, &timer, &mut following) <= millis(250));
    assert!(other.knows(&issued), "with the row that it had, which nobody named");
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert!(following.is_woken());
    following.waits();
    assert!(!other.knows(&issued));
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn a_change_that_comes_while_the_store_is_asked_is_heard_of_too() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut following, timer) = follow(&other);
    following.waits();
    // The answer is from before the change, and so is the one that it would go by until the next.
    let gate = world.store.hold(Call::Changes);
    pass(&world, &timer, &mut following);
    run(one.project.revoke(issued.key.id, "")).unwrap();
    gate.open();
    following.waits();
    assert!(!other.knows(&issued));
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn a_change_that_comes_while_a_request_asks_the_store_is_heard_of_too() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut following, _) = follow(&other);
    following.waits();
    world.clock.advance(LEASE);
    // The answer is from before the change, and the hint comes before the answer.
    let gate = world.store.hold(Call::Changes);
    let mut request = other.begin(&issued);
    request.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert!(following.is_woken());
    following.waits();
    gate.open();
    let _ = request.ends();
    assert!(following.is_woken());
    following.waits();
    assert!(!other.knows(&issued));
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn a_store_that_tells_of_changes_without_a_pause_is_asked_once_in_ten_milliseconds() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    world.store.hint(Hints::NeverStop);
    let (mut following, timer) = follow(&other);
    following.waits();
    for asked in 1..=100 {
        assert_eq!((world.store.count(Call::Changes), timer.last()), (asked, millis(10)));
        pass(&world, &timer, &mut following);
    }
    assert!(other.knows(&issued));
}

#[test]
fn while_uses_are_being_written_it_hears_of_changes_and_asks_ahead_all_the_same() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut following, timer) = follow(&other);
    following.waits();
    let gate = world.store.hold(Call::Other);
    world.store.made();
    while world.store.count(Call::Other) == 0 {
        assert!(other.knows(&issued), "and that is a use to be written");
        pass(&world, &timer, &mut following);
    }
    let began = world.clock.boot();
    while world.clock.boot() < began + LEASE * 2 {
        pass(&world, &timer, &mut following);
        assert!(other.knows(&issued), "it asks half a lease ahead");
    }
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert!(following.is_woken());
    following.waits();
    assert_eq!(other.says(&issued), "revoked");
    gate.open();
    following.waits();
    assert_eq!(world.store.count(Call::Other), 1, "written once");
}

#[test]
fn without_hints_a_change_is_seen_within_the_lease_and_mostly_within_half_of_it() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    world.store.hint(Hints::AreLost);
    let (mut following, timer) = follow(&other);
    following.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert!(!following.is_woken() && other.knows(&issued));
    let passed = pass(&world, &timer, &mut following);
    assert!(passed <= LEASE / 2, "{passed:?}");
    assert_eq!(other.says(&issued), "revoked");
}

#[test]
fn where_nothing_happens_the_store_is_asked_twice_in_a_lease() {
    let world = World::new();
    let (_, other, _, _) = world.pair();
    let (mut following, timer) = follow(&other);
    following.waits();
    world.store.made();
    let mut passed = Duration::ZERO;
    while passed < LEASE * 10 {
        passed += pass(&world, &timer, &mut following);
    }
    let asked = world.store.count(Call::Changes);
    assert!((18..=21).contains(&asked), "{asked} times in ten leases");
}

#[test]
fn a_stream_is_not_woken_by_an_answer_that_names_nothing() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    world.store.hint(Hints::AreLost);
    let verifier = other.keys.verifier();
    let mut ended = Polled::new(verifier.ended(&grant, |_| std::future::pending::<()>()));
    ended.waits();
    world.clock.advance(LEASE);
    assert_eq!(other.says(&issued), "good");
    assert_eq!(world.store.count(Call::Changes), 1);
    assert!(!ended.is_woken());
    // Whatever key it is that is named.
    let _ = one.issue();
    world.clock.advance(LEASE);
    assert_eq!(other.says(&issued), "good");
    assert!(ended.is_woken());
}

#[test]
fn a_stream_ends_as_soon_as_its_own_node_has_learned_of_the_change_however_that_was() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    world.store.hint(Hints::AreLost);
    let (mut following, timer) = follow(&other);
    following.waits();
    let grant = run(other.keys.verify(issued.token.expose(), &crate::support::production())).unwrap();
    let (verifier, of_stream) = (other.keys.verifier(), Timer::default());
    let mut ended = Polled::new(verifier.ended(&grant, |time| of_stream.sleep(time)));
    ended.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert!(!ended.is_woken(), "nobody knows yet");
    pass(&world, &timer, &mut following);
    assert!(ended.is_woken(), "and its own timer has not rung");
    assert!(matches!(ended.ends(), Denial::Revoked { .. }));
}

#[test]
fn where_every_verification_reads_the_store_following_asks_once_a_second() {
    let world = World::new();
    world.set_limit(Duration::ZERO);
    let other = world.node();
    let (mut following, timer) = follow(&other);
    following.waits();
    world.store.made();
    for _ in 0..10 {
        assert_eq!(pass(&world, &timer, &mut following), SECOND);
    }
    assert_eq!(world.store.count(Call::Changes), 10);
}

#[test]
fn over_a_store_without_a_feed_following_asks_no_more_than_it_writes_uses() {
    let world = World::without_feed();
    let (_, other, ..) = world.pair();
    let (mut following, timer) = follow(&other);
    following.waits();
    world.store.made();
    for _ in 0..3 {
        assert_eq!(pass(&world, &timer, &mut following), SECOND * 10);
        assert_eq!(world.store.count(Call::Get), 0);
    }
    assert!(world.store.count(Call::Changes) <= 3);
}

#[test]
fn following_is_a_task_that_a_host_can_spawn() {
    fn spawn(_: impl Future<Output = ()> + Send + 'static) {}
    spawn(World::new().node().keys.verifier().follow(|_| std::future::ready(())));
}
