//! When a key ends: a choice of spans, a date, or never.

use access_keys::AccessKey;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::form::choice;
use super::mistakes::Mistakes;
use super::time::{full, in_words};
use crate::host::drafts::Expiry;

/// The choices; `key` is there, and what time it is, when its expiry could stay as it is.
pub(crate) fn choices(
    expiry: &Expiry,
    key: Option<(&AccessKey, DateTime<Utc>)>,
    mistakes: &Mistakes,
) -> Markup {
    let chosen = expiry.choice.as_str();
    html! {
        fieldset #expires.field tabindex="-1" aria-describedby=[mistakes.has("expires").then_some("expires-mistake")] {
            legend { "Expires" }
            (mistakes.beside("expires"))
            div.choices {
                @if let Some((key, now)) = key { (choice("expires", "keep", chosen, &kept(key, now), "")) }
                @for (days, words) in Expiry::DAYS { (choice("expires", days, chosen, words, "")) }
                (choice("expires", "date", chosen, "At a date and time", ""))
                div.inset {
                    label.hidden for="expires-date-value" { "Date and time of the expiry, UTC" }
                    input #expires-date-value type="datetime-local" name="expires_date" value=(expiry.date)
                        max="9999-12-31T23:59" aria-describedby="expires-zone";
                    span #expires-zone.hint { "UTC" }
                }
                (choice("expires", "never", chosen, "Never", "It works until someone revokes it."))
            }
        }
    }
}

/// The choice that changes nothing, in words.
fn kept(key: &AccessKey, now: DateTime<Utc>) -> String {
    match key.expires_at {
        None => "As it is: never".to_owned(),
        Some(end) => {
            format!("As it is: {} ({})", full(end), in_words(end, now))
        }
    }
}
