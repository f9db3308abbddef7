//! The same job by hand: a `DashMap` of records, SHA-256 and `subtle`, as one would write it.
//!
//! Beside this library it lacks a second secret during a rotation, an answer for an unknown id that takes as long,
//! any bound on how old its knowledge is when another process changes a key, and all management.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use dashmap::DashMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::fixture::{ENVIRONMENT, Fixture, Key, PREFIX, PROJECT, foreign_agent};
use crate::peer::{Case, Check, Peer};

pub(crate) struct Record {
    project: String,
    environment: String,
    active: bool,
    expires_at: Option<DateTime<Utc>>,
    agents: HashSet<String>,
    digest: [u8; 32],
}

/// What a request keeps: its own, so that the map is not locked while the request is served.
struct Grant {
    _key: String,
    _project: String,
    _environment: String,
}

/// A token of the right form.
pub(crate) struct Presented<'t> {
    pub(crate) id: &'t str,
    pub(crate) digest: [u8; 32],
}

pub(crate) fn parse(token: &str) -> Option<Presented<'_>> {
    let rest = token.strip_prefix(PREFIX)?.strip_prefix('_')?;
    if rest.len() != 55 || !rest.is_ascii() {
        return None;
    }
    let (id, secret) = (&rest[..16], &rest[17..]);
    let base62 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !base62(id) || rest.as_bytes()[16] != b'_' || !base62(secret) {
        return None;
    }
    let (body, sum) = token.split_at(token.len() - 6);
    if self::base62(crc32fast::hash(body.as_bytes())) != sum.as_bytes() {
        return None;
    }
    Some(Presented { id, digest: Sha256::digest(&rest[..49]).into() })
}

impl Record {
    pub(crate) fn all(fixture: &Fixture) -> impl Iterator<Item = (String, Self)> {
        fixture.keys.iter().map(|key| (key.token[5..21].to_owned(), Self::new(key, &fixture.agents)))
    }

    fn new(key: &Key, agents: &[String]) -> Self {
        Self {
            project: PROJECT.to_owned(),
            environment: key.environment.to_owned(),
            active: key.active,
            expires_at: Some(key.expires_at),
            agents: agents.iter().cloned().collect(),
            digest: Sha256::digest(&key.token[5..54]).into(),
        }
    }

    pub(crate) fn allows(&self, presented: &Presented<'_>, environment: &str, agent: &str) -> bool {
        bool::from(presented.digest.ct_eq(&self.digest))
            && self.active
            && self.environment == environment
            && self.expires_at.is_none_or(|end| end > Utc::now())
            && self.agents.contains(agent)
    }
}

/// CRC-32 as six digits, most significant first.
pub(crate) fn base62(mut rest: u32) -> [u8; 6] {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

struct Owned(DashMap<String, Record>);

impl Owned {
    fn verify(&self, token: &str, environment: &str, agent: &str) -> Option<Grant> {
        let presented = parse(token)?;
        let record = self.0.get(presented.id)?;
        record.allows(&presented, environment, agent).then(|| Grant {
            _key: presented.id.to_owned(),
            _project: record.project.clone(),
            _environment: record.environment.clone(),
        })
    }
}

impl Check for Owned {
    const NAME: &'static str = "dashmap";
    type Agent = String;

    fn accepts(&self, token: &str, agent: &String) -> bool {
        black_box(self.verify(token, ENVIRONMENT, agent)).is_some()
    }
}

/// The same with records that are shared: what a request keeps is one more count of the record.
struct Shared(DashMap<String, Arc<Record>>);

impl Shared {
    fn verify(&self, token: &str, environment: &str, agent: &str) -> Option<Arc<Record>> {
        let presented = parse(token)?;
        let record = Arc::clone(&*self.0.get(presented.id)?);
        record.allows(&presented, environment, agent).then_some(record)
    }
}

impl Check for Shared {
    const NAME: &'static str = "dashmap_of_arcs";
    type Agent = String;

    fn accepts(&self, token: &str, agent: &String) -> bool {
        black_box(self.verify(token, ENVIRONMENT, agent)).is_some()
    }
}

pub(crate) fn peer(fixture: &Fixture) -> Box<dyn Peer> {
    proved(Owned(Record::all(fixture).collect()), fixture)
}

pub(crate) fn peer_of_arcs(fixture: &Fixture) -> Box<dyn Peer> {
    proved(Shared(Record::all(fixture).map(|(id, record)| (id, Arc::new(record))).collect()), fixture)
}

fn proved(check: impl Check<Agent = String>, fixture: &Fixture) -> Box<dyn Peer> {
    let case = Case { check, good: fixture.good(), agent: fixture.agents[3].clone() };
    case.proved(&foreign_agent(), &fixture.bad_in_a_table())
}
