//! Many tokens at once: each is verified for itself, by the rules of one.

mod setup;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{AccessKeys, Denial, FakeClock, Grant, Issued, ProjectKeys};
use pollster::block_on;
use setup::faulty::{Fault, FaultyStore, poll_at_most};
use setup::{anything, builder, checkout, env, forged, production};

/// A waker that remembers whether it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn told(answers: &[Result<Grant, Denial>]) -> Vec<&'static str> {
    answers.iter().map(|answer| answer.as_ref().map_or_else(Denial::as_str, |_| "good")).collect()
}

fn generate<S: KeyStore>(project: &ProjectKeys<S>, count: usize) -> Vec<Issued> {
    (0..count).map(|_| block_on(project.generate(anything())).unwrap()).collect()
}

fn texts(issued: &[Issued]) -> Vec<&str> {
    issued.iter().map(|issued| issued.token.expose()).collect()
}

fn node(store: &Arc<FaultyStore>, reads: usize) -> AccessKeys<Arc<FaultyStore>> {
    builder(Arc::clone(store), &FakeClock::default()).concurrent_reads(reads).build().unwrap()
}

#[test]
fn the_answers_are_those_of_one_and_come_in_order() {
    let clock = FakeClock::default();
    let keys = builder(MemoryStore::new(), &clock).build().unwrap();
    let project = checkout(&keys);
    let issued = generate(&project, 4);
    block_on(project.revoke(issued[1].key.id, "")).unwrap();
    block_on(project.deactivate(issued[2].key.id)).unwrap();
    let mut tokens: Vec<String> = texts(&issued).into_iter().map(str::to_owned).collect();
    tokens.insert(1, "no token at all".to_owned());
    tokens.push(forged("acme", "0123456789012345", &"x".repeat(32)));
    tokens.push(tokens[0].clone());
    let verifier = keys.verifier();
    let answers = block_on(verifier.verify_many(&tokens, &production()));
    let expected = ["good", "malformed", "revoked", "inactive", "good", "unrecognized", "good"];
    assert_eq!(told(&answers), expected);
    let ids = answers.iter().flatten().map(|grant| grant.key().id);
    assert_eq!(ids.collect::<Vec<_>>(), [0, 3, 0].map(|i: usize| issued[i].key.id));
    for (token, answer) in tokens.iter().zip(&answers) {
        let one = [block_on(verifier.verify(token, &production()))];
        assert_eq!(told(&one), told(std::slice::from_ref(answer)));
    }
    let elsewhere = block_on(verifier.verify_many(&tokens[..1], &env("staging")));
    assert_eq!(told(&elsewhere), ["wrong_environment"]);
    assert!(block_on(verifier.verify_many::<&str>(&[], &production())).is_empty());
}

#[test]
fn a_key_that_cannot_be_read_says_nothing_about_the_others() {
    for broken in 2..=5 {
        let store = FaultyStore::new();
        let issued = generate(&checkout(&node(&store, 256)), 4);
        let cold = node(&store, 256);
        store.plan(move |call| if call == broken { Fault::Fails } else { Fault::Yields });
        let answers = block_on(cold.verifier().verify_many(&texts(&issued), &production()));
        let mut expected = vec!["good"; 4];
        expected[usize::try_from(broken).unwrap() - 2] = "unavailable";
        assert_eq!(told(&answers), expected);
    }
}

#[test]
fn a_batch_reads_a_quarter_of_what_may_be_read_and_waits_with_the_rest() {
    for (reads, width) in [(1, 1), (8, 2), (256, 64)] {
        let store = FaultyStore::new();
        let issued = generate(&checkout(&node(&store, 256)), 100);
        let cold = node(&store, reads);
        // The first call asks what has changed.
        store.plan(|call| if call == 1 { Fault::Works } else { Fault::Hangs });
        let (verifier, production, texts) = (cold.verifier(), production(), texts(&issued));
        {
            let mut verifying = pin!(verifier.verify_many(&texts, &production));
            let mut context = Context::from_waker(Waker::noop());
            (0..3).for_each(|_| assert!(verifying.as_mut().poll(&mut context).is_pending()));
            assert_eq!(store.calls(), 1 + width);
        }
        // What was dropped gave its places back.
        store.plan(|_| Fault::Yields);
        let answers = block_on(verifier.verify_many(&texts, &production));
        assert_eq!(told(&answers), ["good"; 100]);
        assert_eq!(store.calls(), 100);
    }
}

