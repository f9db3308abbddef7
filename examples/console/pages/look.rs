//! Keys that a person should look at: unused, about to expire, wider than what they are used for, out of date.

use access_keys::domain::ResourceId;
use access_keys::lifecycle::hygiene::{Finding, HygieneQuery, KeyFindings};
use access_keys::{AgentId, Cursor, Error, IdSet, PromptId, Scope};
use chrono::{DateTime, Days, Utc};
use maud::{Markup, html};

use super::{Shown, shown};
use crate::host::catalogue::Kind;
use crate::host::fields::{Asked, address};
use crate::host::member::Member;
use crate::parts::badge::{begins, state};
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::scope::name;
use crate::parts::time::relative;

/// A key that was not used for so many days is idle.
const IDLE: u64 = 90;
/// A key that expires within so many days needs a decision.
const SOON: u64 = 14;
/// What a key was not used for in so many days it may not need.
const UNNEEDED: u64 = 30;
/// How many keys are looked at for one page. Most have nothing to be told of.
const LOOKED_AT: usize = 500;

pub(crate) async fn show(member: Member, Asked(asked): Asked) -> Shown {
    let now = member.keys.now();
    let before = |days| now.checked_sub_days(Days::new(days)).unwrap_or(now);
    let after = asked.has("after").then(|| asked.one("after").parse::<Cursor>()).transpose();
    let query = HygieneQuery::default()
        .limit(LOOKED_AT)
        .after(after.map_err(Error::from)?)
        .idle_since(before(IDLE))
        .expiring_before(now.checked_add_days(Days::new(SOON)).unwrap_or(now))
        .wider_than_used(before(UNNEEDED))
        .agents_known(known::<AgentId>(Kind::Agents)?)
        .prompts_known(known::<PromptId>(Kind::Prompts)?);
    let found = member.keys.hygiene(&query).await?;
    let main = html! {
        nav.crumbs aria-label="Where you are" { a href=(member.home()) { (icon("left")) "Access keys" } }
        div.head { div {
            h1 { "Keys to look at" }
            p.lead {
                "Not used for " (IDLE) " days, about to expire, wider than what they were used for in the last " (UNNEEDED)
                " days, or naming what no longer exists."
            }
        } }
        @if found.items.is_empty() { (nothing(found.next.is_some())) } @else { (table(&member, &found.items, now)) }
        @if let Some(next) = found.next {
            nav.pages aria-label="Pages" {
                a.button rel="next" href=(address(&format!("{}/look", member.home()), &[("after", &next.to_string())])) {
                    "Look at older keys" (icon("right"))
                }
            }
        }
    };
    shown(page("Keys to look at", &member, &main))
}

fn known<T: ResourceId>(kind: Kind) -> Result<Vec<T>, Error> {
    Ok(kind.all().iter().map(|item| item.id.parse()).collect::<Result<_, _>>()?)
}

fn nothing(more: bool) -> Markup {
    html! {
        div.empty {
            (icon("search"))
            @if more {
                h2 { "Nothing among the newest" }
                p { "Of the " (LOOKED_AT) " keys that were looked at none needs you." }
            } @else {
                h2 { "Nothing to look at" }
                p { "No key was unused or wider than its use for that long." }
            }
        }
    }
}

fn table(member: &Member, found: &[KeyFindings], now: DateTime<Utc>) -> Markup {
    html! {
        table #findings {
            caption.hidden { "Keys to look at, newest first" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Status" } th scope="col" { "What to look at" } } }
            tbody {
                @for KeyFindings { key, findings, .. } in found {
                    tr {
                        th scope="row" {
                            a href={ (member.home()) "/" (key.id) } { (key.name) }
                            code.id { (begins(key)) }
                        }
                        td data-label="Status" { (state(key, now)) }
                        td data-label="What to look at" {
                            @for finding in findings { p { (words(finding, now)) } }
                        }
                    }
                }
            }
        }
    }
}

fn words(finding: &Finding, now: DateTime<Utc>) -> Markup {
    match finding {
        Finding::NeverUsed { created_at, .. } | Finding::Idle { last_used: None, created_at, .. } => {
            html! { "Never used since it was created " (relative(*created_at, now)) }
        }
        Finding::Idle { last_used: Some(at), .. } => html! { "Last used " (relative(*at, now)) },
        Finding::Expiring { expires_at, .. } => html! { "Expires " (relative(*expires_at, now)) },
        Finding::AgentsUnused { scope, used, .. } => unused(scope, used, Kind::Agents),
        Finding::PromptsUnused { scope, used, .. } => unused(scope, used, Kind::Prompts),
        Finding::AgentsUnknown { ids, .. } => unknown(ids, Kind::Agents),
        Finding::PromptsUnknown { ids, .. } => unknown(ids, Kind::Prompts),
        other => html! { (other) },
    }
}

fn unused<T: ResourceId>(scope: &Scope<T>, used: &IdSet<T>, kind: Kind) -> Markup {
    html! {
        @match scope {
            Scope::All => { "May call " strong { "all " (kind.plural()) } },
            Scope::Specific(ids) => { "May call " (ids.len()) " " (kind.plural()) },
        }
        @if used.is_empty() { ", has called none of them" } @else { ", has called only " (names(used, kind)) }
    }
}

fn unknown<T: ResourceId>(ids: &IdSet<T>, kind: Kind) -> Markup {
    html! { "Names " (kind.plural()) " that no longer exist: " (names(ids, kind)) }
}

/// The first few by name, and how many more.
fn names<T: ResourceId>(ids: &IdSet<T>, kind: Kind) -> Markup {
    const SHOWN: usize = 5;
    html! {
        @for (place, id) in ids.iter().take(SHOWN).enumerate() {
            @if place > 0 { ", " }
            (name(kind, id.as_ref()))
        }
        @if ids.len() > SHOWN { " and " (ids.len() - SHOWN) " more" }
    }
}
