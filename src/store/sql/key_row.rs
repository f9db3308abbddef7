//! A key in a row.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::event_row::seal;
use super::{Unreadable, breaks};
use crate::domain::{AccessKey, Field, IdSet, Invalid, KeyId, ResourceId, Revision, Scope, text, time};
use crate::store::{StoredDigest, StoredKey};

/// An expiry that is never: a value of its own in a column that is never null.
const EXPIRES_NEVER: i64 = i64::MAX;
const TABLE: &str = "keys";

/// The columns of a key without its secrets, as a database gives them.
pub(crate) struct KeyRow<'r> {
    pub(crate) id: &'r str,
    pub(crate) project: &'r str,
    pub(crate) environment: &'r str,
    pub(crate) name: &'r str,
    pub(crate) description: &'r str,
    pub(crate) agents: &'r str,
    pub(crate) prompts: &'r str,
    pub(crate) status: &'r str,
    pub(crate) expires_at: i64,
    pub(crate) revision: i64,
    pub(crate) created_at: i64,
    pub(crate) created_by: &'r str,
    pub(crate) updated_at: i64,
    pub(crate) origin: &'r str,
}

/// The columns of one secret.
pub(crate) struct SecretRow<'r> {
    pub(crate) digest: &'r str,
    pub(crate) generation: i64,
    pub(crate) issued_by: &'r str,
    pub(crate) ends_at: Option<i64>,
}

/// All that is stored of a key.
pub(crate) struct StoredRow<'r> {
    pub(crate) key: KeyRow<'r>,
    pub(crate) newest: SecretRow<'r>,
    pub(crate) older: Option<SecretRow<'r>>,
    pub(crate) last_event: &'r str,
    pub(crate) last_seal: &'r str,
}

impl KeyRow<'_> {
    pub(crate) fn read(&self) -> Result<AccessKey, Unreadable> {
        let id = parse::<KeyId>("id", self.id)?;
        self.read_rest(id).map_err(|unreadable| unreadable.of(id))
    }

    fn read_rest(&self, id: KeyId) -> Result<AccessKey, Unreadable> {
        let expires_at = match self.expires_at {
            EXPIRES_NEVER => None,
            micros => Some(moment("expires_at", micros)?),
        };
        let name = text::name(self.name).map_err(breaks(TABLE, "name"))?;
        let description =
            text::paragraph(Field::Description, self.description).map_err(breaks(TABLE, "description"))?;
        // Text that reads as another was not written by this crate.
        same("name", &name, self.name)?;
        same("description", &description, self.description)?;
        let key = AccessKey {
            id,
            project: parse("project", self.project)?,
            environment: parse("environment", self.environment)?,
            name,
            description,
            agents: scope("agents", self.agents)?,
            prompts: scope("prompts", self.prompts)?,
            status: parse("status", self.status)?,
            expires_at,
            revision: revision(TABLE, self.revision)?,
            created_at: moment("created_at", self.created_at)?,
            created_by: parse("created_by", self.created_by)?,
            updated_at: moment("updated_at", self.updated_at)?,
            origin: parse("origin", self.origin)?,
        };
        key.check().map_err(breaks(TABLE, "agents"))
    }
}

impl StoredRow<'_> {
    pub(crate) fn read(&self) -> Result<StoredKey, Unreadable> {
        let key = self.key.read()?;
        let id = key.id;
        self.read_rest(key).map_err(|unreadable| unreadable.of(id))
    }

    fn read_rest(&self, key: AccessKey) -> Result<StoredKey, Unreadable> {
        let mut digests = Vec::with_capacity(2);
        digests.push(self.newest.read(["digest", "generation", "issued_by"])?);
        if let Some(older) = &self.older {
            digests.push(older.read(["older_digest", "older_generation", "older_issued_by"])?);
        }
        let last_event = parse("last_event", self.last_event)?;
        let last_seal = seal(TABLE, "last_seal", self.last_seal)?;
        StoredKey::of_parts(key, digests, last_event, last_seal).map_err(breaks(TABLE, "older_digest"))
    }
}

impl SecretRow<'_> {
    fn read(&self, [digest, generation, issued_by]: [&'static str; 3]) -> Result<StoredDigest, Unreadable> {
        let ends_at = self.ends_at.map(|micros| moment("older_ends_at", micros)).transpose()?;
        StoredDigest::of_parts(self.digest, self.generation, ends_at, self.issued_by).map_err(|invalid| {
            let column = match invalid.field {
                Field::Generation => generation,
                Field::Operation => issued_by,
                _ => digest,
            };
            breaks(TABLE, column)(invalid)
        })
    }
}

/// What a search for a part of a name looks at.
pub(crate) fn search_text(name: &str) -> String {
    name.to_lowercase()
}

/// How an expiry is written.
pub(crate) fn expiry_micros(expires_at: Option<DateTime<Utc>>) -> i64 {
    expires_at.map_or(EXPIRES_NEVER, |time| time.timestamp_micros())
}

pub(super) fn revision(table: &'static str, number: i64) -> Result<Revision, Unreadable> {
    Revision::new(number.try_into().unwrap_or(0)).map_err(breaks(table, "revision"))
}

fn parse<T: FromStr<Err = Invalid>>(column: &'static str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(breaks(TABLE, column))
}

fn moment(column: &'static str, micros: i64) -> Result<DateTime<Utc>, Unreadable> {
    time::of_micros(micros).map_err(breaks(TABLE, column))
}

fn same(column: &'static str, read: &str, written: &str) -> Result<(), Unreadable> {
    if read == written { Ok(()) } else { Err(Unreadable::new(TABLE, column, "it reads as another text")) }
}

/// A scope in JSON: `"all"`, or an array of ids.
fn scope<T: ResourceId>(column: &'static str, json: &str) -> Result<Scope<T>, Unreadable> {
    if json == "\"all\"" {
        return Ok(Scope::All);
    }
    let ids = match plain_texts(json) {
        Some(texts) => texts.into_iter().map(str::parse).collect::<Result<Vec<T>, Invalid>>(),
        // The message of a parser might repeat what it could not read.
        None => serde_json::from_str::<Vec<Cow<'_, str>>>(json)
            .map_err(|_| Unreadable::new(TABLE, column, "it is no array of texts"))?
            .iter()
            .map(|text| text.parse())
            .collect(),
    };
    let ids = ids.map_err(breaks(TABLE, column))?;
    IdSet::of_list(ids).map(Scope::Specific).map_err(breaks(TABLE, column))
}

/// The texts of an array in JSON as this crate writes it, if none of them has anything escaped.
fn plain_texts(json: &str) -> Option<Vec<&str>> {
    let texts = json.strip_prefix("[\"")?.strip_suffix("\"]")?;
    if texts.contains('\\') {
        return None;
    }
    let mut parts = texts.split('"');
    let mut plain = vec![parts.next()?];
    while let Some(between) = parts.next() {
        plain.push(parts.next().filter(|_| between == ",")?);
    }
    Some(plain)
}
