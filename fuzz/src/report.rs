//! What a secret scanner reports.

use std::sync::LazyLock;

use access_keys::leak::{Entry, Outcome as Became, Report};
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, Invalid};
use pollster::block_on;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{CANARY, Checked, Difference, Target, outcome, quiet, quiet_debug, same};
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "report",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: true,
    mistakes: &[Mistake::LosesEntries, Mistake::KeepsPunctuation, Mistake::CutsAddresses],
};

const WORDS: &[&str] = &[
    "token", "type", "url", "source", "acme_", "acme_live_", "ab_cd_ef_", "_", ".", "(", TOKEN, SECRET, "commit", "\\ud800",
    "https://github.com/x/y", "acme_access_key", CANARY,
];
const TOKEN: &str = "acme_7Hq2LkP9sTz4WcX1_uV5rS0aYbN3mQe8GjDfKxZw6Ti1oRyHc2ZF3WJ";
/// What is to be kept of it from everyone: all that follows the id.
const SECRET: &str = "uV5rS0aYbN3mQe8GjDfKxZw6Ti1oRyHc2ZF3WJ";
const ENTRIES_MAX: usize = 10_000;

/// One that issued nothing.
static KEYS: LazyLock<AccessKeys<MemoryStore>> =
    LazyLock::new(|| AccessKeys::builder(MemoryStore::new()).prefix("acme").build().expect("a library"));

/// Compares whether it is a report, each of its entries, and what is answered.
pub fn check(data: &[u8]) -> Checked {
    let data = &repeated(data);
    let read = Report::parse(data);
    let Ok(Value::Array(values)) = serde_json::from_slice(data) else {
        // One entry of which something cannot be read harms no other: a number of any size, half a character.
        let skimmed = std::str::from_utf8(data).ok().and_then(|text| serde_json::from_str::<Vec<IgnoredAny>>(text).ok());
        let entries = read.as_ref().map(|report| report.entries().len()).ok();
        same("the number of entries", &entries, &skimmed.map(|values| values.len()))?;
        read.err().map_or(Ok(()), quiet)?;
        return Ok(outcome(false));
    };
    let expected = values.len() <= ENTRIES_MAX;
    same("whether it is a report", &read.is_ok(), &expected)?;
    match read {
        Ok(report) => entries(&report, &values)?,
        Err(invalid) => refused(invalid, values.len())?,
    }
    Ok(outcome(expected))
}

/// A body of a star and one digit has about as many entries as there may be.
fn repeated(data: &[u8]) -> Vec<u8> {
    match data {
        [b'*', digit @ b'0'..=b'9'] => {
            let others = ENTRIES_MAX - 2 + usize::from(digit % 3);
            [b"[".to_vec(), b"0,".repeat(others), b"{}]".to_vec()].concat()
        }
        _ => data.to_vec(),
    }
}

fn refused(invalid: Invalid, entries: usize) -> Result<(), Difference> {
    same("whether their number is told", &invalid.to_string().contains(&entries.to_string()), &true)?;
    quiet(invalid)
}

fn entries(report: &Report, values: &[Value]) -> Result<(), Difference> {
    let lost = |entry: &&Entry| !mistake::is(Mistake::LosesEntries) || entry.token_type().is_some();
    let entries: Vec<&Entry> = report.entries().iter().filter(lost).collect();
    same("the number of entries", &entries.len(), &values.len())?;
    for (entry, value) in entries.iter().zip(values).filter(|_| values.len() < 100) {
        same("the entry", &shown(entry, value), &expected(value))?;
    }
    quiet_debug(report)?;
    let text: usize = values.iter().map(|value| value["token"].as_str().unwrap_or_default().len()).sum();
    if values.len() < 10 && text.is_multiple_of(8) { answers(report, values) } else { Ok(()) }
}

fn shown(entry: &Entry, value: &Value) -> Value {
    let mut shown = json!({
        "ours": entry.may_be_ours(), "type": entry.token_type(), "url": entry.url(), "source": entry.source(),
    });
    let sent = value["token"].as_str().unwrap_or_default();
    if mistake::is(Mistake::KeepsPunctuation) && sent.ends_with('.') {
        shown["ours"] = json!(false);
    }
    if let Some(url) = value["url"].as_str().filter(|url| mistake::is(Mistake::CutsAddresses) && url.len() > 2_048) {
        shown["url"] = json!(url.chars().take(1_000).collect::<String>());
    }
    shown
}

