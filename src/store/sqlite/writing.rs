//! What is written, each in one transaction that is begun and committed around it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::feed::head;
use super::problem::Result;
use crate::domain::{AuditEvent, EventId, KeyId, Revision, Status, time};
use crate::store::sql::{
    Columns, DRAINED_IN_MAX, expiry_micros, operation_text, reason_text, seal_text, search_text,
};
use crate::store::{KeyUse, ScopeUse, StoredKey};

pub(super) const EXISTS: &str = "SELECT 1 FROM keys WHERE id = ?1";
pub(super) const CURRENT: &str = "SELECT revision, status FROM keys WHERE id = ?1";
pub(super) const INSERT_EVENT: &str = "INSERT INTO events \
    (seq, id, project, key, at, actor, action, revision, changes, reason, operation, seal) \
    VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM events), \
    :id, :project, :key, :at, :actor, :action, :revision, :changes, :reason, :operation, :seal)";
pub(super) const INSERT_KEY: &str = "INSERT INTO keys \
    (id, project, environment, name, name_search, description, agents, prompts, status, expires_at, revision, \
    created_at, created_by, updated_at, origin, digest, generation, issued_by, \
    older_digest, older_generation, older_issued_by, older_ends_at, last_event, last_seal) \
    VALUES (:id, :project, :environment, :name, :name_search, :description, :agents, :prompts, :status, \
    :expires_at, :revision, :created_at, :created_by, :updated_at, :origin, :digest, :generation, :issued_by, \
    :older_digest, :older_generation, :older_issued_by, :older_ends_at, :last_event, :last_seal)";
pub(super) const UPDATE_KEY: &str = "UPDATE keys SET \
    project = :project, environment = :environment, name = :name, name_search = :name_search, \
    description = :description, agents = :agents, prompts = :prompts, status = :status, \
    expires_at = :expires_at, revision = :revision, created_at = :created_at, created_by = :created_by, \
    updated_at = :updated_at, origin = :origin, digest = :digest, generation = :generation, \
    issued_by = :issued_by, older_digest = :older_digest, older_generation = :older_generation, \
    older_issued_by = :older_issued_by, older_ends_at = :older_ends_at, last_event = :last_event, \
    last_seal = :last_seal \
    WHERE id = :id";
pub(super) const EVENT_IS_STORED: &str = "SELECT 1 FROM events WHERE id = ?1";
/// Uses of unknown keys are dropped.
pub(super) const USE: &str = "INSERT INTO uses (key, generation, at) \
    SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM keys WHERE id = ?1) \
    ON CONFLICT (key, generation) DO UPDATE SET at = max(at, excluded.at)";
/// With what is stored already, so that a trigger can tell that it takes nothing away.
pub(super) const SCOPE_USE: &str = "INSERT INTO scope_uses (key, resource, since, at) \
    SELECT ?1, ?2, min(?3, coalesce(since, ?3)), max(?4, coalesce(at, ?4)) \
    FROM (SELECT 1) LEFT JOIN scope_uses ON key = ?1 AND resource = ?2 \
    WHERE EXISTS (SELECT 1 FROM keys WHERE id = ?1) \
    ON CONFLICT (key, resource) DO UPDATE SET since = excluded.since, at = excluded.at";
pub(super) const SET_LIMIT: &str =
    "UPDATE settings SET max_staleness = ?1, drained_at = max(drained_at, ?2) WHERE one = 1";
pub(super) const SET_INCARNATION: &str =
    "UPDATE settings SET incarnation = ?1, drained_at = max(drained_at, ?2) WHERE one = 1";

/// Whether a key is there, of whatever project.
pub(super) fn exists(connection: &Connection, id: KeyId) -> Result<bool> {
    Ok(connection.prepare_cached(EXISTS)?.exists([id.as_str()])?)
}

/// Whether the stored key is at this revision and not revoked.
pub(super) fn is_open_at(connection: &Connection, id: KeyId, expected: Revision) -> Result<bool> {
    let mut statement = connection.prepare_cached(CURRENT)?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    let mut columns = Columns::new(row, "keys");
    let revision = columns.number("revision").map_err(|unreadable| unreadable.of(id))?;
    let status = columns.text("status").map_err(|unreadable| unreadable.of(id))?;
    let open = matches!(status.parse(), Ok(Status::Active | Status::Inactive));
    Ok(open && u64::try_from(revision).is_ok_and(|revision| revision == expected.get()))
}

