//! What waits in the background: uses that are written, and streams that end with their key.

mod support;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{AccessKeys, Clock, Denial, Edit, FakeClock, Grant, Issued, ProjectKeys};
use pollster::block_on;
use support::{Fault, FaultyStore, keys, production, project, review};

/// The host's timer, in the hand of the test: what was asked for, and whether it has rung.
#[derive(Clone, Default)]
struct Timer(Arc<Mutex<(Vec<Duration>, usize)>>);

impl Timer {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let timer = self.clone();
        let number = {
            let mut state = timer.0.lock().unwrap();
            state.0.push(duration);
            state.0.len()
        };
        std::future::poll_fn(move |_| {
            let rung = timer.0.lock().unwrap().1;
            if rung >= number { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn ring(&self) {
        let mut state = self.0.lock().unwrap();
        state.1 = state.0.len();
    }

    fn asked(&self) -> Vec<Duration> {
        self.0.lock().unwrap().0.clone()
    }
}

fn poll<T>(future: &mut Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn verified<S: KeyStore>(keys: &AccessKeys<S>, issued: &Issued) -> Grant {
    block_on(keys.verify(issued.token.expose(), &production())).unwrap()
}

#[test]
fn following_writes_uses_every_ten_seconds_until_no_one_else_is_there() {
    let (store, clock) = (FaultyStore::new(), FakeClock::default());
    let keys = keys(store.clone(), &clock);
    let issued = block_on(project(&keys, "ada").generate(review("Mobile"))).unwrap();
    let written = || block_on(store.inner.last_uses(&[issued.key.id])).unwrap().len();
    let timer = Timer::default();
    let sleeper = timer.clone();
    let mut following = pin!(keys.verifier().follow(move |duration| sleeper.sleep(duration)));
    let grant = verified(&keys, &issued);

    store.plan(|_| Fault::Fails);
    assert!(poll(&mut following).is_pending());
    assert_eq!(written(), 0, "what cannot be written is kept");
    store.heal();
    clock.advance(Duration::from_secs(9));
    timer.ring();
    assert!(poll(&mut following).is_pending());
    assert_eq!(written(), 0, "not before its time");
    clock.advance(Duration::from_secs(1));
    timer.ring();
    assert!(poll(&mut following).is_pending());
    assert_eq!(written(), 1);
    assert!(timer.asked().iter().all(|sleep| *sleep <= Duration::from_secs(10)), "{:?}", timer.asked());

    drop((keys, grant));
    timer.ring();
    assert!(poll(&mut following).is_ready());
}

#[test]
fn following_asks_ahead_of_every_deadline_and_as_soon_as_something_changed() {
    let (store, clock) = (FaultyStore::new(), FakeClock::default());
    let (one, other) = (keys(store.clone(), &clock), keys(store.clone(), &clock));
    let owner = project(&one, "ada");
    let issued = block_on(owner.generate(review("Mobile"))).unwrap();
    let timer = Timer::default();
    let sleeper = timer.clone();
    let mut following = pin!(other.verifier().follow(move |duration| sleeper.sleep(duration)));
    assert!(poll(&mut following).is_pending());
    let _ = verified(&other, &issued);

    // Ten leases on, no request has had to wait for the store.
    for _ in 0..20 {
        let asked = *timer.asked().last().unwrap();
        assert!(asked <= Duration::from_secs(2), "half a lease ahead: {asked:?}");
        clock.advance(asked);
        timer.ring();
        assert!(poll(&mut following).is_pending());
        let cached = other.verifier().verify_cached(issued.token.expose(), &production());
        assert!(matches!(cached, Some(Ok(_))), "{cached:?}");
    }

    // Without a moment passing, a revocation elsewhere arrives.
    block_on(owner.revoke(issued.key.id, "")).unwrap();
    assert!(poll(&mut following).is_pending());
    assert!(other.verifier().verify_cached(issued.token.expose(), &production()).is_none());
    let refused = block_on(other.verify(issued.token.expose(), &production()));
    assert!(matches!(refused, Err(Denial::Revoked { .. })));
}

type Set = (AccessKeys<Arc<MemoryStore>>, ProjectKeys<Arc<MemoryStore>>, FakeClock, Issued);

fn set_up() -> Set {
    let clock = FakeClock::default();
    let keys = keys(Arc::new(MemoryStore::new()), &clock);
    let project = project(&keys, "ada");
    let issued = block_on(project.generate(review("Mobile"))).unwrap();
    (keys, project, clock, issued)
}

#[test]
fn a_stream_ends_as_soon_as_the_store_tells_that_its_key_was_revoked() {
    let (keys, project, _, issued) = set_up();
    let (grant, timer, verifier) = (verified(&keys, &issued), Timer::default(), keys.verifier());
    let mut ended = pin!(verifier.ended(&grant, |duration| timer.sleep(duration)));
    assert!(poll(&mut ended).is_pending());
    assert_eq!(timer.asked(), [Duration::from_secs(1)]);

    // Another key's change wakes it too, and it goes on.
    let _ = block_on(project.generate(review("Other"))).unwrap();
    assert!(poll(&mut ended).is_pending());
    block_on(project.edit(issued.key.id, Edit::new().name("Renamed").unwrap())).unwrap();
    assert!(poll(&mut ended).is_pending());

    block_on(project.revoke(issued.key.id, "")).unwrap();
    match poll(&mut ended) {
        Poll::Ready(Denial::Revoked { key, .. }) => assert_eq!(key, issued.key.id),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_ends_with_the_expiry_of_its_key_and_with_the_grace_of_its_secret() {
    for expires in [true, false] {
        let (keys, project, clock, issued) = set_up();
        let grant = verified(&keys, &issued);
        let end = Duration::from_millis(400);
        if expires {
            block_on(project.edit(issued.key.id, Edit::new().expires_at(clock.wall() + end))).unwrap();
        } else {
            let _ = block_on(project.rotate(issued.key.id, end)).unwrap();
        }
        let (timer, verifier) = (Timer::default(), keys.verifier());
        let mut ended = pin!(verifier.ended(&grant, |duration| timer.sleep(duration)));
        assert!(poll(&mut ended).is_pending());
        assert_eq!(timer.asked(), [end], "no longer than until time alone ends it");
        clock.advance(end);
        timer.ring();
        match (expires, poll(&mut ended)) {
            (true, Poll::Ready(Denial::Expired { .. })) => {}
            (false, Poll::Ready(Denial::Unrecognized { .. })) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_stream_whose_key_cannot_be_read_is_unavailable_once_its_lease_is_over() {
    let (store, clock) = (FaultyStore::new(), FakeClock::default());
    let keys = keys(store.clone(), &clock);
    let issued = block_on(project(&keys, "ada").generate(review("Mobile"))).unwrap();
    let (grant, timer, verifier) = (verified(&keys, &issued), Timer::default(), keys.verifier());
    let mut ended = pin!(verifier.ended(&grant, |duration| timer.sleep(duration)));
    assert!(poll(&mut ended).is_pending());
    store.plan(|_| Fault::Fails);
    clock.advance(Duration::from_secs(1));
    timer.ring();
    assert!(poll(&mut ended).is_pending(), "what is known is still fresh");
    clock.advance(Duration::from_secs(3));
    timer.ring();
    assert!(matches!(poll(&mut ended), Poll::Ready(Denial::Unavailable { source: Some(_), .. })));
}

#[test]
fn a_change_is_heard_through_every_pointer_to_a_store() {
    let memory = Arc::new(MemoryStore::new());
    let dynamic: Arc<dyn KeyStore> = memory.clone();
    let boxed: Box<dyn KeyStore> = Box::new(Arc::clone(&dynamic));
    let owner = project(&keys(Arc::clone(&memory), &FakeClock::default()), "ada");
    let mut waiting = [memory.changed(), dynamic.changed(), boxed.changed()];
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.iter_mut().all(|waiter| waiter.as_mut().poll(&mut context).is_pending()));
    let _ = block_on(owner.generate(review("Mobile"))).unwrap();
    assert!(waiting.iter_mut().all(|waiter| waiter.as_mut().poll(&mut context).is_ready()));
}
