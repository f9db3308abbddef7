//! The rows of a page of keys, piece by piece, as the store finds them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use access_keys::store::{KeyUse, StoreError};
use access_keys::{AccessKey, Cursor, Error, KeyId, KeyQuery, Page, ProjectKeys, Scope, Status};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use futures_util::stream::unfold;
use maud::{Markup, html};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::turns::turns;
use crate::Failure;
use crate::host::catalogue::Kind;
use crate::host::fields::Fields;
use crate::host::member::Member;
use crate::parts::badge::{begins, environment_name, state};
use crate::parts::icon::icon;
use crate::parts::scope::short;
use crate::parts::time::relative;

/// How long a search goes on for one page before it says how far it came.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the search for the keys of a page stands. Each call of the store looks at so many keys and no more, so that it
/// may find few, or none, and go on further down.
pub(super) struct Rows {
    query: KeyQuery,
    limit: usize,
    found: usize,
    way: Way,
    began: Instant,
    over: bool,
}

/// Where the store is asked.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Here,
    /// On a thread of its own: a store that is a file looks at thousands of keys where it is asked to, and no other page
    /// must wait for that, nor the head of this one.
    Apart,
}

type Found = Result<(Page<AccessKey>, Vec<KeyUse>), Error>;

async fn ask(keys: &ProjectKeys, query: KeyQuery) -> Found {
    let page = keys.list(query).await?;
    let ids: Vec<KeyId> = page.items.iter().map(|key| key.id).collect();
    let uses = keys.last_used(&ids).await?;
    Ok((page, uses))
}

async fn apart(keys: ProjectKeys, query: KeyQuery) -> Found {
    let runtime = Handle::current();
    let asked = spawn_blocking(move || runtime.block_on(ask(&keys, query))).await;
    asked.unwrap_or_else(|error| Err(StoreError::backend(error).into()))
}

impl Rows {
    pub(super) fn new(query: KeyQuery, limit: usize, way: Way) -> Self {
        Self { query, limit, found: 0, way, began: Instant::now(), over: false }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.found == 0
    }

    /// All that is left of the page.
    pub(super) async fn all(&mut self, member: &Member, asked: &Fields) -> Result<String, Failure> {
        let mut all = String::new();
        while let Some(piece) = self.next(member, asked).await? {
            all.push_str(&piece);
        }
        Ok(all)
    }

    /// What one call of the store finds; `None` at the end.
    async fn next(&mut self, member: &Member, asked: &Fields) -> Result<Option<String>, Failure> {
        if self.over {
            return Ok(None);
        }
        self.query.limit = self.limit - self.found;
        let (page, uses) = match self.way {
            Way::Here => ask(&member.keys, self.query.clone()).await?,
            Way::Apart => apart(member.keys.clone(), self.query.clone()).await?,
        };
        let mut used = HashMap::new();
        for last in uses {
            let at = used.entry(last.key).or_insert(last.at);
            *at = last.at.max(*at);
        }
        let mut piece = String::new();
        if self.is_empty() && !page.items.is_empty() {
            piece.push_str(HEAD);
        }
        self.found += page.items.len();
        let now = member.keys.now();
        for key in &page.items {
            piece.push_str(&row(member, key, used.get(&key.id).copied(), now).into_string());
        }
        match page.next {
            Some(next) if self.found < self.limit && self.began.elapsed() < PATIENCE => {
                self.query.after = Some(next);
            }
            next => {
                self.over = true;
                piece.push_str(&self.end(member, asked, next));
            }
        }
        Ok(Some(piece))
    }

    /// What stands below the rows.
    fn end(&self, member: &Member, asked: &Fields, next: Option<Cursor>) -> String {
        let below = if self.is_empty() {
            nothing_found(member, next.is_some()).into_string()
        } else {
            FOOT.to_owned()
        };
        below + &turns(member, asked, next).into_string()
    }
}

/// The whole page: what stands above the rows, which waits for nothing, then the rows. A failure is told in its place,
/// since the head of the answer was sent by then.
pub(super) fn pieces(
    head: String,
    rows: Rows,
    tail: String,
    member: Member,
    asked: Fields,
) -> impl Stream<Item = Result<String, Infallible>> + Send {
    enum At {
        Head(String),
        Rows,
        Over,
    }
    let begin = (At::Head(head), rows, tail, member, asked);
    unfold(begin, async |(at, mut rows, mut tail, member, asked)| {
        let (piece, at) = match at {
            At::Head(head) => (head, At::Rows),
            At::Rows => loop {
                // What there is so far is sent first: a thread that searches may take the only processor.
                tokio::task::yield_now().await;
                match rows.next(&member, &asked).await {
                    Ok(Some(piece)) if piece.is_empty() => {}
                    Ok(Some(piece)) => break (piece, At::Rows),
                    Ok(None) => break (std::mem::take(&mut tail), At::Over),
                    Err(failure) => {
                        let foot = if rows.is_empty() { "" } else { FOOT };
                        let told = failure.in_page().into_string();
                        break (foot.to_owned() + &told + &std::mem::take(&mut tail), At::Over);
                    }
                }
            },
            At::Over => return None,
        };
        Some((Ok(piece), (at, rows, tail, member, asked)))
    })
}

const HEAD: &str = "<table id=\"keys\"><caption class=\"hidden\">Access keys, newest first</caption><thead><tr>\
     <th scope=\"col\">Name</th><th scope=\"col\">Status</th><th scope=\"col\">Environment</th>\
     <th scope=\"col\">Access</th><th scope=\"col\">Last used</th><th scope=\"col\">Expires</th>\
     </tr></thead><tbody>";
const FOOT: &str = "</tbody></table>";

fn row(member: &Member, key: &AccessKey, used: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ (member.home()) "/" (key.id) } { (key.name) }
                code.id { (begins(key)) }
            }
            td data-label="Status" { (state(key, now)) }
            td data-label="Environment" { (environment_name(&key.environment)) }
            td.access data-label="Access" {
                span.all[key.agents == Scope::All] { (short(&key.agents, Kind::Agents)) } " "
                span.all[key.prompts == Scope::All] { (short(&key.prompts, Kind::Prompts)) }
            }
            td data-label="Last used" { @match used { Some(at) => (relative(at, now)), None => span.muted { "Never" } } }
            td data-label="Expires" {
                @match key.expires_at {
                    _ if key.status == Status::Revoked => span.muted { "Revoked" },
                    Some(end) => (relative(end, now)), None => span.muted { "Never" } }
            }
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