fn expected(value: &Value) -> Value {
    let Some(sent) = value["token"].as_str() else {
        return json!({"ours": false, "type": null, "url": null, "source": null});
    };
    let token = token(sent);
    let told = |field: &str| {
        let told = value[field].as_str().filter(|told| (1..=2_048).contains(&told.len()))?;
        Some(token.map_or_else(|| told.to_owned(), |token| told.replace(&token[token.len() - 38..], "[redacted]")))
    };
    json!({"ours": token.is_some(), "type": told("type"), "url": told("url"), "source": told("source")})
}

/// What may be a token, whatever its prefix: two words or one.
fn token(sent: &str) -> Option<&str> {
    let text = sent.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let prefix = text.get(..text.len().checked_sub(56)?)?;
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1)?;
        let named = first.chars().all(|c| c.is_ascii_lowercase()) && word.len() <= 12;
        let digits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        (named && rest.chars().all(digits)).then_some(())
    };
    let words: Vec<&str> = prefix.split('_').collect();
    let whole = words.len() <= 2 && words.into_iter().all(|text| word(text).is_some());
    naive::token(text.as_bytes(), prefix).filter(|_| whole).map(|_| text)
}

/// Nothing was issued, so nothing is ours; what was no text cannot be told of.
fn answers(report: &Report, values: &[Value]) -> Result<(), Difference> {
    let answers = block_on(report.answer(&KEYS, Actor::system("github").expect("an id")).finish());
    same("the number of answers", &answers.len(), &values.len())?;
    for (answer, value) in answers.iter().zip(values) {
        let sent = value["token"].as_str();
        let (unreadable, not_ours) =
            (matches!(answer.outcome, Became::Unreadable), matches!(answer.outcome, Became::NotOurs));
        same("what became of it", &(unreadable, not_ours), &(sent.is_none(), sent.is_some()))?;
        let hash = sent.map(|sent| Sha256::digest(sent).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let token_type = expected(value)["type"].clone();
        let feedback = hash.filter(|_| !token_type.is_null()).map(|hash| {
            json!({"token_hash": hash, "token_type": token_type, "label": "false_positive"})
        });
        let said = answer.feedback().map(|feedback| serde_json::to_value(feedback).unwrap_or_default());
        same("the feedback", &said, &feedback)?;
    }
    Ok(())
}

fn samples() -> Vec<Vec<u8>> {
    let entry = |token: &str| json!({"token": token, "type": "acme_access_key", "url": "https://github.com/x/y", "source": "commit"});
    let body = |token: &str| format!("acme_{token}_{}", &SECRET[..32]);
    let of_prefix = |prefix: &str| {
        let body = body("7Hq2LkP9sTz4WcX1").replacen("acme", prefix, 1);
        format!("{body}{}", naive::checksum(body.as_bytes()))
    };
    let whole = of_prefix("acme");
    let samples = [
        json!([entry(&whole), entry("c4nary"), {"token": 5}, null]),
        json!([entry(&format!("\"{whole}.")), entry(&of_prefix("acme_live"))]),
        json!([{"token": whole, "type": "t", "url": format!("https://x/?key={whole}&c4nary={whole}"), "source": ""}]),
        json!([{"token": format!("{whole}."), "type": "t", "url": "x".repeat(300), "more": [{"token": whole}]}]),
        json!([{"token": "c4nary", "type": "t", "url": "y".repeat(2_049), "source": "commit"}]),
        json!([]),
        json!({"token": "c4nary"}),
        json!([entry("NMIfyYncKcRALEXAMPLE"), [entry(&whole)], "c4nary", 1.5, true, entry(&of_prefix("ab_cd_ef"))]),
    ];
    let mut samples: Vec<Vec<u8>> = samples.iter().map(|value| value.to_string().into_bytes()).collect();
    let half = json!([entry("HALF"), entry(&whole), {"token": "c4nary", "more": "HALF"}]).to_string();
    samples.push(half.replace("HALF", "\\ud800").into_bytes());
    samples.push(half.replace("\"HALF\"", "1e999").into_bytes());
    samples.push(b"*0".to_vec());
    samples
}
