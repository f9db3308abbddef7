//! Those who wait for one answer: of a key, and of what has changed.

use std::sync::Arc;
use std::task::Poll;

use access_keys::{Denial, Grant};

use crate::nodes::{LEASE, Polled, World, name};
use crate::watched::{Call, Fate, Gate};

/// Polls each that was woken, again and again, until all have ended.
fn all_end(mut waiting: Vec<Polled<'_, Result<Grant, Denial>>>) -> Vec<&'static str> {
    let mut ended = Vec::new();
    while !waiting.is_empty() {
        assert!(waiting.iter().any(Polled::is_woken), "{} wait for ever", waiting.len());
        waiting.retain_mut(|one| {
            if !one.is_woken() {
                return true;
            }
            match one.poll() {
                Poll::Ready(answer) => {
                    ended.push(name(&answer));
                    false
                }
                Poll::Pending => true,
            }
        });
    }
    ended
}

#[test]
fn all_who_wait_for_one_key_share_one_read() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.store.made();
    let gate = world.store.hold(Call::Get);
    let mut waiting: Vec<_> = (0..50).map(|_| node.begin(&issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    assert_eq!(world.store.made(), [Call::Get]);
    gate.open();
    assert_eq!(all_end(waiting), ["good"; 50]);
    assert_eq!(world.store.made(), []);
}

#[test]
fn all_who_wait_for_a_refresh_share_one() {
    let world = World::new();
    let keys = world.node().issue_many(20);
    let node = world.node();
    world.store.made();
    let gate = world.store.hold(Call::Changes);
    let mut waiting: Vec<_> = keys.iter().map(|issued| node.begin(issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    assert_eq!(world.store.made(), [Call::Changes]);
    gate.open();
    assert_eq!(all_end(waiting), ["good"; 20]);
    assert_eq!(world.store.made(), [Call::Get; 20]);

    // The same when a lease has ended.
    world.clock.advance(LEASE);
    let gate = world.store.hold(Call::Changes);
    let mut waiting: Vec<_> = keys.iter().map(|issued| node.begin(issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    gate.open();
    assert_eq!(all_end(waiting), ["good"; 20]);
    assert_eq!(world.store.made(), [Call::Changes]);
}

#[test]
fn who_waits_for_a_refresh_of_another_that_is_given_up_asks_itself_however_often_that_happens() {
    let world = World::new();
    let keys = world.node().issue_many(2);
    let node = world.node();
    let mut waiting = node.begin(&keys[0]);
    for round in 0..10 {
        let _gate = world.store.hold(Call::Changes);
        let mut asking = node.begin(&keys[1]);
        asking.waits();
        assert!(round == 0 || waiting.is_woken());
        waiting.waits();
    }
    assert_eq!(name(&waiting.ends()), "good");
}

#[test]
fn who_finds_each_refresh_of_another_too_old_by_the_time_it_is_woken_is_unavailable_after_three() {
    let world = World::new();
    let keys = world.node().issue_many(2);
    let node = world.node();
    let mut waiting = node.begin(&keys[0]);
    for round in 0..3 {
        let gate = world.store.hold(Call::Changes);
        let mut asking = node.begin(&keys[1]);
        asking.waits();
        assert!(round == 0 || waiting.is_woken());
        waiting.waits();
        gate.open();
        assert_eq!(name(&asking.ends()), "good");
        world.clock.advance(LEASE);
    }
    assert_eq!(name(&waiting.ends()), "unavailable");
}

#[test]
fn all_who_wait_for_a_refresh_that_fails_learn_it_and_the_next_one_asks_anew() {
    let world = World::new();
    let issued = world.node().issue();
    let node = world.node();
    world.store.made();
    let gate = Gate::default();
    world.store.next(Call::Changes, Fate::FailsLater(gate.clone()));
    let mut waiting: Vec<_> = (0..10).map(|_| node.begin(&issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    gate.open();
    assert_eq!(all_end(waiting), ["unavailable"; 10]);
    assert_eq!(world.store.made(), [Call::Changes]);
    assert_eq!(node.says(&issued), "good");
    assert_eq!(world.store.made(), [Call::Changes, Call::Get]);
}

#[test]
fn a_reader_that_is_cancelled_strands_nobody_who_waits_for_it() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.store.made();
    world.store.next(Call::Get, Fate::DoneHangs);
    world.store.next(Call::Get, Fate::DoneHangs);
    let mut reader = node.begin(&issued);
    reader.waits();
    let mut waiting: Vec<_> = (0..10).map(|_| node.begin(&issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    drop(reader);
    // Whoever comes first reads in its place, and may be cancelled likewise.
    assert!(waiting.iter().all(Polled::is_woken));
    waiting.iter_mut().for_each(Polled::waits);
    assert_eq!(world.store.made(), [Call::Get; 2]);
    waiting.remove(0);
    assert_eq!(all_end(waiting), ["good"; 9]);
    assert_eq!(world.store.made(), [Call::Get]);
}

#[test]
fn one_who_waits_may_be_cancelled_and_the_read_goes_on() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.store.made();
    let gate = world.store.hold(Call::Get);
    let mut reader = node.begin(&issued);
    let mut waiting = node.begin(&issued);
    reader.waits();
    waiting.waits();
    drop(waiting);
    gate.open();
    assert_eq!(name(&reader.ends()), "good");
    assert_eq!(world.store.made(), [Call::Get]);
}

#[test]
fn a_refresher_that_is_cancelled_strands_nobody_who_waits_for_it() {
    for is_slow in [true, false] {
        let world = World::new();
        let issued = world.node().issue();
        let node = world.node();
        world.store.made();
        world.store.next(Call::Changes, Fate::DoneHangs);
        let mut refresher = node.begin(&issued);
        refresher.waits();
        let mut waiting: Vec<_> = (0..10).map(|_| node.begin(&issued)).collect();
        waiting.iter_mut().for_each(Polled::waits);
        assert_eq!(world.store.made(), [Call::Changes]);
        drop(refresher);
        assert!(waiting.iter().all(Polled::is_woken));
        // One asks in its place, also for those who come to it only after that was answered.
        if is_slow {
            let gate = world.store.hold(Call::Changes);
            waiting.iter_mut().for_each(Polled::waits);
            gate.open();
        }
        assert_eq!(all_end(waiting), ["good"; 10]);
        assert_eq!(world.store.made(), [Call::Changes, Call::Get]);
    }
}

#[test]
fn all_who_wait_for_a_read_that_fails_learn_it_and_it_is_not_remembered() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    world.store.made();
    let gate = Gate::default();
    world.store.next(Call::Get, Fate::FailsLater(gate.clone()));
    let mut waiting: Vec<_> = (0..10).map(|_| node.begin(&issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    gate.open();
    assert_eq!(all_end(waiting), ["unavailable"; 10]);
    assert_eq!(world.store.made(), [Call::Get]);
    assert_eq!(node.says(&issued), "good");
    assert_eq!(world.store.made(), [Call::Get]);
}

#[test]
fn all_who_wait_for_a_read_that_was_fenced_share_the_next_one() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    let gate = world.store.hold(Call::Get);
    let mut waiting: Vec<_> = (0..10).map(|_| node.begin(&issued)).collect();
    waiting.iter_mut().for_each(Polled::waits);
    crate::nodes::run(node.project.deactivate(issued.key.id)).unwrap();
    world.store.made();
    gate.open();
    assert_eq!(all_end(waiting), ["inactive"; 10]);
    assert_eq!(world.store.made(), [Call::Get]);
}

#[test]
fn an_error_of_the_store_is_one_for_all_who_joined() {
    for call in [Call::Get, Call::Changes] {
        let world = World::new();
        let issued = world.node().issue();
        let node = world.node();
        let gate = Gate::default();
        world.store.next(call, Fate::FailsLater(gate.clone()));
        let mut waiting: Vec<_> = (0..5).map(|_| node.begin(&issued)).collect();
        waiting.iter_mut().for_each(Polled::waits);
        gate.open();
        let sources: Vec<_> = waiting
            .iter_mut()
            .map(|one| match one.ends() {
                Err(Denial::Unavailable { source: Some(source), .. }) => source,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(sources.iter().all(|source| Arc::ptr_eq(source, &sources[0])), "{call:?}");
        let cause = std::error::Error::source(&*sources[0]).expect("what the store said");
        assert_eq!(cause.to_string(), "failed on purpose");
    }
}
