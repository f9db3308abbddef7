//! Every column of every row of every table, overwritten with what does not belong there: a typed error, no accept,
//! no panic, and other keys unharmed.

use std::sync::LazyLock;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{Changes, KeyStore, KeyUse, PostgresStore, ScopeUse, StoreError, StoredKey};
use access_keys::{AuditQuery, Denial, KeyInfo, KeyQuery, ProjectId, Scope, Status};
use postgres_tests::{
    Server, TABLES, causes, checkout, fresh, generate, keys_of, open, production, raw, run,
};
use tokio_postgres::Client;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start("fsync = on\nautovacuum = off"));

/// What the columns of a table are made to be, and what is put into them, as SQL.
const OWN: (&str, &[&str]) = ("", &["NULL", "''", "E'\\x01gar bage\\u202e'"]);
const TEXT: (&str, &[&str]) = ("text", &["''", "'garbage'", "'7'"]);
const BYTES: (&str, &[&str]) = ("bytea", &["'\\x00ff'::bytea"]);

struct Key {
    stored: StoredKey,
    tokens: Vec<String>,
    is_revoked: bool,
}

struct Scene {
    schema: String,
    client: Client,
    keys: Vec<Key>,
}

impl Scene {
    async fn new() -> Self {
        let schema = fresh();
        let keys = keys_of(open(&SERVER, &schema).await);
        let project = checkout(&keys);
        let in_a_year = SystemClock.wall() + Duration::from_secs(365 * 86_400);
        let info = KeyInfo::new("Rotated app", production()).unwrap().expires_at(in_a_year);
        let info = info.description("iOS\nand Android").unwrap();
        let agents = Scope::parse(["support-bot", "triage"]).unwrap();
        let review =
            project.draft().info(info).agents(agents).prompts(Scope::parse(["greeting"]).unwrap()).unwrap();
        let first = project.generate(review).await.unwrap();
        let second = project.rotate(first.key.id, Duration::from_secs(86_400)).await.unwrap();
        let (plain, revoked) = (generate(&project, "Plain app").await, generate(&project, "Old app").await);
        project.revoke(revoked.key.id, "leaked").await.unwrap();
        let store = keys.store();
        let used = |id, generation| KeyUse::new(id, generation, plain.key.created_at);
        store
            .record_use(&[used(first.key.id, 1), used(first.key.id, 2), used(plain.key.id, 1)])
            .await
            .unwrap();
        let agent = access_keys::AgentId::new("support-bot").unwrap();
        let reached = ScopeUse::new(first.key.id, agent, plain.key.created_at).since(first.key.created_at);
        store.record_scope_uses(&[reached]).await.unwrap();
        let mut all = Vec::new();
        for (tokens, is_revoked) in
            [(vec![&first, &second], false), (vec![&plain], false), (vec![&revoked], true)]
        {
            let stored = store.get(tokens[0].key.id).await.unwrap().unwrap();
            let tokens = tokens.iter().map(|issued| issued.token.expose().to_owned()).collect();
            all.push(Key { stored, tokens, is_revoked });
        }
        let client = raw(&SERVER.address()).await;
        client.batch_execute(&format!("SET search_path = {schema}, pg_temp")).await.unwrap();
        Self { schema, client, keys: all }
    }

    async fn columns(&self, table: &str) -> Vec<(String, bool)> {
        let sql = "SELECT attname::text, coalesce(nullif(typbasetype, 0), atttypid) = 'bigint'::regtype \
            FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid \
            WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
        let name = format!("{}.{table}", self.schema);
        let rows = self.client.query(sql, &[&name]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Puts a table without any rule in the place of a table, with one column of another type. A store that is open
    /// takes it for the same.
    async fn relax(&self, table: &str, columns: &[(String, bool)], changed: &str, kind: &str) {
        let columns = columns.iter().map(|(column, is_number)| match kind {
            "bytea" if column == changed => format!("convert_to({column}::text, 'UTF8') AS {column}"),
            "text" if column == changed => format!("{column}::text AS {column}"),
            _ if *is_number => format!("{column}::bigint AS {column}"),
            _ => format!("{column}::text AS {column}"),
        });
        let columns: Vec<String> = columns.collect();
        let sql = format!(
            "ALTER TABLE {table} RENAME TO own_{table}; \
             CREATE TABLE {table} AS SELECT row_number() OVER () AS line, {} FROM own_{table}",
            columns.join(", ")
        );
        self.client.batch_execute(&sql).await.unwrap();
    }

    async fn restore(&self, table: &str) {
        let sql = format!("DROP TABLE {table}; ALTER TABLE own_{table} RENAME TO {table}");
        self.client.batch_execute(&sql).await.unwrap();
    }
}

/// What became of one overwritten value.
struct Case<'s> {
    scene: &'s Scene,
    table: &'static str,
    column: &'s str,
    label: String,
    /// The key that the row is of, if it is of one.
    key: Option<String>,
    /// The value is what is written for an absent one.
    is_empty: bool,
}

impl Case<'_> {
    fn is_of(&self, table: &str, columns: &[&str]) -> bool {
        self.table == table && columns.contains(&self.column)
    }

