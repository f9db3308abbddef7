//! What a verifier counts.

use std::cell::RefCell;
use std::time::Duration;

use access_keys::verify::Stats;
use access_keys::{Clock, Edit, EnvironmentId, Verifier};

use crate::nodes::{INSTANT, LEASE, Node, SECOND, World, agent, name, run};
use crate::support::production;
use crate::watched::Call;

/// Every answer that was counted.
const fn answers(stats: &Stats) -> u64 {
    stats.accepted
        + stats.malformed
        + stats.unrecognized
        + stats.inactive
        + stats.revoked
        + stats.expired
        + stats.wrong_environment
        + stats.unavailable
}

#[test]
fn every_answer_is_counted_once_by_what_it_says_from_the_cache_or_the_store() {
    let world = World::new();
    let node = world.node();
    let [good, inactive, revoked, expired, retired] = [(); 5].map(|()| node.issue());
    let project = &node.project;
    run(project.deactivate(inactive.key.id)).unwrap();
    run(project.revoke(revoked.key.id, "")).unwrap();
    let edit = Edit::new().expires_at(world.clock.wall() + SECOND);
    run(project.edit(expired.key.id, edit)).unwrap();
    let _ = run(project.rotate(retired.key.id, Duration::ZERO)).unwrap();
    world.clock.advance(SECOND);
    let staging = EnvironmentId::new("staging").unwrap();
    let unknown = World::new().node().issue();
    assert_eq!(answers(&node.stats()), 0, "management is not counted");

    let ask = |token: &str, environment: &EnvironmentId| drop(run(node.keys.verify(token, environment)));
    for round in 1..=3 {
        ask(good.token.expose(), &production());
        ask("acme_", &production());
        ask(unknown.token.expose(), &production());
        ask(retired.token.expose(), &production());
        ask(inactive.token.expose(), &production());
        ask(revoked.token.expose(), &production());
        ask(expired.token.expose(), &production());
        ask(good.token.expose(), &staging);
        let stats = node.stats();
        let counted = [stats.accepted, stats.malformed, stats.inactive, stats.revoked, stats.expired];
        assert_eq!(counted, [round; 5]);
        assert_eq!((stats.unrecognized, stats.wrong_environment, stats.unavailable), (2 * round, round, 0));
        // Five keys and an absence are read in the first round.
        assert_eq!((stats.hits, stats.fills, stats.keys), (8 * round - 6, 6, 5));
    }
    world.store.stop();
    world.clock.advance(LEASE);
    ask(good.token.expose(), &production());
    ask("acme_", &production());
    let stats = node.stats();
    assert_eq!((stats.unavailable, stats.failed_refreshes, stats.malformed), (1, 1, 4));
    assert_eq!((stats.hits, answers(&stats)), (8 * 3 - 6 + 1, 26));
}

#[test]
fn a_recheck_is_counted_as_a_verification_is_and_what_is_asked_of_a_grant_is_not() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    assert_eq!((other.stats().accepted, other.stats().hits), (1, 0));
    let _ = other.recheck(&grant).unwrap();
    let _ = grant.require_agent(&agent("a"));
    assert_eq!((other.stats().accepted, other.stats().hits), (2, 1));
    run(one.project.revoke(issued.key.id, "")).unwrap();
    world.clock.advance(LEASE);
    assert!(other.recheck(&grant).is_err() && other.recheck(&grant).is_err());
    let stats = other.stats();
    assert_eq!((stats.accepted, stats.revoked, stats.hits), (2, 2, 2));
    // An answer is not counted before it was given.
    let unknown = World::new().node().issue();
    assert!(!other.knows(&unknown));
    let mut given_up = other.begin(&unknown);
    let _gate = world.store.hold(Call::Get);
    given_up.waits();
    drop(given_up);
    assert_eq!(answers(&other.stats()), 4);
}

#[test]
fn fills_and_refreshes_are_counted_by_how_they_ended() {
    let world = World::new();
    let (one, other, issued, _) = world.pair();
    let stats = other.stats();
    assert_eq!((stats.fills, stats.fenced_fills, stats.refreshes, stats.failed_refreshes), (1, 0, 1, 0));
    // The key changes on the same node while it is read.
    let second = one.issue();
    let gate = world.store.hold(Call::Get);
    let mut verifying = other.begin(&second);
    verifying.waits();
    run(other.project.deactivate(second.key.id)).unwrap();
    gate.open();
    assert!(verifying.ends().is_err());
    let stats = other.stats();
    assert_eq!((stats.fills, stats.fenced_fills), (3, 1));

    world.store.fail(&[Call::Get]);
    assert_eq!(other.says(&one.issue()), "unavailable");
    assert_eq!(other.stats().fills, 3, "a read that brought nothing");
    world.store.fail(&[Call::Changes]);
    world.clock.advance(LEASE);
    for failed in 1..=3 {
        assert_eq!(other.says(&issued), "unavailable");
        assert_eq!((other.stats().refreshes, other.stats().failed_refreshes), (1, failed));
    }
    world.store.heal();
    assert_eq!(other.says(&issued), "good");
    assert_eq!((other.stats().refreshes, other.stats().failed_refreshes), (2, 3));
}

