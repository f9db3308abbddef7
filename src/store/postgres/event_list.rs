//! A page of what was done in a project.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::ask::Ask;
use super::paging::{Position, page};
use super::runner::{Runner, SEAL, sealed};
use crate::domain::{AuditEvent, AuditQuery, Cursor, EventId, Page, ProjectId};
use crate::store::StoreError;
use crate::store::sql::{Columns, Unreadable, breaks, event_columns, operation_text};

/// $1 question, $2 project, $3 and $4 position, $5 limit and one more, then the filters: as for the keys.
macro_rules! events {
    ($of:literal, $also:literal) => {
        concat!(
            "WITH shown AS MATERIALIZED (SELECT seq, id, at FROM (SELECT seq, id, at, ",
            $also,
            " AND ($7 IS NULL OR actor = $7) ",
            "AND ($8 IS NULL OR action = $8) AND ($9 IS NULL OR operation = $9) AS may_match FROM @events WHERE ",
            $of,
            " AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT 10000) AS looked_at ",
            // Null where a column that it looks at is null.
            "WHERE may_match IS NOT FALSE LIMIT $5), ",
            "stopped AS MATERIALIZED (SELECT seq, id, at FROM (SELECT seq, id, at FROM @events WHERE ",
            $of,
            " AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT 1 OFFSET 9999) AS looked_at ",
            "WHERE (SELECT count(*) FROM shown) < $5) ",
            sealed!(),
            "place_id, place_at, stopped, ",
            event_columns!(),
            " FROM (VALUES (1)) AS one LEFT JOIN (SELECT seq, id, at, 0::int8 FROM shown UNION ALL ",
            "SELECT seq, id, at, 1::int8 FROM stopped) AS place (place_seq, place_id, place_at, stopped) ON true ",
            // Whatever the server thinks of how many there are, each by its index.
            "LEFT JOIN LATERAL (SELECT * FROM @events WHERE seq = place_seq LIMIT 1) AS found ON true ",
            "ORDER BY stopped, place_at DESC, place_id DESC"
        )
    };
}

pub(super) const EVENTS: &str = events!("project = $2", "$6 IS NULL");
pub(super) const EVENTS_OF_KEY: &str = events!("key = $6", "project = $2");
pub(super) const TYPES: &[Type] = &[
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
];
/// How many columns come before those of the event.
const BEFORE_EVENT: usize = SEAL + 3;

pub(super) async fn history(
    runner: &Runner,
    project: &ProjectId,
    query: &AuditQuery,
) -> Result<Page<AuditEvent>, StoreError> {
    let after = query.after.as_ref();
    let ask = if query.key.is_some() { Ask::EventsOfKey } else { Ask::Events };
    let rows = runner
        .read(
            ask,
            &[
                &project.as_str(),
                &after.map_or(i64::MAX, |after| after.at().timestamp_micros()),
                &after.map_or("", Cursor::id),
                &i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1),
                &query.key.as_ref().map(|key| key.as_str()),
                &query.actor.as_ref().map(ToString::to_string),
                &query.action.map(|action| action.as_str()),
                &query.operation.as_ref().map(|operation| operation_text(Some(operation))),
            ],
        )
        .await?;
    let read = |row: &Row, ()| {
        let event = Columns::new(row, "events").after(BEFORE_EVENT).event()?;
        Ok((event.project == *project && query.matches(&event)).then_some(event))
    };
    page(&rows, query.limit, position, read).map_err(StoreError::backend)
}

fn position(row: &Row) -> Result<Option<Position<()>>, Unreadable> {
    let mut columns = Columns::new(row, "events").after(SEAL);
    let Some(id) = columns.optional_text("id")? else { return Ok(None) };
    let id = id.parse::<EventId>().map_err(breaks("events", "id"))?;
    let at = Cursor::among_events(columns.number("at")?, id);
    Ok(Some(((), at, columns.number("stopped")? == 1)))
}
