//! Every column of every row of every table, overwritten with what does not belong there: a typed error, no accept,
//! no panic, and other keys unharmed.

mod relaxed;

use std::path::Path;
use std::time::Duration;

use access_keys::domain::Resource;
use access_keys::store::{Changes, KeyStore, KeyUse, ScopeUse, SqliteStore, StoreError, StoredKey};
use access_keys::{AccessKeys, AuditQuery, Denial, KeyId, KeyInfo, KeyQuery, ProjectId, Scope};
use pollster::block_on;
use relaxed::Relaxed;
use rusqlite::Connection;
use rusqlite::types::Value;
use sqlite_tests::{File, causes, checkout, columns, generate, production};

const GARBAGE: &str = "\u{1}gar bage\u{202e}";

fn values() -> [Value; 6] {
    [
        Value::Null,
        Value::Text(String::new()),
        Value::Text(GARBAGE.to_owned()),
        Value::Integer(7),
        Value::Real(1.5),
        Value::Blob(vec![0, 255]),
    ]
}

struct Key {
    stored: StoredKey,
    tokens: Vec<String>,
    is_revoked: bool,
}

impl Key {
    fn id(&self) -> KeyId {
        self.stored.key().id
    }
}

struct Scene {
    file: File,
    keys: Vec<Key>,
    uses: usize,
    reached: usize,
}

impl Scene {
    fn new() -> Self {
        let file = File::new();
        let keys = file.keys();
        let project = checkout(&keys);
        let store = keys.store();
        let in_a_year = chrono_in_a_year();
        let info = KeyInfo::new("Rotated app", production()).unwrap().expires_at(in_a_year);
        let info = info.description("iOS\nand Android").unwrap();
        let agents = Scope::parse(["support-bot", "triage"]).unwrap();
        let prompts = Scope::parse(["greeting"]).unwrap();
        let first =
            block_on(project.generate(project.draft().info(info).agents(agents).prompts(prompts).unwrap()))
                .unwrap();
        let second = block_on(project.rotate(first.key.id, Duration::from_secs(86_400))).unwrap();
        let (plain, revoked) = (generate(&project, "Plain app"), generate(&project, "Old app"));
        block_on(project.revoke(revoked.key.id, "leaked")).unwrap();
        let used = |id, generation| KeyUse::new(id, generation, plain.key.created_at);
        let uses = [used(first.key.id, 1), used(first.key.id, 2), used(plain.key.id, 1)];
        block_on(store.record_use(&uses)).unwrap();
        let resources = ["agent:support-bot", "agent:triage", "prompt:greeting"];
        let reached = resources.map(|resource| {
            let resource: Resource = resource.parse().unwrap();
            ScopeUse::new(first.key.id, resource, plain.key.created_at).since(first.key.created_at)
        });
        block_on(store.record_scope_uses(&reached)).unwrap();
        let of = |tokens: &[&access_keys::Issued], is_revoked| Key {
            stored: block_on(store.get(tokens[0].key.id)).unwrap().unwrap(),
            tokens: tokens.iter().map(|issued| issued.token.expose().to_owned()).collect(),
            is_revoked,
        };
        let of_all = vec![of(&[&first, &second], false), of(&[&plain], false), of(&[&revoked], true)];
        drop((project, keys));
        Self { file, keys: of_all, uses: uses.len(), reached: reached.len() }
    }
}

fn chrono_in_a_year() -> std::time::SystemTime {
    std::time::SystemTime::now() + Duration::from_secs(365 * 86_400)
}

/// What became of one overwritten value.
struct Case<'s> {
    scene: &'s Scene,
    table: &'static str,
    column: String,
    value: Value,
    /// The first column of the row, as a literal.
    row: String,
}

