//! Times for people, with the exact one for machines and on hovering.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

/// `28 Nov 2026, 22:57 UTC`
pub(crate) fn full(time: DateTime<Utc>) -> String {
    time.format("%-d %b %Y, %H:%M UTC").to_string()
}

/// `28 Nov 2026, 22:57 UTC`, as an element.
pub(crate) fn moment(time: DateTime<Utc>) -> Markup {
    element(time, &full(time))
}

/// `22:57:12 UTC`
pub(crate) fn clock(time: DateTime<Utc>) -> Markup {
    element(time, &time.format("%H:%M:%S UTC").to_string())
}

/// `3 minutes ago`, or `in 3 days`.
pub(crate) fn relative(time: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    element(time, &in_words(time, now))
}

fn element(time: DateTime<Utc>, text: &str) -> Markup {
    let (exact, machine) = (full(time), time.to_rfc3339_opts(SecondsFormat::Secs, true));
    html! { time datetime=(machine) title=[(exact != text).then_some(&exact)] { (text) } }
}

/// A span in its largest unit, rounded to the nearest: 90 days are 90 days a moment later.
pub(crate) fn in_words(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (time - now).num_seconds();
    let span = span(seconds.unsigned_abs());
    match (seconds > 0, span.as_str()) {
        (_, "") => "just now".to_owned(),
        (true, span) => format!("in {span}"),
        (false, span) => format!("{span} ago"),
    }
}

/// `3 days`; empty for less than a few seconds.
pub(crate) fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let nearest = |unit: u64| (seconds + unit / 2) / unit;
    let (n, unit) = match seconds {
        0..=3 => return String::new(),
        4..60 => (seconds, "second"),
        60..3_570 => (nearest(MINUTE), "minute"),
        3_570..84_600 => (nearest(HOUR), "hour"),
        84_600..10_368_000 => (nearest(DAY), "day"),
        10_368_000..30_240_000 => (nearest(30 * DAY), "month"),
        _ => (nearest(365 * DAY), "year"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}
