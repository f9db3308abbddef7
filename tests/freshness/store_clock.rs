//! A store with a clock: expiry and graces are stamped and judged by it on every node, and it is not trusted when
//! it and the node's own run apart.

use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{Clock, Edit, Error, FakeClock, Issued};
use chrono::{DateTime, TimeDelta, Utc};

use crate::nodes::{HOUR, INSTANT, LEASE, Node, SECOND, World, millis, run, set_wall};
use crate::watched::{Call, Fate, Gate, Watched};

const MICROSECOND: Duration = Duration::from_micros(1);

/// A store with its clock, and the clocks of nodes: one is right, one an hour ahead, one an hour behind.
struct Apart {
    world: World,
    clocks: [FakeClock; 3],
}

impl Apart {
    fn new() -> (Self, [Node; 3]) {
        let world = World::with_store_clock();
        let clocks = [0, 1, -1].map(|hours| {
            FakeClock::new(FakeClock::default().wall() + TimeDelta::hours(hours) + TimeDelta::microseconds(7))
        });
        let nodes = [0, 1, 2].map(|i| world.node_at(&clocks[i], |builder| builder));
        (Self { world, clocks }, nodes)
    }

    /// What the clock of the store reads.
    fn now(&self) -> DateTime<Utc> {
        self.world.clock.wall()
    }

    fn advance(&self, by: Duration) {
        self.world.clock.advance(by);
        self.clocks.iter().for_each(|clock| clock.advance(by));
    }
}

#[track_caller]
fn say(nodes: &[Node; 3], issued: &Issued) -> [&'static str; 3] {
    nodes.each_ref().map(|node| node.says(issued))
}

#[test]
fn nodes_whose_wall_clocks_are_an_hour_off_judge_an_expiry_alike() {
    for maker in 0..3 {
        let (apart, nodes) = Apart::new();
        let issued = nodes[maker].issue();
        let edit = Edit::new().expires_at(apart.now() + SECOND * 10);
        run(nodes[maker].project.edit(issued.key.id, edit)).unwrap();
        assert_eq!(say(&nodes, &issued), ["good"; 3]);
        apart.advance(SECOND * 10 - MICROSECOND);
        assert_eq!(say(&nodes, &issued), ["good"; 3]);
        apart.advance(MICROSECOND);
        assert_eq!(say(&nodes, &issued), ["expired"; 3]);
        let past = Edit::new().expires_at(apart.now() - MICROSECOND);
        assert!(matches!(run(nodes[maker].project.edit(issued.key.id, past)), Err(Error::Invalid(_))));
    }
}

#[test]
fn nodes_whose_wall_clocks_are_an_hour_off_judge_the_end_of_a_grace_alike() {
    for maker in 0..3 {
        let (apart, nodes) = Apart::new();
        let issued = nodes[maker].issue();
        let rotated = run(nodes[maker].project.rotate(issued.key.id, SECOND * 10)).unwrap();
        let stored = run(apart.world.store.inner.get(issued.key.id)).unwrap().unwrap();
        assert_eq!(stored.digests()[1].ends_at(), Some(apart.now() + SECOND * 10));
        assert_eq!(say(&nodes, &issued), ["good"; 3]);
        apart.advance(SECOND * 10 - MICROSECOND);
        assert_eq!(say(&nodes, &issued), ["good"; 3]);
        apart.advance(MICROSECOND);
        assert_eq!((say(&nodes, &issued), say(&nodes, &rotated)), (["unrecognized"; 3], ["good"; 3]));
    }
}

#[test]
fn what_is_written_is_stamped_by_the_clock_of_the_store() {
    let (apart, nodes) = Apart::new();
    for node in &nodes {
        apart.advance(SECOND);
        let key = node.issue().key;
        assert_eq!((key.created_at, key.updated_at), (apart.now(), apart.now()));
        // Also some time after it was read.
        apart.advance(LEASE);
        let key = run(node.project.deactivate(key.id)).unwrap().into_key();
        assert_eq!(key.updated_at, apart.now());
    }
}

