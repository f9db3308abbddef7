//! The library with one mistake planted: each is found.

use std::sync::Arc;

use scheduled::Mistake;
use scheduled::mistake::make;

use crate::nodes::{Cut, Plan, run};
use crate::orders::{Draw, Tally, explore};
use crate::world::{Kind, prepare};

const SAME_NODE: Plan = Plan {
    kind: Kind::Feed,
    cut: Cut::Deactivate,
    here: 2,
    there: 0,
    times: 5,
    seconds: 0,
    follow: false,
    evict: false,
};
const OTHER_NODE: Plan = Plan { here: 0, there: 2, times: 4, seconds: 3, ..SAME_NODE };

/// Goes through orders with the mistake until it is found, and through as many of the same without it.
fn found_out(mistake: Mistake, plan: Plan, draw: Draw) {
    const ORDERS: usize = 100_000;
    prepare();
    let explore_with = |made, orders, tally: &Arc<Tally>| {
        make(made, || explore(draw, orders, tally, move |tally| run(plan, tally)))
    };
    let tally = Arc::new(Tally::default());
    let Err((order, how)) = explore_with(Some(mistake), ORDERS, &tally) else {
        panic!("{mistake:?}: all orders went well: {tally}");
    };
    println!("{mistake:?}: found in order {order}: {how}");
    if let Err((order, how)) = explore_with(None, order, &Arc::default()) {
        panic!("without {mistake:?}, order {order}: {how}");
    }
}

#[test]
fn a_read_that_a_change_does_not_mark_is_found_out() {
    found_out(Mistake::MarksNoRead, SAME_NODE, Draw::Evenly);
}

#[test]
fn a_marked_read_that_is_joined_is_found_out() {
    found_out(Mistake::JoinsAMarkedRead, SAME_NODE, Draw::ByPriority(3));
}

#[test]
fn looking_at_the_mark_apart_from_putting_the_row_is_found_out() {
    found_out(Mistake::ChecksAndPutsApart, SAME_NODE, Draw::Evenly);
    found_out(Mistake::ChecksAndPutsApart, OTHER_NODE, Draw::ByPriority(3));
}

#[test]
fn a_change_that_is_told_before_its_commit_is_found_out() {
    found_out(Mistake::NamesBeforeTheCommit, SAME_NODE, Draw::Evenly);
}

#[test]
fn a_generation_that_stays_is_found_out() {
    found_out(Mistake::NeverTurns, SAME_NODE, Draw::Evenly);
    found_out(Mistake::NeverTurns, OTHER_NODE, Draw::Evenly);
}

#[test]
fn a_deadline_that_moves_before_the_rows_go_is_found_out() {
    found_out(Mistake::PublishesBeforeItRemoves, OTHER_NODE, Draw::Evenly);
}

#[test]
fn a_deadline_that_is_read_last_is_found_out() {
    found_out(Mistake::ReadsTheDeadlineLast, OTHER_NODE, Draw::ByPriority(3));
}

#[test]
fn a_lease_that_is_counted_from_the_answer_is_found_out() {
    let plan = Plan { there: 3, times: 5, ..OTHER_NODE };
    found_out(Mistake::CountsFromTheAnswer, plan, Draw::ByPriority(5));
}

#[test]
fn a_lease_that_is_counted_from_the_row_is_found_out() {
    let plan = Plan { kind: Kind::NoFeed, there: 3, times: 5, ..OTHER_NODE };
    found_out(Mistake::CountsFromTheRow, plan, Draw::ByPriority(5));
}

#[test]
fn a_read_that_is_joined_at_limit_zero_is_found_out() {
    found_out(Mistake::JoinsAtZero, Plan { kind: Kind::Zero, ..OTHER_NODE }, Draw::ByPriority(3));
}

#[test]
fn who_is_never_woken_is_found_out() {
    println!("{:?}: the deadlock that follows is meant to be found", Mistake::WakesNoOne);
    found_out(Mistake::WakesNoOne, SAME_NODE, Draw::Evenly);
}
