//! Reading a report.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::presented::without;
use crate::domain::{Field, Invalid, Rule, Unit};
use crate::token::Presented;

/// The longest body, in bytes.
const BODY_MAX: usize = 4 << 20;
/// The most entries.
const ENTRIES_MAX: usize = 10_000;
/// The longest type, address or source that is kept, in bytes.
const TEXT_MAX: usize = 2_048;

/// What a secret scanner found, in the form in which GitHub sends it.
///
/// ```
/// use access_keys::leak::Report;
///
/// let body = br#"[{"token": "NMIfyYncKcRALEXAMPLE", "type": "acme_access_key", "url": "", "source": "content"}]"#;
/// let report = Report::parse(body)?;
/// assert_eq!(report.entries().len(), 1);
/// assert!(!report.entries()[0].may_be_ours());
/// assert!(Report::parse(b"a page, perhaps").is_err());
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Debug)]
pub struct Report {
    entries: Vec<Entry>,
}

impl Report {
    /// Reads the body of a request. What an entry has besides the known fields is skipped, and an entry that cannot be
    /// read is kept as such.
    ///
    /// # Errors
    /// [`Invalid`] for a body of more than 4 MiB, of more than 10,000 entries, or that is no JSON array.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        let too_long = |max, unit, given| {
            if given <= max { Ok(()) } else { Err(invalid(Rule::Length { min: 0, max, unit, given })) }
        };
        too_long(BODY_MAX, Unit::Bytes, body.len())?;
        let (mut entries, mut more) = (Vec::new(), 0);
        let mut reading = serde_json::Deserializer::from_slice(body);
        let read = Entries { entries: &mut entries, more: &mut more }.deserialize(&mut reading);
        let read = read.and_then(|()| reading.end());
        too_long(ENTRIES_MAX, Unit::Entries, entries.len() + more)?;
        // The message of the format might repeat what was given.
        let rule = Rule::Unreadable { expected: "a JSON array", given: body.len() };
        read.map_err(|_| invalid(rule))?;
        Ok(Self { entries })
    }

    /// What was found, in the order of the report.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

const fn invalid(rule: Rule) -> Invalid {
    Invalid::new(Field::Report, rule)
}

/// One find of a report.
///
/// `Debug` shows nothing that was sent.
#[derive(Default)]
pub struct Entry {
    /// Kept only where it has the form of a token.
    pub(super) token: Option<Zeroizing<String>>,
    /// The SHA-256 of what was sent, in hexadecimal; `None` where no text was.
    pub(super) hash: Option<String>,
    token_type: Option<String>,
    url: Option<String>,
    source: Option<String>,
}

impl Entry {
    /// What the one who reports calls tokens of this kind.
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    /// Where it was found; whoever wrote there chose the text.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// In what it was found, for example `commit`.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Whether what was found has the form of a token, its checksum included.
    #[must_use]
    pub const fn may_be_ours(&self) -> bool {
        self.token.is_some()
    }

    fn of(raw: Raw) -> Self {
        let [token, token_type, url, source] = raw.0;
        let Some(sent) = token.map(Zeroizing::new) else { return Self::default() };
        let hash = Sha256::digest(sent.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        // What a pattern took along before and behind it.
        let text = sent.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let token = Presented::read_any(text.as_bytes()).map(|_| Zeroizing::new(text.to_owned()));
        let told = |told: Option<String>| {
            let told = told.filter(|told| (1..=TEXT_MAX).contains(&told.len()))?;
            Some(token.as_ref().map_or_else(|| told.clone(), |token| without(&told, token)))
        };
        let (token_type, url, source) = (told(token_type), told(url), told(source));
        Self { hash: Some(hash), token_type, url, source, token }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("may_be_ours", &self.may_be_ours()).finish_non_exhaustive()
    }
}

/// The entries that are kept, and how many more there are.
struct Entries<'e> {
    entries: &'e mut Vec<Entry>,
    more: &'e mut usize,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while self.entries.len() < ENTRIES_MAX {
            // Read on its own, so that what cannot be read in it ends it and not the report.
            let Some(raw) = seq.next_element::<&RawValue>()? else { return Ok(()) };
            self.entries.push(serde_json::from_str(raw.get()).map_or_else(|_| Entry::default(), Entry::of));
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            *self.more += 1;
        }
        Ok(())
    }
}

/// The fields of one entry: token, type, url, source. What is no text is as if it were not there.
#[derive(Default)]
struct Raw([Option<String>; 4]);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut raw = Raw::default();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<&RawValue>()?;
            let place = ["token", "type", "url", "source"].iter().position(|known| *known == name);
            if let Some(field) = place.and_then(|place| raw.0.get_mut(place)) {
                *field = serde_json::from_str(value.get()).ok();
            }
        }
        Ok(raw)
    }
}
