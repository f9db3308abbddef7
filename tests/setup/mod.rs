//! What the tests of rules, tokens and refusals share.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of it")]

use access_keys::lifecycle::Builder;
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AgentId, Clock, Draft, EnvironmentId, FakeClock, KeyInfo, ProjectId, ProjectKeys,
    PromptId, Review, Scope,
};
use chrono::{DateTime, TimeDelta, Utc};

pub(crate) mod altered;
#[path = "../support/faulty.rs"]
pub(crate) mod faulty;
pub(crate) mod leaks;
pub(crate) mod one_key;
#[path = "../support/random.rs"]
mod random;

pub(crate) use random::{ALPHABET, SplitMix};

pub(crate) fn env(id: &str) -> EnvironmentId {
    EnvironmentId::new(id).unwrap()
}

pub(crate) fn production() -> EnvironmentId {
    env("production")
}

pub(crate) fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

pub(crate) fn prompt(id: &str) -> PromptId {
    PromptId::new(id).unwrap()
}

pub(crate) fn agents(ids: &[&str]) -> Scope<AgentId> {
    Scope::parse(ids).unwrap()
}

pub(crate) fn prompts(ids: &[&str]) -> Scope<PromptId> {
    Scope::parse(ids).unwrap()
}

/// Keys in `store` under the prefix `acme`, with a clock of their own.
pub(crate) fn keys_in<S: KeyStore>(store: S) -> (AccessKeys<S>, FakeClock) {
    let clock = FakeClock::default();
    (builder(store, &clock).build().unwrap(), clock)
}

/// The same, of which every verification reads the store.
pub(crate) fn keys_at_zero<S: KeyStore>(store: S) -> (AccessKeys<S>, FakeClock) {
    let clock = FakeClock::default();
    (builder(store, &clock).max_staleness(std::time::Duration::ZERO).build().unwrap(), clock)
}

pub(crate) fn keys() -> (AccessKeys<MemoryStore>, FakeClock) {
    keys_in(MemoryStore::new())
}

pub(crate) fn builder<S: KeyStore>(store: S, clock: &FakeClock) -> Builder<S> {
    AccessKeys::builder(store).prefix("acme").clock(clock.clone())
}

pub(crate) fn checkout<S: KeyStore>(keys: &AccessKeys<S>) -> ProjectKeys<S> {
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

pub(crate) fn info(name: &str) -> KeyInfo {
    KeyInfo::new(name, production()).unwrap()
}

/// A review of a key for everything.
pub(crate) fn review(info: KeyInfo) -> Review {
    Draft::at(DateTime::UNIX_EPOCH).info(info).agents(Scope::All).prompts(Scope::All).unwrap()
}

pub(crate) fn anything() -> Review {
    review(info("Mobile app"))
}

pub(crate) fn in_seconds(clock: &FakeClock, seconds: i64) -> DateTime<Utc> {
    clock.wall() + TimeDelta::seconds(seconds)
}

/// CRC-32/ISO-HDLC, bit by bit, as the catalogue of parametrised CRC algorithms defines it.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
            },
        )
    })
}

/// The last six characters of a token, of what comes before them.
pub(crate) fn checksum(body: &str) -> String {
    let sum = u64::from(crc32(body.as_bytes()));
    let digit = |place: u32| usize::try_from(sum / 62_u64.pow(place) % 62).unwrap();
    (0..6).rev().map(|place| char::from(ALPHABET[digit(place)])).collect()
}

/// A token that nobody issued, right in every way that can be checked without a look-up.
pub(crate) fn forged(prefix: &str, id: &str, secret: &str) -> String {
    let body = format!("{prefix}_{id}_{secret}");
    format!("{body}{}", checksum(&body))
}

/// The parts of a token behind its prefix: id, secret, checksum.
pub(crate) fn parts(token: &str) -> (&str, &str, &str) {
    let (body, sum) = token.split_at(token.len() - 6);
    let (head, secret) = body.split_at(body.len() - 32);
    (&head[head.len() - 17..head.len() - 1], secret, sum)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
