//! The token of a key, shown once; afterwards, what became of it.

use std::sync::Arc;
use std::time::Duration;

use access_keys::{AuditQuery, Issued, KeyId, OperationId};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::shown;
use crate::host::catalogue::Kind;
use crate::host::handover::Handed;
use crate::host::member::Member;
use crate::parts::badge::environment_name;
use crate::parts::form::note;
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::scope::short;
use crate::parts::time;
use crate::{Console, Failure};

/// Where the token of an operation is shown.
pub(crate) fn address(member: &Member, operation: &str) -> String {
    format!("/projects/{}/issued/{operation}", member.person.project)
}

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, operation)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    // Only a page that someone looks at may use the token up.
    if method != Method::GET || headers.contains_key("sec-purpose") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let main = match console.host.handover.take(&member.session, &operation).await {
        Handed::Token { issued, repeats } => token(&member, &issued, repeats),
        Handed::Shown { key, at } => gone(&member, key, Some(at)),
        Handed::Unknown => gone(&member, made_by(&member, &operation).await?, None),
    };
    Ok(shown(page("The token", &member, &main)).into_response())
}

/// An empty picture on the page of a token, whose answer changes a cookie that no script can read.
///
/// Chromium may keep a page it leaves, `no-store` or not, to go back to it at once, but not when such a cookie was
/// changed since the page was asked for.
pub(crate) async fn seal(State(console): State<Arc<Console>>, _: Member) -> Result<Response, Failure> {
    let headers = [
        (header::SET_COOKIE, console.host.sessions.seal()?),
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
    ];
    Ok((headers, r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>"#).into_response())
}

/// The key that an operation made or rotated, as the history knows it.
async fn made_by(member: &Member, operation: &str) -> Result<KeyId, Failure> {
    let operation = OperationId::new(operation).map_err(|_| Failure::NotFound)?;
    let page = member.keys.history(AuditQuery::default().operation(operation).limit(1)).await?;
    page.items.first().map(|event| event.key).ok_or(Failure::NotFound)
}

fn token(member: &Member, issued: &Issued, repeats: u32) -> Markup {
    let key = &issued.key;
    let is_new = issued.old_secret_ends_in().is_none();
    html! {
        div.narrow {
            p.kicker { @if is_new { "Key generated" } @else { "New token issued" } }
            h1 { "Store this token now" }
            (note("warning", &html! {
                p { strong { "It is shown this once." } " Nobody can look it up later, this page included. Put it where \
                    your application reads its secrets, and nowhere else." }
            }))
            @if repeats > 0 {
                (note("info", &html! {
                    p { "The form was sent more than once. It was done once, and this is the only token of it." }
                }))
            }
            div.value {
                label for="token" { "Token of " strong { (key.name) } }
                textarea #token readonly rows="2" spellcheck="false" autocomplete="off" autocapitalize="off" {
                    (issued.token.expose())
                }
                div {
                    button.primary #copy type="button" data-copy="token" hidden { "Copy" }
                    span #copied role="status" {}
                }
            }
            img.hidden src={ "/projects/" (member.person.project) "/seal" } alt="";
            dl.facts {
                div { dt { "Environment" } dd { (environment_name(&key.environment)) } }
                div { dt { "Access" } dd { (short(&key.agents, Kind::Agents)) br; (short(&key.prompts, Kind::Prompts)) } }
                div { dt { "Expires" } dd { @match key.expires_at { Some(end) => (time::moment(end)), None => "Never" } } }
                @if let Some(left) = issued.old_secret_ends_in() {
                    @let now = Utc::now();
                    @let end = now + left;
                    div { dt { "Old token" } dd {
                        "Works until " (time::moment(end)) " at the latest (" (time::relative(end, now)) ")"
                    } }
                }
            }
            @if issued.old_secret_ends_in().is_some_and(|left| left > Duration::from_secs(60)) {
                p.muted { "Next: give it to every client. The page of the key tells whether the old token is still used, and \
                    when it ends." }
            }
            div.actions { a.button #stored href={ (member.home()) "/" (key.id) } { (icon("check")) "I have stored it" } }
        }
    }
}

fn gone(member: &Member, key: KeyId, at: Option<DateTime<Utc>>) -> Markup {
    let address = format!("{}/{key}", member.home());
    html! {
        div.empty {
            (icon("lock"))
            h1 { "The token was shown once" }
            p {
                "The key exists"
                @if let Some(at) = at { ", and its token was handed out at " (time::clock(at)) }
                ". It cannot be shown again, and sending the form again makes no second key."
            }
            p { "If the token was not stored, issue a new one: the old one can end at once." }
            div.actions {
                a.button href={ (address) "/rotate" } { "Issue a new token" }
                a.button.primary href=(address) { "To the key" }
            }
        }
    }
}
