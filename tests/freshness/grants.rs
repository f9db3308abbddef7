//! Until when a grant is good, and what a recheck says of it.

use std::time::Duration;

use access_keys::{Clock, Edit, Grant, Issued};

use crate::nodes::{HOUR, INSTANT, LEASE, Node, SECOND, World, agents, millis, name, run};
use crate::support::SplitMix;
use crate::watched::Call;

#[track_caller]
fn good_for(world: &World, node: &Node, issued: &Issued) -> Duration {
    node.verify(issued.token.expose()).unwrap().good_until().remaining(&world.clock)
}

#[test]
fn a_grant_is_good_until_the_earliest_of_lease_expiry_and_the_end_of_its_grace() {
    for world in [World::new, World::with_store_clock, World::without_feed] {
        for (expiry, grace, old, new) in [
            (HOUR, HOUR, LEASE, LEASE),
            (SECOND, HOUR, SECOND, SECOND),
            (HOUR, SECOND, SECOND, LEASE),
            (SECOND * 2, SECOND, SECOND, SECOND * 2),
            (SECOND, SECOND * 2, SECOND, SECOND),
            (LEASE, LEASE + millis(1), LEASE, LEASE),
            (LEASE - millis(1), HOUR, LEASE - millis(1), LEASE - millis(1)),
        ] {
            let world = world();
            let node = world.node();
            let issued = node.issue();
            let rotated = run(node.project.rotate(issued.key.id, grace)).unwrap();
            let edit = Edit::new().expires_at(world.clock.wall() + expiry);
            run(node.project.edit(issued.key.id, edit)).unwrap();
            // From the store, and from the cache.
            for _ in 0..2 {
                assert_eq!(good_for(&world, &node, &issued), old, "{expiry:?} {grace:?}");
                assert_eq!(good_for(&world, &node, &rotated), new, "{expiry:?} {grace:?}");
            }
            world.clock.advance(millis(500));
            assert_eq!(good_for(&world, &node, &issued), old - millis(500));
        }
    }
}

#[test]
fn a_recheck_makes_a_grant_good_for_another_lease_once_the_store_was_asked() {
    let world = World::new();
    let (_, other, _, mut grant) = world.pair();
    let first = grant.good_until();
    world.clock.advance(LEASE - INSTANT);
    grant = other.recheck(&grant).unwrap();
    assert_eq!((grant.good_until(), world.store.made()), (first, vec![]));
    world.clock.advance(INSTANT);
    grant = other.recheck(&grant).unwrap();
    assert_eq!(grant.good_until().boot(), first.boot() + LEASE);
    assert_eq!(world.store.made(), [Call::Changes]);
}

#[test]
fn a_recheck_that_needs_the_key_reads_it_as_a_verification_does_and_leaves_it_in_the_cache() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    run(one.project.edit(issued.key.id, Edit::new().agents(agents(&["a"])))).unwrap();
    let elsewhere = world.node();
    world.store.made();
    assert!(elsewhere.recheck(&grant).unwrap().sole_agent().is_some());
    assert_eq!(world.store.made(), [Call::Changes, Call::Get]);
    assert_eq!((elsewhere.says(&issued), world.store.made()), ("good", vec![]));
    assert!(other.recheck(&grant).unwrap().sole_agent().is_none(), "a node within its lease");
}

#[test]
fn where_every_verification_reads_a_grant_is_good_until_its_read_began() {
    let world = World::new();
    world.set_limit(Duration::ZERO);
    let node = world.node();
    let issued = node.issue();
    let began = world.clock.boot();
    let gate = world.store.hold(Call::Get);
    let mut verifying = node.begin(&issued);
    verifying.waits();
    world.clock.advance(SECOND * 3);
    gate.open();
    let grant = verifying.ends().unwrap();
    assert_eq!(grant.good_until().boot(), began);
    world.store.made();
    assert_eq!(node.recheck(&grant).unwrap().good_until().boot(), world.clock.boot());
    assert!(world.store.made().ends_with(&[Call::Get]));
}

