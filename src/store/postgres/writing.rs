//! What is written, each in one statement, which is a transaction of its own. Its last parameter is the number of the
//! question, which each row that it returns repeats.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};

use super::ask::Ask;
use super::problem::Problem;
use super::runner::Runner;
use super::session::Parameter;
use crate::domain::{AuditEvent, KeyId, Revision};
use crate::store::sql::{expiry_micros, operation_text, reason_text, seal_text, search_text};
use crate::store::{BoxError, KeyUse, StoreError, StoredKey};

/// Recorded in one go, before other statements have their turn.
pub(super) const USES_AT_ONCE: usize = 1_000;

macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::int8"
    };
}
macro_rules! event_columns_of_insert {
    () => {
        "INSERT INTO @events (id, project, key, at, actor, action, revision, changes, reason, operation, seal) "
    };
}

/// The event first: the triggers of the keys look for it.
pub(super) const INSERT: &str = concat!(
    "WITH event AS (",
    event_columns_of_insert!(),
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $30) RETURNING id) \
     INSERT INTO @keys (id, project, environment, name, name_search, description, agents, prompts, status, \
     expires_at, revision, created_at, created_by, updated_at, origin, digest, generation, issued_by, \
     older_digest, older_generation, older_issued_by, older_ends_at, last_event, \
     last_seal) \
     SELECT $3, $2, $11, $12, $13, $14, $15, $16, $17, $18, $7, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, \
     $29, event.id, $30 FROM event RETURNING $31::int8"
);
/// The lock on the key first: nobody waits for it who has the one on the feed.
pub(super) const UPDATE: &str = concat!(
    "WITH current AS (SELECT FROM @keys WHERE id = $3 AND revision = $31 AND status IN ('active', 'inactive') \
     FOR NO KEY UPDATE), event AS (",
    event_columns_of_insert!(),
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $30 FROM current RETURNING id) \
     UPDATE @keys AS key SET project = $2, environment = $11, name = $12, name_search = $13, description = $14, \
     agents = $15, prompts = $16, status = $17, expires_at = $18, revision = $7, created_at = $19, \
     created_by = $20, updated_at = $21, origin = $22, digest = $23, generation = $24, issued_by = $25, \
     older_digest = $26, older_generation = $27, older_issued_by = $28, older_ends_at = $29, last_event = event.id, \
     last_seal = $30 \
     FROM event WHERE key.id = $3 RETURNING $32::int8"
);
macro_rules! put_types {
    ($($more:expr),*) => {
        &[
            // The event.
            Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8, Type::TEXT, Type::TEXT, Type::INT8, Type::TEXT,
            Type::TEXT, Type::TEXT,
            // The key.
            Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8,
            Type::INT8, Type::TEXT, Type::INT8, Type::TEXT,
            // Its secrets.
            Type::TEXT, Type::INT8, Type::TEXT, Type::TEXT, Type::INT8, Type::TEXT, Type::INT8,
            // The seal of both.
            Type::TEXT,
            $($more),*
        ]
    };
}
pub(super) const INSERT_TYPES: &[Type] = put_types!(Type::INT8);
pub(super) const UPDATE_TYPES: &[Type] = put_types!(Type::INT8, Type::INT8);
/// In the order of the table, so that two who record the same do not wait for each other. Uses of unknown keys are
/// dropped.
pub(super) const USE: &str = "INSERT INTO @uses AS used (key, generation, at) \
    SELECT given.key, given.generation, given.at FROM unnest($1, $2, $3) AS given (key, generation, at) \
    WHERE EXISTS (SELECT FROM @keys WHERE id = given.key) ORDER BY given.key, given.generation \
    ON CONFLICT (key, generation) DO UPDATE SET at = excluded.at WHERE used.at < excluded.at \
    RETURNING $4::int8";
pub(super) const USE_TYPES: &[Type] = &[Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::INT8_ARRAY, Type::INT8];
pub(super) const SET_LIMIT: &str = concat!(
    "UPDATE @settings SET max_staleness = $1, drained_at = CASE WHEN $1 < max_staleness \
     THEN greatest(drained_at, ",
    now!(),
    " + max_staleness * 11 / 10) ELSE drained_at END WHERE one = 1 RETURNING $2::int8"
);
pub(super) const SET_LIMIT_TYPES: &[Type] = &[Type::INT8, Type::INT8];
/// Which limit was in force by what is lost is not known: the longest.
pub(super) const SET_INCARNATION: &str = concat!(
    "UPDATE @settings SET incarnation = $1, drained_at = greatest(drained_at, ",
    now!(),
    " + 66000000) WHERE one = 1 RETURNING $2::int8"
);
pub(super) const SET_INCARNATION_TYPES: &[Type] = &[Type::TEXT, Type::INT8];
/// The same, once for each timeline of the server.
pub(super) const ADOPT: &str = concat!(
    "UPDATE @settings SET timeline = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), \
     drained_at = greatest(drained_at, ",
    now!(),
    " + 66000000) WHERE one = 1 AND timeline <> substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) \
     RETURNING $1::int8"
);
pub(super) const ADOPT_TYPES: &[Type] = &[Type::INT8];
pub(super) const NOTIFY: &str = "SELECT $2::int8 FROM pg_notify($1, '')";
pub(super) const NOTIFY_TYPES: &[Type] = &[Type::TEXT, Type::INT8];

