//! Rules of the change feed, one call after the other.

use std::time::Duration;

use super::handle::{Handle, open, open_two};
use super::kept::start;
use super::ruling::{Ruling, Stop, answered, holds, same};
use super::samples::Samples;
use super::{Fixture, Opens};
use crate::domain::{Action, KeyId, Status};
use crate::store::{ChangeCursor, Changes, KeyStore, KeyUse};

/// The longest limit that a store may have, and how long lowering it may take to reach every node.
const LIMIT_MAX: Duration = Duration::from_secs(60);
const DRAINED_MAX: Duration = Duration::from_secs(66);
const LIMIT_MIN: Duration = Duration::from_millis(100);

pub(super) async fn a_store_has_a_feed_or_never_has_one<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let handles = match fixture.opens() {
        Opens::SameData => vec![store.clone(), open(fixture).await],
        Opens::OwnData => vec![store.clone()],
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        for handle in &handles {
            for since in [None, Some(ChangeCursor::new([1, 2, 3]))] {
                let answer = handle.store().changes(since.as_ref()).await;
                seen.push(matches!(answered("`changes`", answer)?, Changes::NoFeed));
            }
        }
        store.put(&samples.key()?).await?;
        store.record_use(&[KeyUse::new(samples.key_id()?, 1, samples.tick())]).await?;
    }
    let (without, all) = (seen.iter().filter(|no_feed| **no_feed).count(), seen.len());
    let done = "`changes` with and without a cursor, before and after a change, by every handle";
    holds(
        without == 0 || without == all,
        done,
        "`NoFeed` always or never",
        format_args!("`NoFeed` {without} times of {all}"),
    )
}

pub(super) async fn the_first_answer_is_everything<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    for _ in 0..2 {
        let answer = store.changes(None).await?;
        let came = answer.ids.map(|ids| ids.len());
        holds(came.is_none(), "`changes` without a cursor", "`Everything`", format_args!("{came:?} ids"))?;
        store.put(&samples.key()?).await?;
    }
    Ok(())
}

/// A cursor from after a change: one of an empty store may be answered with everything, which proves nothing.
pub(super) async fn cursor<S: KeyStore>(store: &Handle<S>, samples: &Samples) -> Ruling<ChangeCursor> {
    store.put(&samples.key()?).await?;
    Ok(store.changes(None).await?.next)
}

pub(super) async fn the_feed_names_an_insert<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let cursor = cursor(&store, &samples).await?;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let made = samples.key()?;
        store.put(&made).await?;
        ids.push(made.id());
        let answer = store.changes(Some(&cursor)).await?;
        for id in &ids {
            named(
                answer.names(*id),
                "`changes` since a cursor, after keys were inserted",
                answer.ids.as_ref(),
            )?;
        }
    }
    Ok(())
}

pub(super) async fn the_feed_names_every_kind_of_change<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut last = samples.key()?;
    store.put(&last).await?;
    let mut cursor = store.changes(None).await?.next;
    for action in [Action::Edited, Action::Rotated, Action::Deactivated, Action::Activated, Action::Revoked] {
        let status = match action {
            Action::Deactivated => Status::Inactive,
            Action::Revoked => Status::Revoked,
            _ => Status::Active,
        };
        last = samples.changed(&last, action, vec![], |key| key.status = status)?;
        store.put(&last).await?;
        let answer = store.changes(Some(&cursor)).await?;
        let done = format!("`changes` since a cursor, after a key was {action}");
        named(answer.names(last.id()), done, answer.ids.as_ref())?;
        cursor = answer.next;
    }
    Ok(())
}

fn named(is: bool, done: impl Into<String>, came: Option<&Vec<KeyId>>) -> Ruling {
    holds(is, done, "an answer that names the key", format_args!("{} ids, not its", came.map_or(0, Vec::len)))
}

