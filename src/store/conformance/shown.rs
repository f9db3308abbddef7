//! What is shown of values that may be long.

use std::error::Error;

use crate::store::StoreError;

/// How many characters of a value are shown.
const SHOWN: usize = 240;
/// How many of them stand before the first difference.
const BEFORE: usize = 60;

/// The beginning of a text.
pub(super) fn cut(text: &str) -> String {
    window(text, 0)
}

/// Two texts, from shortly before the place where they differ.
pub(super) fn difference(expected: &str, came: &str) -> (String, String) {
    let differs = expected.chars().zip(came.chars()).position(|(a, b)| a != b);
    let Some(place) = differs.or_else(|| {
        let shorter = expected.chars().count().min(came.chars().count());
        (expected.len() != came.len()).then_some(shorter)
    }) else {
        return (cut(expected), "another that is shown alike: a digest differs".to_owned());
    };
    let from = place.saturating_sub(BEFORE);
    (window(expected, from), window(came, from))
}

fn window(text: &str, from: usize) -> String {
    let mut rest = text.chars().skip(from);
    let mut shown = if from == 0 { String::new() } else { "…".to_owned() };
    shown.extend(rest.by_ref().take(SHOWN));
    match rest.count() {
        0 => shown,
        more => format!("{shown}… and {more} characters more"),
    }
}

/// An error and its causes.
pub(super) fn chain(error: &StoreError) -> String {
    let mut shown = format!("`{error}`");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown.push_str(&format!(", because `{error}`"));
        cause = error.source();
    }
    cut(&shown)
}

/// What a write answered.
pub(super) fn answer(answer: &Result<(), StoreError>) -> String {
    answer.as_ref().map_or_else(chain, |()| "it succeeded".to_owned())
}
