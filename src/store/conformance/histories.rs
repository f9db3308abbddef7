//! Rules of histories.

use chrono::TimeDelta;

use super::Fixture;
use super::handle::Handle;
use super::kept::{same_list, start};
use super::ruling::{Ruling, holds, same};
use super::samples::{Samples, Write, at, valid};
use crate::domain::{Action, Actor, AuditEvent, AuditQuery, Cursor, EventId, KeyId, OperationId, Status};
use crate::store::KeyStore;

/// A project in which much happened, and what.
struct Past<S> {
    store: Handle<S>,
    samples: Samples,
    keys: Vec<KeyId>,
    events: Vec<AuditEvent>,
}

async fn past<F: Fixture>(fixture: &F) -> Ruling<Past<F::Store>> {
    let (store, samples) = start(fixture).await?;
    let actors = [valid(Actor::user("ada"))?, valid(Actor::system("ada"))?, valid(Actor::user("Ada"))?];
    let operations = [None, Some(valid(OperationId::new("req-7"))?), Some(valid(OperationId::new("REQ-7"))?)];
    let mut past = Past { store, samples, keys: Vec::new(), events: Vec::new() };
    for key in 0..5_usize {
        // The same times for every key, and stored in no order of time.
        let start = at(u32::try_from((key * 3) % 5).unwrap_or_default());
        let mut last = past.samples.key_with(|made| made.created_at = start)?;
        past.keys.push(last.id());
        for step in 0..6_usize {
            let mut write = last.clone();
            if step > 0 {
                write = match step {
                    2 => past.samples.set(&last, Status::Inactive)?,
                    3 => past.samples.set(&last, Status::Active)?,
                    5 => past.samples.set(&last, Status::Revoked)?,
                    _ => past.samples.renamed(&last, &format!("Step {step}"))?,
                };
                let since = TimeDelta::seconds(i64::try_from(step).unwrap_or_default());
                write = past.samples.at(write, start + since)?;
            }
            let which = key + step * 2;
            if let Some(actor) = actors.get(which % actors.len()) {
                write.event.actor = actor.clone();
            }
            if let Some(operation) = operations.get((which / 2) % operations.len()) {
                write.event.operation = operation.clone();
            }
            past.store.put(&write).await?;
            past.events.push(write.event.clone());
            last = write;
        }
    }
    past.events.sort_by_key(|event| std::cmp::Reverse(Cursor::of_event(event)));
    Ok(past)
}

impl<S: KeyStore> Past<S> {
    /// The events that the query asks for, no more and no less, on one page and on many.
    async fn answers(&self, what: &str, query: AuditQuery) -> Ruling {
        let expected: Vec<_> = self.events.iter().filter(|event| query.matches(event)).cloned().collect();
        for limit in [3, 1_000] {
            let events = self.store.events(&self.samples.project, &query.clone().limit(limit)).await?;
            same_list(&format!("`history` {what}, in pages of {limit}"), &events, &expected)?;
        }
        Ok(())
    }
}

pub(super) async fn history_is_of_one_project<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let other = samples.other_project()?;
    let here = samples.key()?;
    let there = samples.key_with(|key| key.project = other.clone())?;
    store.put(&here).await?;
    store.put(&there).await?;
    let events = store.events(&samples.project, &AuditQuery::default()).await?;
    same_list("`history` of one of two projects", &events, std::slice::from_ref(&here.event))?;
    let of_other = AuditQuery::default().key(there.id());
    let events = store.events(&samples.project, &of_other).await?;
    same_list("`history` of a project, of a key of another one", &events, &[])?;
    let after = Cursor::of_event(&later(&there, 1_000));
    let events = store.events(&samples.project, &of_other.after(after)).await?;
    same_list("the same, after a position", &events, &[])?;
    let events = store.events(&samples.project, &AuditQuery::default().after(after)).await?;
    let done = "`history` of a project, after the position of an event of another one";
    same_list(done, &events, std::slice::from_ref(&here.event))?;
    let none = store.event_page(&samples.other_project()?, &AuditQuery::default()).await?;
    same("`history` of a project in which nothing happened", &(none.items, none.next), &(vec![], None))
}

fn later(write: &Write, seconds: i64) -> AuditEvent {
    let mut event = write.event.clone();
    event.at += TimeDelta::seconds(seconds);
    event
}

pub(super) async fn history_is_newest_first<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    past.answers("of events that were stored in no order of time", AuditQuery::default()).await
}

pub(super) async fn events_of_one_time_are_ordered_by_id<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut events = Vec::new();
    for lead in ["0", "A", "a", "Z", "z", "b", "9", "m"] {
        let mut write = samples.key_with(|key| key.created_at = at(7))?;
        let id = write.event.id.to_string();
        let id = valid(EventId::new(format!("{lead}{}", id.get(1..).unwrap_or_default())))?;
        write = samples.told_by(write, id);
        store.put(&write).await?;
        events.push(write.event);
    }
    events.sort_by_key(|event| std::cmp::Reverse(Cursor::of_event(event)));
    let done = "`history` of events of one time, by the bytes of their ids, the largest first";
    same_list(done, &store.events(&samples.project, &AuditQuery::default()).await?, &events)
}

