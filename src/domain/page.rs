//! Pages of a list, and the place where the next one begins.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::quiet::Quiet;
use super::text::serde_as_text;
use super::{AccessKey, AuditEvent, Field, Invalid, Rule};

/// Some items of a list, and where to go on.
///
/// ```
/// use access_keys::{AccessKeys, Actor, KeyQuery, ProjectId, store::MemoryStore};
///
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// let mut query = KeyQuery::default().limit(100);
/// loop {
///     let page = project.list(query.clone()).await?;
///     for key in &page.items {
///         println!("{} {}", key.id, key.name);
///     }
///     let Some(next) = page.next else { break };
///     query = query.after(next);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, newest first; there may be fewer than the limit even when more pages follow.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last page.
    pub next: Option<Cursor>,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound = "T: DeserializeOwned")]
        struct Fields<T> {
            items: Vec<T>,
            #[serde(deserialize_with = "Option::deserialize")]
            next: Option<Cursor>,
        }

        let Quiet(Fields { items, next }) = Quiet::deserialize(deserializer)?;
        Ok(Self { items, next })
    }
}

impl<T> Page<T> {
    /// A page, as a store makes it.
    #[must_use]
    pub const fn new(items: Vec<T>, next: Option<Cursor>) -> Self {
        Self { items, next }
    }
}

impl<T: Clone> Page<T> {
    /// The first `limit` of `items` beyond `after`, newest first.
    pub(crate) fn cut<B: Borrow<T>>(
        items: impl IntoIterator<Item = B>,
        position: impl Fn(&T) -> Cursor,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Self {
        let mut found: Vec<(Cursor, B)> = items
            .into_iter()
            .map(|item| (position(item.borrow()), item))
            .filter(|(at, _)| after.is_none_or(|after| at < after))
            .collect();
        found.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(at, _)| *at);
        Self { items: found.into_iter().map(|(_, item)| item.borrow().clone()).collect(), next }
    }
}

/// A place in a list: that of one key or one audit event, by time and id.
///
/// It names a position, not a page number, so that pages stay stable while keys come. Written as text, it
/// can be sent to a page and back; it holds nothing secret. Cursors compare as positions: the larger comes
/// first in a list.
///
/// ```
/// use access_keys::Cursor;
///
/// let cursor: Cursor = "k.1893456000000000.7Hq2LkP9sTz4WcX1".parse()?;
/// assert_eq!(cursor.to_string(), "k.1893456000000000.7Hq2LkP9sTz4WcX1");
/// assert!("page-2".parse::<Cursor>().is_err());
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    list: List,
    micros: i64,
    id: [u8; 16],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum List {
    Keys,
    Events,
}

impl Cursor {
    /// The position of `key` in a list of keys.
    #[must_use]
    pub const fn of_key(key: &AccessKey) -> Self {
        Self { list: List::Keys, micros: key.created_at.timestamp_micros(), id: *key.id.bytes() }
    }

    /// The position of `event` in a history.
    #[must_use]
    pub const fn of_event(event: &AuditEvent) -> Self {
        Self { list: List::Events, micros: event.at.timestamp_micros(), id: *event.id.bytes() }
    }

    /// The position of the key with this creation time and id.
    #[cfg(any(feature = "sqlite-system", feature = "postgres"))]
    pub(crate) const fn among_keys(micros: i64, id: super::KeyId) -> Self {
        Self { list: List::Keys, micros, id: *id.bytes() }
    }

    /// The position of the event with this time and id.
    #[cfg(any(feature = "sqlite-system", feature = "postgres"))]
    pub(crate) const fn among_events(micros: i64, id: super::EventId) -> Self {
        Self { list: List::Events, micros, id: *id.bytes() }
    }

    /// The time of the item at this position.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// The id of the item at this position.
    #[must_use]
    pub fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default()
    }

    pub(crate) fn check_of_keys(self) -> Result<(), Invalid> {
        self.check(List::Keys, "is of a history, must be of a list of keys")
    }

    pub(crate) fn check_of_events(self) -> Result<(), Invalid> {
        self.check(List::Events, "is of a list of keys, must be of a history")
    }

    fn check(self, list: List, problem: &'static str) -> Result<(), Invalid> {
        if self.list == list {
            return Ok(());
        }
        Err(Invalid::new(Field::Cursor, Rule::Inconsistent { problem }))
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let list = match parts.next()? {
            "k" => List::Keys,
            "e" => List::Events,
            _ => return None,
        };
        let micros: i64 = parts.next()?.parse().ok()?;
        let id: [u8; 16] = parts.next()?.as_bytes().try_into().ok()?;
        let cursor = Self { list, micros, id };
        let whole = id.iter().all(u8::is_ascii_alphanumeric)
            && DateTime::from_timestamp_micros(micros).is_some()
            && cursor.to_string() == text;
        whole.then_some(cursor)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = match self.list {
            List::Keys => 'k',
            List::Events => 'e',
        };
        write!(f, "{list}.{}.{}", self.micros, self.id())
    }
}

impl FromStr for Cursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::read(text).ok_or_else(|| {
            let rule = Rule::Unreadable { expected: "a cursor of an earlier page", given: text.len() };
            Invalid::new(Field::Cursor, rule)
        })
    }
}

serde_as_text!(Cursor);