#[test]
fn a_key_that_comes_twice_is_read_once_and_at_a_limit_of_zero_each_time() {
    let store = FaultyStore::new();
    let issued = generate(&checkout(&node(&store, 256)), 1);
    let tokens = [issued[0].token.expose(); 10];
    store.plan(|_| Fault::Yields);
    let cold = node(&store, 256);
    assert_eq!(told(&block_on(cold.verifier().verify_many(&tokens, &production()))), ["good"; 10]);
    assert_eq!(store.calls(), 2);
    store.plan(|_| Fault::Yields);
    let at_zero = builder(Arc::clone(&store), &FakeClock::default()).max_staleness(Duration::ZERO);
    let at_zero = at_zero.build().unwrap().verifier();
    assert_eq!(told(&block_on(at_zero.verify_many(&tokens, &production()))), ["good"; 10]);
    assert_eq!(store.calls(), 11);
}

#[test]
fn a_change_of_this_node_holds_for_the_next_batch_and_for_the_reads_of_the_one_under_way() {
    let store = FaultyStore::new();
    let keys = node(&store, 256);
    let project = checkout(&keys);
    let issued = generate(&project, 3);
    let (verifier, production, texts) = (keys.verifier(), production(), texts(&issued));
    assert_eq!(told(&block_on(verifier.verify_many(&texts, &production))), ["good"; 3]);
    block_on(project.revoke(issued[1].key.id, "")).unwrap();
    assert_eq!(told(&block_on(verifier.verify_many(&texts, &production))), ["good", "revoked", "good"]);
    // A read that began before the change, of a node that knows nothing yet.
    let cold = node(&store, 256);
    store.plan(|call| if call == 1 { Fault::Works } else { Fault::Yields });
    let verifier = cold.verifier();
    let mut verifying = pin!(verifier.verify_many(&texts, &production));
    assert!(verifying.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    block_on(checkout(&cold).revoke(issued[2].key.id, "")).unwrap();
    assert_eq!(told(&block_on(verifying)), ["good", "revoked", "revoked"]);
}

#[test]
fn a_batch_from_the_cache_lets_others_have_a_turn() {
    let keys = builder(MemoryStore::new(), &FakeClock::default()).build().unwrap();
    let issued = generate(&checkout(&keys), 1);
    let tokens = vec![issued[0].token.expose(); 5_000];
    let (verifier, production) = (keys.verifier(), production());
    let _grant = block_on(verifier.verify(tokens[0], &production)).unwrap();
    assert!(poll_at_most(5, verifier.verify_many(&tokens, &production)).is_none());
    // And asks for its own next one.
    let woken = Arc::new(Woken::default());
    let mut verifying = pin!(verifier.verify_many(&tokens, &production));
    let waker = Waker::from(Arc::clone(&woken));
    assert!(verifying.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(woken.0.load(Ordering::SeqCst));
    let answers = poll_at_most(6, verifier.verify_many(&tokens, &production)).expect("it ends");
    assert!(answers.len() == 5_000 && answers.iter().all(Result::is_ok));
}

#[test]
fn a_batch_from_the_cache_allocates_no_more_for_many_than_for_few() {
    let keys = builder(MemoryStore::new(), &FakeClock::default()).build().unwrap();
    let issued = generate(&checkout(&keys), 1);
    let (verifier, production) = (keys.verifier(), production());
    let allocations = |count: usize| {
        let tokens = vec![issued[0].token.expose(); count];
        // The thread puts a row aside when it comes twice.
        (0..3).for_each(|_| drop(block_on(verifier.verify_many(&tokens, &production))));
        let counted =
            allocation_counter::measure(|| drop(block_on(verifier.verify_many(&tokens, &production))));
        counted.count_total
    };
    let (few, many) = (allocations(10), allocations(900));
    assert!(many <= few && few < 12, "{few} and {many}");
}
