//! From a path to a database that is known to be right.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::SqliteOptions;
use super::connection::{connect, pragma, settle};
use super::problem::{Problem, Result, explain};
use crate::clock::{Clock, SystemClock};
use crate::store::sql::{Database, Migrate, Migration, migrations};

/// The letters `AKey`, which the first migration writes.
const APPLICATION: i64 = 0x414B_6579;
/// The first version with `STRICT` tables and its own JSON functions.
const OLDEST: (i32, &str) = (3_038_000, "3.38.0");
const PAUSE: Duration = Duration::from_millis(5);

/// Opens the file for writing, with every migration applied.
///
/// Nothing is written before it is known whose file it is.
pub(super) fn open(options: &SqliteOptions) -> Result<Connection> {
    if rusqlite::version_number() < OLDEST.0 {
        return Err(Problem::TooOld { found: rusqlite::version(), needed: OLDEST.1 }.into());
    }
    // SQLite would make files beside it that nobody could write either.
    if std::fs::metadata(&options.path).is_ok_and(|file| file.permissions().readonly()) {
        return Err(Problem::ReadOnly { source: None }.into());
    }
    let log = log_of(&options.path);
    let apply = options.migrate == Migrate::Apply;
    let mut connection = connect(&options.path, apply, options.time_limit)?;
    // The last connection to leave writes the log of committed changes back: not into the file of another.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log)?;
    let found = identify(&mut connection)?;
    if found < newest().into() {
        if !apply {
            return Err(Problem::Behind { found, needed: newest() }.into());
        }
        migrate(&mut connection)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    keep_a_log(&connection, options.time_limit)?;
    settle(&connection)?;
    compare(&connection)?;
    try_to_write(&mut connection)?;
    Ok(connection)
}

/// Whether a log of changes lies beside the file.
fn log_of(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).is_ok_and(|log| log.len() > 0)
}

fn known() -> impl Iterator<Item = &'static Migration> {
    migrations().iter().filter(|migration| migration.database == Database::Sqlite)
}

fn newest() -> u32 {
    known().map(|migration| migration.number).max().unwrap_or(0)
}

/// The last migration that was applied; 0 for an empty file.
fn identify(connection: &mut Connection) -> Result<i64> {
    let transaction = connection.transaction()?;
    let found = look(&transaction)?;
    transaction.rollback()?;
    Ok(found)
}

fn look(connection: &Connection) -> Result<i64> {
    let number = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(0),
        (APPLICATION, 1.., 1..) if version > newest().into() => {
            Err(Problem::Ahead { found: version, known: newest() }.into())
        }
        (APPLICATION, 1.., 1..) => Ok(version),
        _ => Err(Problem::Foreign.into()),
    }
}

/// Applies what is missing, in one transaction. Of several processes at once the first one does it.
fn migrate(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = look(&transaction)?;
    for migration in known().filter(|migration| i64::from(migration.number) > found) {
        transaction.execute_batch(migration.sql)?;
    }
    Ok(transaction.commit()?)
}

/// Switches to a log of changes beside the file, so that reads and writes do not wait for each other.
fn keep_a_log(connection: &Connection, time_limit: Duration) -> Result<()> {
    let end = SystemClock.boot().saturating_add(time_limit);
    loop {
        match pragma(connection, "journal_mode = WAL") {
            // SQLite itself waits for nobody here.
            Err(error) => {
                let error = explain(error, time_limit);
                let busy = matches!(error.downcast_ref(), Some(Problem::Busy { .. }));
                if !busy || SystemClock.boot() >= end {
                    return Err(error);
                }
                thread::sleep(PAUSE);
            }
            Ok(_) => return Ok(()),
        }
    }
}

/// What cannot be written shows here, not at the first change: SQLite opens it all the same.
fn try_to_write(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("UPDATE settings SET settled = settled WHERE one = 1", [])?;
    Ok(transaction.rollback()?)
}

/// Refuses a database that lacks a table, an index or a trigger, or has another one of its name.
fn compare(connection: &Connection) -> Result<()> {
    const PARTS: &str = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL";

    let model = Connection::open_in_memory()?;
    for migration in known() {
        model.execute_batch(migration.sql)?;
    }
    let mut parts = model.prepare(PARTS)?;
    let mut parts = parts.query([])?;
    let mut same = connection
        .prepare("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2 AND sql = ?3)")?;
    while let Some(part) = parts.next()? {
        let (kind, name, sql): (String, String, String) = (part.get(0)?, part.get(1)?, part.get(2)?);
        if !same.query_row([&kind, &name, &sql], |row| row.get::<_, bool>(0))? {
            return Err(Problem::Altered { kind, name }.into());
        }
    }
    Ok(())
}