#[test]
fn without_the_clock_of_the_store_keys_are_revoked_and_paused_all_the_same() {
    let (apart, nodes) = Apart::new();
    let [revoked, paused] = [nodes[0].issue_many(2), nodes[0].issue_many(2)];
    apart.advance(LEASE + INSTANT);
    apart.world.store.fail(&[Call::Changes]);
    // Also by a node that never had an answer.
    for (node, i) in [(&nodes[0], 0), (&nodes[2], 1)] {
        let revoke = run(node.project.revoke(revoked[i].key.id, "leaked")).unwrap();
        let pause = run(node.project.deactivate(paused[i].key.id)).unwrap();
        for change in [&revoke, &pause] {
            assert_eq!((change.is_new(), change.holds_everywhere_in()), (true, SECOND * 60));
            assert!(change.key().updated_at > change.key().created_at);
        }
    }
    apart.world.store.heal();
    for i in [0, 1] {
        assert_eq!(say(&nodes, &revoked[i]), ["revoked"; 3]);
        assert_eq!(say(&nodes, &paused[i]), ["inactive"; 3]);
    }
}

#[test]
fn without_the_clock_of_the_store_nothing_is_stamped() {
    let (apart, nodes) = Apart::new();
    let issued = nodes[1].issue();
    apart.world.store.fail(&[Call::Changes]);
    apart.advance(LEASE);
    let change = run(nodes[1].project.deactivate(issued.key.id)).unwrap();
    assert_eq!(change.key().updated_at, apart.now(), "by a reading that is one lease old");
    apart.advance(INSTANT);
    apart.world.store.made();
    assert!(matches!(run(nodes[1].project.activate(issued.key.id)), Err(Error::Store(_))));
    assert_eq!(apart.world.store.made(), [Call::Get, Call::Changes]);
    apart.world.store.heal();
    assert!(run(nodes[1].project.activate(issued.key.id)).unwrap().is_new());
}

#[test]
fn after_a_jump_of_the_nodes_clock_the_one_of_the_store_is_read_anew_for_a_stamp() {
    for jump in [-60_000, 60_000] {
        let (apart, nodes) = Apart::new();
        let _ = nodes[0].issue();
        apart.world.store.made();
        set_wall(&apart.clocks[0], jump);
        let key = nodes[0].issue().key;
        assert_eq!(apart.world.store.made(), [Call::Changes, Call::Insert]);
        assert_eq!(key.created_at, apart.now());
    }
}

#[test]
fn a_slow_answer_makes_an_expiry_come_at_most_a_round_trip_early() {
    let (apart, nodes) = Apart::new();
    let issued = nodes[0].issue();
    run(nodes[0].project.edit(issued.key.id, Edit::new().expires_at(apart.now() + SECOND * 5))).unwrap();
    // The store reads its clock at the end of the round trip, as far from the sending as can be.
    let gate = Gate::default();
    apart.world.store.next(Call::Changes, Fate::Waits(gate.clone()));
    let mut verifying = nodes[1].begin(&issued);
    verifying.waits();
    apart.advance(SECOND * 2);
    gate.open();
    let grant = verifying.ends().unwrap();
    assert_eq!(grant.good_until().remaining(&apart.clocks[1]), SECOND, "3 s are left, less the round trip");
    apart.advance(SECOND);
    assert_eq!((nodes[1].says(&issued), nodes[0].says(&issued)), ("expired", "good"));
    apart.advance(SECOND);
    assert_eq!(nodes[1].says(&issued), "good", "the next answer was quick");
    apart.advance(SECOND);
    assert_eq!((nodes[1].says(&issued), nodes[0].says(&issued)), ("expired", "expired"));
}

/// A store with a clock that is nobody else's.
fn alone() -> (World, FakeClock) {
    let store_clock = FakeClock::default();
    let store = Watched::over(MemoryStore::with_clock(store_clock.clone()));
    (World { store, clock: FakeClock::default() }, store_clock)
}

