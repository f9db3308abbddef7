//! How SQLite finds what each statement asks for.

use rusqlite::types::Null;
use rusqlite::{Connection, params_from_iter};

use super::problem::Result;
use super::{event_list, feed, key_list, reading, writing};
use crate::store::sql::{Database, migrations};

/// Every statement that is sent, but the settings of a connection, with a step of its plan.
const PLANS: [(&str, &str); 21] = [
    (reading::GET, "SEARCH keys USING PRIMARY KEY (id=?)"),
    (reading::LAST_USES, "SEARCH uses USING PRIMARY KEY (key=?)"),
    (reading::SCOPE_USES, "SEARCH scope_uses USING PRIMARY KEY (key=?)"),
    (
        key_list::POSITIONS,
        "SEARCH keys USING COVERING INDEX keys_of_project (project=? AND (created_at,id)<(?,?))",
    ),
    (
        key_list::POSITIONS_BY_SCOPE,
        "SEARCH keys USING INDEX keys_of_project (project=? AND (created_at,id)<(?,?))",
    ),
    (key_list::KEY, "SEARCH keys USING PRIMARY KEY (id=?)"),
    (
        event_list::POSITIONS,
        "SEARCH events USING COVERING INDEX events_of_project (project=? AND (at,id)<(?,?))",
    ),
    (
        event_list::POSITIONS_OF_KEY,
        "SEARCH events USING COVERING INDEX events_of_key (key=? AND (at,id)<(?,?))",
    ),
    (event_list::EVENT, "SEARCH events USING PRIMARY KEY (seq=?)"),
    (feed::HEAD, "SEARCH events USING PRIMARY KEY (seq=?)"),
    (feed::SINCE, "SEARCH events USING PRIMARY KEY (seq>?)"),
    (writing::EXISTS, "SEARCH keys USING PRIMARY KEY (id=?)"),
    (writing::CURRENT, "SEARCH keys USING PRIMARY KEY (id=?)"),
    (writing::INSERT_EVENT, "SEARCH events"),
    // For the reference from the events.
    (writing::INSERT_KEY, "INDEX events_of_key (key=?)"),
    (writing::UPDATE_KEY, "SEARCH keys USING PRIMARY KEY (id=?)"),
    (writing::EVENT_IS_STORED, "SEARCH events USING COVERING INDEX events_of_id (id=?)"),
    (writing::USE, "USING PRIMARY KEY (id=?)"),
    (writing::SCOPE_USE, "SEARCH scope_uses USING PRIMARY KEY (key=? AND resource=?)"),
    (writing::SET_LIMIT, "SEARCH settings USING PRIMARY KEY (one=?)"),
    (writing::SET_INCARNATION, "SEARCH settings USING PRIMARY KEY (one=?)"),
];

/// What a subquery looks at stands in steps of its own.
fn looks_at_all(step: &str) -> bool {
    let of_nothing = step == "SCAN CONSTANT ROW" || step.starts_with("SCAN (subquery");
    step.starts_with("SCAN") && !of_nothing || step.contains("TEMP B-TREE")
}

/// What the triggers ask before each write: plans do not show it.
fn conditions(connection: &Connection) -> Result<Vec<String>> {
    let mut triggers = connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")?;
    let mut triggers = triggers.query([])?;
    let mut conditions = Vec::new();
    while let Some(trigger) = triggers.next()? {
        let sql: String = trigger.get(0)?;
        let condition = sql.split_once("WHEN ").and_then(|(_, rest)| rest.split_once("BEGIN"));
        conditions.extend(condition.map(|(condition, _)| without_rows(condition)));
    }
    Ok(conditions)
}

/// With a parameter for each column of the row that is written.
fn without_rows(condition: &str) -> String {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
    let pieces = condition.split_inclusive(|c: char| !is_of_word(c)).map(|piece| {
        let column = piece.starts_with("NEW.") || piece.starts_with("OLD.");
        if column { format!("?{}", piece.trim_start_matches(is_of_word)) } else { piece.to_owned() }
    });
    pieces.collect()
}

fn plan(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let parameters = std::iter::repeat_n(Null, statement.parameter_count());
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(row.get("detail")?);
    }
    Ok(steps)
}

#[test]
fn every_statement_finds_its_rows_by_an_index() -> Result<()> {
    let connection = Connection::open_in_memory()?;
    for migration in migrations().iter().filter(|migration| migration.database == Database::Sqlite) {
        connection.execute_batch(migration.sql)?;
    }
    for (sql, step) in PLANS {
        let steps = plan(&connection, sql)?;
        assert!(!steps.iter().any(|step| looks_at_all(step)), "{sql}: {steps:?}");
        assert!(steps.iter().any(|found| found.contains(step)), "{sql}: {steps:?}");
    }
    let conditions = conditions(&connection)?;
    assert!(conditions.len() > 10, "{conditions:?}");
    for condition in conditions {
        let steps = plan(&connection, &format!("SELECT {condition}"))?;
        assert!(!steps.iter().any(|step| looks_at_all(step)), "{condition}: {steps:?}");
        let by_key = steps.iter().find(|step| step.contains("events_of_key"));
        assert_eq!(by_key, None, "{condition} looks at every event of a key");
    }
    for sql in ["SELECT id FROM keys WHERE name = 'x'", "SELECT id FROM events ORDER BY actor"] {
        let steps = plan(&connection, sql)?;
        assert!(steps.iter().any(|step| looks_at_all(step)), "unseen in {sql}: {steps:?}");
    }
    Ok(())
}