pub(super) async fn a_cursor_can_be_used_again<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let (made, later) = (samples.key()?, samples.key()?);
    let first = cursor(&store, &samples).await?;
    store.put(&made).await?;
    for _ in 0..3 {
        let answer = store.changes(Some(&first)).await?;
        named(answer.names(made.id()), "`changes` since a cursor that was used before", answer.ids.as_ref())?;
    }
    store.put(&later).await?;
    let answer = store.changes(Some(&first)).await?;
    let both = answer.names(made.id()) && answer.names(later.id());
    named(both, "`changes` since a cursor that was used before, after another insert", answer.ids.as_ref())
}

pub(super) async fn a_cursor_goes_on_without_changes<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut cursor = cursor(&store, &samples).await?;
    for _ in 0..5 {
        cursor = store.changes(Some(&cursor)).await?.next;
    }
    let made = samples.key()?;
    store.put(&made).await?;
    let answer = store.changes(Some(&cursor)).await?;
    named(answer.names(made.id()), "`changes` since a cursor that came without changes", answer.ids.as_ref())
}

pub(super) async fn a_fresh_cursor_is_recognised<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    store.put(&samples.key()?).await?;
    for _ in 0..3 {
        let cursor = store.changes(None).await?.next;
        store.put(&samples.key()?).await?;
        let answer = store.changes(Some(&cursor)).await?;
        let done = "`changes` since a cursor that was given just before, one insert ago";
        holds(answer.ids.is_some(), done, "`Since`, with the ids of what changed", answer.ids)?;
    }
    Ok(())
}

pub(super) async fn an_unknown_cursor_is_everything<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    store.changes(None).await?;
    store.put(&samples.key()?).await?;
    let known = store.changes(None).await?.next;
    store.put(&samples.key()?).await?;
    let mut unknown = vec![
        ("an empty one", Vec::new()),
        ("one of a zero byte", vec![0]),
        ("one of 8 zero bytes", vec![0; 8]),
        ("one of 8 bytes that are a small number", vec![0, 0, 0, 0, 0, 0, 0, 1]),
        ("one of text", b"1".to_vec()),
        ("one of 1000 bytes", vec![0xFF; 1_000]),
    ];
    let mut longer = known.as_bytes().to_vec();
    longer.push(b'0');
    unknown.push(("a real one and a byte more", longer));
    let shorter = known.as_bytes().split_last().map(|(_, rest)| rest.to_vec());
    unknown.push(("a real one without its last byte", shorter.unwrap_or_default()));
    for place in 0..known.as_bytes().len() {
        for change in [1, 2, 0x80] {
            let mut changed = known.as_bytes().to_vec();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= change;
            }
            unknown.push(("a real one of which a bit was changed", changed));
        }
    }
    for (what, bytes) in unknown {
        let done = format!("`changes` since a cursor that the store never gave: {what}");
        let answer = store.changes(Some(&ChangeCursor::new(bytes))).await?;
        let came = answer.ids.map(|ids| ids.len());
        holds(came.is_none(), done, "`Everything`", format_args!("`Since` with {} ids", came.unwrap_or(0)))?;
    }
    Ok(())
}

pub(super) async fn a_cursor_of_another_store_is_everything<F: Fixture>(fixture: &F) -> Ruling {
    if fixture.opens() != Opens::OwnData {
        return Err(Stop::not_asked("each `open` is of the same data, and this needs two stores"));
    }
    let [(store, samples), (other, others)] = [start(fixture).await?, start(fixture).await?];
    // As many changes in both, so that a number alone would fit.
    for _ in 0..3 {
        let made = samples.key()?;
        store.put(&made).await?;
        other.put(&others.key()?).await?;
        if other.get(made.id()).await?.is_some() {
            return Err(Stop::not_asked("two calls of `open` gave the same data, which a `Fixture` can say"));
        }
    }
    let foreign = other.changes(None).await?.next;
    let answer = store.changes(Some(&foreign)).await?;
    let came = answer.ids.map(|ids| ids.len());
    let done = "`changes` since a cursor of another store";
    holds(came.is_none(), done, "`Everything`", format_args!("`Since` with {} ids", came.unwrap_or(0)))
}

