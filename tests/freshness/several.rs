//! Several verifiers in one thread, which shares what it puts aside among them: none takes what another knows.

use access_keys::{Edit, Issued};

use crate::nodes::{LEASE, Node, World, name, run};
use crate::support::{SplitMix, operation, review};

/// Two stores which hold a key with the same token, each with its node.
fn twins() -> [(World, Node, Issued); 2] {
    let twins = [(); 2].map(|()| {
        let world = World::new();
        let node = world.node_with(|builder| builder.random(SplitMix(7)));
        let issued = run(node.project.operation(operation("req-7")).generate(review("Mobile"))).unwrap();
        (world, node, issued)
    });
    let [(.., one), (.., other)] = &twins;
    assert_eq!((one.key.id, one.token.expose()), (other.key.id, other.token.expose()));
    twins
}

#[test]
fn verifiers_of_two_stores_which_hold_the_same_token_do_not_take_each_others_rows() {
    let [(_, one, issued), (_, other, _)] = &twins();
    // As many calls on both sides, so that nothing tells them apart by how often something happened.
    run(one.project.edit(issued.key.id, Edit::new().name("Renamed").unwrap())).unwrap();
    run(other.project.deactivate(issued.key.id)).unwrap();
    for _ in 0..100 {
        assert_eq!((one.says(issued), other.says(issued)), ("good", "inactive"));
        assert!(one.knows(issued) && other.knows(issued));
    }
    // Both read it once, and neither for the other.
    assert_eq!((one.stats().fills, other.stats().fills), (1, 1));
    let grant = one.verify(issued.token.expose()).unwrap();
    for _ in 0..10 {
        assert_eq!((name(&one.recheck(&grant)), name(&other.recheck(&grant))), ("good", "inactive"));
    }
}

#[test]
fn verifiers_over_one_store_know_each_what_they_have_read_themselves() {
    let world = World::new();
    let nodes = [world.node(), world.node(), world.node()];
    let issued = nodes[0].issue();
    for node in &nodes {
        assert!(!node.knows(&issued), "what others know is not known here");
        assert_eq!(node.says(&issued), "good");
        assert!(node.knows(&issued));
    }
    run(nodes[0].project.deactivate(issued.key.id)).unwrap();
    for _ in 0..100 {
        let said = nodes.each_ref().map(|node| node.says(&issued));
        assert_eq!(said, ["inactive", "good", "good"], "within the lease of the others");
    }
    world.clock.advance(LEASE);
    assert_eq!(nodes.each_ref().map(|node| node.says(&issued)), ["inactive"; 3]);
}

#[test]
fn a_verifier_that_is_made_after_another_is_gone_knows_nothing_of_it() {
    let world = World::new();
    let issued = world.node().issue();
    for _ in 0..20 {
        let node = world.node();
        assert!(!node.knows(&issued));
        assert_eq!(node.says(&issued), "good");
        assert!(node.knows(&issued));
        assert_eq!((node.stats().accepted, node.stats().fills), (2, 1));
    }
}

#[test]
fn handles_of_one_verifier_are_one() {
    let world = World::new();
    let node = world.node();
    let issued = node.issue();
    let clone = Node { keys: node.keys.clone(), project: node.project.clone() };
    assert_eq!(node.says(&issued), "good");
    assert!(clone.knows(&issued));
    assert_eq!(clone.stats(), node.stats());
    run(clone.project.revoke(issued.key.id, "")).unwrap();
    assert!(!node.knows(&issued));
    assert_eq!(node.says(&issued), "revoked");
}
