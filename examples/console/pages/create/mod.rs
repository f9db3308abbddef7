//! A new key in four steps. What was entered is kept by draft, so that steps can be taken in both directions.
//!
//! A step's form is always kept, right or wrong; only going on asks that this step has no mistake.

pub(crate) mod access;
pub(crate) mod info;
pub(crate) mod review;

use access_keys::Review;
use axum::response::Redirect;
use maud::{Markup, html};

use super::check_draft;
use crate::host::catalogue::Kind;
use crate::host::drafts::{Access, NewKey};
use crate::host::environments::environment;
use crate::host::member::Member;
use crate::host::random_name;
use crate::parts::form::csrf;
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::mistakes::Mistakes;
use crate::parts::stepper::{STEPS, stepper};
use crate::{Console, Failure};

/// The fields of each step.
const FIELDS: [&[&str]; 3] = [&["name", "description", "environment", "expires"], &["agents"], &["prompts"]];

/// The question that asks a step for its mistakes.
const CHECK: &str = "check";

pub(crate) async fn begin(member: Member) -> Result<Redirect, Failure> {
    Ok(Redirect::to(&step_address(&member, &random_name()?, 0)))
}

fn step_address(member: &Member, draft: &str, step: usize) -> String {
    let (step, _) = STEPS.get(step).copied().unwrap_or(STEPS[0]);
    format!("{}/new/{draft}/{step}", member.home())
}

/// The operation under which the key of a draft is made.
fn operation(member: &Member, draft: &str) -> String {
    format!("create.{}.{draft}", member.person.id)
}

/// The draft at a step, or where to go instead.
fn open(
    console: &Console,
    member: &Member,
    draft: &str,
    step: usize,
) -> Result<Result<NewKey, Redirect>, Failure> {
    check_draft(draft)?;
    let kept = console.host.drafts.get(&member.owned(draft)).unwrap_or_default();
    Ok(if kept.made.is_some() {
        // It is a key by now, and cannot be made once more.
        Err(Redirect::to(&super::issued::address(member, &operation(member, draft))))
    } else if step > kept.reached {
        Err(Redirect::to(&step_address(member, draft, kept.reached)))
    } else {
        Ok(kept)
    })
}

/// Keeps the draft, and tells where to go on.
fn go(console: &Console, member: &Member, draft: &str, mut kept: NewKey, step: usize, to: &str) -> Redirect {
    let here = step_address(member, draft, step);
    let there = if let Some(named) = STEPS.iter().position(|(name, _)| *name == to) {
        step_address(member, draft, named)
    } else if checked(member, &kept).1.only(FIELDS.get(step).copied().unwrap_or_default()).is_empty() {
        kept.reached = kept.reached.max(step + 1);
        step_address(member, draft, step + 1)
    } else {
        format!("{here}?{CHECK}=1")
    };
    console.host.drafts.put(&member.owned(draft), kept);
    Redirect::to(&there)
}

/// The review of a draft, unless there are mistakes: by the rules of the library, and by those of this host.
fn checked(member: &Member, draft: &NewKey) -> (Option<Review>, Mistakes) {
    let (review, mut mistakes) = match member.keys.review(&draft.form()) {
        Ok(review) => (Some(review), Mistakes::default()),
        Err(invalids) => (None, Mistakes::of(&invalids)),
    };
    if !draft.environment.is_empty() && environment(&draft.environment).is_none() {
        mistakes.add("environment", "Choose an environment.");
    }
    check_picked(&draft.agents, Kind::Agents, |_| false, &mut mistakes);
    check_picked(&draft.prompts, Kind::Prompts, |_| false, &mut mistakes);
    (review.filter(|_| mistakes.is_empty()), mistakes)
}

/// What is picked must be in the catalogue, unless the key `has` it already, and must be something.
pub(super) fn check_picked(access: &Access, kind: Kind, has: impl Fn(&str) -> bool, mistakes: &mut Mistakes) {
    if access.choice != "these" {
        return;
    }
    if access.picked.is_empty() {
        let message = format!("Pick at least one {}, or choose “No {}”.", kind.singular(), kind.plural());
        mistakes.add(kind.plural(), message);
    }
    let strange = access.picked.iter().filter(|id| kind.find(id).is_none() && !has(id)).count();
    if strange > 0 {
        mistakes
            .add(kind.plural(), format!("{strange} of what you picked is not in the catalogue. Pick again."));
    }
}

/// A step's page around its fields.
fn step_page(
    member: &Member,
    name: &str,
    draft: &NewKey,
    step: usize,
    mistakes: &Mistakes,
    fields: &Markup,
) -> Markup {
    let title = STEPS.get(step).map_or("", |(_, name)| name);
    let enter = ["next", "search-agents", "search-prompts"].get(step).copied().unwrap_or_default();
    let back = step.checked_sub(1).and_then(|before| STEPS.get(before));
    let main = html! {
        nav.crumbs aria-label="Where you are" { a href=(member.home()) { (icon("left")) "Access keys" } }
        p.kicker { "New access key · Step " (step + 1) " of 4" }
        // Enter presses the first button of a form.
        button.hidden type="submit" form="step" name="go" value=(enter) tabindex="-1" aria-hidden="true" { "Continue" }
        div.wizard {
            (stepper(step, draft.reached))
            div {
                h1 { (title) }
                (mistakes.summary(|_| String::new()))
                // Named, or the browser would carry the place of an earlier search through every redirect.
                form #step method="post" action=(step_address(member, name, step)) novalidate {
                    (csrf(&member.session))
                    (fields)
                    div.actions {
                        @if let Some((before, _)) = back {
                            button type="submit" name="go" value=(before) { "Back" }
                        } @else { a.button href=(member.home()) { "Cancel" } }
                        button.primary type="submit" name="go" value="next" { "Continue" }
                    }
                }
            }
        }
    };
    page(&format!("New access key: {title}"), member, &main)
}
