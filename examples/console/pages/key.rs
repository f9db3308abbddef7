//! One key: what it is, what it may call, what can be done with it, and what was done.

use std::sync::Arc;

use access_keys::domain::Action;
use access_keys::lifecycle::SecretInfo;
use access_keys::{AccessKey, AuditEvent, AuditQuery, Cursor, KeyState, Page, Status};
use axum::extract::{Path, State};
use chrono::{DateTime, Days, Utc};
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
use crate::parts::scope::{full, used_for};
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
    let (secrets, now) = (secrets(&member, &key).await?, member.keys.now());
    let mut query = AuditQuery::default().key(key.id).limit(EVENTS);
    if asked.has("after") {
        query = query.after(asked.one("after").parse::<Cursor>()?);
    }
    let history = member.keys.history(query).await?;
    let pending = console.host.cutoffs.of(key.id);
    let ended = ended(&member, &key).await?;
    let used = member.keys.scope_used(&[key.id]).await?.and_then(|mut used| used.pop());
    let used_agents =
        used.as_ref().map(|used| used_for(&key.agents, used.agents(), used.more_agents, Kind::Agents, now));
    let used_prompts = used
        .as_ref()
        .map(|used| used_for(&key.prompts, used.prompts(), used.more_prompts, Kind::Prompts, now));
    let main = html! {
        nav.crumbs aria-label="Where you are" { a href=(member.home()) { (icon("left")) "Access keys" } }
        div.head {
            div {
                h1 { (key.name) " " (state(&key, now)) }
                code.id { (begins(&key)) }
                @if !key.description.is_empty() { p.lead.lines { (key.description) } }
            }
            (actions(&member, &key))
        }
        @if let Some(pending) = &pending { (cutoff::line(pending)) }
        @if let Some(ended) = &ended { (ended) }
        (facts(&key, &secrets))
        section.access aria-labelledby="access-title" {
            div.beside {
                h2 #access-title { "What it may call" }
                @if key.status != Status::Revoked {
                    a href={ (member.home()) "/" (key.id) "/edit#agents" } { "Change" span.hidden { " what it may call" } }
                }
            }
            div.cards.two {
                div.card { (full(&key.agents, Kind::Agents)) @if let Some(used) = &used_agents { (used) } }
                div.card { (full(&key.prompts, Kind::Prompts)) @if let Some(used) = &used_prompts { (used) } }
            }
        }
        (past(&member, &key, &history, asked.has("after")))
    };
    shown(page(&key.name, &member, &main))
}

/// Who revoked a key and why: the first that someone asks who finds it revoked.
async fn ended(member: &Member, key: &AccessKey) -> Result<Option<Markup>, Failure> {
    if key.status != Status::Revoked {
        return Ok(None);
    }
    let query = AuditQuery::default().key(key.id).action(Action::Revoked).limit(1);
    let revoked = member.keys.history(query).await?.items.into_iter().next();
    Ok(revoked.map(|event| {
        html! {
            div #ended.note.ended {
                (icon("cross"))
                div {
                    p { strong { "Revoked by " (actor(&event.actor)) } ", " (time::relative(event.at, member.keys.now())) ". " }
                    @match event.reason.as_deref() {
                        None | Some("") => p.muted { "No reason was given." },
                        Some(reason) => p.lines { (reason) },
                    }
                }
            }
        }
    }))
}

/// When the secrets of a key were used.
pub(super) struct Secrets {
    /// Any of them, also those that ended long ago.
    pub(super) last: Option<DateTime<Utc>>,
    pub(super) newest: Option<SecretInfo>,
    /// The one before the last rotation: while it works, and for a week after, in which someone may still miss it.
    old: Option<SecretInfo>,
    now: DateTime<Utc>,
}

impl Secrets {
    /// The one before the last rotation and its end, while it works.
    pub(super) fn working(&self) -> Option<(SecretInfo, DateTime<Utc>)> {
        let old = self.old?;
        old.ends_at.filter(|end| *end > self.now).map(|end| (old, end))
    }
}

pub(super) async fn secrets(member: &Member, key: &AccessKey) -> Result<Secrets, Failure> {
    let now = member.keys.now();
    let last = member.keys.last_used(&[key.id]).await?.iter().map(|used| used.at).max();
    let mut all = member.keys.secrets(key.id).await?.into_iter();
    let newest = all.next();
    let works = matches!(key.state(now), KeyState::Active | KeyState::Inactive);
    let recent = |old: &SecretInfo| old.ends_at.is_some_and(|end| end + Days::new(7) > now);
    let old = all.next().filter(|old| works && recent(old));
    Ok(Secrets { last, newest, old, now })
}

fn actions(member: &Member, key: &AccessKey) -> Markup {
    let here = format!("{}/{}", member.home(), key.id);
    let state = key.state(member.keys.now());
    html! {
        @if state != KeyState::Revoked {
            div.actions role="group" aria-label="What can be done" {
                a.button href={ (here) "/edit" } { "Edit" }
                @if state != KeyState::Expired { a.button href={ (here) "/rotate" } { "Rotate token" } }
                @if key.status == Status::Active {
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
    let now = secrets.now;
    let used = |secret: SecretInfo| {
        html! {
            @match secret.last_used { Some(at) => { "Last used " (time::relative(at, now)) }, None => "Not used so far" }
        }
    };
    // What counts before it ends is whether anyone used it since there is a new one.
    let since = secrets.newest.and_then(|newest| newest.since);
    let old_used = |old: SecretInfo| match (old.last_used, since) {
        (Some(at), Some(since)) if at > since => html! { strong { "Still used " (time::relative(at, now)) } },
        (_, Some(_)) => html! { "Not used since the new one was issued" },
        _ => used(old),
    };
    html! {
        section aria-label="Facts" {
            dl.facts {
                div { dt { "Environment" } dd {
                    (environment_name(&key.environment))
                    br; span.muted { (icon("lock")) " Fixed for its life" }
                } }
                div { dt { "Expires" } dd {
                    @match key.expires_at {
                        _ if key.status == Status::Revoked => { span.muted { "Ended: it was revoked" } },
                        Some(end) => { (time::relative(end, now)) br; span.muted { (time::full(end)) } },
                        None => (never()),
                    }
                } }
                div { dt { "Last used" } dd {
                    @match secrets.last { Some(at) => (time::relative(at, now)), None => (never()) }
                } }
                @if let Some(old) = secrets.old {
                    div { dt { "Old token" } dd {
                        (old_used(old))
                        @if let Some(end) = old.ends_at {
                            br; span.muted { @if end > now { "Works until " } @else { "Ended " } (time::full(end)) }
                        }
                    } }
                    @if let Some(newest) = secrets.newest {
                        div { dt { "New token" } dd {
                            (used(newest))
                            @if let Some(since) = newest.since { br; span.muted { "Issued " (time::full(since)) } }
                        } }
                    }
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
            (events(&history.items, member.keys.now()))
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
