//! What is wrong with a form: all at once, above it and beside each field.

use access_keys::domain::{Field, Rule};
use access_keys::{Invalid, Invalids};
use maud::{Markup, html};

use super::icon::icon;

/// Each mistake with the id of its field.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<(&'static str, String)>);

impl Mistakes {
    pub(crate) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push((field, message.into()));
    }

    pub(crate) fn of(invalids: &Invalids) -> Self {
        let mut mistakes = Self::default();
        for invalid in invalids {
            let (field, message) = in_words(invalid);
            // A thousand ids that are none are one mistake to whoever reads the page.
            if !mistakes.0.iter().any(|(_, known)| *known == message) {
                mistakes.add(field, message);
            }
        }
        mistakes
    }

    /// Those of some fields.
    pub(crate) fn only(mut self, fields: &[&str]) -> Self {
        self.0.retain(|(field, _)| fields.contains(field));
        self
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == field)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mistakes of one field, to stand beside it.
    pub(crate) fn beside(&self, field: &str) -> Markup {
        let mut found = self.0.iter().filter(|(known, _)| *known == field).peekable();
        html! {
            @if found.peek().is_some() {
                div.mistake id={ (field) "-mistake" } {
                    @for (_, message) in found { p { (icon("warning")) (message) } }
                }
            }
        }
    }

    /// All of them, to stand above the form; gets the focus. `page` tells on which page a field is.
    pub(crate) fn summary(&self, page: impl Fn(&str) -> String) -> Markup {
        let n = self.0.len();
        html! {
            @if n > 0 {
                div #mistakes.summary role="alert" tabindex="-1" autofocus aria-labelledby="mistakes-title" {
                    h2 #mistakes-title { @if n == 1 { "There is a mistake" } @else { "There are " (n) " mistakes" } }
                    ul { @for (field, message) in &self.0 { li { a href={ (page(field)) "#" (field) } { (message) } } } }
                }
            }
        }
    }
}

/// The field on the page, and the mistake as a sentence.
fn in_words(invalid: &Invalid) -> (&'static str, String) {
    let (field, label) = match invalid.field {
        Field::Description => ("description", "The description"),
        Field::Environment => ("environment", "The environment"),
        Field::ExpiresAt => ("expires", "The expiry"),
        Field::Agents => ("agents", "The agents"),
        Field::Prompts => ("prompts", "The prompts"),
        Field::Reason => ("reason", "The reason"),
        Field::Grace => ("grace", "The grace"),
        Field::Name => ("name", "The name"),
        other => return ("form", format!("{other} {}.", invalid.rule)),
    };
    let message = match (&invalid.rule, field) {
        (Rule::Length { given: 0, .. }, "name") => "Give the key a name.".to_owned(),
        (Rule::Length { given: 0, .. }, "environment") => "Choose an environment.".to_owned(),
        (Rule::Missing { .. }, "expires") => "Choose when the key expires, or that it never does.".to_owned(),
        (Rule::Missing { .. }, "agents" | "prompts") => format!("Choose which {field} the key may call."),
        (Rule::Unreadable { .. }, "expires") => "Enter a date and a time.".to_owned(),
        (Rule::NotLater { .. }, "expires") => "The expiry must be later than now.".to_owned(),
        (Rule::ReachesNothing, _) => {
            return ("prompts", "A key must be able to call at least one agent or prompt.".to_owned());
        }
        (rule, _) => match invalid.item {
            Some(item) => format!("{label} (number {item}) {rule}."),
            None => format!("{label} {rule}."),
        },
    };
    (field, message)
}