pub(super) async fn a_cursor_lives_through_a_reopening<F: Fixture>(fixture: &F) -> Ruling {
    let [store, other] = open_two(fixture).await?;
    let samples = Samples::new()?;
    store.put(&samples.key()?).await?;
    let cursor = store.changes(None).await?.next;
    let before = samples.key()?;
    store.put(&before).await?;
    drop((store, other));
    let store = open(fixture).await;
    let after = samples.key()?;
    store.put(&after).await?;
    let answer = store.changes(Some(&cursor)).await?;
    let both = answer.names(before.id()) && answer.names(after.id());
    let done = "`changes` since a cursor of before the store was reopened, with one insert before that and one after";
    holds(both, done, "both keys, or `Everything`", format_args!("{:?}", answer.ids))
}

pub(super) async fn every_handle_feeds_every_change<F: Fixture>(fixture: &F) -> Ruling {
    let [store, other] = open_two(fixture).await?;
    let samples = Samples::new()?;
    let mut cursors = [store.changes(None).await?.next, other.changes(None).await?.next];
    for round in 0..4 {
        let made = samples.key()?;
        if round % 2 == 0 {
            store.put(&made).await?
        } else {
            other.put(&made).await?
        }
        let mut nexts = Vec::new();
        for (handle, cursor) in [&store, &other].into_iter().zip(&cursors) {
            let answer = handle.changes(Some(cursor)).await?;
            let done = "`changes`, by each of two handles, after one of them inserted a key";
            named(answer.names(made.id()), done, answer.ids.as_ref())?;
            nexts.push(answer.next);
        }
        // Each goes on with the other's: a node may be asked by way of another handle.
        if let [first, second] = nexts.as_slice() {
            cursors = [second.clone(), first.clone()];
        }
    }
    Ok(())
}

pub(super) async fn a_copy_follows_the_feed<F: Fixture>(fixture: &F) -> Ruling {
    let handles = match fixture.opens() {
        Opens::SameData => vec![open(fixture).await, open(fixture).await],
        Opens::OwnData => vec![open(fixture).await],
    };
    super::feed_races::a_copy_follows(&handles, &Samples::new()?).await
}

pub(super) async fn the_limit_is_within_its_bounds<F: Fixture>(fixture: &F) -> Ruling {
    let (store, _) = start(fixture).await?;
    let state = store.changes(None).await?.state;
    let is = state.limit.is_zero() || (LIMIT_MIN..=LIMIT_MAX).contains(&state.limit);
    holds(is, "`changes`: the limit", "zero, or 100 ms to 60 s", state.limit)?;
    let done = "`changes`: how long until every node follows the limit";
    holds(state.drained_in <= DRAINED_MAX, done, "at most 66 s", state.drained_in)
}

pub(super) async fn every_handle_has_the_same_limit<F: Fixture>(fixture: &F) -> Ruling {
    let [store, other] = open_two(fixture).await?;
    let [one, two] = [store.changes(None).await?, other.changes(None).await?];
    same("`changes`, by two handles: the limit", &two.state.limit, &one.state.limit)?;
    let clocks = (one.state.now.is_some(), two.state.now.is_some());
    holds(clocks.0 == clocks.1, "`changes`, by two handles: the clock", "both have one, or none has", clocks)
}

pub(super) async fn the_clock_of_a_store_goes_forward<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let first = store.changes(None).await?;
    let mut last = first.state.now;
    let mut cursor = first.next;
    for _ in 0..10 {
        store.put(&samples.key()?).await?;
        let answer = store.changes(Some(&cursor)).await?;
        let done = "`changes` after `changes`: the clock of the store";
        let expected = format!("not before {last:?}");
        holds(
            answer.state.now.is_some() == last.is_some() && answer.state.now >= last,
            done,
            expected,
            answer.state.now,
        )?;
        (last, cursor) = (answer.state.now, answer.next);
    }
    Ok(())
}
