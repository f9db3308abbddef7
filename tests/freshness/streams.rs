//! Streams that end with their key.

use std::time::Duration;

use access_keys::store::KeyStore;
use access_keys::{Edit, Issued};

use crate::elsewhere::{CHANGES, MICROSECOND};
use crate::nodes::{INSTANT, LEASE, Node, Polled, SECOND, World, agents, millis, run};
use crate::support::{Timer, production};
use crate::watched::{Call, Hints};

/// A stream of the holder of this token: it ends with the name of the denial.
fn stream<'a>(node: &'a Node, issued: &Issued) -> (Polled<'a, &'static str>, Timer) {
    let grant = node.verify(issued.token.expose()).unwrap();
    let timer = Timer::default();
    let (verifier, sleeper) = (node.keys.verifier(), timer.clone());
    let ended = async move { verifier.ended(&grant, move |duration| sleeper.sleep(duration)).await.as_str() };
    (Polled::new(ended), timer)
}

#[test]
fn a_stream_ends_as_soon_as_another_node_has_changed_its_key() {
    for (change, said) in CHANGES {
        let world = World::new();
        let (one, other, issued, _) = world.pair();
        let (mut stream, _) = stream(&other, &issued);
        stream.waits();
        change(&one, issued.key.id, &world);
        world.clock.advance(MICROSECOND);
        assert!(stream.is_woken());
        assert_eq!(stream.ends(), said);
    }
}

#[test]
fn a_stream_ends_as_soon_where_the_store_was_being_asked_before_the_change() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut stream, _) = stream(&other, &issued);
    stream.waits();
    world.clock.advance(LEASE);
    let gate = world.store.hold(Call::Changes);
    let mut request = other.begin(&issued);
    request.waits();
    run(one.project.deactivate(issued.key.id)).unwrap();
    stream.waits();
    gate.open();
    let _ = request.ends();
    assert!(stream.is_woken());
    assert_eq!(stream.ends(), "inactive");
}

#[test]
fn a_stream_ends_within_the_lease_where_no_hint_comes() {
    for (change, said) in CHANGES {
        let world = World::new();
        let (one, other, issued, _) = world.pair();
        world.store.hint(Hints::AreLost);
        let (mut stream, timer) = stream(&other, &issued);
        stream.waits();
        change(&one, issued.key.id, &world);
        let mut passed = Duration::ZERO;
        let ended = loop {
            let wait = timer.last();
            assert!(wait <= SECOND && !wait.is_zero(), "{wait:?}");
            world.clock.advance(wait);
            passed += wait;
            assert!(passed <= LEASE, "it goes on");
            timer.ring();
            assert!(stream.is_woken());
            if let std::task::Poll::Ready(ended) = stream.poll() {
                break ended;
            }
        };
        assert_eq!((ended, passed), (said, LEASE));
    }
}

#[test]
fn a_stream_ends_at_the_next_look_where_every_verification_reads_the_store() {
    let world = World::new();
    world.set_limit(Duration::ZERO);
    let (one, other) = (world.node(), world.node());
    let issued = one.issue();
    world.store.hint(Hints::AreLost);
    let (mut stream, timer) = stream(&other, &issued);
    stream.waits();
    run(one.project.deactivate(issued.key.id)).unwrap();
    assert_eq!(timer.last(), SECOND);
    world.clock.advance(SECOND);
    timer.ring();
    assert_eq!(stream.ends(), "inactive");
}

#[test]
fn a_narrower_scope_ends_no_stream() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut stream, _) = stream(&other, &issued);
    stream.waits();
    run(one.project.edit(issued.key.id, Edit::new().agents(agents(&["billing"])))).unwrap();
    assert!(stream.is_woken());
    stream.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert_eq!(stream.ends(), "revoked");
}

#[test]
fn a_stream_outlives_an_outage_that_is_over_within_its_lease() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let (mut stream, timer) = stream(&other, &issued);
    stream.waits();
    world.store.stop();
    world.clock.advance(LEASE - INSTANT);
    timer.ring();
    stream.waits();
    world.store.heal();
    world.clock.advance(INSTANT);
    timer.ring();
    stream.waits();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    assert_eq!(stream.ends(), "revoked");
}

#[test]
fn a_store_that_tells_of_changes_without_a_pause_is_asked_by_a_stream_once_in_ten_milliseconds() {
    let world = World::new();
    let (_, other, issued, _) = world.pair();
    world.store.hint(Hints::NeverStop);
    let (mut stream, timer) = stream(&other, &issued);
    stream.waits();
    for asked in 1..=20 {
        assert_eq!((world.store.count(Call::Changes), timer.last()), (asked, millis(10)));
        world.clock.advance(millis(10));
        timer.ring();
        stream.waits();
    }
}

#[test]
fn a_stream_and_a_recheck_record_no_use() {
    let world = World::new();
    let (_, other, issued, grant) = world.pair();
    let uses = || run(world.store.inner.last_uses(&[issued.key.id])).unwrap();
    run(other.keys.flush_uses()).unwrap();
    let before = uses();
    assert_eq!(before.len(), 1, "the verification of the grant");
    let (mut stream, timer) = stream(&other, &issued);
    run(other.keys.flush_uses()).unwrap();
    assert_eq!(uses(), before, "of the same moment");
    for _ in 0..10 {
        stream.waits();
        world.clock.advance(SECOND * 2);
        timer.ring();
        assert!(other.recheck(&grant).is_ok());
        run(other.keys.flush_uses()).unwrap();
        assert_eq!(uses(), before);
    }
    let _ = run(other.keys.verify(issued.token.expose(), &production())).unwrap();
    run(other.keys.flush_uses()).unwrap();
    assert!(uses()[0].at > before[0].at);
}
