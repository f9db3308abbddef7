//! A copy of a database that takes any value in any column, and gets its own schema back before it is opened.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, params};

/// What a column takes when nothing stands in the way: no types, no rules, no triggers.
const RELAXED: [(&str, &str); 5] = [
    (
        "keys",
        "CREATE TABLE keys (id PRIMARY KEY, project, environment, name, name_search, description, agents, prompts, \
         status, expires_at, revision, created_at, created_by, updated_at, origin, digest, generation, issued_by, \
         older_digest, older_generation, older_issued_by, older_ends_at, last_event, last_seal) \
         WITHOUT ROWID",
    ),
    (
        "events",
        "CREATE TABLE events (seq PRIMARY KEY, id, project, key, at, actor, action, revision, changes, reason, \
         operation, seal) WITHOUT ROWID",
    ),
    ("uses", "CREATE TABLE uses (key, generation, at, PRIMARY KEY (key, generation)) WITHOUT ROWID"),
    (
        "scope_uses",
        "CREATE TABLE scope_uses (key, resource, since, at, PRIMARY KEY (key, resource)) WITHOUT ROWID",
    ),
    (
        "settings",
        "CREATE TABLE settings (one PRIMARY KEY, max_staleness, drained_at, incarnation, settled) WITHOUT ROWID",
    ),
];

/// One entry of the schema.
struct Part {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

pub(super) struct Relaxed {
    path: PathBuf,
    copies: Cell<u32>,
    own: Vec<Part>,
}

impl Relaxed {
    pub(super) fn of(path: &Path) -> Self {
        let relaxed = path.with_extension("relaxed");
        let made = Connection::open(path).unwrap();
        made.execute("VACUUM INTO ?1", [relaxed.to_str().unwrap()]).unwrap();
        let connection = Connection::open(&relaxed).unwrap();
        // Nothing here has to outlive a crash.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        let mut parts = connection
            .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'trigger')")
            .unwrap();
        let own = parts.query_map([], |row| {
            Ok(Part { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
        });
        let own = own.unwrap().map(Result::unwrap).collect();
        connection
            .execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap();
        for (table, sql) in RELAXED {
            let set = "UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1";
            assert_eq!(connection.execute(set, [table, sql]).unwrap(), 1);
        }
        drop(parts);
        drop(connection);
        Self { path: relaxed, copies: Cell::default(), own }
    }

    /// A copy in which one value is another, under the schema that it had; `None` where even this is refused.
    pub(super) fn with(&self, table: &str, row: &str, column: &str, value: &Value) -> Option<PathBuf> {
        // Each at a path of its own: the store that was dropped last may still be closing its file.
        let copy = self.path.with_extension(format!("copy{}", self.copies.get()));
        self.copies.set(self.copies.get() + 1);
        fs::copy(&self.path, &copy).unwrap();
        let connection = Connection::open(&copy).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
        let changed = connection.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {row}"), [value]);
        match changed {
            Ok(rows) => assert_eq!(rows, 1, "{table} {row}"),
            Err(_) => return None,
        }
        let stored: Value = connection
            .query_row(&format!("SELECT count(*) FROM {table} WHERE {column} IS ?1"), [value], |row| {
                row.get(0)
            })
            .unwrap();
        assert_ne!(stored, Value::Integer(0), "{table}.{column} did not take {value:?}");
        drop(connection);
        let connection = Connection::open(&copy).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA writable_schema = ON").unwrap();
        for Part { kind, name, table, sql } in &self.own {
            if kind == "table" {
                connection
                    .execute(
                        "UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1",
                        [name, sql],
                    )
                    .unwrap();
            } else {
                let insert = "INSERT INTO sqlite_schema VALUES (?1, ?2, ?3, 0, ?4)";
                connection.execute(insert, params![kind, name, table, sql]).unwrap();
            }
        }
        Some(copy)
    }
}