#[test]
fn the_age_is_that_of_the_last_answer_counted_from_when_it_was_asked_for() {
    let world = World::new();
    let issued = world.node().issue();
    let node = world.node();
    assert_eq!(node.stats(), Stats::default(), "nothing is known, and nothing is there");
    let gate = world.store.hold(Call::Changes);
    let mut verifying = node.begin(&issued);
    verifying.waits();
    world.clock.advance(SECOND);
    assert_eq!(node.stats().age, None);
    gate.open();
    let _ = verifying.ends().unwrap();
    assert_eq!(node.stats().age, Some(SECOND));
    world.store.stop();
    world.clock.advance(SECOND * 60);
    assert_eq!((node.says(&issued), node.stats().age), ("unavailable", Some(SECOND * 61)));
    world.store.heal();
    assert_eq!((node.says(&issued), node.stats().age), ("good", Some(Duration::ZERO)));
    world.clock.advance(INSTANT);
    assert_eq!(node.stats().age, Some(INSTANT));
}

#[test]
fn keys_and_bytes_are_those_in_the_cache() {
    let world = World::new();
    let node = world.node();
    let keys = node.issue_many(10);
    assert_eq!((node.stats().keys, node.stats().bytes), (0, 0), "what was made was not yet asked for");
    let mut before = 0;
    for (number, issued) in (1..).zip(&keys) {
        assert_eq!(node.says(issued), "good");
        let stats = node.stats();
        assert!(stats.keys == number && stats.bytes > before + 64, "{stats:?}");
        before = stats.bytes;
    }
    for (number, issued) in keys.iter().enumerate() {
        run(node.project.deactivate(issued.key.id)).unwrap();
        assert_eq!(node.stats().keys, 9 - number, "what changed is forgotten");
    }
    assert_eq!((node.stats().keys, node.stats().bytes), (0, 0));
}

#[test]
fn counts_are_exact_over_several_threads_also_when_these_have_ended() {
    const THREADS: u64 = 8;
    const EACH: u64 = 1_000;
    let world = World::new();
    let nodes = [world.node(), world.node()];
    let (good, paused) = (nodes[0].issue(), nodes[0].issue());
    run(nodes[0].project.deactivate(paused.key.id)).unwrap();
    let ask = |node: &Node| {
        for number in 0..EACH {
            let (issued, said) = if number % 4 == 0 { (&paused, "inactive") } else { (&good, "good") };
            // One thread may have to wait for what another reads.
            let answer = pollster::block_on(node.keys.verify(issued.token.expose(), &production()));
            assert_eq!(name(&answer), said);
        }
    };
    for round in 1..=3 {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                // Two verifiers on one thread, by turns.
                scope.spawn(|| nodes.iter().for_each(&ask));
            }
        });
        for node in &nodes {
            let (stats, asked) = (node.stats(), round * THREADS * EACH);
            assert_eq!((stats.accepted, stats.inactive, answers(&stats)), (asked * 3 / 4, asked / 4, asked));
            assert!(stats.hits <= asked - 2 && stats.hits >= asked - 2 * THREADS, "{stats:?}");
        }
    }
    // While they run, no count goes back.
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| ask(&nodes[0]))).collect();
        let mut last = 0;
        while running.iter().any(|thread| !thread.is_finished()) {
            let now = answers(&nodes[0].stats());
            assert!(now >= last, "from {last} to {now}");
            last = now;
            std::thread::yield_now();
        }
    });
    assert_eq!(answers(&nodes[0].stats()), 4 * THREADS * EACH);
}

/// Verifies when its thread ends.
struct AtTheEnd(Verifier);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        assert!(self.0.verify_cached("acme_", &production()).is_some());
    }
}

#[test]
fn what_a_thread_verifies_while_it_ends_is_counted_too() {
    thread_local! {
        static FIRST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
        static LAST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    let world = World::new();
    let node = world.node();
    let verifier = || Some(AtTheEnd(node.keys.verifier()));
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| {
            // One of both is dropped after the counts of this thread are.
            FIRST.set(verifier());
            assert!(node.keys.verifier().verify_cached("acme_", &production()).is_some());
            LAST.set(verifier());
        });
        ended.join().unwrap();
    });
    assert_eq!(node.stats().malformed, 3);
}
