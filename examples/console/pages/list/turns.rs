//! Going through the pages of a list, and how many keys are on one.
//!
//! A cursor leads on and never back. The way back is the cursors of the pages before this one, in the address.

use access_keys::Cursor;
use maud::{Markup, html};

use super::FILTERS;
use crate::host::fields::{Fields, address};
use crate::host::member::Member;
use crate::parts::icon::icon;

/// How many keys can be on a page.
pub(super) const LIMITS: [usize; 4] = [25, 10, 50, 100];
/// How many pages back an address remembers.
const BACK: usize = 20;

/// How many keys are on this page.
pub(super) fn limit(asked: &Fields) -> usize {
    let given = asked.one("limit").parse().ok().filter(|limit| LIMITS.contains(limit));
    given.unwrap_or(LIMITS[0])
}

pub(super) fn turns(member: &Member, asked: &Fields, next: Option<Cursor>) -> Markup {
    let to = |limit: usize, after: &str, back: &[&str]| {
        let limit = limit.to_string();
        let limit = if limit == LIMITS[0].to_string() { "" } else { limit.as_str() };
        let filters = FILTERS.into_iter().map(|name| (name, asked.one(name)));
        let back = back.iter().map(|cursor| ("back", *cursor));
        let all = filters.chain([("limit", limit), ("after", after)]).chain(back);
        address(&member.home(), &all.collect::<Vec<_>>())
    };
    let (here, limit) = (asked.one("after"), limit(asked));
    let back: Vec<&str> = asked.all("back").collect();
    let mut on = back.clone();
    on.extend((!here.is_empty()).then_some(here));
    let on = on.get(on.len().saturating_sub(BACK)..).unwrap_or_default();
    html! {
        @if !here.is_empty() || next.is_some() || limit != LIMITS[0] {
            div.turns {
                p.muted {
                    "Keys on a page: "
                    @for n in [10, 25, 50, 100] {
                        @if n == limit { strong aria-current="true" { (n) } }
                        @else { a href=(to(n, here, &back)) { (n) } }
                        " "
                    }
                }
                nav.pages aria-label="Pages" {
                    @if !here.is_empty() { a.button href=(to(limit, "", &[])) { "Newest" } }
                    @if let Some((before, back)) = back.split_last() {
                        a.button rel="prev" href=(to(limit, before, back)) { (icon("left")) "Newer" }
                    }
                    @if let Some(next) = next {
                        a.button rel="next" href=(to(limit, &next.to_string(), on)) { "Older" (icon("right")) }
                    }
                }
            }
        }
    }
}