impl Case<'_> {
    fn is_of(&self, table: &str, columns: &[&str]) -> bool {
        self.table == table && columns.contains(&self.column.as_str())
    }

    fn label(&self) -> String {
        format!("{}.{} of {} = {:?}", self.table, self.column, self.row, self.value)
    }

    /// It names the column, and repeats nothing of what stands there.
    fn check_error(&self, error: &StoreError) {
        let said = causes(error);
        assert!(matches!(error, StoreError::Backend { .. }), "{}: {said}", self.label());
        assert!(!said.contains("bage") && !said.contains("sha256:"), "{}: {said}", self.label());
        assert!(said.contains(self.table), "{}: {said}", self.label());
    }

    /// How many errors there were.
    fn check(&self, path: &Path) -> usize {
        let store = match block_on(SqliteStore::open(path)) {
            Ok(store) => store,
            // The settings are written to when the file is opened.
            Err(error) => {
                assert_eq!(self.table, "settings", "{}: {}", self.label(), causes(&error));
                return 1;
            }
        };
        let errors = self.check_keys(&store) + self.check_lists(&store) + self.check_feed(&store);
        assert!(errors > 0 || self.is_harmless(), "{} was not noticed", self.label());
        errors
    }

    /// What nobody reads as anything but what it is: an empty description, a count of the store's own.
    fn is_harmless(&self) -> bool {
        let empty = self.value == Value::Text(String::new());
        (self.is_of("keys", &["description"]) && empty) || self.is_of("settings", &["settled"])
            || self.is_position()
            // Unique and found by nobody: nothing that is asked for leads to it.
            || self.is_of("uses", &["key"]) || self.is_of("scope_uses", &["key"])
    }

    /// By what a row is found, so that it is not where it was.
    fn is_position(&self) -> bool {
        self.is_of("keys", &["id", "project", "created_at"])
            || self.is_of("events", &["seq", "id", "project", "at"])
    }

    fn check_keys(&self, store: &SqliteStore) -> usize {
        let keys = AccessKeys::builder(store.clone()).prefix("acme").build().unwrap();
        let feed_is_gone = self.table == "settings" || self.is_of("events", &["seq"]);
        let mut errors = 0;
        for key in &self.scene.keys {
            let hit = self.table == "keys" && self.row == format!("'{}'", key.id());
            let found = block_on(store.get(key.id()));
            let same = match &found {
                Ok(found) => found.as_ref() == Some(&key.stored),
                Err(error) => {
                    assert!(hit, "{} hits {}: {}", self.label(), key.id(), causes(error));
                    self.check_error(error);
                    let said = causes(error);
                    let names = |column: &str| said.contains(&format!("the column {column} of keys"));
                    // The columns of an older secret are there together or not at all.
                    let named =
                        names(&self.column) || self.column.starts_with("older_") && names("older_digest");
                    assert!(named, "{}: {said}", self.label());
                    assert!(said.contains(key.id().as_str()), "{}: {said}", self.label());
                    errors += 1;
                    false
                }
            };
            assert!(same || hit, "{} changed {}", self.label(), key.id());
            for token in &key.tokens {
                let verified = block_on(keys.verify(token, &production()));
                match verified {
                    Ok(_) => assert!(
                        !key.is_revoked && (same || self.is_of("keys", &["description"])),
                        "{} lets {} in",
                        self.label(),
                        key.id()
                    ),
                    Err(Denial::Revoked { .. }) => assert!(key.is_revoked, "{}", self.label()),
                    Err(denial) => {
                        let of_all = feed_is_gone && matches!(denial, Denial::Unavailable { .. });
                        assert!(of_all || hit && !same, "{}: {} gets {denial}", self.label(), key.id());
                    }
                }
            }
        }
        errors
    }

    fn check_lists(&self, store: &SqliteStore) -> usize {
        let project = ProjectId::new("checkout").unwrap();
        let mut errors = 0;
        match block_on(store.list(&project, &KeyQuery::default())) {
            Err(error) => {
                assert_eq!(self.table, "keys", "{}: {}", self.label(), causes(&error));
                self.check_error(&error);
                errors += 1;
            }
            Ok(page) if page.items.len() == self.scene.keys.len() => {}
            Ok(_) => assert!(self.table == "keys" && self.is_position(), "{} hides a key", self.label()),
        }
        for status in ["active", "revoked"] {
            let query = KeyQuery::default().status(status.parse::<access_keys::Status>().unwrap());
            let listed = block_on(store.list(&project, &query));
            let noticed = listed.is_err() || !self.is_of("keys", &["status"]);
            assert!(noticed, "{} hides a key from a filter", self.label());
        }
        match block_on(store.history(&project, &AuditQuery::default())) {
            Err(error) => {
                assert_eq!(self.table, "events", "{}: {}", self.label(), causes(&error));
                self.check_error(&error);
                errors += 1;
            }
            Ok(page) if page.items.len() == 5 => {}
            Ok(_) => assert!(self.table == "events" && self.is_position(), "{} hides an event", self.label()),
        }
        errors += self.check_reached(store);
        let mut uses = 0;
        for key in &self.scene.keys {
            match block_on(store.last_uses(&[key.id()])) {
                Ok(found) => uses += found.len(),
                Err(error) => {
                    assert_eq!(self.table, "uses", "{}: {}", self.label(), causes(&error));
                    assert_eq!(self.row, format!("'{}'", key.id()), "{}", self.label());
                    self.check_error(&error);
                    errors += 1;
                }
            }
        }
        let hidden = uses < self.scene.uses && errors == 0;
        assert!(!hidden || self.is_of("uses", &["key"]), "{} hides a use", self.label());
        errors
    }

    fn check_reached(&self, store: &SqliteStore) -> usize {
        let ids: Vec<_> = self.scene.keys.iter().map(Key::id).collect();
        match block_on(store.scope_uses(&ids)) {
            Ok(found) => {
                let hidden = found.unwrap().len() < self.scene.reached;
                assert!(!hidden || self.is_of("scope_uses", &["key"]), "{} hides a use", self.label());
                0
            }
            Err(error) => {
                assert_eq!(self.table, "scope_uses", "{}: {}", self.label(), causes(&error));
                self.check_error(&error);
                1
            }
        }
    }

    fn check_feed(&self, store: &SqliteStore) -> usize {
        match block_on(store.changes(None)) {
            Ok(Changes::Everything { next, .. }) => {
                // Whatever an event looks like, the feed goes on.
                let again = block_on(store.changes(Some(&next))).unwrap();
                assert!(matches!(again, Changes::Since { .. } | Changes::Everything { .. }));
                0
            }
            Ok(other) => panic!("{}: {other:?}", self.label()),
            Err(error) => {
                assert!(matches!(self.table, "settings" | "events"), "{}: {}", self.label(), causes(&error));
                assert!(self.table == "settings" || self.column == "seq", "{}", self.label());
                assert!(!causes(&error).contains("bage"));
                1
            }
        }
    }
}

