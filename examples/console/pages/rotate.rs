//! A new token for a key, and how long the old one goes on working.

use std::sync::Arc;
use std::time::Duration;

use access_keys::{AccessKey, Error, KeyState, OperationId};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::key::{Secrets, secrets};
use super::{check_draft, issued, key_id, shown};
use crate::host::fields::Fields;
use crate::host::member::Member;
use crate::host::random_name;
use crate::parts::form::{choice, csrf, described_by, note};
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::mistakes::Mistakes;
use crate::parts::time;
use crate::{Console, Failure};

/// The graces on offer, with their words and what they mean.
const GRACES: [(&str, &str, &str); 4] = [
    ("0", "Not at all", "The old token ends at once. Choose this when it may be in wrong hands."),
    ("3600", "1 hour", "For one application that is deployed in minutes."),
    ("86400", "1 day", "For applications that are deployed by tomorrow."),
    ("604800", "7 days", "For many applications, or customers who change it themselves."),
];

pub(crate) async fn show(member: Member, Path((_, id)): Path<(String, String)>) -> Result<Response, Failure> {
    let key = member.keys.get(key_id(&id)?).await?;
    form(&member, &key, "", &random_name()?, &Mistakes::default()).await
}

pub(crate) async fn rotate(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (id, draft, grace) = (key_id(&id)?, fields.one("operation"), fields.one("grace"));
    check_draft(draft)?;
    let Some((seconds, ..)) = GRACES.iter().find(|(seconds, ..)| *seconds == grace) else {
        let mut mistakes = Mistakes::default();
        mistakes.add("grace", "Choose how long the old token goes on working.");
        return form(&member, &member.keys.get(id).await?, grace, draft, &mistakes).await;
    };
    let grace = Duration::from_secs(seconds.parse().unwrap_or_default());
    let name = format!("rotate.{}.{draft}", member.person.id);
    let keys = member.keys.operation(OperationId::new(&name)?);
    // The graces that this ends; a first rotation with a grace of its own cuts nothing off.
    let earlier = secrets(&member, &member.keys.get(id).await?).await?.working().is_some();
    let issue = async {
        let issued = keys.rotate(id, grace).await?;
        let ended = match (grace.is_zero(), earlier) {
            (true, _) => {
                Some(("A new token was issued, and the old one ended.", issued.old_secret_ends_in()))
            }
            (false, true) => Some((
                "A new token was issued, and an earlier grace ended.",
                Some(issued.holds_everywhere_in()),
            )),
            (false, false) => None,
        };
        match (ended, issued.old_secret_ends_in()) {
            (Some((what, holds_in)), _) => {
                console.host.cutoffs.announce(id, what, holds_in.unwrap_or_default());
            }
            (None, left) => {
                let end = time::full(member.keys.now() + left.unwrap_or(grace));
                console
                    .host
                    .cutoffs
                    .tell(id, format!("A new token was issued. The old one works until {end}."));
            }
        }
        Ok(issued)
    };
    match console.host.handover.issue_once(&member.session, &name, issue).await {
        Ok(_) => {}
        // Sent again long after: the token was used or replaced.
        Err(Error::Refused { from: KeyState::Active | KeyState::Inactive, .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&issued::address(&member, &name)).into_response())
}

async fn form(
    member: &Member,
    key: &AccessKey,
    grace: &str,
    operation: &str,
    mistakes: &Mistakes,
) -> Result<Response, Failure> {
    let secrets = secrets(member, key).await?;
    let here = format!("{}/{}", member.home(), key.id);
    let now = member.keys.now();
    let possible = matches!(key.state(now), KeyState::Active | KeyState::Inactive);
    let main = html! {
        div.narrow {
            nav.crumbs aria-label="Where you are" { a href=(here) { (icon("left")) (key.name) } }
            h1 { "Rotate “" (key.name) "”" }
            p.lead { "The key gets a new token, shown once on the next page. Its id, scope and expiry stay. Let the old token \
                work until every client has the new one: the page of the key tells whether it is still used." }
            (mistakes.summary(|_| String::new()))
            @if possible {
                (in_use(&secrets, now))
                form method="post" action={ (here) "/rotate" } novalidate {
                    (csrf(&member.session))
                    input type="hidden" name="operation" value=(operation);
                    fieldset #grace.field tabindex="-1" aria-describedby=[described_by("grace", false, mistakes)] {
                        legend { "How long does the old token go on working?" }
                        (mistakes.beside("grace"))
                        div.choices {
                            @for (seconds, words, about) in GRACES { (choice("grace", seconds, grace, words, about)) }
                        }
                    }
                    div.actions {
                        a.button href=(here) { "Cancel" }
                        button.primary type="submit" { "Issue a new token" }
                    }
                }
            } @else {
                (note("info", &html! { p { "A key that is revoked or expired gets no new token." } }))
                div.actions { a.button href=(here) { "Back to the key" } }
            }
        }
    };
    Ok(shown(page(&format!("Rotate {}", key.name), member, &main)).into_response())
}

/// What is known of who still uses the tokens that work now.
fn in_use(secrets: &Secrets, now: DateTime<Utc>) -> Markup {
    html! {
        @match secrets.newest.and_then(|newest| newest.last_used) {
            Some(at) => (note("info", &html! { p { "The current token was last used " (time::relative(at, now)) "." } })),
            None => (note("info", &html! { p { "The current token has not been used so far." } })),
        }
        @if let Some((old, end)) = secrets.working() {
            (note("warning", &html! {
                p { strong { "A token from an earlier rotation still works" } ", until " (time::moment(end)) ". "
                    @match old.last_used {
                        Some(at) => { "It was last used " (time::relative(at, now)) ". " },
                        None => "It has not been used. ",
                    }
                    "Rotating again ends it at once, whatever you choose below." }
            }))
        }
    }
}
