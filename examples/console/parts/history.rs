//! What was done to a key, in words: who, when, what from what to what, and why.

use access_keys::domain::{Action, FieldChange, ResourceId, ScopeChange};
use access_keys::{Actor, AuditEvent, IdSet, Scope};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::scope::{inline, name};
use super::time::{full, moment, relative};
use crate::host::catalogue::Kind;
use crate::host::people::person;

/// The events, newest first. What stands below each other has a space between, for who copies or hears it.
pub(crate) fn events(events: &[AuditEvent], now: DateTime<Utc>) -> Markup {
    html! {
        ol.events {
            @for event in events {
                li.(event.action.as_str()) {
                    p { strong { (actor(&event.actor)) } " " (done(event.action)) }
                    " "
                    p.when { (relative(event.at, now)) span.hidden { ", " (moment(event.at)) } }
                    " "
                    @let changes: Vec<Markup> = event.changes.iter().filter_map(change).collect();
                    @if !changes.is_empty() { ul { @for change in changes { li { (change) } " " } } }
                    @if let Some(reason) = &event.reason {
                        @if reason.is_empty() { p.muted { "No reason was given." } }
                        @else { blockquote { (reason) } }
                    }
                }
            }
        }
    }
}

/// What people call who acted.
pub(crate) fn actor(actor: &Actor) -> String {
    match (actor.is_user(), person(actor.id())) {
        (true, Some(person)) => person.name.to_owned(),
        (true, None) => actor.id().to_owned(),
        (false, _) => format!("{} (system)", actor.id()),
    }
}

const fn done(action: Action) -> &'static str {
    match action {
        Action::Created => "created the key",
        Action::Edited => "edited the key",
        Action::Activated => "activated the key",
        Action::Deactivated => "deactivated the key",
        Action::Rotated => "issued a new token",
        Action::Revoked => "revoked the key for ever",
        _ => "changed the key",
    }
}

/// One change as a line; none for what the words above say already.
pub(crate) fn change(change: &FieldChange) -> Option<Markup> {
    let when = |time: &Option<_>| time.map_or_else(|| "never".to_owned(), full);
    Some(match change {
        FieldChange::Key(key) => html! {
            "For " (inline(&key.agents, Kind::Agents)) " and " (inline(&key.prompts, Kind::Prompts)) ". Expires: "
            (when(&key.expires_at)) "."
        },
        FieldChange::Name { before, after, .. } => html! { "Name: " del { (before) } " → " ins { (after) } },
        FieldChange::Description { before, after, .. } => {
            html! { "Description: " del { (or_empty(before)) } " → " ins { (or_empty(after)) } }
        }
        FieldChange::ExpiresAt { before, after, .. } => {
            html! { "Expiry: " del { (when(before)) } " → " ins { (when(after)) } }
        }
        FieldChange::Agents(change) => scope(change, Kind::Agents),
        FieldChange::Prompts(change) => scope(change, Kind::Prompts),
        FieldChange::Status { .. } => return None,
        FieldChange::Secret { generation, old_secret_ends_at, .. } => html! {
            "Token number " (generation) ". The one before it ends: " (moment(*old_secret_ends_at)) "."
        },
        other => html! { (other) },
    })
}

fn scope<T: ResourceId>(change: &ScopeChange<T>, kind: Kind) -> Markup {
    match change {
        ScopeChange::Ids { added, removed, .. } => html! {
            "Access to " (kind.plural()) ": "
            @if !added.is_empty() { "added " ins { (names(added, kind)) } }
            @if !added.is_empty() && !removed.is_empty() { ", " }
            @if !removed.is_empty() { "removed " del { (names(removed, kind)) } }
        },
        ScopeChange::Whole { before, after, .. } => html! {
            "Access to " (kind.plural()) ": " del { (whole(before, kind)) } " → " ins { (whole(after, kind)) }
        },
        other => html! { (kind.plural()) " " (other) },
    }
}

/// Every name: who decides by it must not be told of "some more".
pub(crate) fn names<T: ResourceId>(ids: &IdSet<T>, kind: Kind) -> String {
    ids.iter().map(|id| name(kind, id.as_ref())).collect::<Vec<_>>().join(", ")
}

fn whole<T: ResourceId>(scope: &Scope<T>, kind: Kind) -> String {
    match scope {
        Scope::All => format!("all {}, including those created later", kind.plural()),
        Scope::Specific(ids) if ids.is_empty() => format!("no {}", kind.plural()),
        Scope::Specific(ids) => format!("only {}", names(ids, kind)),
    }
}

fn or_empty(text: &str) -> &str {
    if text.is_empty() { "(empty)" } else { text }
}
