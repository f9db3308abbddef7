//! A cursor as a page sends it.

use std::sync::LazyLock;

use access_keys::{Cursor, Invalid};
use chrono::DateTime;

use crate::answer::{CANARY, Checked, Target, outcome, quiet, same};
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "cursor",
    check,
    samples: LazyLock::new(samples),
    words: &[".", "k.", "e.", "-", "+", "00", "9223372036854775807", "-9223372036854775808", "8210266876799999999", CANARY],
    is_json: false,
    mistakes: &[Mistake::LeadingZeros, Mistake::AnyTime],
};

/// Compares whether it is one, and its parts.
pub fn check(data: &[u8]) -> Checked {
    let Ok(text) = std::str::from_utf8(data) else { return Ok(outcome(false)) };
    let expected = expected(text);
    let given = serde_json::to_string(text).unwrap_or_default();
    let parts = |cursor: &Cursor| (cursor.at().timestamp_micros(), cursor.id().to_owned());
    match read(text) {
        Ok(cursor) => {
            same("the parts", &Some(parts(&cursor)), &expected)?;
            let shown = cursor.to_string();
            same("written again", &shown.as_str(), &canonical(text).as_str())?;
            same("by serde", &serde_json::from_str(&given).ok(), &shown.parse::<Cursor>().ok())?;
        }
        Err(invalid) => {
            same("the parts", &None, &expected)?;
            quiet(invalid)?;
            let by_serde = serde_json::from_str::<Cursor>(&given);
            same("by serde", &by_serde.is_err(), &true)?;
            by_serde.err().map_or(Ok(()), quiet)?;
        }
    }
    Ok(outcome(expected.is_some()))
}

fn read(text: &str) -> Result<Cursor, Invalid> {
    if mistake::is(Mistake::LeadingZeros) {
        return canonical(text).parse();
    }
    if mistake::is(Mistake::AnyTime)
        && let Some(rest) = text.strip_prefix("k.9223372036854775807.")
    {
        return format!("k.0.{rest}").parse();
    }
    text.parse()
}

/// The text itself, unless zeros are being forgiven.
fn canonical(text: &str) -> String {
    if !mistake::is(Mistake::LeadingZeros) {
        return text.to_owned();
    }
    let trimmed = |list: &str, rest: &str| format!("{list}.{}", rest.trim_start_matches('0'));
    text.split_once('.').map_or_else(|| text.to_owned(), |(list, rest)| trimmed(list, rest))
}

fn expected(text: &str) -> Option<(i64, String)> {
    let [list, micros, id] = text.split('.').collect::<Vec<_>>().try_into().ok()?;
    let digits = micros.strip_prefix('-').unwrap_or(micros);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_canonical = micros == "0" || !digits.starts_with('0');
    let micros: i64 = micros.parse().ok()?;
    let is_time = DateTime::from_timestamp_micros(micros).is_some();
    let whole = ["k", "e"].contains(&list) && is_plain && is_canonical && is_time && naive::is_random_id(id);
    whole.then(|| (micros, id.to_owned()))
}

fn samples() -> Vec<Vec<u8>> {
    let texts = [
        "k.1893456000000000.7Hq2LkP9sTz4WcX1",
        "e.0.0000000000000000",
        "k.-1.zzzzzzzzzzzzzzzz",
        "e.-62167219200000000.94zM5pOuhilCc1TY",
        "k.9223372036854775807.7Hq2LkP9sTz4WcX1",
        "k.8210266876799999999.7Hq2LkP9sTz4WcX1",
        "e.1893456000000000.c4nary",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
