//! Fields with their label, hint and mistakes, tied together for those who hear the page.

use maud::{Markup, html};

use super::icon::icon;
use super::mistakes::Mistakes;
use crate::host::csrf::FIELD;
use crate::host::sessions::Session;

/// The token without which no form is taken.
pub(crate) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name=(FIELD) value=(session.csrf); }
}

/// What stands around an input.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) name: &'static str,
    pub(crate) label: &'a str,
    pub(crate) hint: &'a str,
    pub(crate) value: &'a str,
    pub(crate) most: usize,
    pub(crate) rows: usize,
    pub(crate) optional: bool,
}

/// A line of text, or several.
///
/// Its length is not limited in the browser, which would cut off what is pasted without a word.
pub(crate) fn text(field: &Text<'_>, mistakes: &Mistakes) -> Markup {
    let Text { name, label, hint, value, most, rows, optional } = *field;
    let described = described_by(name, !hint.is_empty(), mistakes);
    let invalid = mistakes.has(name).then_some("true");
    html! {
        div.field {
            label for=(name) { (label) @if optional { " " span.optional { "Optional" } } }
            @if !hint.is_empty() { p.hint id={ (name) "-hint" } { (hint) " At most " (most) " characters." } }
            (mistakes.beside(name))
            @if rows > 1 {
                textarea id=(name) name=(name) rows=(rows) aria-invalid=[invalid] aria-describedby=[described] {
                    // A browser drops the first line break of a text area.
                    "\n" (value)
                }
            } @else {
                input id=(name) name=(name) type="text" value=(value) autocomplete="off" spellcheck="false"
                    aria-invalid=[invalid] aria-describedby=[described];
            }
        }
    }
}

/// The ids of what says more of a field, if anything does.
pub(crate) fn described_by(name: &str, hint: bool, mistakes: &Mistakes) -> Option<String> {
    match (hint, mistakes.has(name)) {
        (true, true) => Some(format!("{name}-hint {name}-mistake")),
        (true, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-mistake")),
        (false, false) => None,
    }
}

/// One of several choices, with what it means.
pub(crate) fn choice(group: &str, value: &str, chosen: &str, label: &str, about: &str) -> Markup {
    let id = format!("{group}-{value}");
    html! {
        div.choice {
            input type="radio" id=(id) name=(group) value=(value) checked[value == chosen]
                aria-describedby=[(!about.is_empty()).then(|| format!("{id}-about"))];
            label for=(id) { (label) }
            @if !about.is_empty() { p id={ (id) "-about" } { (about) } }
        }
    }
}

/// A line that stands out: `info`, `good` or `warning`.
pub(crate) fn note(kind: &str, content: &Markup) -> Markup {
    let drawing = match kind {
        "good" => "check",
        "warning" => "warning",
        _ => "info",
    };
    html! { div.note.(kind) { (icon(drawing)) div { (content) } } }
}
