//! What an edit would widen and narrow, before it is saved.

use std::sync::Arc;

use access_keys::domain::{FieldChange, ResourceId, ScopeChange};
use access_keys::{AuditQuery, Error, IdSet, OperationId};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::edit::{checked, draft_address, kept_as, key_address, open};
use super::shown;
use crate::host::catalogue::Kind;
use crate::host::drafts::EditDraft;
use crate::host::fields::Fields;
use crate::host::member::Member;
use crate::parts::form::{csrf, note};
use crate::parts::history::{change, names};
use crate::parts::icon::icon;
use crate::parts::layout::page;
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
    let [wider, narrower, words] = lines(preview.changes());
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
                (group("wider", "Widens", "What the key could do that it cannot do now", &wider))
                (group("narrower", "Narrows", "What the key could no longer do", &narrower))
                (group("words", "Rewords", "What changes in its name and description", &words))
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

fn group(kind: &str, title: &str, about: &str, lines: &[Markup]) -> Markup {
    let sign = match kind {
        "wider" => "+",
        "narrower" => "−",
        _ => "~",
    };
    html! {
        @if !lines.is_empty() {
            section.preview.(kind) aria-labelledby=(kind) {
                h2 id=(kind) { (title) " " small { (about) } }
                ul { @for line in lines { li { span aria-hidden="true" { (sign) } div { (line) } } } }
            }
        }
    }
}

/// What widens, what narrows, and what does neither: by name and without an end, where the preview of the library counts
/// the rest of a long list and tells of ids.
fn lines(changes: &[FieldChange]) -> [Vec<Markup>; 3] {
    let [mut wider, mut narrower, mut words] = [Vec::new(), Vec::new(), Vec::new()];
    for changed in changes {
        match changed {
            FieldChange::Agents(ScopeChange::Ids { added, removed, .. }) => {
                ids(added, removed, Kind::Agents, &mut wider, &mut narrower);
            }
            FieldChange::Prompts(ScopeChange::Ids { added, removed, .. }) => {
                ids(added, removed, Kind::Prompts, &mut wider, &mut narrower);
            }
            changed if changed.widens() => wider.extend(change(changed)),
            changed if changed.narrows() => narrower.extend(change(changed)),
            changed => words.extend(change(changed)),
        }
    }
    [wider, narrower, words]
}

fn ids<T: ResourceId>(
    added: &IdSet<T>,
    removed: &IdSet<T>,
    kind: Kind,
    wider: &mut Vec<Markup>,
    narrower: &mut Vec<Markup>,
) {
    let noun = |ids: &IdSet<T>| if ids.len() == 1 { kind.singular() } else { kind.plural() };
    if !added.is_empty() {
        wider.push(html! { (added.len()) " more " (noun(added)) ": " ins { (names(added, kind)) } });
    }
    if !removed.is_empty() {
        narrower.push(html! { (removed.len()) " " (noun(removed)) " less: " del { (names(removed, kind)) } });
    }
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
