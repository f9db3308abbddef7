//! The settings of a connection: made, read back, and refused otherwise.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::problem::{Problem, Result};

/// Each with what is read back. A commit returns once it is on the disk; a replaced row fires the triggers of a
/// deletion; no function hides in the schema.
const SETTINGS: [(&str, &str, &str); 7] = [
    ("synchronous", "FULL", "2"),
    ("fullfsync", "ON", "1"),
    ("checkpoint_fullfsync", "ON", "1"),
    ("foreign_keys", "ON", "1"),
    ("recursive_triggers", "ON", "1"),
    ("trusted_schema", "OFF", "0"),
    ("cell_size_check", "ON", "1"),
];

/// A connection about which nothing is known yet.
pub(super) fn connect(path: &Path, make: bool, time_limit: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if make { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(time_limit)?;
    Ok(connection)
}

/// A connection that only reads a file that was looked at before.
pub(super) fn connect_to_read(path: &Path, time_limit: Duration) -> Result<Connection> {
    let connection = connect(path, false, time_limit)?;
    settle(&connection)?;
    set(&connection, "query_only", "ON", "1")?;
    Ok(connection)
}

/// Makes every setting that a connection needs.
pub(super) fn settle(connection: &Connection) -> Result<()> {
    for (setting, value, needed) in SETTINGS {
        set(connection, setting, value, needed)?;
    }
    check(connection, "journal_mode", "wal")?;
    check(connection, "locking_mode", "normal")?;
    for (setting, config) in [
        ("enable_trigger", DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER),
        ("enable_fkey", DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY),
    ] {
        if !connection.db_config(config)? {
            return Err(Problem::Setting { setting, found: "0".to_owned(), needed: "1" }.into());
        }
    }
    Ok(())
}

fn set(connection: &Connection, setting: &'static str, value: &str, needed: &'static str) -> Result<()> {
    connection.execute_batch(&format!("PRAGMA {setting} = {value}"))?;
    check(connection, setting, needed)
}

fn check(connection: &Connection, setting: &'static str, needed: &'static str) -> Result<()> {
    let found = pragma(connection, setting)?;
    if found == needed { Ok(()) } else { Err(Problem::Setting { setting, found, needed }.into()) }
}

/// What a pragma answers, as text.
pub(super) fn pragma(connection: &Connection, name: &str) -> Result<String> {
    use rusqlite::types::Value;

    let value = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, Value>(0))?;
    Ok(match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Null | Value::Real(_) | Value::Blob(_) => String::new(),
    })
}
