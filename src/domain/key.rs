//! The record of a key.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quiet::Quiet;
use super::scope::check_reach;
use super::text::words;
use super::{
    Actor, AgentId, EnvironmentId, Field, IdSet, Invalid, KeyId, KeyState, ProjectId, PromptId, Rule, Scope,
    Status, text, time,
};

/// An access key: who may call which agents and prompts, where and until when.
///
/// Holds nothing secret, so it may be logged and sent to a page. It is a snapshot: changing a field of it
/// changes nothing but this copy.
///
/// In serde's self-describing formats, times are RFC 3339 with microseconds, `expires_at` may be `"never"`,
/// a scope is `"all"` or an array of ids. A record with an absent, null or unreadable field does not decode.
///
/// ```
/// use access_keys::{AccessKeys, Actor, AgentId, EnvironmentId, KeyInfo, ProjectId, Scope};
/// use access_keys::{KeyState, Status, store::MemoryStore};
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// let review = project.draft()
///     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
///     .agents(Scope::specific([AgentId::new("support-bot")?])?)
///     .prompts(Scope::none())?;
/// let key = project.generate(review).await?.key;
///
/// assert_eq!(key.name, "Mobile app");
/// assert_eq!(key.status, Status::Active);
/// assert_eq!(key.state(key.created_at), KeyState::Active);
/// assert_eq!(key.expires_at, None); // never
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Quiet<Unchecked>")]
#[non_exhaustive]
pub struct AccessKey {
    /// Its public name, part of its token.
    pub id: KeyId,
    /// Its owner.
    pub project: ProjectId,
    /// Where it is valid; never changes.
    pub environment: EnvironmentId,
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// What it is for, at most 1,000 characters; may be empty.
    pub description: String,
    /// The agents that it may call.
    pub agents: Scope<AgentId>,
    /// The prompts that it may call.
    pub prompts: Scope<PromptId>,
    /// What it was last set to.
    pub status: Status,
    /// The first moment at which it is refused; `None` is never.
    #[serde(with = "time::expiry")]
    pub expires_at: Option<DateTime<Utc>>,
    /// How often it was written; 1 when it is new.
    pub revision: Revision,
    /// When it was made.
    #[serde(with = "time")]
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: Actor,
    /// When it was last changed; `created_at` when it never was.
    #[serde(with = "time")]
    pub updated_at: DateTime<Utc>,
    /// How it came here.
    pub origin: Origin,
}

impl AccessKey {
    /// A record of no key, which reaches nothing.
    pub(crate) fn dummy() -> Self {
        let time = DateTime::UNIX_EPOCH;
        Self {
            id: KeyId::ZERO,
            project: ProjectId::of_checked("-"),
            environment: EnvironmentId::of_checked("-"),
            name: "-".to_owned(),
            description: String::new(),
            agents: Scope::none(),
            // A key that reached nothing at all would be none.
            prompts: Scope::Specific(IdSet::of_sorted(vec![PromptId::of_checked("-")])),
            status: Status::Revoked,
            expires_at: Some(time),
            revision: Revision::FIRST,
            created_at: time,
            created_by: Actor::of_checked("-", false),
            updated_at: time,
            origin: Origin::Generated,
        }
    }

    /// The rule for a whole record.
    pub(crate) fn check(self) -> Result<Self, Invalid> {
        check_reach(&self.agents, &self.prompts).map(|()| self)
    }

    /// What it is at `now`: its status, or expired.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> KeyState {
        match self.status {
            Status::Revoked => KeyState::Revoked,
            _ if self.expires_at.is_some_and(|end| end <= now) => KeyState::Expired,
            status => status.into(),
        }
    }
}

/// The serde form of an [`AccessKey`] before its rules were checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    id: KeyId,
    project: ProjectId,
    environment: EnvironmentId,
    #[serde(deserialize_with = "text::deserialize")]
    name: Name,
    #[serde(deserialize_with = "text::deserialize")]
    description: Description,
    agents: Scope<AgentId>,
    prompts: Scope<PromptId>,
    status: Status,
    #[serde(with = "time::expiry")]
    expires_at: Option<DateTime<Utc>>,
    revision: Revision,
    #[serde(with = "time")]
    created_at: DateTime<Utc>,
    created_by: Actor,
    #[serde(with = "time")]
    updated_at: DateTime<Utc>,
    origin: Origin,
}

struct Name(String);

impl FromStr for Name {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        text::name(given).map(Self)
    }
}

struct Description(String);

impl FromStr for Description {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        text::paragraph(Field::Description, given).map(Self)
    }
}

impl TryFrom<Quiet<Unchecked>> for AccessKey {
    type Error = Invalid;

    fn try_from(Quiet(read): Quiet<Unchecked>) -> Result<Self, Invalid> {
        Self {
            id: read.id,
            project: read.project,
            environment: read.environment,
            name: read.name.0,
            description: read.description.0,
            agents: read.agents,
            prompts: read.prompts,
            status: read.status,
            expires_at: read.expires_at,
            revision: read.revision,
            created_at: read.created_at,
            created_by: read.created_by,
            updated_at: read.updated_at,
            origin: read.origin,
        }
        .check()
    }
}

/// How often a key was written: 1 when it is new, one more with each change.
///
/// ```
/// use access_keys::Revision;
///
/// let first = Revision::FIRST;
/// assert_eq!("1".parse::<Revision>()?, first); // as a form sends it
/// assert!(first.next() > first);
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// The revision of a new key.
    pub const FIRST: Self = Self(1);

    /// The largest that is stored: what a signed 64-bit column holds.
    const MAX: u64 = i64::MAX.unsigned_abs();

    /// The revision with this number.
    ///
    /// # Errors
    /// [`Invalid`] for 0 and for more than 2⁶³ − 1.
    pub const fn new(number: u64) -> Result<Self, Invalid> {
        if number == 0 || number > Self::MAX {
            let rule = Rule::Range { min: 1, max: Self::MAX, given: number };
            return Err(Invalid::new(Field::Revision, rule));
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after this; the largest one has none but itself.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::MAX { Self(self.0 + 1) } else { self }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Revision {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        let unreadable = || {
            let rule = Rule::Unreadable { expected: "a number", given: given.len() };
            Invalid::new(Field::Revision, rule)
        };
        given.parse().map_err(|_| unreadable()).and_then(Self::new)
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize_number(deserializer, Self::new)
    }
}

words! {
    /// How a key came here.
    Origin (Field::Origin, "generated or imported") {
        /// It was generated here.
        Generated = "generated",
        /// Another system had issued its first token.
        Imported = "imported",
    }
}