/// Stores a key with its event: a new one, or one that is at the expected revision and not revoked. `false` if there is
/// none.
pub(super) async fn put(
    runner: &Runner,
    stored: &StoredKey,
    expected: Option<Revision>,
    event: &AuditEvent,
) -> Result<bool, StoreError> {
    let mut values = values(stored, event).map_err(StoreError::backend)?;
    let ask = match expected {
        None => Ask::Insert,
        Some(expected) => {
            values.push(boxed(number(expected).map_err(StoreError::backend)?));
            Ask::Update
        }
    };
    let parameters: Vec<Parameter<'_>> = values.iter().map(|value| &**value as Parameter<'_>).collect();
    Ok(runner.write(ask, &parameters).await? > 0)
}

type Value = Box<dyn ToSql + Sync + Send>;

fn boxed(value: impl ToSql + Sync + Send + 'static) -> Value {
    Box::new(value)
}

/// The event's, in their order, the key's and its secrets', and the seal of both.
fn values(stored: &StoredKey, event: &AuditEvent) -> Result<Vec<Value>, BoxError> {
    let key = stored.key();
    let (newest, older) = (stored.digests().first(), stored.digests().get(1));
    let newest = newest.ok_or("a key without a secret")?;
    let [digest, issued_by] = newest.texts();
    let [older_digest, older_issued_by] = older.map_or([None, None], |older| older.texts().map(Some));
    Ok(vec![
        boxed(event.id.as_str().to_owned()),
        boxed(event.project.as_str().to_owned()),
        boxed(event.key.as_str().to_owned()),
        boxed(event.at.timestamp_micros()),
        boxed(event.actor.to_string()),
        boxed(event.action.as_str()),
        boxed(number(event.revision)?),
        boxed(serde_json::to_string(&event.changes)?),
        boxed(reason_text(event)),
        boxed(operation_text(event.operation.as_ref())),
        boxed(key.environment.as_str().to_owned()),
        boxed(key.name.clone()),
        boxed(search_text(&key.name)),
        boxed(key.description.clone()),
        boxed(serde_json::to_string(&key.agents)?),
        boxed(serde_json::to_string(&key.prompts)?),
        boxed(key.status.as_str()),
        boxed(expiry_micros(key.expires_at)),
        boxed(key.created_at.timestamp_micros()),
        boxed(key.created_by.to_string()),
        boxed(key.updated_at.timestamp_micros()),
        boxed(key.origin.as_str().to_owned()),
        boxed(digest),
        boxed(i64::from(newest.generation())),
        boxed(issued_by),
        boxed(older_digest),
        boxed(older.map(|older| i64::from(older.generation()))),
        boxed(older_issued_by),
        boxed(older.and_then(|older| older.ends_at()).map(|end| end.timestamp_micros())),
        boxed(seal_text(stored.last_seal())),
    ])
}

fn number(revision: Revision) -> Result<i64, BoxError> {
    Ok(i64::try_from(revision.get())?)
}

/// Records the latest use of each secret.
pub(super) async fn record_uses(runner: &Runner, uses: &[KeyUse]) -> Result<(), StoreError> {
    // One statement must not meet a secret twice.
    let mut latest = BTreeMap::<(KeyId, u32), i64>::new();
    for used in uses {
        let at = latest.entry((used.key, used.generation)).or_insert(i64::MIN);
        *at = (*at).max(used.at.timestamp_micros());
    }
    let latest: Vec<_> = latest.into_iter().collect();
    for some in latest.chunks(USES_AT_ONCE) {
        let ids: Vec<&str> = some.iter().map(|((id, _), _)| id.as_str()).collect();
        let generations: Vec<i64> = some.iter().map(|((_, generation), _)| i64::from(*generation)).collect();
        let times: Vec<i64> = some.iter().map(|(_, at)| *at).collect();
        runner.write(Ask::Use, &[&ids, &generations, &times]).await.map_err(again)?;
    }
    Ok(())
}

/// All can be recorded again.
pub(super) fn again(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown { source } => StoreError::backend(source),
        error => error,
    }
}

/// Sets the limit.
pub(super) async fn set_limit(runner: &Runner, limit: Duration) -> Result<(), StoreError> {
    let limit = i64::try_from(limit.as_micros()).map_err(StoreError::backend)?;
    set(runner.write(Ask::SetLimit, &[&limit]).await?)
}

/// Tells all cursors from before apart.
pub(super) async fn set_incarnation(runner: &Runner, incarnation: &str) -> Result<(), StoreError> {
    set(runner.write(Ask::SetIncarnation, &[&incarnation]).await?)
}

fn set(rows: usize) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::backend(Problem::NoSettings)) } else { Ok(()) }
}