    /// What nobody reads as anything but what it is, or never finds.
    fn is_harmless(&self) -> bool {
        self.is_of("keys", &["description"]) && self.is_empty
            || self.is_of("settings", &["timeline"])
            || self.is_position()
            || self.is_of("uses", &["key"])
            || self.is_of("scope_uses", &["key"])
    }

    /// By what a row is found, so that it is not where it was.
    fn is_position(&self) -> bool {
        self.is_of("keys", &["id", "project", "created_at"])
            || self.is_of("events", &["seq", "id", "project", "key", "at"])
            || self.is_of("settings", &["one"])
    }

    fn check_error(&self, error: &StoreError) {
        let said = causes(error);
        assert!(matches!(error, StoreError::Backend { .. }), "{}: {said}", self.label);
        assert!(!said.contains("bage") && !said.contains("sha256:"), "{}: {said}", self.label);
        // A statement that compares a column of another type is refused by the server.
        assert!(said.contains(self.table) || said.contains("(42"), "{}: {said}", self.label);
    }

    /// How many errors there were.
    async fn check(&self, store: &PostgresStore) -> usize {
        let errors =
            self.check_keys(store).await + self.check_lists(store).await + self.check_feed(store).await;
        assert!(errors > 0 || self.is_harmless(), "{} was not noticed", self.label);
        errors
    }

    async fn check_keys(&self, store: &PostgresStore) -> usize {
        let keys = keys_of(store.clone());
        let mut errors = 0;
        for key in &self.scene.keys {
            let id = key.stored.key().id;
            let found = store.get(id).await;
            let same = match &found {
                Ok(found) => found.as_ref() == Some(&key.stored),
                Err(error) => {
                    assert_eq!(self.table, "keys", "{}: {}", self.label, causes(error));
                    self.check_error(error);
                    errors += 1;
                    false
                }
            };
            // A column of another type is one of every key.
            let hit =
                self.table == "keys" && (self.key.is_none() || self.key.as_deref() == Some(id.as_str()));
            assert!(same || hit, "{} changed {id}", self.label);
            for token in &key.tokens {
                match keys.verify(token, &production()).await {
                    Ok(_) => assert!(
                        !key.is_revoked && (same || self.is_of("keys", &["description"])),
                        "{} lets {id} in",
                        self.label
                    ),
                    Err(Denial::Revoked { .. }) => assert!(key.is_revoked, "{}", self.label),
                    Err(Denial::Unavailable { .. }) => {
                        let of_all = matches!(self.table, "settings" | "events");
                        assert!(of_all || hit && !same, "{}: {id} is unavailable", self.label);
                    }
                    Err(denial) => assert!(hit && !same, "{}: {id} gets {denial}", self.label),
                }
            }
        }
        errors
    }

    async fn check_lists(&self, store: &PostgresStore) -> usize {
        let project = ProjectId::new("checkout").unwrap();
        let mut errors = 0;
        match store.list(&project, &KeyQuery::default()).await {
            Err(error) => {
                assert_eq!(self.table, "keys", "{}: {}", self.label, causes(&error));
                self.check_error(&error);
                errors += 1;
            }
            Ok(page) if page.items.len() == self.scene.keys.len() => {}
            Ok(_) => assert!(self.table == "keys" && self.is_position(), "{} hides a key", self.label),
        }
        for status in [Status::Active, Status::Revoked] {
            let listed = store.list(&project, &KeyQuery::default().status(status)).await;
            assert!(listed.is_err() || !self.is_of("keys", &["status"]), "{} hides a key", self.label);
        }
        match store.history(&project, &AuditQuery::default()).await {
            Err(error) => {
                assert_eq!(self.table, "events", "{}: {}", self.label, causes(&error));
                self.check_error(&error);
                errors += 1;
            }
            Ok(page) if page.items.len() == 5 => {}
            Ok(_) => assert!(self.table == "events" && self.is_position(), "{} hides an event", self.label),
        }
        for key in &self.scene.keys {
            if let Err(error) = store.last_uses(&[key.stored.key().id]).await {
                assert_eq!(self.table, "uses", "{}: {}", self.label, causes(&error));
                self.check_error(&error);
                errors += 1;
            }
            if let Err(error) = store.scope_uses(&[key.stored.key().id]).await {
                assert_eq!(self.table, "scope_uses", "{}: {}", self.label, causes(&error));
                self.check_error(&error);
                errors += 1;
            }
        }
        errors
    }

