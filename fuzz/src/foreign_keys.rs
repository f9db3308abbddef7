//! What is to be read of the key of another system, and whether it was.

use access_keys::import::{ForeignKey, Rows};
use access_keys::token::ForeignDigest;
use access_keys::{Invalid, Scope};
use serde_json::Value;

use crate::answer::{CANARY, Difference, quiet, quiet_debug, same};
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
    /// All else.
    pub(crate) rest: Shown,
}

/// All of a key but its digest and its expiry.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) identifier: Option<String>,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) owner: String,
    pub(crate) state: &'static str,
    pub(crate) labels: Vec<String>,
    pub(crate) agents: Option<Value>,
    pub(crate) prompts: Option<Value>,
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
    let told = read.name.contains(CANARY) || read.owner.contains(CANARY);
    if told { Ok(()) } else { quiet_debug(read) }
}

pub(crate) fn shown(key: &ForeignKey) -> Shown {
    Shown {
        identifier: key.identifier.clone(),
        name: key.name.clone(),
        description: key.description.clone(),
        owner: key.owner.clone(),
        state: key.state.as_str(),
        labels: key.labels.clone(),
        agents: key.agents.as_ref().map(of_scope),
        prompts: key.prompts.as_ref().map(of_scope),
    }
}

fn of_scope<T: access_keys::domain::ResourceId + serde::Serialize>(scope: &Scope<T>) -> Value {
    serde_json::to_value(scope).unwrap_or_default()
}

/// The 32 bytes of a digest.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let base64 = |last: [u8; 2]| {
        whole(text, 6, move |byte| match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(26 + byte - b'a'),
            b'0'..=b'9' => Some(52 + byte - b'0'),
            _ => last.iter().position(|letter| *letter == byte).map(|at| if at == 0 { 62 } else { 63 }),
        })
    };
    match text.len() {
        64 => whole(text, 4, |byte| char::from(byte).to_digit(16).and_then(|value| value.try_into().ok())),
        44 => digest(text.strip_suffix('=').filter(|rest| rest.len() == 43)?),
        43 => base64(*b"+/").or_else(|| base64(*b"-_")),
        _ => None,
    }
}

/// The bytes that digits of so many bits come to, unless a bit is left over.
fn whole(text: &str, bits: u32, value: impl Fn(u8) -> Option<u8>) -> Option<[u8; 32]> {
    let (mut bytes, mut sum, mut held) = (Vec::with_capacity(32), 0, 0);
    for byte in text.bytes() {
        sum = sum << bits | u32::from(value(byte)?);
        held += bits;
        if held >= 8 {
            held -= 8;
            bytes.push((sum >> held).to_le_bytes()[0]);
            sum %= 1 << held;
        }
    }
    if sum == 0 { bytes.try_into().ok() } else { None }
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
