//! The answer that is given without waiting, and when there is none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access_keys::clock::Moment;
use access_keys::{Clock, Denial, Edit, EnvironmentId, FakeClock, Grant};
use chrono::{DateTime, TimeDelta, Utc};

use crate::nodes::{INSTANT, LEASE, Node, SECOND, World, agent, agents, name, run};
use crate::support::production;
use crate::watched::Call;

fn cached(node: &Node, token: &str) -> Option<Result<Grant, Denial>> {
    node.keys.verifier().verify_cached(token, &production())
}

/// What [`cached`] says; `None` when the store must be asked.
fn says(node: &Node, token: &str) -> Option<&'static str> {
    cached(node, token).as_ref().map(name)
}

#[test]
fn every_answer_that_is_known_is_given_at_once_and_none_that_is_not() {
    let world = World::new();
    let (one, node) = (world.node(), world.node());
    let [good, paused, revoked, retired, expired] = [(); 5].map(|()| one.issue());
    run(one.project.deactivate(paused.key.id)).unwrap();
    run(one.project.revoke(revoked.key.id, "")).unwrap();
    let _ = run(one.project.rotate(retired.key.id, Duration::ZERO)).unwrap();
    let end = world.clock.wall() + SECOND;
    run(one.project.edit(expired.key.id, Edit::new().expires_at(end))).unwrap();
    world.clock.advance(SECOND);
    let unknown = World::new().node().issue();
    let answers = [
        (&good, "good"),
        (&paused, "inactive"),
        (&revoked, "revoked"),
        (&retired, "unrecognized"),
        (&expired, "expired"),
        (&unknown, "unrecognized"),
    ];
    world.store.made();
    for (issued, said) in answers {
        assert_eq!(says(&node, issued.token.expose()), None);
        assert_eq!(node.says(issued), said);
        assert_eq!(says(&node, issued.token.expose()), Some(said));
    }
    assert_eq!(world.store.made().len(), 1 + answers.len(), "asked for by those who may wait");
    let elsewhere = EnvironmentId::new("staging").unwrap();
    let denied = node.keys.verifier().verify_cached(good.token.expose(), &elsewhere);
    assert!(matches!(denied, Some(Err(Denial::WrongEnvironment { .. }))));

    // Nothing is known once the lease is over, and what is no token needs no knowledge.
    world.clock.advance(LEASE);
    for (issued, _) in answers {
        assert_eq!(says(&node, issued.token.expose()), None);
    }
    assert_eq!(says(&node, "acme_"), Some("malformed"));
    assert_eq!(says(&world.node(), "acme_"), Some("malformed"));
    assert_eq!(world.store.made(), [], "it never asks");
}

#[test]
fn an_answer_at_once_is_the_grant_that_a_verification_gives() {
    let world = World::new();
    let (_, node, issued, grant) = world.pair();
    world.clock.advance(SECOND);
    let at_once = cached(&node, issued.token.expose()).unwrap().unwrap();
    let verified = node.verify(issued.token.expose()).unwrap();
    for other in [&grant, &verified] {
        assert_eq!((at_once.key(), at_once.good_until()), (other.key(), other.good_until()));
    }
    let stats = node.stats();
    assert_eq!((stats.accepted, stats.hits), (3, 2), "and it is counted as one");
}

#[test]
fn no_answer_at_once_is_counted_where_the_store_must_be_asked() {
    let world = World::new();
    let (_, node, issued, _) = world.pair();
    world.clock.advance(LEASE);
    let before = node.stats();
    assert!(cached(&node, issued.token.expose()).is_none());
    assert_eq!(node.stats(), before);
}

#[test]
fn a_grant_says_what_the_key_was_when_it_was_verified() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    let before = node.verify(issued.token.expose()).unwrap();
    let edit = Edit::new().agents(agents(&["billing"])).name("Renamed").unwrap();
    run(node.project.edit(issued.key.id, edit)).unwrap();
    let after = node.verify(issued.token.expose()).unwrap();
    assert!(before.allows_agent(&agent("support-bot")) && !after.allows_agent(&agent("support-bot")));
    assert_eq!((before.key(), after.key().name.as_str()), (&issued.key, "Renamed"));
    run(node.project.revoke(issued.key.id, "")).unwrap();
    assert!(before.require_agent(&agent("support-bot")).is_ok() && after.sole_agent().is_some());
}

