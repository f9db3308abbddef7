//! What proves an audit event, and the text of an event that it is computed of.

use std::fmt;
use std::str::FromStr;

use super::{
    AccessKey, AuditEvent, Field, FieldChange, IdSet, Invalid, ResourceId, Rule, Scope, ScopeChange, hex,
    text,
};

const KEYED: &str = "hmac-sha256/";
const PLAIN: &str = "sha256";

/// What proves an [`AuditEvent`]: a MAC over it and over the seal of the event before it of the same key.
///
/// With a [`Pepper`](crate::Pepper), whoever can write the database but has not the pepper can make none, so that an
/// event that was changed, removed or put elsewhere is found by
/// [`verify_history`](crate::ProjectKeys::verify_history). Without one a seal is a plain hash: it finds an accident,
/// and nothing that was done on purpose. It holds nothing secret.
///
/// Written as `hmac-sha256/`, the version of the pepper, `:` and 64 hexadecimal digits; or as `sha256:` and those.
///
/// ```
/// use access_keys::domain::Seal;
///
/// let seal: Seal = format!("hmac-sha256/3:{}", "0a".repeat(32)).parse()?;
/// assert_eq!(seal.pepper(), Some(3));
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seal {
    pepper: Option<u32>,
    mac: [u8; 32],
}

impl Seal {
    pub(crate) const fn new(pepper: Option<u32>, mac: [u8; 32]) -> Self {
        Self { pepper, mac }
    }

    /// The version of the pepper that made it; `None` for a plain hash.
    #[must_use]
    pub const fn pepper(&self) -> Option<u32> {
        self.pepper
    }

    pub(crate) const fn mac(&self) -> &[u8; 32] {
        &self.mac
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pepper {
            None => write!(f, "{PLAIN}:{}", hex::of(&self.mac)),
            Some(version) => write!(f, "{KEYED}{version}:{}", hex::of(&self.mac)),
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({self})")
    }
}

impl FromStr for Seal {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        let read = || {
            let (scheme, hex) = given.split_once(':')?;
            let pepper = match scheme.strip_prefix(KEYED) {
                None if scheme == PLAIN => None,
                None => return None,
                Some(version) => Some(version.parse().ok()?),
            };
            Some(Self { pepper, mac: hex::read(hex)? }).filter(|seal| seal.to_string() == given)
        };
        let rule = Rule::Unreadable { expected: "a seal and 64 hexadecimal digits", given: given.len() };
        read().ok_or_else(|| Invalid::new(Field::Seal, rule))
    }
}

text::serde_as_text!(Seal);

/// What a seal is computed of, each part with its length or its tag, so that no two events give the same bytes.
pub(crate) fn sealed_bytes(event: &AuditEvent, before: Option<&Seal>) -> Vec<u8> {
    // No key's id has a space, so this is never what a digest is computed of.
    let mut parts = Parts(b"access-keys event 1".to_vec());
    match before {
        None => parts.tag(0),
        Some(seal) => parts.tag(1).text(&seal.to_string()),
    };
    parts.text(event.id.as_str()).text(event.project.as_str()).text(event.key.as_str());
    parts.time(event.at).text(&event.actor.to_string()).text(event.action.as_str());
    parts.number(event.revision.get()).number(event.changes.len() as u64);
    for change in &event.changes {
        parts.change(change);
    }
    parts.optional_text(event.reason.as_deref());
    parts.optional_text(event.operation.as_ref().map(AsRef::as_ref));
    parts.0
}

struct Parts(Vec<u8>);

impl Parts {
    fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            None => self.tag(0),
            Some(text) => self.tag(1).text(text),
        }
    }

    fn time(&mut self, at: chrono::DateTime<chrono::Utc>) -> &mut Self {
        self.0.extend_from_slice(&at.timestamp_micros().to_be_bytes());
        self
    }

    fn expiry(&mut self, at: Option<chrono::DateTime<chrono::Utc>>) -> &mut Self {
        match at {
            None => self.tag(0),
            Some(at) => self.tag(1).time(at),
        }
    }

    fn ids<T: ResourceId>(&mut self, ids: &IdSet<T>) -> &mut Self {
        self.number(ids.len() as u64);
        for id in ids.iter() {
            self.text(id.as_ref());
        }
        self
    }

    fn scope<T: ResourceId>(&mut self, scope: &Scope<T>) -> &mut Self {
        match scope {
            Scope::All => self.tag(0),
            Scope::Specific(ids) => self.tag(1).ids(ids),
        }
    }

    fn scope_change<T: ResourceId>(&mut self, change: &ScopeChange<T>) -> &mut Self {
        match change {
            ScopeChange::Ids { added, removed } => self.tag(0).ids(added).ids(removed),
            ScopeChange::Whole { before, after } => self.tag(1).scope(before).scope(after),
        }
    }

    fn key(&mut self, key: &AccessKey) -> &mut Self {
        self.text(key.id.as_str()).text(key.project.as_str()).text(key.environment.as_str());
        self.text(&key.name).text(&key.description).scope(&key.agents).scope(&key.prompts);
        self.text(key.status.as_str()).expiry(key.expires_at).number(key.revision.get());
        self.time(key.created_at).text(&key.created_by.to_string()).time(key.updated_at);
        self.text(key.origin.as_str())
    }

    fn change(&mut self, change: &FieldChange) -> &mut Self {
        match change {
            FieldChange::Key(key) => self.tag(0).key(key),
            FieldChange::Name { before, after } => self.tag(1).text(before).text(after),
            FieldChange::Description { before, after } => self.tag(2).text(before).text(after),
            FieldChange::ExpiresAt { before, after } => self.tag(3).expiry(*before).expiry(*after),
            FieldChange::Agents(change) => self.tag(4).scope_change(change),
            FieldChange::Prompts(change) => self.tag(5).scope_change(change),
            FieldChange::Status { before, after } => self.tag(6).text(before.as_str()).text(after.as_str()),
            FieldChange::Secret { generation, old_secret_ends_at } => {
                self.tag(7).number((*generation).into()).time(*old_secret_ends_at)
            }
        }
    }
}
