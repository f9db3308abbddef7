//! Stand-in for the host's sign-in: whoever opens it may be anyone of four people.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;

use crate::host::fields::Fields;
use crate::host::member::home;
use crate::host::people::{PEOPLE, person, project_name};
use crate::parts::form::{csrf, note};
use crate::parts::layout::bare;
use crate::{Console, Failure};

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if let Some(person) = console.host.sessions.of(&headers).and_then(|session| session.person) {
        return Ok(Redirect::to(&home(person)).into_response());
    }
    let (session, cookie) = console.host.sessions.begin(None)?;
    let main = html! {
        div.narrow {
            h1 { "Sign in" }
            (note("warning", &html! {
                p { strong { "A stand-in." } " Your own sign-in belongs here. This one asks for no password and is for \
                    trying the page on your own machine." }
            }))
            form method="post" action="/sign-in" {
                (csrf(&session))
                @for project in ["checkout", "support"] {
                    h2 { "Project " (project_name(project)) }
                    div.people {
                        @for person in PEOPLE.iter().filter(|person| person.project == project) {
                            button type="submit" name="person" value=(person.id) { "Continue as " (person.name) }
                        }
                    }
                }
            }
        }
    };
    Ok(([(header::SET_COOKIE, cookie)], Html(bare("Sign in", &main).into_string())).into_response())
}

pub(crate) async fn sign_in(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = person(fields.one("person")).ok_or(Failure::Unreadable)?;
    end(&console, &headers);
    let (_, cookie) = console.host.sessions.begin(Some(person))?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&home(person))).into_response())
}

pub(crate) async fn sign_out(State(console): State<Arc<Console>>, headers: HeaderMap) -> Redirect {
    end(&console, &headers);
    Redirect::to("/sign-in")
}

fn end(console: &Console, headers: &HeaderMap) {
    if let Some(session) = console.host.sessions.of(headers) {
        console.host.sessions.end(&session);
    }
}
