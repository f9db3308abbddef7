//! Editing a key: name, description, expiry and what it may call. Nothing is saved before its preview was read.

use std::sync::Arc;

use access_keys::{AccessKey, AuditQuery, Edit, Revision, Scope, Status};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::create::check_picked;
use super::{check_draft, key_id, shown};
use crate::host::catalogue::Kind;
use crate::host::drafts::EditDraft;
use crate::host::fields::{Asked, Fields, address};
use crate::host::member::Member;
use crate::host::random_name;
use crate::parts::badge::environment_name;
use crate::parts::expiry::choices;
use crate::parts::form::{Text, csrf, note, text};
use crate::parts::history::events;
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::mistakes::Mistakes;
use crate::parts::picker::picker;
use crate::{Console, Failure};

type At = Path<(String, String, String)>;

pub(crate) async fn begin(
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let key = member.keys.get(key_id(&id)?).await?;
    Ok(Redirect::to(&draft_address(&member, &key, &random_name()?)))
}

pub(super) fn key_address(member: &Member, key: &AccessKey) -> String {
    format!("{}/{}", member.home(), key.id)
}

pub(super) fn draft_address(member: &Member, key: &AccessKey, draft: &str) -> String {
    format!("{}/edit/{draft}", key_address(member, key))
}

/// The key, and the draft as it is kept, or one that begins with the key as it is.
///
/// A draft whose key was changed by someone else is brought up to it here, before any page of it is shown.
pub(super) async fn open(
    console: &Console,
    member: &Member,
    id: &str,
    draft: &str,
) -> Result<(AccessKey, EditDraft), Failure> {
    check_draft(draft)?;
    let key = member.keys.get(key_id(id)?).await?;
    let name = kept_as(member, &key, draft);
    let mut kept = console.host.edits.get_or(&name, || EditDraft::of(&key));
    if !kept.saved && kept.form().is_stale(&key) {
        kept.take_in(&key);
        console.host.edits.put(&name, kept.clone());
    }
    Ok((key, kept))
}

pub(super) fn kept_as(member: &Member, key: &AccessKey, draft: &str) -> String {
    member.owned(&format!("{}/{draft}", key.id))
}

/// The edit that a draft asks for, unless there are mistakes: by the rules of the library, and by those of this host.
pub(super) fn checked(member: &Member, key: &AccessKey, draft: &EditDraft) -> (Option<Edit>, Mistakes) {
    let (edit, mut mistakes) = match member.keys.review_edit(&draft.form(), key) {
        Ok(edit) => (Some(edit), Mistakes::default()),
        Err(invalids) => (None, Mistakes::of(&invalids)),
    };
    let has_agent =
        |id: &str| matches!(&key.agents, Scope::Specific(ids) if ids.iter().any(|one| one.as_str() == id));
    let has_prompt =
        |id: &str| matches!(&key.prompts, Scope::Specific(ids) if ids.iter().any(|one| one.as_str() == id));
    check_picked(&draft.agents, Kind::Agents, has_agent, &mut mistakes);
    check_picked(&draft.prompts, Kind::Prompts, has_prompt, &mut mistakes);
    (edit.filter(|_| mistakes.is_empty()), mistakes)
}

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id, draft)): At,
    Asked(asked): Asked,
) -> Result<Response, Failure> {
    let (key, kept) = open(&console, &member, &id, &draft).await?;
    if kept.saved {
        return Ok(Redirect::to(&key_address(&member, &key)).into_response());
    }
    let check = asked.has("check");
    let mistakes = if check { checked(&member, &key, &kept).1 } else { Mistakes::default() };
    let overtaken = overtaken(&member, &key, &kept).await?;
    let here = key_address(&member, &key);
    let main = html! {
        div.medium {
            nav.crumbs aria-label="Where you are" { a href=(here) { (icon("left")) (key.name) } }
            h1 { "Edit “" (key.name) "”" }
            (mistakes.summary(|_| String::new()))
            (overtaken)
            @if key.status == Status::Revoked {
                (note("info", &html! { p { "This key is revoked, and cannot be edited any more." } }))
            } @else { (fields(&member, &key, &draft_address(&member, &key, &draft), &kept, &asked, &mistakes)) }
        }
    };
    Ok(shown(page(&format!("Edit {}", key.name), &member, &main)).into_response())
}

