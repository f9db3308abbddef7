//! What an edit would widen and narrow, before it is saved.

use std::sync::Arc;

use access_keys::domain::ResourceId;
use access_keys::{AccessKey, AuditQuery, Error, OperationId, Scope};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::edit::{checked, draft_address, kept_as, key_address, open};
use super::shown;
use crate::host::catalogue::Kind;
use crate::host::drafts::{Access, EditDraft};
use crate::host::fields::Fields;
use crate::host::member::Member;
use crate::parts::form::{csrf, note};
use crate::parts::icon::icon;
use crate::parts::layout::page;
use crate::parts::scope::name;
use crate::{Console, Failure};

type At = Path<(String, String, String)>;

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id, draft)): At,
) -> Result<Response, Failure> {
    let (key, kept) = open(&console, &member, &id, &draft).await?;
    let here = draft_address(&member, &key, &draft);
    if kept.saved {
        return Ok(Redirect::to(&key_address(&member, &key)).into_response());
    }
    let Some(edit) = checked(&member, &key, &kept).0 else {
        return Ok(Redirect::to(&format!("{here}?check=1")).into_response());
    };
    let preview = edit.preview(&key);
    let (came, went) = by_name(&key, &kept);
    let main = html! {
        div.narrow {
            nav.crumbs aria-label="Where you are" { a href=(here) { (icon("left")) "Back to the form" } }
            h1 { "Save these changes?" }
            @if kept.overtaken_at.is_some() {
                (note("warning", &html! { p { "Others changed the key while you were editing. This is compared with the key as \
                    it is now." } }))
            }
            @if preview.is_empty() {
                (note("info", &html! { p { "Nothing would change." } }))
                div.actions {
                    a.button href=(here) { "Back" }
                    a.button href=(key_address(&member, &key)) { "To the key" }
                }
            } @else {
                (group("wider", "Widens", "What the key could do that it cannot do now", preview.widens(), &came))
                (group("narrower", "Narrows", "What the key could no longer do", preview.narrows(), &went))
                (group("words", "Rewords", "What changes in its name and description", preview.rewords(), &[]))
                p.muted { "Narrowing holds here at once, and everywhere within the time that is announced after saving." }
                form.actions method="post" action={ (here) "/preview" } {
                    (csrf(&member.session))
                    input type="hidden" name="revision" value=(kept.form().revision);
                    a.button href=(here) { "Back" }
                    button.primary type="submit" { "Save" }
                }
            }
        }
    };
    Ok(shown(page("Save these changes?", &member, &main)).into_response())
}

fn group(kind: &str, title: &str, about: &str, lines: &[String], names: &[String]) -> Markup {
    let sign = match kind {
        "wider" => "+",
        "narrower" => "−",
        _ => "~",
    };
    html! {
        @if !lines.is_empty() {
            section.preview.(kind) aria-labelledby=(kind) {
                h2 id=(kind) { (title) " " small { (about) } }
                ul { @for line in lines { li { span aria-hidden="true" { (sign) } (capital(line)) } } }
                @for names in names { p { (names) } }
            }
        }
    }
}

/// What is picked and what is no longer, by name and without an end: the preview of the library counts the rest of a
/// long list, and tells of ids.
fn by_name(key: &AccessKey, draft: &EditDraft) -> (Vec<String>, Vec<String>) {
    let (mut came, mut went) = (Vec::new(), Vec::new());
    let mut compare = |kind: Kind, before: Option<Vec<&str>>, access: &Access| {
        let Some(before) = before.filter(|_| access.choice == "these") else { return };
        let names = |ids: Vec<&str>| ids.into_iter().map(|id| name(kind, id)).collect::<Vec<_>>().join(", ");
        let after: Vec<&str> = access.picked.iter().map(String::as_str).collect();
        let added: Vec<&str> = after.iter().filter(|id| !before.contains(id)).copied().collect();
        let removed: Vec<&str> = before.iter().filter(|id| !after.contains(id)).copied().collect();
        for (ids, list) in [(added, &mut came), (removed, &mut went)] {
            if !ids.is_empty() {
                list.push(names(ids));
            }
        }
    };
    compare(Kind::Agents, ids(&key.agents), &draft.agents);
    compare(Kind::Prompts, ids(&key.prompts), &draft.prompts);
    (came, went)
}

fn ids<T: ResourceId>(scope: &Scope<T>) -> Option<Vec<&str>> {
    match scope {
        Scope::All => None,
        Scope::Specific(ids) => Some(ids.iter().map(AsRef::as_ref).collect()),
    }
}

fn capital(line: &str) -> String {
    let mut letters = line.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(crate) async fn carry_out(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id, draft)): At,
    fields: Fields,
) -> Result<Redirect, Failure> {
    let (key, kept) = open(&console, &member, &id, &draft).await?;
    let (there, here) = (key_address(&member, &key), draft_address(&member, &key, &draft));
    let operation = OperationId::new(format!("edit.{}.{draft}", member.person.id))?;
    let done = AuditQuery::default().key(key.id).operation(operation.clone()).limit(1);
    // Sent twice: the second must not take the first for someone else's change.
    if kept.saved || !member.keys.history(done).await?.items.is_empty() {
        return Ok(Redirect::to(&there));
    }
    // What is saved is what was read, compared with the key as it was then.
    if fields.one("revision") != kept.form().revision {
        return Ok(Redirect::to(&here));
    }
    let Some(edit) = checked(&member, &key, &kept).0 else {
        return Ok(Redirect::to(&format!("{here}?check=1")));
    };
    match member.keys.operation(operation).edit(key.id, edit).await {
        Ok(change) => {
            let what = if change.is_new() { "Saved." } else { "Saved already: nothing was left to change." };
            console.host.cutoffs.announce(key.id, what, change.holds_everywhere_in());
            console.host.edits.put(&kept_as(&member, &key, &draft), EditDraft { saved: true, ..kept });
            Ok(Redirect::to(&there))
        }
        // Someone was quicker: the form says what they changed.
        Err(Error::Conflict { .. }) => Ok(Redirect::to(&here)),
        Err(error) => Err(error.into()),
    }
}