/// A node that has had two answers, between which its own clock moved by one lease and the store's by `moved`,
/// and its key.
fn after(moved: Duration) -> (World, FakeClock, Node, Issued) {
    let (world, store_clock) = alone();
    let node = world.node();
    let issued = node.issue();
    assert_eq!((node.says(&issued), node.knows(&issued)), ("good", true));
    world.clock.advance(LEASE);
    store_clock.advance(moved);
    assert_eq!(node.says(&issued), "good");
    world.store.made();
    (world, store_clock, node, issued)
}

#[test]
fn a_store_clock_that_moves_by_up_to_a_quarter_more_or_less_is_trusted() {
    // And a microsecond, to which times are cut.
    for moved in [LEASE, LEASE * 5 / 4 + MICROSECOND, LEASE * 3 / 4 - MICROSECOND] {
        let (world, _, node, issued) = after(moved);
        assert_eq!((node.says(&issued), world.store.made()), ("good", vec![]), "{moved:?}");
    }
}

#[test]
fn a_store_clock_that_moves_by_over_a_quarter_more_or_less_makes_every_verification_read() {
    for moved in [LEASE * 5 / 4 + MICROSECOND * 2, LEASE * 3 / 4 - MICROSECOND * 2, HOUR, Duration::ZERO] {
        let (world, store_clock, node, issued) = after(moved);
        let other = world.node();
        for _ in 0..3 {
            assert_eq!((node.says(&issued), world.store.made()), ("good", vec![Call::Get]), "{moved:?}");
        }
        assert!(!node.knows(&issued));
        // As at limit zero: what another node does is seen at once.
        run(other.project.deactivate(issued.key.id)).unwrap();
        assert_eq!(node.says(&issued), "inactive");
        run(other.project.activate(issued.key.id)).unwrap();
        assert_eq!(node.says(&issued), "good");

        // Another comparison that is not clean, and then one that is.
        world.clock.advance(SECOND + millis(1));
        store_clock.advance(SECOND * 2);
        assert_eq!(node.says(&issued), "good");
        world.store.made();
        assert_eq!((node.says(&issued), world.store.made()), ("good", vec![Call::Get]));
        for clock in [&world.clock, &store_clock] {
            clock.advance(SECOND + millis(1));
        }
        assert_eq!(node.says(&issued), "good");
        world.store.made();
        assert_eq!((node.says(&issued), world.store.made()), ("good", vec![]));
    }
}

#[test]
fn what_both_round_trips_can_explain_is_no_disagreement() {
    // The first answer took two seconds, in which the store's clock may have been read at any time.
    for (moved, reads) in [(millis(1_501), 0), (millis(1_499), 1), (millis(5_000), 0), (millis(5_001), 1)] {
        let (world, store_clock) = alone();
        let issued = world.node().issue();
        let node = world.node();
        let gate = world.store.hold(Call::Changes);
        let mut verifying = node.begin(&issued);
        verifying.waits();
        world.clock.advance(SECOND * 2);
        gate.open();
        let _ = verifying.ends().unwrap();
        world.clock.advance(SECOND * 2);
        store_clock.advance(moved);
        assert_eq!(node.says(&issued), "good");
        world.store.made();
        assert_eq!((node.says(&issued), world.store.made().len()), ("good", reads), "{moved:?}");
    }
}

#[test]
fn a_store_clock_that_is_set_counts_from_the_next_answer_on() {
    let (world, store_clock, node, issued) = after(LEASE);
    run(node.project.edit(issued.key.id, Edit::new().expires_at(store_clock.wall() + HOUR))).unwrap();
    assert_eq!(node.says(&issued), "good");
    set_wall(&store_clock, 3_600_000);
    assert_eq!(node.says(&issued), "good", "within the lease");
    world.clock.advance(LEASE);
    store_clock.advance(LEASE);
    assert_eq!(node.says(&issued), "expired");
    set_wall(&store_clock, -3_600_000);
    world.clock.advance(SECOND + millis(1));
    store_clock.advance(SECOND + millis(1));
    assert_eq!(node.says(&issued), "good");
}
