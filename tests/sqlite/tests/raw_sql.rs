//! What someone with a connection of their own cannot do: each statement is refused or without effect, and each has
//! an effect where the triggers are gone.
//!
//! Out of reach of any database are those who drop the triggers, turn them off or write to `sqlite_schema`.

use std::path::Path;
use std::time::Duration;

use access_keys::store::{KeyStore, KeyUse, ScopeUse};
use access_keys::{Denial, KeyId};
use pollster::block_on;
use rusqlite::Connection;
use sqlite_tests::{File, checkout, dump, generate, production, triggers};

/// Each may be spoken to with these settings.
const PRAGMAS: [&str; 5] = [
    "",
    "PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF;",
    "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = ON;",
    "PRAGMA ignore_check_constraints = ON;",
    "PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF; PRAGMA ignore_check_constraints = ON; \
     PRAGMA defer_foreign_keys = ON; PRAGMA synchronous = OFF;",
];

/// `$REVOKED` and `$OPEN` are ids, `$EVENT` one of no event, `$LAST` that of the last event of `$REVOKED`.
const BRING_BACK: [&str; 17] = [
    "UPDATE keys SET status = 'active' WHERE id = '$REVOKED'",
    "UPDATE keys SET status = 'inactive', revision = revision + 1 WHERE id = '$REVOKED'",
    "UPDATE OR IGNORE keys SET status = 'active', revision = revision + 1 WHERE id = '$REVOKED'",
    "UPDATE OR REPLACE keys SET status = 'active', revision = revision + 1 WHERE id = '$REVOKED'",
    "UPDATE OR FAIL keys SET status = 'active', revision = revision + 1 WHERE id = '$REVOKED'",
    "UPDATE OR ROLLBACK keys SET status = 'active', revision = revision + 1 WHERE id = '$REVOKED'",
    "UPDATE keys SET name = 'x' WHERE id = '$REVOKED'",
    "UPDATE keys SET digest = (SELECT digest FROM keys WHERE id = '$OPEN') WHERE id = '$REVOKED'",
    "UPDATE OR REPLACE keys SET id = '$REVOKED' WHERE id = '$OPEN'",
    "$EVENT_OF_REVOKED; UPDATE keys SET status = 'active', revision = revision + 1, last_event = '$EVENT' \
     WHERE id = '$REVOKED'",
    "$TWIN; INSERT OR REPLACE INTO keys SELECT * FROM temp.twin",
    "$TWIN; REPLACE INTO keys SELECT * FROM temp.twin",
    "$TWIN; INSERT INTO keys SELECT * FROM temp.twin WHERE true \
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, revision = excluded.revision",
    "$TWIN; DELETE FROM keys WHERE id = '$REVOKED'; INSERT INTO keys SELECT * FROM temp.twin",
    "$TWIN; UPDATE keys SET status = temp.twin.status FROM temp.twin WHERE keys.id = temp.twin.id",
    "CREATE TEMP TRIGGER back AFTER UPDATE ON main.uses BEGIN \
     UPDATE keys SET status = 'active' WHERE id = '$REVOKED'; END; UPDATE uses SET at = at",
    "CREATE TEMP VIEW seen AS SELECT * FROM keys; CREATE TEMP TRIGGER back INSTEAD OF UPDATE ON seen BEGIN \
     UPDATE keys SET status = NEW.status WHERE id = NEW.id; END; UPDATE seen SET status = 'active'",
];

const MOVE: [&str; 14] = [
    "UPDATE keys SET environment = 'staging' WHERE id = '$OPEN'",
    "UPDATE keys SET environment = 'staging', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE OR IGNORE keys SET environment = 'staging', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE OR REPLACE keys SET project = 'billing', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET id = '7Hq2LkP9sTz4WcX1', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET created_at = created_at + 1, revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET created_by = 'user:eve', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET origin = 'imported', revision = revision + 1 WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET environment = 'staging', revision = revision + 1, last_event = '$EVENT' \
     WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET project = 'billing', revision = revision + 1, last_event = '$EVENT' \
     WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET created_at = 0, revision = revision + 1, last_event = '$EVENT' \
     WHERE id = '$OPEN'",
    "$TWIN_OF_OPEN; REPLACE INTO keys SELECT * FROM temp.twin",
    "$TWIN_OF_OPEN; INSERT INTO keys SELECT * FROM temp.twin WHERE true \
     ON CONFLICT (id) DO UPDATE SET environment = excluded.environment",
    "UPDATE events SET project = 'billing' WHERE key = '$OPEN'",
];

