//! The keys of a project, newest first: searched, filtered, and gone through page by page.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use access_keys::{AccessKey, AgentId, Cursor, EnvironmentId, Error, KeyId, KeyQuery, KeyState};
use chrono::{DateTime, Days, Utc};
use maud::{Markup, html};

use super::{Shown, shown};
use crate::Failure;
use crate::host::catalogue::Kind;
use crate::host::environments::ENVIRONMENTS;
use crate::host::fields::{Asked, Fields, address};
use crate::host::member::Member;
use crate::parts::badge::{begins, environment_name, state, word};
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::mistakes::Mistakes;
use crate::parts::scope::short;
use crate::parts::time::relative;

/// How many keys to a page.
const LIMIT: usize = 25;
/// How long a search goes on for one page before it says how far it came.
const PATIENCE: Duration = Duration::from_millis(250);
/// Keys that end within so many days are about to expire.
const SOON: u64 = 7;

/// What is shown of the keys.
#[derive(Default)]
struct Found {
    keys: Vec<AccessKey>,
    next: Option<Cursor>,
    used: HashMap<KeyId, DateTime<Utc>>,
}

pub(crate) async fn show(member: Member, Asked(asked): Asked) -> Shown {
    let mut mistakes = Mistakes::default();
    let found = match find(&member, &asked).await {
        Ok(found) => found,
        Err(Failure::Unreadable) if asked.one("q").chars().count() > 100 => {
            mistakes.add("q", "A name has at most 100 characters: search for a part of it.");
            Found::default()
        }
        Err(failure) => return Err(failure),
    };
    let filtered = ["q", "state", "environment", "agent"].iter().any(|name| !asked.one(name).is_empty());
    let first = asked.one("after").is_empty();
    let none = found.keys.is_empty() && first && !filtered;
    let main = html! {
        div.head {
            div {
                h1 { "Access keys" }
                p.lead { "Each lets one application call agents and prompts, in one environment." }
            }
            @if !none { a.button.primary #new-key href={ (member.home()) "/new" } { (icon("plus")) "New access key" } }
        }
        @if none {
            (nothing_yet(&member))
        } @else {
            (filters(&member, &asked, filtered, &mistakes))
            @if found.keys.is_empty() { (nothing_found(&member, found.next.is_some())) }
            @else { (table(&member, &found)) }
            (pages(&member, &asked, &found, first))
        }
    };
    shown(page("All keys", &member, &main))
}

async fn find(member: &Member, asked: &Fields) -> Result<Found, Failure> {
    let mut query = question(asked)?;
    let (began, mut keys) = (Instant::now(), Vec::new());
    // A search by name may come back with few keys, or none, and go on further down.
    let next = loop {
        query.limit = LIMIT - keys.len();
        let page = member.keys.list(query.clone()).await?;
        keys.extend(page.items);
        match page.next {
            Some(next) if keys.len() < LIMIT && began.elapsed() < PATIENCE => query.after = Some(next),
            next => break next,
        }
    };
    let ids: Vec<KeyId> = keys.iter().map(|key: &AccessKey| key.id).collect();
    let mut used = HashMap::new();
    for last in member.keys.last_used(&ids).await? {
        let at = used.entry(last.key).or_insert(last.at);
        *at = last.at.max(*at);
    }
    Ok(Found { keys, next, used })
}

/// What the address asks for; a filter that is none is told as such, and never passed over.
fn question(asked: &Fields) -> Result<KeyQuery, Failure> {
    let mut query = KeyQuery::default();
    let given = |name| Some(asked.one(name)).filter(|value| !value.is_empty());
    if let Some(name) = given("q") {
        query = query.name(name.trim());
    }
    match given("state") {
        None => {}
        Some("soon") => {
            let end = Utc::now().checked_add_days(Days::new(SOON));
            query = query.state(KeyState::Active).expiring_before(end);
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
            button type="submit" { "Filter" }
            @if filtered { a.clear href=(member.home()) { "Clear" } }
        }
    }
}

fn table(member: &Member, found: &Found) -> Markup {
    html! {
        table #keys {
            caption.hidden { "Access keys, newest first" }
            thead { tr {
                th scope="col" { "Name" }
                th scope="col" { "Status" }
                th scope="col" { "Environment" }
                th scope="col" { "Access" }
                th scope="col" { "Last used" }
                th scope="col" { "Expires" }
            } }
            tbody { @for key in &found.keys { (row(member, key, found.used.get(&key.id).copied())) } }
        }
    }
}

fn row(member: &Member, key: &AccessKey, used: Option<DateTime<Utc>>) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ (member.home()) "/" (key.id) } { (key.name) }
                code.id { (begins(key)) }
            }
            td data-label="Status" { (state(key)) }
            td data-label="Environment" { (environment_name(&key.environment)) }
            td.access data-label="Access" {
                span { (short(&key.agents, Kind::Agents)) } " "
                span { (short(&key.prompts, Kind::Prompts)) }
            }
            td data-label="Last used" { @match used { Some(at) => (relative(at)), None => span.muted { "Never" } } }
            td data-label="Expires" {
                @match key.expires_at { Some(end) => (relative(end)), None => span.muted { "Never" } }
            }
        }
    }
}

fn pages(member: &Member, asked: &Fields, found: &Found, first: bool) -> Markup {
    let turn = |after: &str| {
        let asked = |name| (name, asked.one(name));
        address(
            &member.home(),
            &[asked("q"), asked("state"), asked("environment"), asked("agent"), ("after", after)],
        )
    };
    html! {
        @if !first || found.next.is_some() {
            nav.pages aria-label="Pages" {
                @if !first { a.button href=(turn("")) { "Newest" } }
                @if let Some(next) = found.next {
                    a.button rel="next" href=(turn(&next.to_string())) { "Older" (icon("right")) }
                }
            }
        }
    }
}

fn nothing_yet(member: &Member) -> Markup {
    html! {
        div.empty {
            (icon("key"))
            h2 { "No access keys yet" }
            p { "An access key lets an application call the agents and prompts that you choose, in one environment. It \
                carries no provider’s credential, so a provider or model can be changed without touching it." }
            p { a.button.primary #new-key href={ (member.home()) "/new" } { (icon("plus")) "New access key" } }
        }
    }
}

fn nothing_found(member: &Member, more: bool) -> Markup {
    html! {
        div.empty {
            (icon("search"))
            @if more {
                h2 { "Nothing so far" }
                p { "No key among those that were looked through. Go on to older ones." }
            } @else {
                h2 { "No key matches" }
                p { "Try another part of the name, or fewer filters." }
                p { a.button href=(member.home()) { "Show all keys" } }
            }
        }
    }
}
