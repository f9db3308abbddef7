//! Ending a key for ever: with a reason, and with its name typed, since nothing takes it back.

use std::sync::Arc;

use access_keys::{AccessKey, Error, Status};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::key::{Secrets, secrets};
use super::{key_id, shown};
use crate::host::fields::Fields;
use crate::host::member::Member;
use crate::parts::form::{Text, csrf, described_by, note, text};
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::mistakes::Mistakes;
use crate::parts::time;
use crate::{Console, Failure};

pub(crate) async fn show(member: Member, Path((_, id)): Path<(String, String)>) -> Result<Response, Failure> {
    let key = member.keys.get(key_id(&id)?).await?;
    let secrets = secrets(&member, &key).await?;
    Ok(form(&member, &key, &secrets, &Fields::default(), &Mistakes::default()))
}

pub(crate) async fn revoke(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    let key = member.keys.get(key_id(&id)?).await?;
    let mut mistakes = Mistakes::default();
    if fields.one("reason").trim().is_empty() {
        mistakes.add("reason", "Say why: whoever reads the history will ask.");
    }
    if same_words(fields.one("confirm")) != same_words(&key.name) {
        mistakes.add("confirm", "Type the name of the key exactly as it is shown.");
    }
    if mistakes.is_empty() {
        match member.keys.revoke(key.id, fields.one("reason")).await {
            Ok(change) => {
                let what = if change.is_new() { "Revoked for ever." } else { "It was revoked already." };
                console.host.cutoffs.announce(key.id, what, change.holds_everywhere_in());
                return Ok(Redirect::to(&format!("{}/{}", member.home(), key.id)).into_response());
            }
            Err(Error::Invalid(invalid)) => mistakes = Mistakes::of(&invalid.into()),
            Err(error) => return Err(error.into()),
        }
    }
    let secrets = secrets(&member, &key).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, form(&member, &key, &secrets, &fields, &mistakes)).into_response())
}

/// A page shows several spaces as one, and so they are typed.
fn same_words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn form(
    member: &Member,
    key: &AccessKey,
    secrets: &Secrets,
    fields: &Fields,
    mistakes: &Mistakes,
) -> Response {
    let here = format!("{}/{}", member.home(), key.id);
    let main = html! {
        div.narrow {
            nav.crumbs aria-label="Where you are" { a href=(here) { (icon("left")) (key.name) } }
            h1 { "Revoke “" (key.name) "”" }
            @if key.status == Status::Revoked {
                (note("info", &html! { p { "This key is revoked. It stays so, and stays here for the record." } }))
                div.actions { a.button href=(here) { "Back to the key" } }
            } @else {
                (mistakes.summary(|_| String::new()))
                (note("warning", &html! {
                    p { strong { "This cannot be undone." } " Everything that uses the key is refused: at once here, and \
                        everywhere within the time that is announced." }
                    p {
                        @match secrets.last {
                            Some(at) => { "It was last used " (time::relative(at, member.keys.now())) "." },
                            None => "It has not been used so far.",
                        }
                        " To pause it instead, deactivate it."
                    }
                }))
                form method="post" action={ (here) "/revoke" } novalidate {
                    (csrf(&member.session))
                    (text(&Text { name: "reason", label: "Reason", hint: "Kept in the history for ever.",
                        value: fields.one("reason"), most: 1_000, rows: 2, optional: false }, mistakes))
                    div.field {
                        label for="confirm" { "Type the name of the key to confirm" }
                        p #confirm-hint.hint { "Its name is " strong { (key.name) } "." }
                        (mistakes.beside("confirm"))
                        input #confirm type="text" name="confirm" value=(fields.one("confirm")) autocomplete="off"
                            autocapitalize="off" spellcheck="false"
                            aria-invalid=[mistakes.has("confirm").then_some("true")]
                            aria-describedby=[described_by("confirm", true, mistakes)];
                    }
                    div.actions {
                        a.button href=(here) { "Cancel" }
                        button.primary.danger type="submit" { "Revoke for ever" }
                    }
                }
            }
        }
    };
    match shown(page(&format!("Revoke {}", key.name), member, &main)) {
        Ok(page) => page.into_response(),
        Err(failure) => failure.into_response(),
    }
}
