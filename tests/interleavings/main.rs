//! A change among verifications and refreshes, in every order of their steps: nothing is accepted too late, and
//! nobody waits for ever.
//!
//! A step is what a call does between two turns of others. It gives way where it waits: twice for each call of the
//! store, before that takes effect there and before its answer arrives, and for as long as it waits for another
//! call. So a change is placed before, between and after all that the others do, crossed with every order in which
//! the store answers. Where threads share without waiting, `tests/threads` takes over.
//!
//! Optimized (`cargo test --release --test interleavings`), more calls at once; with `ACCESS_KEYS_DEEP` set too,
//! three verifications and a refresh elsewhere while time passes.

#[path = "../support/mod.rs"]
mod support;

mod orders;
mod scene;
mod setting;
mod turns;

use orders::Call;
use scene::{Found, Scene, every_order};
use setting::{Before, CUTS, Mistake, PLAIN, Setting};
use turns::{HERE, OTHER};

/// How many calls at once: fewer in a build that makes orders slow.
const fn either(slow: usize, fast: usize) -> usize {
    if cfg!(debug_assertions) { slow } else { fast }
}

/// The change, so many verifications, and a node that asks what has changed.
fn calls(scene: &Scene, verifications: usize, node: usize) -> Vec<Call<'_>> {
    let mut calls = vec![scene.change(None), scene.refresh(node, None)];
    calls.extend((0..verifications).map(|place| scene.verification(place, node, None)));
    calls
}

fn explore(setting: Setting, verifications: usize, node: usize) -> Found {
    every_order(setting, true, |scene| calls(scene, verifications, node))
}

/// In every order all is well, and there are some in which all are accepted, and some in which none is.
fn holds(setting: Setting, verifications: usize, node: usize) {
    let found = explore(setting, verifications, node);
    let place = if node == HERE { "here" } else { "elsewhere" };
    println!("{setting:?}, verifications {place}: {verifications}: {} orders", found.orders);
    assert_eq!(found.broken, [].into(), "{setting:?}");
    for all in ["accepted", "refused"] {
        assert!(found.endings.contains(&vec![all; verifications]), "{setting:?}: {:?}", found.endings);
    }
}

#[test]
fn a_verification_begun_after_the_acknowledgement_is_refused_here_in_every_order() {
    for (before, verifications) in [
        (Before::Cached, 3),
        (Before::Asked, 3),
        (Before::Lapsed, either(2, 3)),
        (Before::Cold, either(1, 2)),
    ] {
        holds(Setting { before, ..PLAIN }, verifications, HERE);
    }
}

#[test]
fn whatever_the_change_it_holds_here_in_every_order() {
    for cut in CUTS {
        for before in [Before::Cached, Before::Asked, Before::Lapsed] {
            holds(Setting { cut, before, ..PLAIN }, either(1, 3), HERE);
            holds(Setting { cut, before, has_feed: false, ..PLAIN }, either(1, 2), HERE);
        }
    }
}

#[test]
fn once_a_node_was_told_of_it_the_change_holds_there_in_every_order() {
    for (before, verifications) in [(Before::Cached, 3), (Before::Asked, 3), (Before::Lapsed, either(2, 3))] {
        holds(Setting { before, ..PLAIN }, verifications, OTHER);
    }
}

#[test]
fn after_the_announced_time_nothing_is_accepted_anywhere_in_any_order() {
    let is_deep = std::env::var_os("ACCESS_KEYS_DEEP").is_some();
    for before in [Before::Cached, Before::Asked, Before::Lapsed] {
        let setting = Setting { before, passes: true, ..PLAIN };
        if before == Before::Cached || is_deep {
            holds(setting, either(2, 3), OTHER);
        }
        holds(Setting { has_feed: false, ..setting }, either(1, 3), OTHER);
        for cut in CUTS {
            holds(Setting { cut, ..setting }, either(1, 2), OTHER);
        }
    }
}

#[test]
fn without_a_refresh_beside_them_three_verifications_accept_nothing_after_the_announced_time() {
    for before in [Before::Cached, Before::Asked, Before::Lapsed] {
        for has_feed in [true, false] {
            let setting = Setting { before, passes: true, has_feed, ..PLAIN };
            let found = every_order(setting, true, |scene| {
                let verifications = (0..3).map(|place| scene.verification(place, OTHER, None));
                [scene.change(None)].into_iter().chain(verifications).collect()
            });
            println!("{setting:?}, verifications elsewhere: 3, without a refresh: {} orders", found.orders);
            assert_eq!(found.broken, [].into(), "{setting:?}");
            assert!(found.endings.len() >= 4, "{:?}", found.endings);
        }
    }
}

