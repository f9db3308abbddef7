//! A step in words.

use super::board::{Row, Status};
use super::node::{How, Said, Stage};
use super::steps::Step;
use super::time::Still;
use super::{Model, World};

pub(super) fn words(model: &Model<'_>, before: &World, step: Step, after: &World) -> String {
    let (who, what) = said(model, before, step, after);
    let millis = before.passed;
    format!("{:>3}.{} s  {who:<6} {what}", millis / 1_000, millis % 1_000 / 100)
}

fn said(model: &Model<'_>, before: &World, step: Step, after: &World) -> (&'static str, String) {
    let name = |node: usize| if node == 0 { "node A" } else { "node B" };
    let key = |key: u8| if key == 0 { "key 1" } else { "key 2" };
    let what = match step {
        Step::Pass => {
            let passed = after.passed - before.passed;
            return ("", format!("{passed} ms pass"));
        }
        Step::StandStill(still) => match still {
            Still::Deadline(node) => {
                return (
                    name(node),
                    format!("deadline time stands still for {} ms", model.configuration.still),
                );
            }
            Still::Both(node) => {
                return (name(node), format!("both clocks stand still for {} ms", model.configuration.still));
            }
        },
        Step::BeginHot(node, of) => {
            let until = left(after, node, after.nodes[node].visible.face.good_until);
            format!("a verification of {} begins and reads the deadline: {until}", key(of))
        }
        Step::Find(node, which) => {
            let of = before.nodes[node].verifications[which].key;
            match before.nodes[node].visible.rows[usize::from(of)] {
                Some(found) => format!("a verification finds {}", row(before, node, found)),
                None => "a verification finds no row, and will look up".into(),
            }
        }
        Step::LookUp(node, of) => {
            format!("a verification of {} begins and looks up: {}", key(of), looked_up(before, node, after))
        }
        Step::Decide(node, which) => match before.nodes[node].verifications[which].stage {
            Stage::Has(found, ..) => format!("a verification decides on {}", row(before, node, found)),
            Stage::Hot(_) | Stage::Waits(..) => "a verification decides".into(),
        },
        Step::GetSees(node, which, _) => {
            let get = &after.nodes[node].gets[which];
            let found = get.row.map_or_else(String::new, |found| row(after, node, found));
            format!("the store answers the read of {}: {found}", key(get.key))
        }
        Step::GetArrives(node, which) => {
            let get = before.nodes[node].gets[which];
            let found = get.row.map_or_else(String::new, |found| row(before, node, found));
            let seen = match after.nodes[node].visible.rows[usize::from(get.key)] {
                Some(seen) => format!("in the cache is {}", row(after, node, seen)),
                None => "nothing of it is in the cache".into(),
            };
            format!("the read of {} arrives: {found}; {seen}", key(get.key))
        }
        Step::GetLost(node, which) => {
            format!("the read of {} fails", key(before.nodes[node].gets[which].key))
        }
        Step::RefreshSent(_) => "a refresh is sent".into(),
        Step::RefreshSees(node, which, _) => {
            let answer = after.nodes[node].refreshes[which].answer;
            format!(
                "the store answers a refresh: {}",
                answer.map_or_else(String::new, |it| answer_words(model, &it))
            )
        }
        Step::RefreshArrives(node, which) => {
            let answer = before.nodes[node].refreshes[which].answer;
            let until = left(after, node, after.nodes[node].visible.face.good_until);
            let answer = answer.map_or_else(String::new, |it| answer_words(model, &it));
            let unseen =
                if after.nodes[node].pending.is_empty() { "" } else { "; readers do not see all of it yet" };
            format!("the answer arrives: {answer}; the deadline: {until}{unseen}")
        }
        Step::RefreshLost(..) => "a refresh is lost".into(),
        Step::Show(_) => "readers see the next thing that the core did".into(),
        Step::ShowLate(..) => "the row becomes visible".into(),
        Step::Evict(_, of) => format!("the cache drops {} to make room", key(of)),
        Step::Call(node, of, Some(change)) => {
            format!("a call begins: {change:?} {}{}", key(of), promised(model, after, node, of))
        }
        Step::Call(node, of, None) => {
            format!(
                "a call begins and finds that {} needs no writing{}",
                key(of),
                promised(model, after, node, of)
            )
        }
        Step::CallGoesOn(node) => {
            let call = before.nodes[node].call;
            let part = call.and_then(|it| it.next(model)).map_or_else(String::new, |it| format!("{it:?}"));
            let of = call.map_or(0, |it| it.key);
            format!("the call goes on: {part}{}", promised(model, after, node, of))
        }
        Step::Stray(of, change) => {
            return ("store", format!("{change:?} {} is stored, and nobody acknowledges", key(of)));
        }
        Step::Cancelled(_, of) => format!("a cancelled call drops {}", key(of)),
        Step::SetLimit(limit) => return ("store", format!("the limit is set to {limit} ms")),
        Step::Restore(_) => {
            return ("store", format!("a backup is restored: {:?}", after.store.content.keys[0].status));
        }
        Step::Restart(_) => "starts again".into(),
        Step::OutOfReach(true) => return ("store", "is out of reach".into()),
        Step::OutOfReach(false) => return ("store", "is back".into()),
    };
    (node_of(step).map_or("", name), what)
}

