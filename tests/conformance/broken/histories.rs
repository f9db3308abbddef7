//! Wrong when they tell a history.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Mutex;

use access_keys::store::{StoreError, async_trait};
use access_keys::{AuditEvent, AuditQuery, Cursor, Page, ProjectId};

use crate::case::{Case, case};
use crate::plain::{Plain, Wrong};

type Told = Result<Page<AuditEvent>, StoreError>;

/// Tells what this lets through.
struct Lets(fn(&AuditQuery, &AuditEvent) -> bool);

#[async_trait]
impl Wrong for Lets {
    async fn history(&self, right: &Plain, project: &ProjectId, query: &AuditQuery) -> Told {
        let events = right.contents().events_of(project);
        let mut all = AuditQuery::default().limit(query.limit);
        all.after = query.after;
        Ok(all.page(events.into_iter().filter(|event| (self.0)(query, event))))
    }
}

/// Makes pages like this, of the events of the project in the order of their commits.
struct Pages(fn(&AuditQuery, Vec<AuditEvent>) -> Page<AuditEvent>);

#[async_trait]
impl Wrong for Pages {
    async fn history(&self, right: &Plain, project: &ProjectId, query: &AuditQuery) -> Told {
        Ok((self.0)(query, right.contents().events_of(project)))
    }
}

fn matching(query: &AuditQuery, mut events: Vec<AuditEvent>) -> Vec<AuditEvent> {
    events.retain(|event| query.matches(event));
    events.sort_by_key(|event| Reverse(Cursor::of_event(event)));
    events
}

fn cut(query: &AuditQuery, events: Vec<AuditEvent>) -> Page<AuditEvent> {
    let at = query.after.and_then(|after| events.iter().position(|event| Cursor::of_event(event) == after));
    let mut rest: Vec<_> = events.into_iter().skip(at.map_or(0, |at| at + 1)).collect();
    let more = rest.len() > query.limit;
    rest.truncate(query.limit);
    let next = rest.last().filter(|_| more).map(Cursor::of_event);
    Page::new(rest, next)
}

/// Looks for a key in whatever project.
struct AnyProject;

#[async_trait]
impl Wrong for AnyProject {
    async fn history(&self, right: &Plain, project: &ProjectId, query: &AuditQuery) -> Told {
        let contents = right.contents();
        Ok(match query.key {
            None => query.page(contents.events_of(project)),
            Some(_) => query.page(contents.events.clone()),
        })
    }
}

/// Takes a cursor for a number of events to skip.
#[derive(Default)]
struct Offsets(Mutex<HashMap<Cursor, usize>>);

#[async_trait]
impl Wrong for Offsets {
    async fn history(&self, right: &Plain, project: &ProjectId, query: &AuditQuery) -> Told {
        let mut offsets = self.0.lock().unwrap();
        let events = right.contents().events_of(project);
        let Some(skipped) = query.after.map_or(Some(0), |after| offsets.get(&after).copied()) else {
            return Ok(query.page(events));
        };
        let mut rest: Vec<_> = matching(query, events).into_iter().skip(skipped).collect();
        let more = rest.len() > query.limit;
        rest.truncate(query.limit);
        let next = rest.last().filter(|_| more).map(Cursor::of_event);
        offsets.extend(next.map(|next| (next, skipped + rest.len())));
        Ok(Page::new(rest, next))
    }
}

fn without(query: &AuditQuery, change: fn(&mut AuditQuery)) -> AuditQuery {
    let mut query = query.clone();
    change(&mut query);
    query
}

fn lets(name: &'static str, rule: &'static str, by: fn(&AuditQuery, &AuditEvent) -> bool) -> Case {
    case(name, rule, "`history`", move || Lets(by))
}

fn pages(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    by: fn(&AuditQuery, Vec<AuditEvent>) -> Page<AuditEvent>,
) -> Case {
    case(name, rule, says, move || Pages(by))
}

pub(crate) fn all() -> Vec<Case> {
    vec![
        case(
            "tells of a key of another project",
            "history_is_of_one_project",
            "of a key of another one",
            || AnyProject,
        ),
        pages(
            "tells in the order of commits",
            "history_is_newest_first",
            "a `next` that is further on",
            |query, mut events| {
                events.retain(|event| query.matches(event));
                events.reverse();
                cut(query, events)
            },
        ),
        pages(
            "orders event ids upwards",
            "events_of_one_time_are_ordered_by_id",
            "the bytes of their ids",
            |query, events| {
                let mut events = matching(query, events);
                events.sort_by_key(|event| (Reverse(event.at), event.id));
                cut(query, events)
            },
        ),
        pages(
            "skips events of equal times",
            "pages_have_each_event_once",
            "in pages of",
            |query, mut events| {
                events.retain(|event| query.after.is_none_or(|after| event.at < after.at()));
                without(query, |query| query.after = None).page(events)
            },
        ),
        pages(
            "tells one more than the limit",
            "a_page_of_events_has_no_more_than_the_limit",
            "2 events",
            |query, events| query.clone().limit(query.limit + 1).page(events),
        ),
        pages(
            "tells of a next after the last page",
            "the_last_page_of_events_has_no_next",
            "expected  none",
            |query, events| {
                let page = query.page(events);
                let next = page.items.last().map(Cursor::of_event);
                Page::new(page.items, next)
            },
        ),
        case("tells by offset", "pages_stay_while_events_come", "while events came", Offsets::default),
        pages(
            "tells anew at an unknown cursor",
            "a_cursor_of_a_history_is_a_position",
            "a `next` that is further on",
            |query, events| cut(query, matching(query, events)),
        ),
        lets("ignores the key", "history_by_key", |query, event| {
            without(query, |query| query.key = None).matches(event)
        }),
        lets("takes a system for a user", "history_by_actor", |query, event| {
            let is = query.actor.as_ref().is_none_or(|actor| actor.id() == event.actor.id());
            is && without(query, |query| query.actor = None).matches(event)
        }),
        lets("ignores the action", "history_by_action", |query, event| {
            without(query, |query| query.action = None).matches(event)
        }),
        lets("compares operations without case", "history_by_operation", |query, event| {
            let [asked, told] = [&query.operation, &event.operation]
                .map(|operation| operation.as_ref().map(|operation| operation.as_str().to_lowercase()));
            (asked.is_none() || asked == told)
                && without(query, |query| query.operation = None).matches(event)
        }),
        lets(
            "ignores the action where an actor is given",
            "all_filters_of_a_history_must_be_met",
            |query, event| match (&query.actor, query.action) {
                (Some(_), Some(_)) => without(query, |query| query.action = None).matches(event),
                _ => query.matches(event),
            },
        ),
    ]
}
