//! What a store keeps of a key.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::quiet::{Quiet, read_quietly};
use crate::domain::{
    AccessKey, AuditEvent, EventId, Field, Invalid, OperationId, Revision, Rule, Seal, text, time,
};
use crate::token::{Digest, Scheme};

/// A key as a store keeps it: the record, the digests of its secrets, and the id of its last event.
///
/// Only the library makes one; a store keeps it and gives it back. Its serde form is versioned and readable
/// by every later version. A form of which a field is absent, null, unknown or unreadable does not decode,
/// nor does one of a version that is not known here: it could say less than it means.
///
/// Cheap to clone. `Debug` shows no digest.
///
/// ```
/// use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope};
/// use access_keys::store::{KeyStore, MemoryStore, StoredKey};
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// let issued = project.generate(review).await?;
/// let stored = keys.store().get(issued.key.id).await?.expect("it was just stored");
/// assert_eq!(*stored.key(), issued.key);
///
/// let blob = serde_json::to_vec(&stored)?; // one column of a document store
/// assert_eq!(serde_json::from_slice::<StoredKey>(&blob)?, stored);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Quiet<Unchecked>")]
pub struct StoredKey(Arc<Record>);

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Record {
    version: Version,
    key: AccessKey,
    digests: Vec<StoredDigest>,
    last_event: EventId,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seal: Option<Seal>,
}

impl StoredKey {
    pub(crate) fn new(
        key: AccessKey,
        digests: Vec<StoredDigest>,
        last_event: EventId,
        last_seal: Option<Seal>,
    ) -> Self {
        let version = last_seal.map_or(Version::PLAIN, |_| Version::SEALED);
        Self(Arc::new(Record { version, key, digests, last_event, last_seal }))
    }

    /// A key as `event` tells of it.
    pub(crate) fn told_by(key: AccessKey, digests: Vec<StoredDigest>, event: &AuditEvent) -> Self {
        Self::new(key, digests, event.id, event.seal)
    }

    /// What was read of a key. Consistent are a secret that does not end and at most one before it that does.
    pub(crate) fn of_parts(
        key: AccessKey,
        digests: Vec<StoredDigest>,
        last_event: EventId,
        last_seal: Option<Seal>,
    ) -> Result<Self, Invalid> {
        let consistent = match digests.as_slice() {
            [newest] => newest.ends_at.is_none(),
            [newest, older] => {
                newest.ends_at.is_none() && older.ends_at.is_some() && newest.generation > older.generation
            }
            _ => false,
        };
        if !consistent {
            let problem = "must be that of the current secret and at most one that ends";
            return Err(Invalid::new(Field::Digest, Rule::Inconsistent { problem }));
        }
        Ok(Self::new(key, digests, last_event, last_seal))
    }

    /// A record of no key, with a digest that nothing has: what is met in place of a key that does not exist.
    pub(crate) fn dummy(digest: Digest) -> Self {
        Self::new(AccessKey::dummy(), vec![StoredDigest::new(digest, 1, None)], EventId::ZERO, None)
    }

    /// The record, which holds nothing secret.
    #[must_use]
    pub fn key(&self) -> &AccessKey {
        &self.0.key
    }

    /// What is known of its secrets, the newest first: one or two.
    #[must_use]
    pub fn digests(&self) -> &[StoredDigest] {
        &self.0.digests
    }

    /// The event that tells of its last change.
    #[must_use]
    pub fn last_event(&self) -> EventId {
        self.0.last_event
    }

    /// The seal of that event; `None` where it has none, as those of an earlier version of this crate.
    #[must_use]
    pub fn last_seal(&self) -> Option<Seal> {
        self.0.last_seal
    }

    /// Its revision, the `expected` of the next update.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.0.key.revision
    }
}

impl Serialize for StoredKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    version: Version,
    key: AccessKey,
    digests: Vec<StoredDigest>,
    last_event: EventId,
    #[serde(default, deserialize_with = "deserialize_seal")]
    last_seal: Option<Seal>,
}

impl TryFrom<Quiet<Unchecked>> for StoredKey {
    type Error = Invalid;

