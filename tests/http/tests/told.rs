//! What an operator is told by `tracing` of the verifier: the events of the guide to operating, when they hold and at no
//! other time.

#[path = "../../support/faulty.rs"]
#[expect(dead_code, reason = "no store lies here")]
mod faulty;

use std::sync::Arc;
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, Clock, EnvironmentId, FakeClock, Issued, KeyInfo, ProjectId, ProjectKeys, Scope,
};
use chrono::TimeDelta;
use faulty::{Fault, FaultyStore, poll_at_most};
use http_tests::Events;
use tracing::Level;

/// Longer than a node may rely on what it knew.
const LONG: Duration = Duration::from_secs(10);

const LIMIT: (Level, &str) = (Level::INFO, "the limit has changed");
const JUMP: (Level, &str) = (Level::WARN, "a clock of this node was set or stood still");
const APART: (Level, &str) = (Level::WARN, "the store's clock and this node's disagree");
const AGAIN: (Level, &str) = (Level::INFO, "the store's clock and this node's agree again");
const UNASKED: (Level, &str) = (Level::WARN, "could not ask the store what has changed");
const UNREAD: (Level, &str) = (Level::WARN, "could not read a key");
const BUSY: (Level, &str) = (Level::WARN, "too many keys are being read at once");
const FENCED: (Level, &str) = (Level::DEBUG, "a key changed while it was read");
const ASKED: (Level, &str) = (Level::DEBUG, "asked the store what has changed");

fn production() -> EnvironmentId {
    EnvironmentId::new("production").unwrap()
}

fn run<F: Future>(future: F) -> F::Output {
    poll_at_most(100, future).expect("it waits for something")
}