#[test]
fn at_limit_zero_a_verification_begun_after_the_acknowledgement_is_refused_everywhere_in_every_order() {
    for before in [Before::Asked, Before::Lapsed] {
        for node in [HERE, OTHER] {
            holds(Setting { before, is_zero: true, ..PLAIN }, either(1, 2), node);
        }
    }
}

/// Drops a call after each number of polls after which it has not ended in some order. The others go on.
fn survives(what: &str, setting: Setting, others: usize, calls: impl Fn(&Scene, usize) -> Vec<Call<'_>>) {
    let (mut orders, mut points) = (0, 0);
    for polls in 1.. {
        let found = every_order(setting, true, |scene| calls(scene, polls));
        assert_eq!(found.broken, [].into(), "{setting:?}, {polls} polls");
        assert!(found.endings.iter().all(|ended| ended.len() >= others), "{:?}", found.endings);
        if found.dropped == 0 {
            break;
        }
        (orders, points) = (orders + found.orders, polls);
    }
    println!("{setting:?}: {what} dropped at {points} points: {orders} orders");
    assert!(points > 1, "it never waited");
}

#[test]
fn a_verification_that_is_dropped_anywhere_leaves_the_others_going_on() {
    for before in [Before::Asked, Before::Lapsed] {
        let others = either(1, 2);
        survives("a verification", Setting { before, ..PLAIN }, others, |scene, polls| {
            let mut calls = vec![scene.change(None), scene.verification(others, HERE, Some(polls))];
            calls.extend((0..others).map(|place| scene.verification(place, HERE, None)));
            calls
        });
    }
}

#[test]
fn a_refresh_that_is_dropped_anywhere_leaves_the_others_going_on() {
    for before in [Before::Asked, Before::Lapsed] {
        let others = either(1, 2);
        survives("a refresh", Setting { before, ..PLAIN }, others, |scene, polls| {
            let mut calls = vec![scene.change(None), scene.refresh(HERE, Some(polls))];
            calls.extend((0..others).map(|place| scene.verification(place, HERE, None)));
            calls
        });
    }
}

#[test]
fn a_change_that_is_dropped_anywhere_holds_here_if_it_was_stored() {
    for cut in CUTS {
        for before in [Before::Asked, Before::Lapsed] {
            let others = either(1, 2);
            survives("the change", Setting { cut, before, ..PLAIN }, others, |scene, polls| {
                let mut calls = vec![scene.change(Some(polls)), scene.refresh(HERE, None)];
                calls.extend((0..others).map(|place| scene.verification(place, HERE, None)));
                calls
            });
        }
    }
}

#[test]
fn what_would_be_wrong_is_found() {
    let too_late = "a verification accepted that began too late for that";
    for (mistake, node, passes, what) in [
        (Mistake::ForgottenByTheFeed, OTHER, false, too_late),
        (Mistake::MadeElsewhere, HERE, false, too_late),
        (Mistake::TooSoon, OTHER, true, "a verification accepted after the announced time"),
    ] {
        let setting = Setting { before: Before::Cached, passes, mistake: Some(mistake), ..PLAIN };
        let found = explore(setting, 1, node);
        assert_eq!(found.broken, [what].into(), "{mistake:?}");
    }
}

#[test]
fn leaving_out_orders_that_make_no_difference_loses_nothing() {
    let cached = Setting { before: Before::Cached, ..PLAIN };
    let quick = [
        (cached, 1, HERE),
        (Setting { passes: true, ..cached }, 1, OTHER),
        (Setting { mistake: Some(Mistake::MadeElsewhere), ..cached }, 1, HERE),
    ];
    let longer = [
        (PLAIN, 1, HERE),
        (PLAIN, 1, OTHER),
        (Setting { before: Before::Lapsed, ..PLAIN }, 1, HERE),
        (Setting { passes: true, ..cached }, 2, OTHER),
    ];
    for (setting, verifications, node) in [&quick[..], &longer[..either(0, 4)]].concat() {
        let [some, all] = [true, false]
            .map(|is_reduced| every_order(setting, is_reduced, |scene| calls(scene, verifications, node)));
        println!("{setting:?}: {} of {} orders", some.orders, all.orders);
        assert_eq!((some.broken, some.endings), (all.broken, all.endings), "{setting:?}");
        assert!(some.orders < all.orders, "{setting:?}");
    }
}