/// The event first: the triggers of the keys look for it.
pub(super) fn put(connection: &Connection, sql: &str, key: &StoredKey, event: &AuditEvent) -> Result<()> {
    connection.prepare_cached(INSERT_EVENT)?.execute(named_params! {
        ":id": event.id.as_str(),
        ":project": event.project.as_str(),
        ":key": event.key.as_str(),
        ":at": event.at.timestamp_micros(),
        ":actor": event.actor.to_string(),
        ":action": event.action.as_str(),
        ":revision": number(event.revision)?,
        ":changes": serde_json::to_string(&event.changes)?,
        ":reason": reason_text(event),
        ":operation": operation_text(event.operation.as_ref()),
        ":seal": seal_text(event.seal),
    })?;
    let stored = key;
    let key = stored.key();
    let (newest, older) = (stored.digests().first(), stored.digests().get(1));
    let newest = newest.ok_or("a key without a secret")?;
    let [digest, issued_by] = newest.texts();
    let [older_digest, older_issued_by] = older.map_or([None, None], |older| older.texts().map(Some));
    connection.prepare_cached(sql)?.execute(named_params! {
        ":id": key.id.as_str(),
        ":project": key.project.as_str(),
        ":environment": key.environment.as_str(),
        ":name": key.name,
        ":name_search": search_text(&key.name),
        ":description": key.description,
        ":agents": serde_json::to_string(&key.agents)?,
        ":prompts": serde_json::to_string(&key.prompts)?,
        ":status": key.status.as_str(),
        ":expires_at": expiry_micros(key.expires_at),
        ":revision": number(key.revision)?,
        ":created_at": key.created_at.timestamp_micros(),
        ":created_by": key.created_by.to_string(),
        ":updated_at": key.updated_at.timestamp_micros(),
        ":origin": key.origin.as_str(),
        ":digest": digest,
        ":generation": newest.generation(),
        ":issued_by": issued_by,
        ":older_digest": older_digest,
        ":older_generation": older.map(|older| older.generation()),
        ":older_issued_by": older_issued_by,
        ":older_ends_at": older.and_then(|older| older.ends_at()).map(|end| end.timestamp_micros()),
        ":last_event": stored.last_event().as_str(),
        ":last_seal": seal_text(stored.last_seal()),
    })?;
    Ok(())
}

pub(super) fn event_is_stored(connection: &Connection, id: EventId) -> Result<bool> {
    Ok(connection.prepare_cached(EVENT_IS_STORED)?.exists([id.as_str()])?)
}

pub(super) fn record_uses(connection: &Connection, uses: &[KeyUse]) -> Result<()> {
    let mut statement = connection.prepare_cached(USE)?;
    for used in uses {
        statement.execute((used.key.as_str(), used.generation, used.at.timestamp_micros()))?;
    }
    Ok(())
}

pub(super) fn record_scope_uses(connection: &Connection, uses: &[ScopeUse]) -> Result<()> {
    let mut statement = connection.prepare_cached(SCOPE_USE)?;
    for used in uses {
        let [since, at] = [used.since, used.at].map(|time| time.timestamp_micros());
        statement.execute((used.key.as_str(), used.resource.to_string(), since, at))?;
    }
    Ok(())
}

/// Sets the limit. Nodes may follow a longer one for 1.1 times that.
pub(super) fn set_limit(connection: &Connection, limit: Duration, now: DateTime<Utc>) -> Result<()> {
    let old = head(connection)?.limit();
    let drained_in = if limit < old { Some(old * 11 / 10) } else { None };
    let drained_at = drained_in.map_or(0, |drained_in| time::after(now, drained_in).timestamp_micros());
    let limit = i64::try_from(limit.as_micros())?;
    connection.prepare_cached(SET_LIMIT)?.execute((limit, drained_at))?;
    Ok(())
}

/// Tells all cursors from before apart. Which limit was in force by what is lost is not known: the longest.
pub(super) fn set_incarnation(connection: &Connection, incarnation: &str, now: DateTime<Utc>) -> Result<()> {
    let drained_at = time::after(now, DRAINED_IN_MAX).timestamp_micros();
    connection.prepare_cached(SET_INCARNATION)?.execute((incarnation, drained_at))?;
    Ok(())
}

/// Whether the settings have this value of a column.
pub(super) fn is_set(connection: &Connection, column: &str, value: &dyn rusqlite::ToSql) -> Result<bool> {
    let sql = format!("SELECT 1 FROM settings WHERE one = 1 AND {column} = ?1");
    Ok(connection.query_row(&sql, [value], |_| Ok(())).optional()?.is_some())
}

fn number(revision: Revision) -> Result<i64> {
    Ok(i64::try_from(revision.get())?)
}
