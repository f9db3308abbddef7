//! A page of what was done in a project.

use rusqlite::{Connection, Row, named_params};

use super::problem::Result;
use crate::domain::{AuditEvent, AuditQuery, Cursor, EventId, Page, ProjectId};
use crate::store::sql::{Columns, breaks, event_columns, operation_text};

/// How many events one page looks at.
const LOOKS_AT: i64 = 10_000;

macro_rules! positions {
    ($index:literal, $of:literal, $also:literal) => {
        concat!(
            "SELECT id, at, seq, ",
            $also,
            " AND (:actor IS NULL OR actor = :actor) AND (:action IS NULL OR action = :action) ",
            "AND (:operation IS NULL OR operation = :operation) ",
            "FROM events INDEXED BY ",
            $index,
            " WHERE ",
            $of,
            " AND (at, id) < (:at, :id) ORDER BY at DESC, id DESC LIMIT :looks_at"
        )
    };
}

/// Position by position, and whether there may be an event to show.
pub(super) const POSITIONS: &str = positions!("events_of_project", "project = :project", ":key IS NULL");
pub(super) const POSITIONS_OF_KEY: &str = positions!("events_of_key", "key = :key", "project = :project");
pub(super) const EVENT: &str = concat!("SELECT ", event_columns!(), " FROM events WHERE seq = ?1");

pub(super) fn history(
    connection: &mut Connection,
    project: &ProjectId,
    query: &AuditQuery,
) -> Result<Page<AuditEvent>> {
    let snapshot = connection.transaction()?;
    let page = page(&snapshot, project, query)?;
    snapshot.commit()?;
    Ok(page)
}

fn page(connection: &Connection, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>> {
    let mut positions =
        connection.prepare_cached(if query.key.is_some() { POSITIONS_OF_KEY } else { POSITIONS })?;
    let after = query.after.as_ref();
    let mut stored = connection.prepare_cached(EVENT)?;
    let mut rows = positions.query(named_params! {
        ":project": project.as_str(),
        ":key": query.key.as_ref().map(AsRef::as_ref),
        ":at": after.map_or(i64::MAX, |after| after.at().timestamp_micros()),
        ":id": after.map_or("", Cursor::id),
        ":actor": query.actor.as_ref().map(ToString::to_string),
        ":action": query.action.map(|action| action.as_str()),
        ":operation": query.operation.as_ref().map(|operation| operation_text(Some(operation))),
        ":looks_at": LOOKS_AT,
    })?;
    let mut items = Vec::new();
    let (mut looked_at, mut last, mut end_of_page) = (0, None, None);
    while let Some(row) = rows.next()? {
        let (at, seq, may_match) = position(row)?;
        looked_at += 1;
        last = Some(at);
        if !may_match {
            continue;
        }
        let found =
            stored.query([seq])?.next()?.map(|row| Columns::new(row, "events").event()).transpose()?;
        let Some(found) = found.filter(|found| found.project == *project && query.matches(found)) else {
            continue;
        };
        if items.len() == query.limit {
            // One more follows.
            return Ok(Page::new(items, end_of_page));
        }
        items.push(found);
        end_of_page = Some(at);
    }
    // All were looked at, or the next page goes on where this one stopped looking.
    Ok(Page::new(items, last.filter(|_| looked_at == LOOKS_AT)))
}

fn position(row: &Row<'_>) -> Result<(Cursor, i64, bool)> {
    let mut columns = Columns::new(row, "events");
    let id = columns.text("id")?.parse::<EventId>().map_err(breaks("events", "id"))?;
    let at = Cursor::among_events(columns.number("at")?, id);
    Ok((at, columns.number("seq")?, columns.optional_number("action")? != Some(0)))
}
