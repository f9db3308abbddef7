//! Times are kept to the microsecond and written in RFC 3339; an expiry may be the word `never`.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserializer, Serializer};

use super::{Field, Invalid, Rule, text};

/// 9999-12-31T23:59:59.999999Z, the last moment that RFC 3339 can write.
const LAST_MICROS: i64 = 253_402_300_799_999_999;
/// 0000-01-01T00:00:00Z, the first one.
const FIRST_MICROS: i64 = -62_167_219_200_000_000;
pub(crate) const NEVER: &str = "never";

/// `time` without what is finer than a microsecond.
pub(crate) fn micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

/// The time of so many microseconds since 1970.
#[cfg(any(feature = "sqlite-system", feature = "postgres"))]
pub(crate) fn of_micros(micros: i64) -> Result<DateTime<Utc>, Invalid> {
    let time = DateTime::from_timestamp_micros(micros).filter(|time| check_writable(*time).is_ok());
    time.ok_or(Invalid::new(Field::Time, Rule::TooFar))
}

/// `time` and `by`, to the microsecond, or the last moment that can be written.
pub(crate) fn after(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = chrono::TimeDelta::from_std(by).ok();
    let last = DateTime::from_timestamp_micros(LAST_MICROS).unwrap_or(DateTime::<Utc>::MAX_UTC);
    by.and_then(|by| time.checked_add_signed(by)).map_or(last, |time| micros(time).min(last))
}

/// Refuses a time that could be written and not be read again.
pub(crate) fn check_writable(time: DateTime<Utc>) -> Result<(), Invalid> {
    if (FIRST_MICROS..=LAST_MICROS).contains(&time.timestamp_micros()) {
        return Ok(());
    }
    Err(Invalid::new(Field::Time, Rule::TooFar))
}

/// How long after `now` that `time` is; zero when it is not later.
pub(crate) fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (time - now).to_std().unwrap_or_default()
}

/// The rule for an expiry that is set at `now`.
pub(crate) fn check_expiry(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Invalid> {
    match expires_at {
        Some(time) if time <= now => {
            Err(Invalid::new(Field::ExpiresAt, Rule::NotLater { ago: until(now, time) }))
        }
        Some(time) if time.timestamp_micros() > LAST_MICROS => {
            Err(Invalid::new(Field::ExpiresAt, Rule::TooFar))
        }
        _ => Ok(()),
    }
}

pub(crate) fn write(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(crate) fn write_expiry(expires_at: Option<DateTime<Utc>>) -> String {
    expires_at.map_or_else(|| NEVER.to_owned(), write)
}

/// Reads what [`write_expiry`] writes, and what a browser's `datetime-local` field sends (taken as UTC).
pub(crate) fn read_expiry(given: &str) -> Result<Option<DateTime<Utc>>, Invalid> {
    const EXPECTED: &str = "never or a time such as 2030-01-31T12:00:00Z";
    let given = given.trim();
    if given.is_empty() {
        return Err(Invalid::new(Field::ExpiresAt, Rule::Missing { expected: EXPECTED }));
    }
    if given == NEVER {
        return Ok(None);
    }
    let local = |form| NaiveDateTime::parse_from_str(given, form).ok().map(|time| time.and_utc());
    DateTime::parse_from_rfc3339(given)
        .ok()
        .map(|time| time.with_timezone(&Utc))
        .or_else(|| local("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|| local("%Y-%m-%dT%H:%M"))
        .map(micros)
        .filter(|time| check_writable(*time).is_ok())
        .map(Some)
        .ok_or_else(|| {
            let rule = Rule::Unreadable { expected: EXPECTED, given: given.len() };
            Invalid::new(Field::ExpiresAt, rule)
        })
}

/// Whether `given` is what a browser's `datetime-local` field makes of `time`: cut to its step.
pub(crate) fn is_cut(given: &str, time: DateTime<Utc>) -> bool {
    let cut = |form| time.format(form).to_string() == given.trim();
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.3f"].into_iter().any(cut)
}

struct Time(DateTime<Utc>);

impl FromStr for Time {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        let time = DateTime::parse_from_rfc3339(given).ok().map(|time| micros(time.with_timezone(&Utc)));
        time.filter(|time| check_writable(*time).is_ok()).map(Self).ok_or_else(|| {
            let rule = Rule::Unreadable { expected: "a time in RFC 3339", given: given.len() };
            Invalid::new(Field::Time, rule)
        })
    }
}

struct Expiry(Option<DateTime<Utc>>);

impl FromStr for Expiry {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        if given == NEVER { Ok(Self(None)) } else { given.parse().map(|Time(time)| Self(Some(time))) }
            .map_err(|invalid: Invalid| invalid.in_field(Field::ExpiresAt))
    }
}

/// `#[serde(with = "time")]`: RFC 3339 with microseconds.
pub(crate) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&write(*time))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    text::deserialize(deserializer).map(|Time(time)| time)
}

/// `#[serde(with = "time::expiry")]`: the same or the word `never`; null and absent are errors.
pub(crate) mod expiry {
    use super::{DateTime, Deserializer, Expiry, Serializer, Utc, text, write_expiry};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write_expiry(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        text::deserialize(deserializer).map(|Expiry(time)| time)
    }
}

/// For people: `2030-01-31 12:00:00 UTC`, or `never`.
pub(crate) fn for_people(expires_at: Option<DateTime<Utc>>) -> String {
    expires_at.map_or_else(|| NEVER.to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// For people: `2030-01-31 12:00 UTC (in 30 days)`, or `never`.
pub(crate) fn in_words(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    expires_at.map_or_else(
        || NEVER.to_owned(),
        |time| format!("{} UTC ({})", time.format("%Y-%m-%d %H:%M"), from_now(time, now)),
    )
}

/// How long after `now` that `time` is, for people: `in 3 days`, rounded to the nearest; or `already past`.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use access_keys::domain::from_now;
///
/// let now: DateTime<Utc> = "2030-01-31T12:00:00Z".parse()?;
/// assert_eq!(from_now(now + TimeDelta::hours(71), now), "in 3 days");
/// assert_eq!(from_now(now + TimeDelta::minutes(100), now), "in 100 minutes");
/// assert_eq!(from_now(now, now), "already past");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[must_use]
pub fn from_now(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if time <= now {
        return "already past".to_owned();
    }
    // Rounded to the nearest, so that 90 days are 90 days a moment later.
    let minutes = (until(time, now).as_secs() + 30) / 60;
    let (n, unit) = match minutes {
        0 => return "in less than a minute".to_owned(),
        1..120 => (minutes, "minute"),
        120..2_880 => ((minutes + 30) / 60, "hour"),
        _ => ((minutes + 720) / 1_440, "day"),
    };
    format!("in {n} {unit}{}", if n == 1 { "" } else { "s" })
}
