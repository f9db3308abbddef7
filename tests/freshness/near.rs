//! What a thread puts aside for itself: the grants of a key that is there share one record.

use access_keys::{Grant, Issued};

use crate::nodes::{LEASE, Node, World, run};
use crate::support::SplitMix;

/// How many keys there are at least of each place that a thread has, on average.
const CROWD: usize = 1_000;

fn world() -> (World, Node) {
    let world = World::new();
    // Which places the keys share is drawn with their ids.
    let node = world.node_with(|builder| builder.random(SplitMix(11)));
    (world, node)
}

fn grant(node: &Node, issued: &Issued) -> Grant {
    node.verify(issued.token.expose()).unwrap()
}

fn share(one: &Grant, other: &Grant) -> bool {
    std::ptr::eq(one.key(), other.key())
}

/// Reads these keys, each once.
fn read(node: &Node, keys: &[Issued]) {
    keys.iter().for_each(|issued| drop(grant(node, issued)));
}

#[test]
fn a_key_is_put_aside_when_it_is_first_found_in_a_free_place_and_else_when_it_comes_twice() {
    let (_world, node) = world();
    let keys = node.issue_many(CROWD);
    read(&node, &keys);
    let mut at_once = 0;
    for issued in &keys {
        let [first, second, third] = [(); 3].map(|()| grant(&node, issued));
        at_once += usize::from(share(&first, &second));
        assert!(share(&second, &third));
    }
    assert!((200..=256).contains(&at_once), "{at_once} places");
}

#[test]
fn a_crowd_that_comes_once_pushes_nobody_out() {
    let (_world, node) = world();
    let (near, crowd) = (node.issue_many(64), node.issue_many(CROWD));
    read(&node, &near);
    read(&node, &crowd);
    let first: Vec<_> = near.iter().map(|issued| grant(&node, issued)).collect();
    let kept = |first: &[Grant]| {
        near.iter().zip(first).filter(|(issued, first)| share(first, &grant(&node, issued))).count()
    };
    // Not those that share a place with an earlier one.
    assert!(kept(&first) > 40);
    let aside: Vec<_> = near.iter().map(|issued| grant(&node, issued)).collect();
    let before =
        near.iter().zip(&aside).zip(&first).filter(|((_, aside), first)| share(aside, first)).count();
    crowd.iter().for_each(|issued| drop(grant(&node, issued)));
    assert_eq!(kept(&first), before, "they come once each");
}

#[test]
fn after_a_change_of_some_key_every_place_is_free() {
    let (world, node) = world();
    let keys = node.issue_many(CROWD);
    read(&node, &keys);
    read(&node, &keys);
    run(node.project.deactivate(node.issue().key.id)).unwrap();
    world.clock.advance(LEASE / 2);
    let at_once = keys.iter().filter(|issued| share(&grant(&node, issued), &grant(&node, issued))).count();
    assert!((200..=256).contains(&at_once), "{at_once} places");
}