const fn node_of(step: Step) -> Option<usize> {
    match step {
        Step::BeginHot(node, _)
        | Step::Find(node, _)
        | Step::LookUp(node, _)
        | Step::Decide(node, _)
        | Step::GetSees(node, ..)
        | Step::GetArrives(node, _)
        | Step::GetLost(node, _)
        | Step::RefreshSent(node)
        | Step::RefreshSees(node, ..)
        | Step::RefreshArrives(node, _)
        | Step::RefreshLost(node, _)
        | Step::Show(node)
        | Step::ShowLate(node, _)
        | Step::Evict(node, _)
        | Step::Call(node, ..)
        | Step::CallGoesOn(node)
        | Step::Cancelled(node, _)
        | Step::Restart(node) => Some(node),
        _ => None,
    }
}

fn looked_up(before: &World, node: usize, after: &World) -> String {
    let (was, is) = (&before.nodes[node], &after.nodes[node]);
    let new =
        is.verifications.iter().find(|it| !was.verifications.contains(it) || is.gets.len() > was.gets.len());
    match new.map(|it| it.stage) {
        Some(Stage::Waits(_, face, How::Joined)) => {
            format!("it joins a read, {}", left(after, node, face.good_until))
        }
        Some(Stage::Waits(_, face, How::Own)) => {
            format!("a read of its own is sent, {}", left(after, node, face.good_until))
        }
        Some(Stage::Waits(_, face, _)) => format!("a read is sent, {}", left(after, node, face.good_until)),
        Some(Stage::Has(found, face, ..)) => {
            format!("found {}, {}", row(after, node, found), left(after, node, face.good_until))
        }
        _ => "nothing that it may accept".into(),
    }
}

fn promised(model: &Model<'_>, after: &World, node: usize, key: u8) -> String {
    let by = u8::from(node == 1);
    let last = after.cut_offs.iter().rev().find(|it| it.key == key && (it.by == by || it.at == 0));
    let _ = model;
    match last {
        Some(it) if after.nodes[node].call.is_none() && it.for_what_begins => {
            "; acknowledged, and holds at once for what begins".into()
        }
        Some(it) if after.nodes[node].call.is_none() => {
            format!("; acknowledged, and holds everywhere: {}", left(after, node, it.at))
        }
        _ => String::new(),
    }
}

fn answer_words(model: &Model<'_>, said: &Said) -> String {
    if !model.configuration.feed {
        return "no feed".into();
    }
    let named = match said.named {
        None => "everything",
        Some(0) => "nothing",
        Some(1) => "key 1",
        Some(2) => "key 2",
        Some(_) => "both keys",
    };
    let limit = if said.half { String::new() } else { format!(", limit {} ms", said.limit) };
    format!("{named} changed{limit}")
}

fn row(world: &World, node: usize, row: Row) -> String {
    let until =
        if row.until == u64::MAX { String::new() } else { format!(", {}", left(world, node, row.until)) };
    match row.status {
        Status::Absent => format!("an absence{until}"),
        status => format!("revision {} of event {}, {status:?}{until}", row.revision, row.event),
    }
}

/// How long until then on the clock of a node.
fn left(world: &World, node: usize, until: u64) -> String {
    if until == u64::MAX {
        return "good without end".into();
    }
    match until.checked_sub(world.boot[node]) {
        None | Some(0) => "passed".into(),
        Some(left) => format!("in {} ms of its clock", left / 1_000_000),
    }
}
