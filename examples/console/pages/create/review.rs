//! Step 4: what the key will be, and the one button that makes it.

use std::sync::Arc;

use access_keys::{Error, OperationId, Review};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::{FIELDS, checked, open, operation, step_address};
use crate::host::catalogue::Kind;
use crate::host::drafts::NewKey;
use crate::host::environments::environment;
use crate::host::fields::Fields;
use crate::host::member::Member;
use crate::pages::{issued, shown};
use crate::parts::form::csrf;
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::scope::full;
use crate::parts::stepper::{STEPS, stepper};
use crate::parts::time;
use crate::{Console, Failure};

const STEP: usize = 3;

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, draft)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let kept = match open(&console, &member, &draft, STEP)? {
        Ok(kept) => kept,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    Ok(shown(whole(&member, &draft, &kept)).into_response())
}

pub(crate) async fn generate(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, draft)): Path<(String, String)>,
    fields: Fields,
) -> Result<Redirect, Failure> {
    let kept = match open(&console, &member, &draft, STEP)? {
        Ok(kept) => kept,
        // The second of two times: its page says what became of the first.
        Err(elsewhere) => {
            console.host.handover.repeat(&member.session, &operation(&member, &draft)).await;
            return Ok(elsewhere);
        }
    };
    if let Some(named) = STEPS.iter().position(|(name, _)| *name == fields.one("go")) {
        return Ok(Redirect::to(&step_address(&member, &draft, named)));
    }
    let (Some(review), _) = checked(&member, &kept) else {
        return Ok(Redirect::to(&step_address(&member, &draft, STEP)));
    };
    let name = operation(&member, &draft);
    let keys = member.keys.operation(OperationId::new(&name)?);
    match console.host.handover.issue_once(&member.session, &name, keys.generate(review)).await {
        Ok(Some(key)) => {
            console.host.drafts.put(&member.owned(&draft), NewKey { made: Some(key), ..kept });
        }
        // It was made before, and its token has been used or replaced since.
        Ok(None) | Err(Error::Refused { .. }) => {}
        // An expiry that passed while someone read the review.
        Err(Error::Invalid(_)) => return Ok(Redirect::to(&step_address(&member, &draft, STEP))),
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&issued::address(&member, &name)))
}

fn whole(member: &Member, draft: &str, kept: &NewKey) -> Markup {
    let (review, mistakes) = checked(member, kept);
    let step_of = |field: &str| {
        let step = FIELDS.iter().position(|fields| fields.contains(&field)).unwrap_or_default();
        format!("{}?check=1", step_address(member, draft, step))
    };
    let main = html! {
        nav.crumbs aria-label="Where you are" { a href=(member.home()) { (icon("left")) "Access keys" } }
        p.kicker { "New access key · Step 4 of 4" }
        div.wizard {
            (stepper(STEP, STEP))
            div {
                h1 { "Review and generate" }
                (mistakes.summary(step_of))
                form #step method="post" {
                    (csrf(&member.session))
                    @if let Some(review) = &review { (in_words(review, member, draft)) }
                    div.actions {
                        button type="submit" name="go" value="prompts" { "Back" }
                        @if review.is_some() {
                            button.primary type="submit" name="go" value="generate" { (icon("key")) "Generate key" }
                        }
                    }
                }
            }
        }
    };
    page("New access key: Review and generate", member, &main)
}

fn in_words(review: &Review, member: &Member, draft: &str) -> Markup {
    let change = |step: usize, what: &str| {
        html! { dd.change { a href=(step_address(member, draft, step)) { "Change" span.hidden { " " (what) } } } }
    };
    let place = environment(review.environment().as_str());
    html! {
        p.lead { "Read it once more. The token is shown on the next page, and never again." }
        dl.facts.review {
            div { dt { "Name" } dd { strong { (review.name()) } } (change(0, "the name")) }
            @if !review.description().is_empty() {
                div { dt { "Description" } dd.lines { (review.description()) } (change(0, "the description")) }
            }
            div {
                dt { "Environment" }
                dd {
                    (place.map_or(review.environment().as_str(), |place| place.name))
                    p.muted { "Fixed for the life of the key. Its token will begin with "
                        code { (place.map_or("", |place| place.prefix)) } "." }
                }
                (change(0, "the environment"))
            }
            div {
                dt { "Expires" }
                dd {
                    @if let Some(end) = review.expires_at() {
                        (time::moment(end)) " (" (time::relative(end, member.keys.now())) ")"
                        p.muted { "From that moment on it is refused." }
                    } @else { "Never" p.muted { "It works until someone revokes it." } }
                }
                (change(0, "the expiry"))
            }
            div { dt { "Agents" } dd { (full(review.agents(), Kind::Agents)) } (change(1, "the agents")) }
            div { dt { "Prompts" } dd { (full(review.prompts(), Kind::Prompts)) } (change(2, "the prompts")) }
        }
    }
}
