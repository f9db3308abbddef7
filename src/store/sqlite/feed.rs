//! The change feed: the events in the order in which they were committed.
//!
//! A writer holds the only lock for writing from before it draws its number until it has committed, so that no
//! lower number can appear after a higher one was seen.

use rusqlite::Connection;

use super::problem::{Problem, Result};
use crate::clock::Clock;
use crate::domain::{EventId, KeyId};
use crate::store::sql::{BEHIND_MAX, Columns, Entry, Head};
use crate::store::{ChangeCursor, Changes};

pub(super) const HEAD: &str = "SELECT incarnation, max_staleness, drained_at, \
    (SELECT max(seq) FROM events), (SELECT id FROM events WHERE seq = (SELECT max(seq) FROM events)) \
    FROM settings WHERE one = 1";
/// The event of the cursor comes first, if it is still in the history.
pub(super) const SINCE: &str = "SELECT seq, id, key FROM events WHERE seq >= ?1 ORDER BY seq LIMIT ?2";

/// Where the feed stands, and the limit, as of one snapshot.
pub(super) fn head(connection: &Connection) -> Result<Head> {
    let mut statement = connection.prepare_cached(HEAD)?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(Problem::NoSettings)?;
    Ok(Head::of(&mut Columns::new(row, "settings"))?)
}

/// What changed, and where the feed stands.
pub(super) fn changes(
    connection: &mut Connection,
    since: Option<&ChangeCursor>,
    clock: &dyn Clock,
) -> Result<(Changes, Head)> {
    // One statement is a snapshot of its own. Usually nothing moved, and it is all that is asked.
    let found = head(connection)?;
    let now = clock.wall();
    if since.is_some_and(|cursor| *cursor == found.cursor()) {
        return Ok((found.since(Vec::new(), now), found));
    }
    let snapshot = connection.transaction()?;
    let head = head(&snapshot)?;
    let now = clock.wall();
    let ids = match since.and_then(|cursor| head.place(cursor)) {
        Some(place) => missed(&snapshot, place)?,
        None => None,
    };
    snapshot.commit()?;
    let changes = ids.map_or_else(|| head.everything(now), |ids| head.since(ids, now));
    Ok((changes, head))
}

/// The keys that were changed after a place; `None` if that is not known here or too far behind.
fn missed(connection: &Connection, place: Option<(i64, EventId)>) -> Result<Option<Vec<KeyId>>> {
    let mut statement = connection.prepare_cached(SINCE)?;
    let most = i64::try_from(BEHIND_MAX + 2)?;
    let mut rows = statement.query([place.map_or(1, |(seq, _)| seq), most])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(Columns::new(row, "events").entry());
    }
    Ok(Entry::after(place, entries))
}
