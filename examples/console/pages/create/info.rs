//! Step 1: what the key is called, where it is valid, and until when.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::{CHECK, FIELDS, checked, go, open, step_page};
use crate::host::drafts::{Expiry, NewKey};
use crate::host::environments::ENVIRONMENTS;
use crate::host::fields::{Asked, Fields};
use crate::host::member::Member;
use crate::pages::shown;
use crate::parts::expiry::choices;
use crate::parts::form::{Text, choice, described_by, text};
use crate::parts::icon::icon;
use crate::parts::mistakes::Mistakes;
use crate::{Console, Failure};

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, draft)): Path<(String, String)>,
    Asked(asked): Asked,
) -> Result<Response, Failure> {
    let mut kept = match open(&console, &member, &draft, 0)? {
        Ok(kept) => kept,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    if kept.expiry.choice.is_empty() {
        // A key that ends unless someone says otherwise.
        "90".clone_into(&mut kept.expiry.choice);
    }
    let check = asked.has(CHECK);
    let mistakes = if check { checked(&member, &kept).1.only(FIELDS[0]) } else { Mistakes::default() };
    Ok(shown(step_page(&member, &draft, &kept, 0, &mistakes, &fields(&kept, &mistakes))).into_response())
}

pub(crate) async fn save(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, draft)): Path<(String, String)>,
    fields: Fields,
) -> Result<Redirect, Failure> {
    let mut kept = match open(&console, &member, &draft, 0)? {
        Ok(kept) => kept,
        Err(elsewhere) => return Ok(elsewhere),
    };
    fields.one("name").clone_into(&mut kept.name);
    fields.one("description").clone_into(&mut kept.description);
    fields.one("environment").clone_into(&mut kept.environment);
    kept.expiry = Expiry::read(&fields, "");
    Ok(go(&console, &member, &draft, kept, 0, fields.one("go")))
}

fn fields(draft: &NewKey, mistakes: &Mistakes) -> Markup {
    let (name, description) = (draft.name.as_str(), draft.description.as_str());
    let hint = "What people will know it by, such as the application that uses it.";
    html! {
        (text(&Text { name: "name", label: "Name", hint, value: name, most: 100, rows: 1, optional: false }, mistakes))
        (text(&Text { name: "description", label: "Description", hint: "Who uses it, and what for.", value: description,
            most: 1_000, rows: 3, optional: true }, mistakes))
        fieldset #environment.field tabindex="-1"
            aria-describedby=[described_by("environment", true, mistakes)] {
            legend { "Environment" }
            p #environment-hint.hint { (icon("lock")) "Fixed for the life of the key." }
            (mistakes.beside("environment"))
            div.cards.three {
                @for place in &ENVIRONMENTS {
                    (choice("environment", place.id, &draft.environment, place.name,
                        &format!("{}. Tokens begin with {}.", place.about, place.prefix)))
                }
            }
        }
        (choices(&draft.expiry, None, mistakes))
    }
}
