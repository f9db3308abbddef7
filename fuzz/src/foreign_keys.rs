//! What is to be read of the key of another system, and whether it was.

use access_keys::import::{ForeignKey, Rows};
use access_keys::token::ForeignDigest;
use access_keys::{Invalid, Scope};
use serde_json::{Value, json};

use crate::answer::{CANARY, Difference, quiet, same};
use crate::mistake::{self, Mistake};
use crate::naive;

/// A time as it stands there.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Time {
    Never,
    At(i64),
    /// No form that the reference knows: the library may refuse it, or read it as some time.
    Perhaps,
}

/// A key that is to be read.
pub(crate) struct Expected {
    pub(crate) digest: [u8; 32],
    pub(crate) expires_at: Time,
    /// Nothing but the state depends on this one.
    pub(crate) revoked_at: Time,
    /// All else, as [`shown`] gives it.
    pub(crate) rest: Value,
}

/// The rows that the library reads, numbered and with errors that tell nothing.
pub(crate) fn taken(rows: Rows, data: &[u8]) -> Result<Vec<Option<ForeignKey>>, Difference> {
    let (numbers, read): (Vec<u64>, Vec<Result<ForeignKey, Invalid>>) = rows.unzip();
    same("the numbers", &numbers.iter().copied().eq(1..=numbers.len() as u64), &true)?;
    let mut keys = Vec::new();
    for row in read {
        match row {
            Ok(mut key) => {
                if mistake::is(Mistake::PausedIsActive) && key.state.as_str() == "inactive" {
                    key.state = access_keys::KeyState::Active;
                }
                keys.push(Some(key));
            }
            Err(_) if mistake::is(Mistake::LosesRows) => {}
            Err(invalid) if mistake::is(Mistake::RepeatsRow) => {
                quiet(format!("{invalid}: {}", String::from_utf8_lossy(data)))?;
                keys.push(None);
            }
            Err(invalid) => {
                quiet(invalid)?;
                keys.push(None);
            }
        }
    }
    Ok(keys)
}

/// Compares row by row; whether one is accepted.
pub(crate) fn compare(
    read: &[Option<ForeignKey>],
    expected: &[Option<Expected>],
) -> Result<bool, Difference> {
    same("the number of rows", &read.len(), &expected.len())?;
    for (read, expected) in read.iter().zip(expected) {
        match (read, expected) {
            (None, None) => {}
            (None, Some(Expected { expires_at, revoked_at, .. }))
                if [*expires_at, *revoked_at].contains(&Time::Perhaps) => {}
            (read, expected) => {
                same("whether it is a key", &read.is_some(), &expected.is_some())?;
                if let (Some(read), Some(expected)) = (read, expected) {
                    key(read, expected)?;
                }
            }
        }
    }
    Ok(read.iter().any(Option::is_some))
}

fn key(read: &ForeignKey, expected: &Expected) -> Result<(), Difference> {
    same("the digest", &(read.digest == ForeignDigest::new(expected.digest)), &true)?;
    same("the key", &shown(read), &expected.rest)?;
    let micros = read.expires_at.map(|time| time.timestamp_micros());
    match expected.expires_at {
        Time::Never => same("the expiry", &micros, &None)?,
        Time::At(at) => same("the expiry", &micros, &Some(at))?,
        Time::Perhaps => same("whether it expires", &micros.is_some(), &true)?,
    }
    can_be_kept(read)
}

/// What holds of whatever was read: its time can be written and read again, and little of it is printed.
pub(crate) fn can_be_kept(read: &ForeignKey) -> Result<(), Difference> {
    if let Some(time) = read.expires_at {
        let micros = time.timestamp_micros();
        same("the time, written and read", &naive::time(&naive::written(micros)), &Some(micros))?;
        same("what is finer than a microsecond", &(time.timestamp_subsec_nanos() % 1_000), &0)?;
    }
    let printed = format!("{read:?}");
    let told = read.name.contains(CANARY) || read.owner.contains(CANARY);
    if told { Ok(()) } else { quiet(printed) }
}

/// All of a key but its digest and its expiry.
pub(crate) fn shown(key: &ForeignKey) -> Value {
    json!({
        "identifier": key.identifier,
        "name": key.name,
        "description": key.description,
        "owner": key.owner,
        "state": key.state.as_str(),
        "labels": key.labels,
        "agents": key.agents.as_ref().map(of_scope),
        "prompts": key.prompts.as_ref().map(of_scope),
    })
}

fn of_scope<T: access_keys::domain::ResourceId + serde::Serialize>(scope: &Scope<T>) -> Value {
    serde_json::to_value(scope).unwrap_or_default()
}

/// The 32 bytes of a digest.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let bits: Vec<u8> = match text.len() {
        64 => text.chars().flat_map(|c| c.to_digit(16).map(|value| bits(value, 4))).flatten().collect(),
        44 => return digest(text.strip_suffix('=').filter(|rest| rest.len() == 43)?),
        43 => {
            let alphabets = ["+/", "-_"].map(|last| {
                let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9');
                letters.chain(last.chars()).collect::<Vec<char>>()
            });
            let fits = |alphabet: &&Vec<char>| text.chars().all(|c| alphabet.contains(&c));
            let alphabet = alphabets.iter().find(fits)?;
            let place = |c| alphabet.iter().position(|letter| *letter == c).and_then(|at| at.try_into().ok());
            text.chars().filter_map(place).flat_map(|value| bits(value, 6)).collect()
        }
        _ => return None,
    };
    let (whole, left) = bits.split_at_checked(256)?;
    let bytes: Vec<u8> = whole.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum * 2 + *bit)).collect();
    if left.contains(&1) { None } else { bytes.try_into().ok() }
}

fn bits(value: u32, count: u32) -> Vec<u8> {
    (0..count).rev().map(|place| u8::from(value >> place & 1 == 1)).collect()
}

/// A time by RFC 3339, or as databases print it.
pub(crate) fn time(text: &str) -> Time {
    let whole = |micros: i64| if naive::is_writable(micros) { Time::At(micros) } else { Time::Perhaps };
    if let Some(micros) = naive::time(text) {
        return whole(micros);
    }
    let Some((day, rest)) = text.split_once(' ') else { return Time::Perhaps };
    let zone = rest.rfind(['+', '-']).map_or("", |at| &rest[at..]);
    let completed = match zone.len() {
        0 => format!("{day}T{rest}Z"),
        3 => format!("{day}T{rest}:00"),
        _ => return Time::Perhaps,
    };
    naive::time(&completed).map_or(Time::Perhaps, whole)
}