pub(crate) async fn save(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id, draft)): At,
    fields: Fields,
) -> Result<Redirect, Failure> {
    check_draft(&draft)?;
    let key = member.keys.get(key_id(&id)?).await?;
    let name = kept_as(&member, &key, &draft);
    let mut kept = console.host.edits.get_or(&name, || EditDraft::of(&key));
    if kept.saved {
        return Ok(Redirect::to(&key_address(&member, &key)));
    }
    // First what was typed, over the key as its editor saw it; what others changed is taken in by the next page.
    kept.read(&fields);
    let mistakes = checked(&member, &key, &kept).1;
    console.host.edits.put(&name, kept);
    let here = draft_address(&member, &key, &draft);
    let sought = [("agents_q", fields.one("agents_q")), ("prompts_q", fields.one("prompts_q"))];
    let was: Vec<&str> = fields.one("sought").lines().collect();
    let is_new = |name, n: usize| fields.one(name) != was.get(n).copied().unwrap_or_default();
    let go = match fields.one("go") {
        "enter" if is_new("agents_q", 0) => "search-agents",
        "enter" if is_new("prompts_q", 1) => "search-prompts",
        other => other,
    };
    Ok(Redirect::to(&match go {
        "search-agents" => format!("{}#agents-catalogue", address(&here, &sought)),
        "search-prompts" => format!("{}#prompts-catalogue", address(&here, &sought)),
        _ if mistakes.is_empty() => format!("{here}/preview"),
        _ => format!("{here}?check=1"),
    }))
}

/// What others changed while the draft was written.
async fn overtaken(member: &Member, key: &AccessKey, draft: &EditDraft) -> Result<Markup, Failure> {
    let Some(since) = draft.overtaken_at.as_ref().and_then(|since| since.parse::<Revision>().ok()) else {
        return Ok(html! {});
    };
    let mut changes = member.keys.history(AuditQuery::default().key(key.id)).await?.items;
    changes.retain(|event| event.revision > since);
    Ok(note(
        "warning",
        &html! {
            div #overtaken {
                p { strong { "This key was changed while you were editing." } }
                (events(&changes, member.keys.now()))
                @if draft.is_touched() {
                    p { "What you typed is kept. What you had not touched shows the key as it is now. The preview compares \
                        with that, so read it before you save." }
                } @else { p { "You had not typed anything yet: the form shows the key as it is now." } }
            }
        },
    ))
}

fn fields(
    member: &Member,
    key: &AccessKey,
    address: &str,
    draft: &EditDraft,
    asked: &Fields,
    mistakes: &Mistakes,
) -> Markup {
    html! {
        form #step method="post" action=(address) novalidate {
            // Enter presses the first button of a form, whatever field it is typed in.
            button.hidden type="submit" name="go" value="enter" tabindex="-1" aria-hidden="true" { "Search or preview" }
            input type="hidden" name="sought" value={ (asked.one("agents_q")) "\n" (asked.one("prompts_q")) };
            (csrf(&member.session))
            (text(&Text { name: "name", label: "Name", hint: "", value: &draft.name, most: 100, rows: 1,
                optional: false }, mistakes))
            (text(&Text { name: "description", label: "Description", hint: "Who uses it, and what for.",
                value: &draft.description, most: 1_000, rows: 3, optional: true }, mistakes))
            div.field {
                p.label { "Environment" }
                p { (environment_name(&key.environment)) " " span.muted { "· " (icon("lock")) " fixed" } }
                p.hint { "A key for another environment is a new key: "
                    a href={ (member.home()) "/new" } { "create one" } ", then revoke this one." }
            }
            (choices(&draft.expiry, Some((key, member.keys.now())), mistakes))
            (picker(Kind::Agents, &draft.agents, None, asked.one("agents_q"), mistakes))
            (picker(Kind::Prompts, &draft.prompts, None, asked.one("prompts_q"), mistakes))
            div.actions {
                a.button href=(key_address(member, key)) { "Cancel" }
                button.primary type="submit" name="go" value="preview" { "Preview the changes" }
            }
        }
    }
}
