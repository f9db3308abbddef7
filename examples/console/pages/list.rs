//! The keys of a project, newest first: searched, filtered, and gone through page by page.

mod rows;
mod turns;

use access_keys::{AgentId, Cursor, EnvironmentId, Error, KeyQuery, KeyState};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, Utc};
use maud::{Markup, html};

use super::shown;
use crate::Failure;
use crate::host::catalogue::Kind;
use crate::host::environments::ENVIRONMENTS;
use crate::host::fields::{Asked, Fields};
use crate::host::member::Member;
use crate::parts::badge::word;
use crate::parts::icon::icon;
use crate::parts::layout::around;
use crate::parts::mistakes::Mistakes;
use rows::{Rows, Way, pieces};
use turns::{LIMITS, limit};

/// Keys that end within so many days are about to expire.
const SOON: u64 = 7;
/// The filters, as fields and addresses name them.
const FILTERS: [&str; 4] = ["q", "state", "environment", "agent"];

pub(crate) async fn show(member: Member, Asked(asked): Asked) -> Result<Response, Failure> {
    let filtered = FILTERS.iter().any(|name| !asked.one(name).is_empty());
    let mut mistakes = Mistakes::default();
    if asked.one("q").trim().chars().count() > 100 {
        mistakes.add("q", "A name has at most 100 characters: search for a part of it.");
        let (head, tail) = around("All keys", &member, &top(&member, &asked, true, &mistakes));
        return Ok(shown(maud::PreEscaped(head + &tail))?.into_response());
    }
    let way = if filtered { Way::Apart } else { Way::Here };
    let mut rows = Rows::new(question(&asked, member.keys.now())?, limit(&asked), way);
    if !filtered {
        // The answer is as quick for any number of keys: waited for, so that a failure is told by its status too.
        let found = rows.all(&member, &asked).await?;
        let none = rows.is_empty() && asked.one("after").is_empty();
        let top = if none { nothing_yet(&member) } else { top(&member, &asked, false, &mistakes) };
        let (head, tail) = around("All keys", &member, &top);
        let found = if none { String::new() } else { found };
        return Ok(shown(maud::PreEscaped(head + &found + &tail))?.into_response());
    }
    // What meets a filter may stand far down: the page is there before it is found, and goes on as it is.
    let (head, tail) = around("All keys", &member, &top(&member, &asked, true, &mistakes));
    let body = Body::from_stream(pieces(head, rows, tail, member, asked));
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
}

/// What the address asks for; a filter that is none is told as such, and never passed over.
fn question(asked: &Fields, now: DateTime<Utc>) -> Result<KeyQuery, Failure> {
    let mut query = KeyQuery::default();
    let given = |name| Some(asked.one(name)).filter(|value| !value.is_empty());
    if let Some(name) = given("q") {
        query = query.name(name.trim());
    }
    match given("state") {
        None => {}
        Some("soon") => {
            query = query.state(KeyState::Active).expiring_before(now.checked_add_days(Days::new(SOON)));
        }
        Some(state) => query = query.state(state.parse::<KeyState>()?),
    }
    if let Some(environment) = given("environment") {
        query = query.environment(EnvironmentId::new(environment)?);
    }
    if let Some(agent) = given("agent") {
        query = query.agent(AgentId::new(agent)?);
    }
    if let Some(after) = given("after") {
        query = query.after(after.parse::<Cursor>().map_err(Error::from)?);
    }
    Ok(query)
}

/// What stands above the keys.
fn top(member: &Member, asked: &Fields, filtered: bool, mistakes: &Mistakes) -> Markup {
    html! {
        div.head {
            div {
                h1 { "Access keys" }
                p.lead { "Each lets one application call agents and prompts, in one environment." }
            }
            div.actions {
                a.button href={ (member.home()) "/look" } { "Keys to look at" }
                a.button.primary #new-key href={ (member.home()) "/new" } { (icon("plus")) "New access key" }
            }
        }
        (filters(member, asked, filtered, mistakes))
    }
}

fn filters(member: &Member, asked: &Fields, filtered: bool, mistakes: &Mistakes) -> Markup {
    let option = |name: &str, value: &str, words: &str| {
        html! { option value=(value) selected[asked.one(name) == value] { (words) } }
    };
    html! {
        form.filters role="search" method="get" action=(member.home()) {
            div.grow {
                label for="q" { "Name" }
                input #q type="search" name="q" value=(asked.one("q")) placeholder="Search by name" autocomplete="off"
                    aria-describedby=[mistakes.has("q").then_some("q-mistake")];
                (mistakes.beside("q"))
            }
            div {
                label for="state" { "Status" }
                select #state name="state" {
                    (option("state", "", "Any"))
                    @for state in [KeyState::Active, KeyState::Inactive, KeyState::Expired, KeyState::Revoked] {
                        (option("state", state.as_str(), word(state).0))
                    }
                    (option("state", "soon", "Active, expiring in 7 days"))
                }
            }
            div {
                label for="environment" { "Environment" }
                select #environment name="environment" {
                    (option("environment", "", "Any"))
                    @for place in &ENVIRONMENTS { (option("environment", place.id, place.name)) }
                }
            }
            div {
                label for="agent" { "May call agent" }
                select #agent name="agent" {
                    (option("agent", "", "Any"))
                    @for agent in Kind::Agents.all() { (option("agent", agent.id, agent.name)) }
                }
            }
            @if limit(asked) != LIMITS[0] { input type="hidden" name="limit" value=(limit(asked)); }
            button type="submit" { "Filter" }
            @if filtered { a.clear href=(member.home()) { "Clear" } }
        }
    }
}

fn nothing_yet(member: &Member) -> Markup {
    html! {
        div.head { div {
            h1 { "Access keys" }
            p.lead { "Each lets one application call agents and prompts, in one environment." }
        } }
        div.empty {
            (icon("key"))
            h2 { "No access keys yet" }
            p { "An access key lets an application call the agents and prompts that you choose, in one environment. It \
                carries no provider’s credential, so a provider or model can be changed without touching it." }
            p { a.button.primary #new-key href={ (member.home()) "/new" } { (icon("plus")) "New access key" } }
        }
    }
}