    async fn check_feed(&self, store: &PostgresStore) -> usize {
        match store.changes(None).await {
            Ok(Changes::Everything { next, .. }) => {
                // Whatever an event looks like, the feed goes on, or says that it does not.
                let again = store.changes(Some(&next)).await;
                assert!(again.is_ok() || self.table == "events", "{}: {again:?}", self.label);
                0
            }
            Ok(other) => panic!("{}: {other:?}", self.label),
            Err(error) => {
                assert!(matches!(self.table, "settings" | "events"), "{}: {}", self.label, causes(&error));
                assert!(!causes(&error).contains("bage"), "{}", causes(&error));
                1
            }
        }
    }
}

/// A number in a column of numbers may be right.
fn does_not_belong(is_number: bool, kind: &str, value: &str) -> bool {
    match kind {
        "" if is_number => value == "NULL",
        "" => true,
        "text" => is_number,
        _ => true,
    }
}

#[test]
fn what_does_not_belong_in_a_column_is_an_error_and_lets_nobody_in() {
    run(async {
        let scene = Scene::new().await;
        let (mut cases, mut errors, mut refused) = (0, 0, 0);
        for table in TABLES {
            let columns = scene.columns(table).await;
            for (column, is_number) in &columns {
                for (kind, values) in [OWN, TEXT, BYTES] {
                    let values: Vec<&str> = values
                        .iter()
                        .copied()
                        .filter(|value| does_not_belong(*is_number, kind, value))
                        .collect();
                    if values.is_empty() {
                        continue;
                    }
                    // It looks at the triggers when it is opened.
                    let store = open(&SERVER, &scene.schema).await;
                    scene.relax(table, &columns, column, kind).await;
                    let of_key = match table {
                        "keys" => "id",
                        "uses" | "scope_uses" | "events" => "key",
                        _ => "NULL",
                    };
                    let lines = format!("SELECT line, {of_key}::text, {column} FROM {table} ORDER BY line");
                    let lines = scene.client.query(&lines, &[]).await.unwrap();
                    for line in &lines {
                        let (number, key): (i64, Option<String>) = (line.get(0), line.get(1));
                        for value in &values {
                            let place = format!("WHERE line = {number}");
                            let label = format!("{table}.{column} {kind} of line {number} = {value}");
                            scene
                                .client
                                .batch_execute(&format!(
                                    "CREATE TEMP TABLE kept AS SELECT {column} FROM {table} {place}"
                                ))
                                .await
                                .unwrap();
                            let set = format!(
                                "UPDATE {table} SET {column} = {value} {place} AND {column} IS DISTINCT FROM {value}"
                            );
                            let changed = scene
                                .client
                                .execute(&set, &[])
                                .await
                                .unwrap_or_else(|error| panic!("{label}: {error:?}"));
                            if changed == 0 {
                                refused += 1;
                            } else {
                                cases += 1;
                                let key = key.clone().filter(|_| kind.is_empty());
                                let case = Case {
                                    scene: &scene,
                                    table,
                                    column,
                                    label,
                                    key,
                                    is_empty: *value == "''",
                                };
                                errors += usize::from(case.check(&store).await > 0);
                            }
                            let back = format!(
                                "UPDATE {table} SET {column} = (SELECT {column} FROM kept) {place}; DROP TABLE kept"
                            );
                            scene.client.batch_execute(&back).await.unwrap();
                        }
                    }
                    scene.restore(table).await;
                }
            }
        }
        println!("{cases} values, {errors} answered with an error, {refused} were there already");
        assert!(cases > 400 && errors > 300);
        let store = open(&SERVER, &scene.schema).await;
        for key in &scene.keys {
            assert_eq!(store.get(key.stored.key().id).await.unwrap().as_ref(), Some(&key.stored));
        }
    });
}