const SKIP: [&str; 10] = [
    "UPDATE keys SET name = 'x' WHERE id = '$OPEN'",
    "UPDATE keys SET name = 'x', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET revision = revision + 2 WHERE id = '$OPEN'",
    "UPDATE keys SET revision = revision - 1 WHERE id = '$OPEN'",
    "UPDATE keys SET revision = 9223372036854775807 WHERE id = '$OPEN'",
    "UPDATE keys SET last_event = '$LAST', revision = revision + 1 WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET revision = revision + 2, last_event = '$EVENT' WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET name = 'x', last_event = '$EVENT' WHERE id = '$OPEN'",
    "INSERT INTO events SELECT (SELECT max(seq) + 1 FROM events), '$EVENT', project, key, at, actor, action, revision + 7, changes, \
     reason, operation, seal FROM events WHERE key = '$OPEN'",
    "INSERT INTO events SELECT (SELECT max(seq) + 2 FROM events), '$EVENT', project, key, at, actor, action, revision + 1, changes, \
     reason, operation, seal FROM events WHERE key = '$OPEN'",
];

const LOSE: [&str; 39] = [
    "DELETE FROM keys",
    "DELETE FROM keys WHERE id = '$OPEN'",
    "DELETE FROM keys WHERE id = '$REVOKED' RETURNING id",
    "DELETE FROM events",
    "DELETE FROM events WHERE key = '$REVOKED'",
    "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
    "UPDATE events SET action = 'edited'",
    "UPDATE events SET reason = 'because:' WHERE key = '$REVOKED'",
    "UPDATE OR REPLACE events SET seq = 1 WHERE seq = 2",
    "UPDATE OR REPLACE events SET id = '$LAST' WHERE seq = 1",
    "UPDATE OR IGNORE events SET seq = seq + 100",
    "UPDATE events SET at = at - 1",
    "INSERT OR REPLACE INTO events SELECT (SELECT max(seq) + 1 FROM events), '$LAST', project, key, at, actor, action, \
     revision + 1, changes, reason, operation, seal FROM events WHERE key = '$OPEN'",
    "INSERT OR REPLACE INTO events SELECT seq, '$EVENT', project, key, at, actor, action, revision + 1, \
     changes, reason, operation, seal FROM events WHERE key = '$OPEN'",
    "REPLACE INTO events SELECT seq, id, project, key, at, 'user:eve', action, revision, changes, reason, \
     operation, seal FROM events",
    "INSERT INTO events SELECT seq, id, project, key, at, actor, action, revision, changes, reason, operation, seal \
     FROM events WHERE true ON CONFLICT (seq) DO UPDATE SET actor = 'user:eve'",
    "INSERT INTO events SELECT 0 - seq, '$EVENT', project, key, at, actor, action, revision + 1, changes, \
     reason, operation, seal FROM events WHERE key = '$OPEN'",
    "DELETE FROM uses",
    "UPDATE uses SET at = at - 1",
    "UPDATE uses SET generation = generation + 1",
    "UPDATE OR REPLACE uses SET key = '$REVOKED'",
    "INSERT OR REPLACE INTO uses SELECT key, generation, at - 1 FROM uses",
    "INSERT INTO uses SELECT key, generation, at - 1 FROM uses WHERE true \
     ON CONFLICT DO UPDATE SET at = excluded.at",
    "DELETE FROM scope_uses",
    "UPDATE scope_uses SET at = at - 1",
    "UPDATE scope_uses SET since = since + 1",
    "UPDATE scope_uses SET resource = 'agent:other'",
    "UPDATE OR REPLACE scope_uses SET key = '$REVOKED'",
    "INSERT OR REPLACE INTO scope_uses SELECT key, resource, since, at - 1 FROM scope_uses",
    "INSERT OR REPLACE INTO scope_uses SELECT key, resource, since + 1, at + 1 FROM scope_uses",
    "INSERT INTO scope_uses SELECT key, resource, since + 1, at FROM scope_uses WHERE true \
     ON CONFLICT DO UPDATE SET since = excluded.since",
    "DELETE FROM settings",
    "UPDATE settings SET drained_at = drained_at - 1",
    "UPDATE settings SET drained_at = 0",
    "UPDATE OR REPLACE settings SET one = 2",
    "INSERT OR REPLACE INTO settings SELECT one, max_staleness, 0, incarnation, settled FROM settings",
    "REPLACE INTO settings SELECT one, 60000000, drained_at, incarnation, settled FROM settings",
    "INSERT INTO settings SELECT 2, max_staleness, drained_at, incarnation, settled FROM settings",
    "INSERT INTO settings SELECT one, max_staleness, drained_at, incarnation, settled FROM settings WHERE true \
     ON CONFLICT DO UPDATE SET drained_at = 0",
];