/// A clock at whose next glance something happens first.
#[derive(Clone, Default)]
struct Interrupted {
    clock: FakeClock,
    next: Arc<Mutex<Option<Interruption>>>,
}

type Interruption = Box<dyn FnOnce() + Send>;

impl Clock for Interrupted {
    fn wall(&self) -> DateTime<Utc> {
        self.clock.wall()
    }

    fn boot(&self) -> Duration {
        self.clock.boot()
    }

    fn glance(&self) -> Moment {
        let next = self.next.lock().unwrap().take();
        if let Some(happens) = next {
            happens();
        }
        self.clock.glance()
    }
}

#[test]
fn a_decision_borrows_no_deadline_that_was_published_after_its_row_was_found() {
    for refreshes in [false, true] {
        let world = World::new();
        let clock = Interrupted { clock: world.clock.clone(), ..Interrupted::default() };
        let (one, other) = (world.node(), Arc::new(world.node_at(&clock, |builder| builder)));
        let [issued, second] = [one.issue(), one.issue()];
        assert_eq!((other.says(&issued), other.says(&second)), ("good", "good"));
        run(one.project.revoke(issued.key.id, "")).unwrap();
        // The thread stands still until the lease is over, while another one verifies something else.
        let (time, asks) = (world.clock.clone(), Arc::clone(&other));
        *clock.next.lock().unwrap() = Some(Box::new(move || {
            time.advance(LEASE);
            if refreshes {
                assert_eq!(asks.says(&second), "good");
            }
        }));
        assert_eq!(cached(&other, issued.token.expose()).as_ref().map(name), None);
        assert!(clock.next.lock().unwrap().is_none(), "it was interrupted");
        assert_eq!(other.says(&issued), "revoked");
    }
}

#[test]
fn the_last_instant_of_a_lease_is_the_one_before_its_end() {
    let world = World::new();
    let (_, node, issued, grant) = world.pair();
    world.clock.advance(grant.good_until().remaining(&world.clock) - INSTANT);
    assert_eq!(says(&node, issued.token.expose()), Some("good"));
    world.clock.advance(INSTANT);
    assert_eq!((says(&node, issued.token.expose()), world.store.made()), (None, vec![]));
    assert_eq!((node.says(&issued), world.store.made()), ("good", vec![Call::Changes]));
}

/// A clock whose glance is as far off as it may be, and that counts how often its wall time is read.
#[derive(Clone)]
struct Coarse {
    clock: FakeClock,
    off: TimeDelta,
    read: Arc<AtomicUsize>,
}

impl Clock for Coarse {
    fn wall(&self) -> DateTime<Utc> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.clock.wall()
    }

    fn boot(&self) -> Duration {
        self.clock.boot()
    }

    fn glance(&self) -> Moment {
        Moment::new(self.clock.boot(), self.clock.wall() + self.off)
    }
}

#[test]
fn where_a_glance_is_too_coarse_for_an_end_the_wall_time_is_read_and_only_there() {
    for off in [-20, 0, 20].map(TimeDelta::milliseconds) {
        let world = World::new();
        let clock = Coarse { clock: world.clock.clone(), off, read: Arc::default() };
        // Behind a pointer it is the same.
        let behind: Arc<dyn Clock> = Arc::new(clock.clone());
        let node = world.node_at(&behind, |builder| builder);
        let (expiring, retired) = (node.issue(), node.issue());
        let end = world.clock.wall() + SECOND;
        run(node.project.edit(expiring.key.id, Edit::new().expires_at(end))).unwrap();
        let _ = run(node.project.rotate(retired.key.id, SECOND)).unwrap();
        let both = || [&expiring, &retired].map(|issued| says(&node, issued.token.expose()));
        assert_eq!([node.says(&expiring), node.says(&retired)], ["good"; 2]);
        let read = || clock.read.swap(0, Ordering::Relaxed);
        read();
        assert_eq!((both(), read()), ([Some("good"); 2], 0));
        world.clock.advance(SECOND - Duration::from_micros(1));
        assert_eq!(both(), [Some("good"); 2]);
        read();
        world.clock.advance(Duration::from_micros(1));
        assert_eq!((both(), read()), ([Some("expired"), Some("unrecognized")], 2));
        world.clock.advance(SECOND);
        assert_eq!((both(), read()), ([Some("expired"), Some("unrecognized")], 0));
    }
}