    fn try_from(Quiet(read): Quiet<Unchecked>) -> Result<Self, Invalid> {
        let Unchecked { version, key, digests, last_event, last_seal } = read;
        if last_seal.is_some() != (version == Version::SEALED) {
            let problem = "is there in version 2 and no other";
            return Err(Invalid::new(Field::Seal, Rule::Inconsistent { problem }));
        }
        Self::of_parts(key, digests, last_event, last_seal)
    }
}

/// What is stored of one secret of a key. The digest itself is only ever written and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredDigest {
    pub(crate) digest: Digest,
    generation: u32,
    #[serde(with = "time::expiry")]
    ends_at: Option<DateTime<Utc>>,
    issued_by: IssuedBy,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    StoredDigest {
        digest: Digest,
        #[serde(deserialize_with = "deserialize_generation")]
        generation: u32,
        #[serde(with = "time::expiry")]
        ends_at: Option<DateTime<Utc>>,
        issued_by: IssuedBy,
    }
}

impl StoredDigest {
    pub(crate) fn new(digest: Digest, generation: u32, operation: Option<OperationId>) -> Self {
        Self { digest, generation, ends_at: None, issued_by: IssuedBy(operation) }
    }

    pub(crate) fn ending(&self, ends_at: DateTime<Utc>) -> Self {
        Self { ends_at: Some(ends_at), ..self.clone() }
    }

    /// What was read of a secret.
    #[cfg(any(feature = "sqlite-system", feature = "postgres"))]
    pub(crate) fn of_parts(
        digest: &str,
        generation: i64,
        ends_at: Option<DateTime<Utc>>,
        issued_by: &str,
    ) -> Result<Self, Invalid> {
        let generation = check_generation(generation.try_into().unwrap_or(0))?;
        Ok(Self { digest: digest.parse()?, generation, ends_at, issued_by: issued_by.parse()? })
    }

    /// How its digest and its issuer are written.
    #[cfg(any(feature = "sqlite-system", feature = "postgres"))]
    pub(crate) fn texts(&self) -> [String; 2] {
        [self.digest.to_text(), self.issued_by.to_string()]
    }

    /// How it was computed.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.digest.scheme
    }

    /// Which secret of the key it is of: 1 for the first, one more with each new one.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The first moment at which the secret is refused: the end of a rotation's grace, `None` for the
    /// current one.
    #[must_use]
    pub const fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.ends_at
    }

    /// The operation that issued the secret.
    #[must_use]
    pub const fn operation(&self) -> Option<&OperationId> {
        self.issued_by.0.as_ref()
    }
}

fn deserialize_generation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    text::deserialize_number(deserializer, check_generation)
}

fn check_generation(given: u64) -> Result<u32, Invalid> {
    let rule = Rule::Range { min: 1, max: u32::MAX.into(), given };
    u32::try_from(given).ok().filter(|n| *n > 0).ok_or(Invalid::new(Field::Generation, rule))
}

/// Who issued a secret: `call`, or `operation:` and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
struct IssuedBy(Option<OperationId>);

impl fmt::Display for IssuedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("call"),
            Some(operation) => write!(f, "operation:{operation}"),
        }
    }
}

impl FromStr for IssuedBy {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        match given.split_once(':') {
            Some(("operation", id)) => OperationId::new(id).map(|id| Self(Some(id))),
            None if given == "call" => Ok(Self(None)),
            _ => {
                let rule = Rule::Unreadable { expected: "call or operation:…", given: given.len() };
                Err(Invalid::new(Field::Operation, rule))
            }
        }
    }
}

text::serde_as_text!(IssuedBy);

fn deserialize_seal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seal>, D::Error> {
    Seal::deserialize(deserializer).map(Some)
}

/// The version of the stored form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(u64);

impl Version {
    /// Without a seal.
    const PLAIN: Self = Self(1);
    const SEALED: Self = Self(2);
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize_number(deserializer, |given| match given {
            1..=2 => Ok(Self(given)),
            _ => Err(Invalid::new(Field::Version, Rule::Range { min: 1, max: 2, given })),
        })
    }
}