fn statements() -> impl Iterator<Item = &'static str> {
    BRING_BACK.into_iter().chain(MOVE).chain(SKIP).chain(LOSE)
}

/// Two keys, one of which is revoked, and someone who knows their ids.
struct Scene {
    file: File,
    revoked: KeyId,
    revoked_token: String,
    open: KeyId,
    open_token: String,
    last: String,
}

impl Scene {
    fn new() -> Self {
        let file = File::new();
        let keys = file.keys();
        let project = checkout(&keys);
        let (open, revoked) = (generate(&project, "Mobile app"), generate(&project, "Old app"));
        block_on(project.revoke(revoked.key.id, "leaked")).unwrap();
        let store = keys.store();
        block_on(store.record_use(&[KeyUse::new(open.key.id, 1, open.key.created_at)])).unwrap();
        let agent = access_keys::AgentId::new("support-bot").unwrap();
        let reached = ScopeUse::new(open.key.id, agent, open.key.created_at + chrono::TimeDelta::hours(1));
        block_on(store.record_scope_uses(&[reached.since(open.key.created_at)])).unwrap();
        block_on(store.set_max_staleness(Duration::from_secs(1))).unwrap();
        let last = block_on(store.get(revoked.key.id)).unwrap().unwrap().last_event().to_string();
        let (revoked_token, open_token) = (revoked.token.expose().to_owned(), open.token.expose().to_owned());
        Self { file, revoked: revoked.key.id, revoked_token, open: open.key.id, open_token, last }
    }

    fn filled(&self, statement: &str) -> String {
        const EVENT: &str = "INSERT INTO events SELECT (SELECT max(seq) + 1 FROM events), '$EVENT', project, id, \
            updated_at + 1, created_by, 'edited', revision + 1, '[]', 'none', 'none', 'none' FROM keys WHERE id = ";
        const TWIN: &str = "CREATE TEMP TABLE twin AS SELECT * FROM keys WHERE id = ";

        let fill = [
            ("$EVENT_OF_REVOKED", format!("{EVENT}'$REVOKED'")),
            ("$EVENT_OF_OPEN", format!("{EVENT}'$OPEN'")),
            ("$TWIN_OF_OPEN", format!("{TWIN}'$OPEN'; UPDATE temp.twin SET environment = 'staging'")),
            ("$TWIN", format!("{TWIN}'$REVOKED'; UPDATE temp.twin SET status = 'active'")),
            ("$EVENT", "Zz2LkP9sTz4WcX1q".to_owned()),
            ("$REVOKED", self.revoked.to_string()),
            ("$OPEN", self.open.to_string()),
            ("$LAST", self.last.clone()),
        ];
        fill.iter().fold(statement.to_owned(), |sql, (word, text)| sql.replace(word, text))
    }
}

