//! All that a database holds, as text.

use std::path::Path;

use rusqlite::Connection;

/// The tables.
pub const TABLES: [&str; 5] = ["keys", "events", "uses", "scope_uses", "settings"];

/// Every row of every table, as literals of SQL.
///
/// # Panics
/// If the file cannot be read.
#[must_use]
pub fn dump(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut rows = Vec::new();
    for table in TABLES {
        let quoted: Vec<String> =
            columns(&connection, table).iter().map(|column| format!("quote({column})")).collect();
        let sql = format!("SELECT {} FROM {table} ORDER BY 1", quoted.join(" || ', ' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.extend(found.map(|row| format!("{table}: {}", row.unwrap())));
    }
    rows
}

/// The names of the columns of a table.
///
/// # Panics
/// If the table cannot be read.
#[must_use]
pub fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
    let names = statement.query_map([table], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// The names and texts of the triggers.
///
/// # Panics
/// If the schema cannot be read.
#[must_use]
pub fn triggers(connection: &Connection) -> Vec<(String, String)> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    found.map(Result::unwrap).collect()
}