#[test]
fn a_grant_of_one_node_is_rechecked_by_another() {
    let world = World::new();
    let (one, other) = (world.node(), world.node());
    let issued = one.issue();
    let rotated = run(one.project.rotate(issued.key.id, HOUR)).unwrap();
    let older = one.verify(issued.token.expose()).unwrap();
    let newer = one.verify(rotated.token.expose()).unwrap();
    for grant in [&older, &newer] {
        let again = other.recheck(grant).unwrap();
        assert_eq!((again.key(), again.generation()), (grant.key(), grant.generation()));
        assert_eq!(name(&one.recheck(&again)), "good", "and back");
    }
    let _ = run(other.project.rotate(issued.key.id, HOUR)).unwrap();
    assert_eq!((name(&other.recheck(&older)), name(&other.recheck(&newer))), ("unrecognized", "good"));
    assert_eq!((name(&one.recheck(&older)), name(&one.recheck(&newer))), ("good", "good"));
    world.clock.advance(LEASE);
    assert_eq!((name(&one.recheck(&older)), name(&one.recheck(&newer))), ("unrecognized", "good"));
    run(one.project.revoke(issued.key.id, "")).unwrap();
    world.clock.advance(LEASE);
    assert_eq!((name(&other.recheck(&older)), name(&other.recheck(&newer))), ("unrecognized", "revoked"));
}

#[test]
fn a_grant_of_a_key_that_another_store_does_not_have_is_unrecognized_there() {
    let (world, elsewhere) = (World::new(), World::new());
    let node = world.node();
    let grant = node.verify(node.issue().token.expose()).unwrap();
    assert_eq!(name(&elsewhere.node().recheck(&grant)), "unrecognized");
}

#[test]
fn a_grant_is_a_snapshot_that_outlives_its_node() {
    let world = World::new();
    let (one, other, issued, grant) = world.pair();
    run(one.project.revoke(issued.key.id, "")).unwrap();
    drop((one, other));
    let moved = std::thread::spawn(move || (grant.key().id, grant.clone().generation()));
    assert_eq!(moved.join().unwrap(), (issued.key.id, 1));
}

/// What a verification and a recheck of the same secret say; they must agree in all that they say.
fn agreed(node: &Node, token: &str, grant: &Grant, is_rechecked_first: bool) -> Option<Grant> {
    let (rechecked, verified) = if is_rechecked_first {
        let rechecked = node.recheck(grant);
        (rechecked, node.verify(token))
    } else {
        let verified = node.verify(token);
        (node.recheck(grant), verified)
    };
    match (&rechecked, &verified) {
        (Ok(a), Ok(b)) => {
            assert_eq!((a.key(), a.generation()), (b.key(), b.generation()));
            assert_eq!(a.good_until(), b.good_until());
        }
        (Err(a), Err(b)) => assert_eq!(format!("{a:?}"), format!("{b:?}")),
        _ => panic!("rechecked {rechecked:?}, verified {verified:?}"),
    }
    verified.ok()
}

#[test]
fn a_recheck_agrees_with_a_verification_on_every_node_after_any_changes_at_any_time() {
    let mut ended = 0;
    for seed in 0..200 {
        let mut random = SplitMix(seed);
        let new = random.pick::<fn() -> World>(&[World::new, World::with_store_clock, World::without_feed]);
        let world = new();
        let nodes = [world.node(), world.node()];
        let first = nodes[0].issue();
        let id = first.key.id;
        let grant = nodes[0].verify(first.token.expose()).unwrap();
        let mut secrets = vec![(first, grant)];
        for _ in 0..30 {
            let node = random.pick(&nodes);
            let project = &node.project;
            // What a revoked or an expired key refuses is as good a change as any.
            let _ = match random.below(12) {
                0 => run(project.deactivate(id)).map(drop),
                1 | 2 => run(project.activate(id)).map(drop),
                3 => run(project.edit(id, Edit::new().agents(agents(&["a"])))).map(drop),
                4 => {
                    let end = world.clock.wall() + millis(random.next() % 5_000 + 1);
                    run(project.edit(id, Edit::new().expires_at(end))).map(drop)
                }
                5 => run(project.edit(id, Edit::new().never_expires())).map(drop),
                6 => run(project.rotate(id, millis(random.next() % 5_000))).map(|issued| {
                    let grant = node.verify(issued.token.expose());
                    secrets.extend(grant.ok().map(|grant| (issued, grant)));
                }),
                7 if random.below(8) == 0 => run(project.revoke(id, "")).map(drop),
                _ => {
                    world.clock.advance(millis(random.next() % 3_000));
                    Ok(())
                }
            };
            for (issued, grant) in &mut secrets {
                let (node, is_first) = (random.pick(&nodes), random.clone().below(2) == 0);
                match agreed(node, issued.token.expose(), grant, is_first) {
                    Some(newer) => *grant = newer,
                    None => ended += 1,
                }
            }
        }
    }
    assert!(ended > 1_000, "only {ended} grants were refused");
}