/// In one transaction, as whoever wants all of it or nothing would.
fn send(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("BEGIN; {sql}; COMMIT"))
}

#[test]
fn no_statement_brings_a_key_back_or_moves_or_skips_or_loses_anything() {
    let scene = Scene::new();
    let before = dump(&scene.file.path());
    let (mut refused, mut without_effect) = (0, 0);
    for pragmas in PRAGMAS {
        for statement in statements() {
            let sql = scene.filled(statement);
            let connection = scene.file.raw();
            connection.execute_batch(pragmas).unwrap();
            match send(&connection, &sql) {
                Err(_) => refused += 1,
                Ok(()) => without_effect += 1,
            }
            drop(connection);
            assert_eq!(dump(&scene.file.path()), before, "after {pragmas} {sql}");
        }
    }
    println!("{} statements: {refused} times refused, {without_effect} without effect", statements().count());
    let keys = scene.file.keys();
    let denial = block_on(keys.verify(&scene.revoked_token, &production())).unwrap_err();
    assert!(matches!(denial, Denial::Revoked { .. }), "{denial}");
    assert!(block_on(keys.verify(&scene.open_token, &production())).is_ok());
    block_on(checkout(&keys).revoke(scene.open, "the end")).unwrap();
}

#[test]
fn the_same_holds_through_an_attached_database() {
    let scene = Scene::new();
    let before = dump(&scene.file.path());
    for table in sqlite_tests::TABLES {
        for sql in [
            format!("DELETE FROM other.{table}"),
            format!("REPLACE INTO other.{table} SELECT * FROM other.{table}"),
        ] {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute("ATTACH ?1 AS other", [scene.file.path().to_str().unwrap()]).unwrap();
            let sent = send(&connection, &sql);
            drop(connection);
            assert_eq!(dump(&scene.file.path()), before, "after {sql}: {sent:?}");
        }
    }
}

#[test]
fn each_of_the_statements_has_an_effect_where_the_triggers_are_gone() {
    let scene = Scene::new();
    let naked = scene.file.folder().join("naked.db");
    scene.file.raw().execute("VACUUM INTO ?1", [naked.to_str().unwrap()]).unwrap();
    let connection = Connection::open(&naked).unwrap();
    for (name, _) in triggers(&connection) {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    drop(connection);
    let before = dump(&naked);
    for statement in statements() {
        let sql = scene.filled(statement);
        let copy = scene.file.folder().join("copy.db");
        std::fs::copy(&naked, &copy).unwrap();
        let connection = Connection::open(&copy).unwrap();
        connection.execute_batch(PRAGMAS[4]).unwrap();
        send(&connection, &sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        drop(connection);
        assert_ne!(dump(&copy), before, "{sql} tests nothing");
    }
}

#[test]
fn no_table_has_a_row_number() {
    let file = File::new();
    drop(file.open());
    let connection = file.raw();
    for table in sqlite_tests::TABLES {
        let read = connection.prepare(&format!("SELECT rowid FROM {table}")).map(drop);
        assert!(read.is_err(), "{table} has a row number that could be replaced");
    }
}

#[test]
fn a_file_whose_triggers_were_dropped_or_changed_is_refused() {
    let scene = Scene::new();
    for (name, sql) in triggers(&scene.file.raw()) {
        let change = |sql: &str| scene.file.raw().execute_batch(sql).unwrap();
        change(&format!("DROP TRIGGER {name}"));
        refused(&scene.file.path(), &name);
        change(&sql.replace("RAISE(", "max("));
        refused(&scene.file.path(), &name);
        change(&format!("DROP TRIGGER {name}; {sql}"));
        drop(scene.file.open());
    }
}

fn refused(path: &Path, name: &str) {
    let error = block_on(access_keys::store::SqliteStore::open(path)).unwrap_err();
    let text = sqlite_tests::causes(&error);
    assert!(text.contains(name), "{text}");
}