#[test]
fn what_does_not_belong_in_a_column_is_an_error_and_lets_nobody_in() {
    let scene = Scene::new();
    let relaxed = Relaxed::of(&scene.file.path());
    let (mut cases, mut refused, mut errors) = (0, 0, 0);
    let original = scene.file.raw();
    for table in sqlite_tests::TABLES {
        let columns = columns(&original, table);
        for (row, place) in rows(&original, table, &columns[0]) {
            for column in &columns {
                for value in values().into_iter().filter(|value| does_not_belong(column, value)) {
                    let stands = format!("SELECT {column} IS ?1 FROM {table} WHERE {place}");
                    if original.query_row(&stands, [&value], |row| row.get(0)).unwrap() {
                        continue;
                    }
                    let (column, row) = (column.clone(), row.clone());
                    let case = Case { scene: &scene, table, column, value, row };
                    cases += 1;
                    match relaxed.with(table, &place, &case.column, &case.value) {
                        None => refused += 1,
                        Some(path) => errors += usize::from(case.check(&path) > 0),
                    }
                }
            }
        }
    }
    println!("{cases} values: {refused} were refused, {errors} answered with an error");
    assert!(cases > 700 && errors > 500);
}

/// Where each row of a table is.
fn places(table: &str) -> &'static str {
    match table {
        "keys" => "'id = ' || quote(id)",
        "events" => "'seq = ' || quote(seq)",
        "uses" => "'key = ' || quote(key) || ' AND generation = ' || quote(generation)",
        "scope_uses" => "'key = ' || quote(key) || ' AND resource = ' || quote(resource)",
        _ => "'one = 1'",
    }
}

/// The first column of each row, and where it is.
fn rows(connection: &Connection, table: &str, first: &str) -> Vec<(String, String)> {
    let sql = format!("SELECT quote({first}), {} FROM {table}", places(table));
    let mut rows = connection.prepare(&sql).unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A number in a column of numbers may be right.
fn does_not_belong(column: &str, value: &Value) -> bool {
    const NUMBERS: [&str; 14] = [
        "expires_at",
        "revision",
        "created_at",
        "updated_at",
        "generation",
        "older_generation",
        "older_ends_at",
        "seq",
        "at",
        "since",
        "one",
        "max_staleness",
        "drained_at",
        "settled",
    ];
    !(matches!(value, Value::Integer(_)) && NUMBERS.contains(&column))
}
