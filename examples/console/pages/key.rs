//! One key: what it is, what it may call, what can be done with it, and what was done.

use std::sync::Arc;

use access_keys::domain::{Action, FieldChange};
use access_keys::store::KeyUse;
use access_keys::{AccessKey, AuditEvent, AuditQuery, Cursor, KeyState, Page};
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{Shown, key_id, shown};
use crate::host::catalogue::Kind;
use crate::host::fields::{Asked, address};
use crate::host::member::Member;
use crate::parts::badge::{begins, environment_name, state};
use crate::parts::form::csrf;
use crate::parts::history::{actor, events};
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::scope::full;
use crate::parts::{cutoff, time};
use crate::{Console, Failure};

/// How many events of the history to a page.
const EVENTS: usize = 15;

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Asked(asked): Asked,
) -> Shown {
    let key = member.keys.get(key_id(&id)?).await?;
    let secrets = secrets(&member, &key).await?;
    let mut query = AuditQuery::default().key(key.id).limit(EVENTS);
    if asked.has("after") {
        query = query.after(asked.one("after").parse::<Cursor>()?);
    }
    let history = member.keys.history(query).await?;
    let pending = console.host.cutoffs.of(key.id);
    let main = html! {
        nav.crumbs aria-label="Where you are" { a href=(member.home()) { (icon("left")) "Access keys" } }
        div.head {
            div {
                h1 { (key.name) " " (state(&key)) }
                code.id { (begins(&key)) }
                @if !key.description.is_empty() { p.lead.lines { (key.description) } }
            }
            (actions(&member, &key))
        }
        @if let Some(pending) = &pending { (cutoff::line(pending)) }
        (facts(&key, &secrets))
        section.access aria-labelledby="access-title" {
            h2 #access-title { "What it may call" }
            div.cards.two {
                div.card { (full(&key.agents, Kind::Agents)) }
                div.card { (full(&key.prompts, Kind::Prompts)) }
            }
        }
        (past(&member, &key, &history, asked.has("after")))
    };
    shown(page(&key.name, &member, &main))
}

/// When the secrets of a key were used.
pub(super) struct Secrets {
    pub(super) last: Option<DateTime<Utc>>,
    /// The newest secret alone.
    pub(super) newest: Option<DateTime<Utc>>,
    /// While the secret before the last rotation still works: when it ends, and when it was last used.
    pub(super) old: Option<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

pub(super) async fn secrets(member: &Member, key: &AccessKey) -> Result<Secrets, Failure> {
    let uses = member.keys.last_used(&[key.id]).await?;
    // Which secret is the newest, and until when the one before it works, the history alone tells.
    let rotated = AuditQuery::default().key(key.id).action(Action::Rotated).limit(1);
    let rotated = member.keys.history(rotated).await?.items;
    let ends = rotated.iter().flat_map(|event| &event.changes).find_map(|change| match change {
        FieldChange::Secret { generation, old_secret_ends_at, .. } => {
            Some((*generation, *old_secret_ends_at))
        }
        _ => None,
    });
    let newest = ends.map_or(1, |(newest, _)| newest);
    let newest = uses.iter().filter(|used| used.generation >= newest).map(|used| used.at).max();
    let last = uses.iter().map(|used| used.at).max();
    let works = matches!(key.state(Utc::now()), KeyState::Active | KeyState::Inactive);
    let old = ends.filter(|(_, end)| works && *end > Utc::now()).map(|(newest, end)| {
        let used = |used: &&KeyUse| used.generation < newest;
        (end, uses.iter().filter(used).map(|used| used.at).max())
    });
    Ok(Secrets { last, newest, old })
}

fn actions(member: &Member, key: &AccessKey) -> Markup {
    let here = format!("{}/{}", member.home(), key.id);
    let state = key.state(Utc::now());
    html! {
        @if state != KeyState::Revoked {
            div.actions role="group" aria-label="What can be done" {
                a.button href={ (here) "/edit" } { "Edit" }
                @if state != KeyState::Expired { a.button href={ (here) "/rotate" } { "Rotate" } }
                @if key.status == access_keys::Status::Active {
                    form method="post" action={ (here) "/deactivate" } {
                        (csrf(&member.session)) button type="submit" { "Deactivate" }
                    }
                } @else {
                    form method="post" action={ (here) "/activate" } {
                        (csrf(&member.session)) button type="submit" { "Activate" }
                    }
                }
                a.button.danger href={ (here) "/revoke" } { "Revoke" }
            }
        }
    }
}

fn facts(key: &AccessKey, secrets: &Secrets) -> Markup {
    let never = || html! { span.muted { "Never" } };
    html! {
        section aria-label="Facts" {
            dl.facts {
                div { dt { "Environment" } dd {
                    (environment_name(&key.environment))
                    br; span.muted { (icon("lock")) " Fixed for its life" }
                } }
                div { dt { "Expires" } dd {
                    @match key.expires_at {
                        Some(end) => { (time::relative(end)) br; span.muted { (time::full(end)) } },
                        None => (never()),
                    }
                } }
                div { dt { "Last used" } dd {
                    @match secrets.last { Some(at) => (time::relative(at)), None => (never()) }
                } }
                @if let Some((end, used)) = secrets.old {
                    div { dt { "Old token" } dd {
                        @match used { Some(at) => { "Last used " (time::relative(at)) }, None => "Not used so far" }
                        br; span.muted { "Works until " (time::full(end)) }
                    } }
                    div { dt { "New token" } dd {
                        @match secrets.newest { Some(at) => { "Last used " (time::relative(at)) }, None => "Not used so far" }
                    } }
                }
                div { dt { "Created" } dd { (actor(&key.created_by)) br; span.muted { (time::full(key.created_at)) } } }
                div { dt { "Id" } dd { code { (key.id) } } }
            }
        }
    }
}

fn past(member: &Member, key: &AccessKey, history: &Page<AuditEvent>, is_older: bool) -> Markup {
    let here = format!("{}/{}", member.home(), key.id);
    html! {
        section #history aria-labelledby="history-title" {
            h2 #history-title { "History" }
            (events(&history.items))
            @if is_older || history.next.is_some() {
                nav.pages aria-label="Pages of the history" {
                    @if is_older { a.button href={ (here) "#history" } { "Newest" } }
                    @if let Some(next) = history.next {
                        @let older = address(&here, &[("after", &next.to_string())]);
                        a.button rel="next" href={ (older) "#history" } { "Older" (icon("right")) }
                    }
                }
            }
        }
    }
}
