//! The change feed: the events in the order in which they were committed.
//!
//! Each event draws its number under a lock that its transaction holds until it has committed, in a trigger of the
//! table, so that no lower number can appear after a higher one was seen, whoever writes.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::ask::Ask;
use super::problem::Problem;
use super::runner::{Runner, SEAL, sealed};
use crate::domain::time;
use crate::store::sql::{BEHIND_MAX, Columns, Entry, Head, Unreadable, breaks};
use crate::store::{BoxError, ChangeCursor, Changes, StoreError};

/// The columns of a state. Part of the incarnation is the timeline of the server: a standby that was promoted may lack
/// what was the last to be acknowledged, also a longer limit, which nodes may still follow.
macro_rules! state {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::int8, \
         (timeline = current_timeline)::int4::int8, incarnation || current_timeline, max_staleness, \
         CASE WHEN timeline = current_timeline THEN drained_at ELSE 253402300799999999 END, event.seq, event.id"
    };
}
macro_rules! of_settings {
    () => {
        " FROM @settings CROSS JOIN LATERAL (SELECT CASE WHEN pg_is_in_recovery() THEN '00000000' \
         ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS current_timeline) AS server"
    };
}

pub(super) const HEAD: &str = concat!(
    sealed!(),
    state!(),
    of_settings!(),
    " LEFT JOIN LATERAL (SELECT seq, id FROM @events ORDER BY seq DESC LIMIT 1) AS event ON true WHERE one = 1"
);
pub(super) const HEAD_TYPES: &[Type] = &[Type::INT8];
/// The event of the cursor comes first, if it is still in the history. One more than [`BEHIND_MAX`] besides.
pub(super) const SINCE: &str = concat!(
    sealed!(),
    state!(),
    ", event.key",
    of_settings!(),
    " LEFT JOIN LATERAL (SELECT seq, id, key FROM @events WHERE seq >= $2 ORDER BY seq LIMIT 10002) AS event \
     ON true WHERE one = 1 ORDER BY event.seq"
);
pub(super) const SINCE_TYPES: &[Type] = &[Type::INT8, Type::INT8];
const _: () = assert!(BEHIND_MAX == 10_000);

/// How many columns come before those of the head.
const BEFORE_HEAD: usize = SEAL + 2;
/// How many columns come before those of the event.
const BEFORE_EVENT: usize = BEFORE_HEAD + 3;

/// Where the feed stands by the clock of the server.
struct State {
    head: Head,
    now: DateTime<Utc>,
    /// Whether the settings are of the timeline that the server is on.
    is_of_timeline: bool,
}

/// What changed.
pub(super) async fn changes(runner: &Runner, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
    // Usually nothing moved, and it is all that is asked.
    let rows = runner.read(Ask::Head, &[]).await?;
    let State { head, now, is_of_timeline } = state(&rows).map_err(StoreError::backend)?;
    if !is_of_timeline {
        // Whoever may not write leaves it to others. Until then all announce the longest.
        drop(runner.write(Ask::Adopt, &[]).await);
    }
    let Some(since) = since else { return Ok(head.everything(now)) };
    if *since == head.cursor() {
        return Ok(head.since(Vec::new(), now));
    }
    let Some(place) = head.place(since) else { return Ok(head.everything(now)) };
    let first = place.map_or(1, |(seq, _)| seq);
    let rows = runner.read(Ask::Since, &[&first]).await?;
    let later = state(&rows).map_err(StoreError::backend)?;
    let entries = rows.iter().map(|row| Columns::new(row, "events").after(BEFORE_EVENT).entry());
    // Of one snapshot with what it names. What a node forgets before it asks again may be of an earlier one.
    let changes = match later.head.place(since).and_then(|place| Entry::after(place, entries)) {
        Some(ids) => later.head.since(ids, later.now),
        None => head.everything(now),
    };
    Ok(changes)
}

fn state(rows: &[Row]) -> Result<State, BoxError> {
    let row = rows.last().ok_or(Problem::NoSettings)?;
    let mut columns = Columns::new(row, "settings").after(SEAL);
    let read = || -> Result<State, Unreadable> {
        let now = time::of_micros(columns.number("now")?).map_err(breaks("settings", "now"))?;
        let is_of_timeline = columns.number("timeline")? == 1;
        Ok(State { head: Head::of(&mut columns)?, now, is_of_timeline })
    };
    let mut read = read;
    Ok(read()?)
}
