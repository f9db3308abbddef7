//! The change feed: the events in the order in which they were committed.
//!
//! A writer holds the only lock for writing from before it draws its number until it has committed, so that no
//! lower number can appear after a higher one was seen.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::columns::Columns;
use super::problem::{Problem, Result};
use crate::clock::Clock;
use crate::domain::{EventId, KeyId, time};
use crate::store::limit::check_limit;
use crate::store::sql::{Unreadable, breaks};
use crate::store::{ChangeCursor, Changes, FeedState};

/// More changes behind than this, and it is cheaper to forget all.
const BEHIND_MAX: usize = 10_000;
pub(super) const INCARNATION_LEN: usize = 32;
/// As long as any limit can take to be followed no more: 1.1 times the longest.
pub(super) const DRAINED_IN_MAX: Duration = Duration::from_secs(66);

pub(super) const HEAD: &str = "SELECT incarnation, max_staleness, drained_at, \
    (SELECT max(seq) FROM events), (SELECT id FROM events WHERE seq = (SELECT max(seq) FROM events)) \
    FROM settings WHERE one = 1";
/// The event of the cursor comes first, if it is still in the history.
pub(super) const SINCE: &str = "SELECT seq, id, key FROM events WHERE seq >= ?1 ORDER BY seq LIMIT ?2";

/// Where the feed stands, and the limit, as of one snapshot.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Head {
    incarnation: String,
    limit: Duration,
    drained_at: DateTime<Utc>,
    /// The last event; `None` before the first.
    last: Option<(i64, EventId)>,
}

impl Head {
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let mut statement = connection.prepare_cached(HEAD)?;
        let mut rows = statement.query([])?;
        let row = rows.next()?.ok_or(Problem::NoSettings)?;
        Ok(Self::of(row)?)
    }

    fn of(row: &Row<'_>) -> std::result::Result<Self, Unreadable> {
        let mut columns = Columns::new(row, "settings");
        let incarnation = columns.text("incarnation")?.to_owned();
        if incarnation.len() != INCARNATION_LEN || !incarnation.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Unreadable::new("settings", "incarnation", "it is not 32 letters and digits"));
        }
        let limit = columns.number("max_staleness")?;
        let limit = Duration::from_micros(limit.try_into().unwrap_or(u64::MAX));
        check_limit(limit).map_err(breaks("settings", "max_staleness"))?;
        let drained_at =
            time::of_micros(columns.number("drained_at")?).map_err(breaks("settings", "drained_at"))?;
        let seq = columns.optional_number("seq")?;
        // An id that cannot be read is none that a cursor could name: whoever asks is told to forget all.
        let id = columns.optional_text("id").ok().flatten().and_then(|id| id.parse().ok());
        let last = seq.map(|seq| (seq, id.unwrap_or(EventId::ZERO)));
        Ok(Self { incarnation, limit, drained_at, last })
    }

    pub(super) const fn limit(&self) -> Duration {
        self.limit
    }

    fn cursor(&self) -> ChangeCursor {
        let mut bytes = self.incarnation.clone().into_bytes();
        if let Some((seq, id)) = self.last {
            bytes.extend(seq.to_be_bytes());
            bytes.extend(id.bytes());
        }
        ChangeCursor::new(bytes)
    }

    fn state(&self, now: DateTime<Utc>) -> FeedState {
        // A clock that was set back makes nothing last longer than it could.
        let drained_in = time::until(self.drained_at, now).min(DRAINED_IN_MAX);
        FeedState::new(Some(now), self.limit, drained_in)
    }

    fn since(&self, ids: Vec<KeyId>, now: DateTime<Utc>) -> Changes {
        Changes::Since { ids, next: self.cursor(), state: self.state(now) }
    }

    /// The event that a cursor of this incarnation names: `Some(None)` for one from before the first event.
    fn place(&self, cursor: &ChangeCursor) -> Option<Option<(i64, EventId)>> {
        let place = cursor.as_bytes().strip_prefix(self.incarnation.as_bytes())?;
        if place.is_empty() {
            return Some(None);
        }
        let (seq, id) = place.split_first_chunk::<8>()?;
        let id = EventId::from_base62(id.try_into().ok()?)?;
        Some(Some((i64::from_be_bytes(*seq), id)))
    }
}

/// What changed, and where the feed stands.
pub(super) fn changes(
    connection: &mut Connection,
    since: Option<&ChangeCursor>,
    clock: &dyn Clock,
) -> Result<(Changes, Head)> {
    // One statement is a snapshot of its own. Usually nothing moved, and it is all that is asked.
    let head = Head::read(connection)?;
    let now = clock.wall();
    if since.is_some_and(|cursor| *cursor == head.cursor()) {
        return Ok((head.since(Vec::new(), now), head));
    }
    let snapshot = connection.transaction()?;
    let head = Head::read(&snapshot)?;
    let now = clock.wall();
    let ids = match since.and_then(|cursor| head.place(cursor)) {
        Some(place) => missed(&snapshot, place)?,
        None => None,
    };
    snapshot.commit()?;
    let everything = || Changes::Everything { next: head.cursor(), state: head.state(now) };
    Ok((ids.map_or_else(everything, |ids| head.since(ids, now)), head))
}

/// The keys that were changed after a place; `None` if that is not known here or too far behind.
fn missed(connection: &Connection, place: Option<(i64, EventId)>) -> Result<Option<Vec<KeyId>>> {
    let mut statement = connection.prepare_cached(SINCE)?;
    let most = i64::try_from(BEHIND_MAX + 2)?;
    let mut rows = statement.query([place.map_or(1, |(seq, _)| seq), most])?;
    if let Some(place) = place {
        match rows.next()?.map(entry) {
            Some(Ok((seq, id, _))) if (seq, id) == place => {}
            _ => return Ok(None),
        }
    }
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        // One event that cannot be read would else make every key unavailable for good.
        let Ok((_, _, id)) = entry(row) else { return Ok(None) };
        ids.push(id);
    }
    Ok((ids.len() <= BEHIND_MAX).then_some(ids))
}

fn entry(row: &Row<'_>) -> std::result::Result<(i64, EventId, KeyId), Unreadable> {
    let mut columns = Columns::new(row, "events");
    let seq = columns.number("seq")?;
    let id = columns.text("id")?.parse().map_err(breaks("events", "id"))?;
    let key = columns.text("key")?.parse().map_err(breaks("events", "key"))?;
    Ok((seq, id, key))
}