fn project<S: KeyStore>(keys: &AccessKeys<S>) -> ProjectKeys<S> {
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

fn generate<S: KeyStore>(keys: &AccessKeys<S>) -> Issued {
    let draft = project(keys).draft().info(KeyInfo::new("Mobile app", production()).unwrap());
    run(project(keys).generate(draft.agents(Scope::All).prompts(Scope::All).unwrap())).unwrap()
}

fn is_good<S: KeyStore>(keys: &AccessKeys<S>, issued: &Issued) -> bool {
    run(keys.verify(issued.token.expose(), &production())).is_ok()
}

/// Of all that was told since the last time, that which a person should look at, and that of `also`.
#[track_caller]
fn assert_told(events: &Events, also: &[(Level, &str)], expected: &[(Level, &str)]) {
    let of = |text: &str, begin: &str| text.contains(&format!("message={begin}"));
    let told = events.take();
    let told: Vec<_> = told
        .iter()
        .filter(|(level, text)| {
            *level < Level::DEBUG || also.iter().any(|(also, begin)| level == also && of(text, begin))
        })
        .collect();
    let alike = told.len() == expected.len()
        && told.iter().zip(expected).all(|((level, text), (other, begin))| level == other && of(text, begin));
    assert!(alike, "{expected:?} was to be told, but was {told:?}");
}

#[test]
fn a_store_that_cannot_be_asked_or_read_or_that_is_asked_too_much_is_told() {
    let (events, clock, store) = (Events::default(), FakeClock::default(), FaultyStore::new());
    let builder = AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(clock.clone());
    let keys = builder.concurrent_reads(1).build().unwrap();
    let [one, other] = [(); 2].map(|()| generate(&keys));
    let _listening = events.listen();
    clock.advance(LONG);
    store.plan(|_| Fault::Fails);
    assert!(!is_good(&keys, &one));
    assert_told(&events, &[], &[UNASKED]);
    // The question, but no key.
    store.plan(|call| if call == 1 { Fault::Works } else { Fault::Fails });
    assert!(!is_good(&keys, &one));
    assert_told(&events, &[], &[UNREAD]);

    store.plan(|_| Fault::Hangs);
    let production = production();
    let mut reading = Box::pin(keys.verify(one.token.expose(), &production));
    assert!(poll_at_most(1, &mut reading).is_none());
    assert!(!is_good(&keys, &other));
    assert_told(&events, &[], &[BUSY]);
    drop(reading);
    store.heal();
    assert!(is_good(&keys, &one) && is_good(&keys, &other));
    assert_told(&events, &[FENCED], &[]);
}

#[test]
fn a_key_that_changed_while_it_was_read_is_told() {
    let (events, store) = (Events::default(), FaultyStore::new());
    let keys = AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(FakeClock::default());
    let keys = keys.build().unwrap();
    let issued = generate(&keys);
    let _listening = events.listen();
    store.plan(|_| Fault::Yields);
    let production = production();
    let mut reading = Box::pin(keys.verify(issued.token.expose(), &production));
    assert!(poll_at_most(1, &mut reading).is_none());
    store.heal();
    assert!(run(project(&keys).deactivate(issued.key.id)).unwrap().is_new());
    assert!(run(reading).is_err());
    assert_told(&events, &[FENCED], &[FENCED]);
}

#[test]
fn a_limit_that_was_set_is_told_once_and_the_first_one_is_not() {
    let (events, clock, store) = (Events::default(), FakeClock::default(), FaultyStore::new());
    let keys = AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(clock.clone()).build().unwrap();
    let _listening = events.listen();
    let issued = generate(&keys);
    assert!(is_good(&keys, &issued));
    assert_told(&events, &[ASKED], &[ASKED]);
    clock.advance(LONG);
    assert!(is_good(&keys, &issued));
    assert_told(&events, &[ASKED], &[ASKED]);
    // Zero too is a limit, and no first one.
    for seconds in [1, 0, 2] {
        run(store.inner.set_max_staleness(Duration::from_secs(seconds))).unwrap();
        clock.advance(LONG);
        assert!(is_good(&keys, &issued));
        assert_told(&events, &[], &[LIMIT]);
    }
    clock.advance(LONG);
    assert!(is_good(&keys, &issued));
    assert_told(&events, &[], &[]);
}

#[test]
fn a_clock_that_was_set_is_told_once_whenever_it_is_noticed() {
    let (events, clock, store) = (Events::default(), FakeClock::default(), FaultyStore::new());
    let keys = AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(clock.clone()).build().unwrap();
    let issued = generate(&keys);
    assert!(is_good(&keys, &issued));
    let _listening = events.listen();
    clock.advance(LONG);
    store.plan(|_| Fault::Yields);
    let production = production();
    let mut asking = Box::pin(keys.verify(issued.token.expose(), &production));
    assert!(poll_at_most(1, &mut asking).is_none());
    clock.set_wall(clock.wall() + TimeDelta::hours(1));
    assert!(run(asking).is_ok());
    assert_told(&events, &[], &[JUMP]);
    // Here a verification notices it, before it asks the store.
    store.heal();
    clock.set_wall(clock.wall() - TimeDelta::hours(1));
    assert!(is_good(&keys, &issued));
    assert_told(&events, &[], &[JUMP]);
    clock.advance(LONG);
    assert!(is_good(&keys, &issued));
    assert_told(&events, &[], &[]);
}

#[test]
fn clocks_that_run_apart_are_told_and_that_they_agree_again() {
    let (events, clock, of_store) = (Events::default(), FakeClock::default(), FakeClock::default());
    let store = MemoryStore::with_clock(of_store.clone());
    let keys = AccessKeys::builder(store).prefix("acme").clock(clock.clone()).build().unwrap();
    let issued = generate(&keys);
    assert!(is_good(&keys, &issued));
    let _listening = events.listen();
    let mut told = Vec::new();
    for ahead in [0, 3_600, 0, 0, 0] {
        clock.advance(LONG);
        of_store.advance(LONG + Duration::from_secs(ahead));
        assert!(is_good(&keys, &issued));
        told.extend(events.take().into_iter().filter(|(level, _)| *level < Level::DEBUG));
    }
    assert_eq!(told.len(), 2, "{told:?}");
    for ((level, text), (expected, begin)) in told.iter().zip([APART, AGAIN]) {
        assert!(*level == expected && text.contains(begin), "{told:?}");
    }
}