pub(super) async fn pages_have_each_event_once<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for limit in [1, 2, 4, 5, 29, 30, 31] {
        let events = past.store.events(&past.samples.project, &AuditQuery::default().limit(limit)).await?;
        let done = format!("`history` of 30 events in pages of {limit}, some of one time");
        same_list(&done, &events, &past.events)?;
    }
    Ok(())
}

pub(super) async fn a_page_of_events_has_no_more_than_the_limit<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for limit in [1, 2, 29] {
        let page = past.store.event_page(&past.samples.project, &AuditQuery::default().limit(limit)).await?;
        let (done, expected) =
            (format!("`history` with the limit {limit}"), format!("at most {limit} events"));
        holds(page.items.len() <= limit, done, expected, format_args!("{} events", page.items.len()))?;
    }
    Ok(())
}

pub(super) async fn the_last_page_of_events_has_no_next<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for limit in [3, 10, 30, 31] {
        let mut query = AuditQuery::default().limit(limit);
        let mut had = 0;
        while had < past.events.len() {
            let page = past.store.event_page(&past.samples.project, &query).await?;
            had += page.items.len();
            let more = had < past.events.len();
            let done = format!("`history` of 30 events in pages of {limit}: `next` after {had} events");
            holds(page.next.is_some() == more, done, if more { "some" } else { "none" }, page.next)?;
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
    }
    Ok(())
}

pub(super) async fn pages_stay_while_events_come<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    let mut query = AuditQuery::default().limit(4);
    let mut events = Vec::new();
    for round in 0..past.events.len() {
        let page = past.store.event_page(&past.samples.project, &query).await?;
        events.extend(page.items.into_iter().filter(|event| past.keys.contains(&event.key)));
        let Some(next) = page.next else { break };
        query = query.after(next);
        let in_front = at(5_000 + u32::try_from(round).unwrap_or_default());
        past.store.put(&past.samples.key_with(|key| key.created_at = in_front)?).await?;
        let just_seen = next.at() + TimeDelta::microseconds(1);
        past.store.put(&past.samples.key_with(|key| key.created_at = just_seen)?).await?;
    }
    same_list("`history` in pages of 4 while events came in front and between", &events, &past.events)
}

pub(super) async fn a_cursor_of_a_history_is_a_position<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for seconds in [0, 3, 5, 99] {
        for id in ["0".repeat(16), "z".repeat(16), "UnknownUnknown00".to_owned()] {
            let text = format!("e.{}.{id}", at(seconds).timestamp_micros());
            let cursor: Cursor = valid(text.parse())?;
            let query = AuditQuery::default().after(cursor).limit(7);
            let events = past.store.events(&past.samples.project, &query).await?;
            let mut expected = past.events.clone();
            expected.retain(|event| Cursor::of_event(event) < cursor);
            let done = format!("`history` after {cursor}, a position where no event is");
            same_list(&done, &events, &expected)?;
        }
    }
    Ok(())
}

pub(super) async fn history_by_key<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for key in past.keys.iter().copied().chain([past.samples.key_id()?]) {
        past.answers(&format!("of the key {key}"), AuditQuery::default().key(key)).await?;
    }
    Ok(())
}

pub(super) async fn history_by_actor<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for actor in [Actor::user("ada"), Actor::system("ada"), Actor::user("Ada"), Actor::user("ad")] {
        let actor = valid(actor)?;
        past.answers(&format!("of what {actor} did"), AuditQuery::default().actor(actor)).await?;
    }
    Ok(())
}

pub(super) async fn history_by_action<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for action in [
        Action::Created,
        Action::Edited,
        Action::Activated,
        Action::Deactivated,
        Action::Rotated,
        Action::Revoked,
    ] {
        past.answers(&format!("of keys that were {action}"), AuditQuery::default().action(action)).await?;
    }
    Ok(())
}

pub(super) async fn history_by_operation<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    for operation in ["req-7", "REQ-7", "req", "none"] {
        let query = AuditQuery::default().operation(valid(OperationId::new(operation))?);
        past.answers(&format!("of the operation {operation}"), query).await?;
    }
    Ok(())
}

pub(super) async fn all_filters_of_a_history_must_be_met<F: Fixture>(fixture: &F) -> Ruling {
    let past = past(fixture).await?;
    let (ada, operation) = (valid(Actor::user("ada"))?, valid(OperationId::new("req-7"))?);
    for key in &past.keys {
        for bits in 0..8_u32 {
            let mut query = AuditQuery::default().key(*key);
            query.actor = (bits & 1 != 0).then(|| ada.clone());
            query.action = (bits & 2 != 0).then_some(Action::Edited);
            query.operation = (bits & 4 != 0).then(|| operation.clone());
            past.answers(&format!("by the filters {query:?}"), query).await?;
        }
    }
    Ok(())
}
