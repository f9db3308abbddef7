//! The library as it is.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::nodes::{Cut, Plan, run};
use crate::orders::{Draw, Tally, explore};
use crate::world::{Kind, prepare};

const CUTS: [Cut; 4] = [Cut::Revoke, Cut::Deactivate, Cut::Rotate, Cut::Narrow];
const DRAWS: [Draw; 3] = [Draw::Evenly, Draw::ByPriority(3), Draw::ByPriority(6)];

/// After the acknowledgement no verification accepts on the same node, and after the cut-off none on any.
fn holds(kind: Kind, follow: bool, evict: bool) {
    let of_each = if std::env::var_os("ACCESS_KEYS_DEEP").is_some() { 50_000 } else { 1_000 };
    prepare();
    let tally = Arc::new(Tally::default());
    for cut in CUTS {
        let plan = Plan { kind, cut, here: 2, there: 2, times: 3, seconds: 2, follow, evict };
        for draw in DRAWS {
            if let Err((order, how)) = explore(draw, of_each, &tally, move |tally| run(plan, tally)) {
                panic!("{plan:?}, {draw:?}, order {order}: {how}");
            }
        }
    }
    println!("{kind:?}, follow: {follow}, evict: {evict}: {tally}");
    let orders = of_each * CUTS.len() * DRAWS.len();
    assert_eq!(tally.orders.load(Relaxed), orders);
    for counted in [&tally.accepted, &tally.refused, &tally.bound] {
        assert!(counted.load(Relaxed) > orders, "too few to tell: {tally}");
    }
}

#[test]
fn a_change_holds_over_a_store_with_a_feed() {
    holds(Kind::Feed, false, false);
}

#[test]
fn a_change_holds_over_a_store_with_a_feed_and_a_clock() {
    holds(Kind::FeedAndClock, false, false);
}

#[test]
fn a_change_holds_over_a_store_without_a_feed() {
    holds(Kind::NoFeed, false, false);
}

#[test]
fn a_change_holds_at_limit_zero() {
    holds(Kind::Zero, false, false);
}

#[test]
fn a_change_holds_while_both_nodes_follow() {
    for kind in [Kind::Feed, Kind::NoFeed, Kind::Zero] {
        holds(kind, true, false);
    }
}

#[test]
fn a_change_holds_while_another_key_takes_the_only_place_in_the_cache() {
    for kind in [Kind::Feed, Kind::NoFeed] {
        holds(kind, true, true);
    }
}
