//! From an address to tables that are known to be right.

use std::time::Duration;

use tokio_postgres::Client;

use super::problem::Problem;
use crate::store::Migrate;
use crate::store::sql::{Database, Migration, migrations};

type Result<T> = std::result::Result<T, Problem>;

/// The first version that draws random identifiers by itself.
const OLDEST: i64 = 130_000;
/// Longer than others may take to apply the same.
const PATIENCE: Duration = Duration::from_secs(60);
const NAME_MAX: usize = 48;

/// A change survives a crash only with these. Names are kept in every script.
const SETTINGS: [(&str, &str); 3] =
    [("fsync", "on"), ("full_page_writes", "on"), ("server_encoding", "UTF8")];

/// Each fires whatever a session says. The first migration makes them.
const TRIGGERS: [&str; 18] = [
    "events_are_never_deleted",
    "events_are_never_truncated",
    "events_come_in_order",
    "events_come_with_their_change",
    "events_never_change",
    "keys_are_never_deleted",
    "keys_are_never_truncated",
    "keys_change_by_the_rules",
    "scope_uses_are_bounded",
    "scope_uses_are_never_deleted",
    "scope_uses_are_never_truncated",
    "scope_uses_never_move_back",
    "settings_are_never_deleted",
    "settings_are_never_truncated",
    "settings_drain",
    "uses_are_never_deleted",
    "uses_are_never_truncated",
    "uses_never_move_back",
];

/// Whether a schema or a role may have this name: one that means the same with quotes and without.
pub(super) fn is_name(name: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty()
        && name.len() <= NAME_MAX
        && name.bytes().all(is_of_name)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("pg_")
}

/// Applies or checks the migrations.
pub(super) async fn open(client: &mut Client, schema: &str, migrate: Migrate) -> Result<()> {
    check_server(client).await?;
    let found = look(client, schema).await?;
    if found < newest().into() {
        if migrate != Migrate::Apply {
            return Err(Problem::Behind { found, needed: newest() });
        }
        apply(client, schema).await?;
    }
    check_triggers(client, schema).await
}

fn known() -> impl Iterator<Item = &'static Migration> {
    migrations().iter().filter(|migration| migration.database == Database::Postgres)
}

fn newest() -> u32 {
    known().map(|migration| migration.number).max().unwrap_or(0)
}

/// What a server says of itself before it is asked: an older one does not even know the settings of a session.
pub(super) fn check_version(said: Option<&str>) -> Result<()> {
    let mut numbers = said.unwrap_or_default().split(|other: char| !other.is_ascii_digit());
    // What says nothing of the kind is asked later.
    let Some(major) = numbers.next().and_then(|number| number.parse::<i64>().ok()) else { return Ok(()) };
    let minor = numbers.next().and_then(|number| number.parse::<i64>().ok()).unwrap_or(0);
    match major.saturating_mul(10_000).saturating_add(minor) {
        found if found < OLDEST => Err(Problem::TooOld { found, needed: OLDEST }),
        _ => Ok(()),
    }
}

async fn check_server(client: &Client) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::int8, pg_is_in_recovery()";
    let row = client.query_typed(sql, &[]).await?;
    let row = row.first().ok_or_else(no_row)?;
    let found: i64 = row.try_get(0)?;
    if found < OLDEST {
        return Err(Problem::TooOld { found, needed: OLDEST });
    }
    if row.try_get(1)? {
        return Err(Problem::Replica);
    }
    for (setting, needed) in SETTINGS {
        let sql = format!("SELECT current_setting('{setting}')");
        let row = client.query_typed(&sql, &[]).await?;
        let found: String = row.first().ok_or_else(no_row)?.try_get(0)?;
        if found != needed {
            return Err(Problem::Setting { setting, found, needed });
        }
    }
    Ok(())
}

fn no_row() -> Problem {
    Problem::Lost { words: "an answer has no row".to_owned() }
}

/// The last migration that was applied; 0 where there is nothing.
async fn look(client: &Client, schema: &str) -> Result<i64> {
    let sql = format!(
        "SELECT to_regclass('\"{schema}\".migrations') IS NOT NULL, EXISTS (SELECT FROM pg_catalog.pg_class AS found \
         JOIN pg_catalog.pg_namespace AS schema ON schema.oid = found.relnamespace WHERE nspname = '{schema}')"
    );
    let rows = client.query_typed(&sql, &[]).await?;
    let row = rows.first().ok_or_else(no_row)?;
    match (row.try_get(0)?, row.try_get(1)?) {
        (false, false) => return Ok(0),
        (false, true) => return Err(Problem::Foreign),
        (true, _) => {}
    }
    let sql = format!("SELECT max(number) FROM \"{schema}\".migrations");
    let rows = client.query_typed(&sql, &[]).await.map_err(|error| match error.code() {
        // A table of that name, and not such a one.
        Some(code) if code.code().starts_with("42") && code.code() != "42501" => Problem::Foreign,
        _ => Problem::of(&error),
    })?;
    let found = rows.first().and_then(|row| row.try_get::<_, Option<i64>>(0).ok().flatten());
    let found = found.filter(|found| *found >= 1).ok_or(Problem::Foreign)?;
    if found > newest().into() {
        return Err(Problem::Ahead { found, known: newest() });
    }
    Ok(found)
}

/// Applies what is missing, in one transaction. Of several nodes at once the first one does it.
async fn apply(client: &mut Client, schema: &str) -> Result<()> {
    let transaction =
        client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::ReadCommitted);
    let transaction = transaction.start().await?;
    let patience = PATIENCE.as_millis();
    let begin = format!(
        "SET LOCAL statement_timeout = {patience}; SET LOCAL lock_timeout = {patience}; \
         SELECT pg_advisory_xact_lock(1095460217, hashtext('migrations of {schema}'))"
    );
    transaction.batch_execute(&begin).await?;
    // By another, while this one waited.
    let found = look(transaction.client(), schema).await?;
    if found == 0 {
        transaction.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")).await?;
    }
    transaction.batch_execute(&format!("SET LOCAL search_path = \"{schema}\", pg_temp")).await?;
    for migration in known().filter(|migration| i64::from(migration.number) > found) {
        transaction.batch_execute(migration.sql).await?;
    }
    Ok(transaction.commit().await?)
}

async fn check_triggers(client: &Client, schema: &str) -> Result<()> {
    let sql = format!(
        "SELECT tgname::text FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_class AS found ON found.oid = tgrelid \
         JOIN pg_catalog.pg_namespace AS schema ON schema.oid = found.relnamespace \
         WHERE nspname = '{schema}' AND tgenabled = 'A'"
    );
    let rows = client.query_typed(&sql, &[]).await?;
    let found: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    match TRIGGERS.into_iter().find(|name| !found.iter().any(|found| found == name)) {
        Some(name) => Err(Problem::Altered { name }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, check_version};

    #[test]
    fn a_server_that_is_too_old_is_told_so_by_what_it_says_of_itself() {
        for said in ["12.22", "11.22 (Debian 11.22-1)", "9.6.24", "12beta1"] {
            assert!(matches!(check_version(Some(said)), Err(Problem::TooOld { .. })), "{said}");
        }
        for said in
            [Some("13.0"), Some("15.18 (Debian 15.18-0+deb12u1)"), Some("18beta2"), Some("unknown"), None]
        {
            assert!(check_version(said).is_ok(), "{said:?}");
        }
    }
}
