//! Times as other systems write them.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::unreadable;
use crate::domain::{Field, Invalid, time};

/// RFC 3339, or as databases print it; without a zone it is UTC.
pub(super) fn of_text(text: &str) -> Result<DateTime<Utc>, Invalid> {
    // PostgreSQL prints a zone of whole hours as `+00`.
    let zoned = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"];
    let plain = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let read = DateTime::parse_from_rfc3339(text)
        .ok()
        .or_else(|| zoned.iter().find_map(|format| DateTime::parse_from_str(text, format).ok()))
        .map(|time| time.to_utc())
        .or_else(|| {
            let time = plain.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
            Some(time.and_utc())
        });
    let wrong = || unreadable(Field::ExpiresAt, "a time by RFC 3339", text.len());
    let read = read.ok_or_else(wrong)?;
    time::of_micros(read.timestamp_micros())
}

/// Milliseconds since 1970.
pub(super) fn of_millis(millis: i64) -> Result<DateTime<Utc>, Invalid> {
    time::of_micros(millis.saturating_mul(1_000))
}
