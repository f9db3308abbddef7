//! What someone with a connection of their own cannot do, even the owner of the tables: each statement is refused or
//! without effect, and each has an effect where the triggers are gone.
//!
//! Out of reach of any database are those who drop the triggers or disable them.

use std::sync::LazyLock;
use std::time::Duration;

use access_keys::store::{KeyStore, KeyUse, ScopeUse};
use access_keys::{Denial, Edit, KeyId};
use postgres_tests::{Server, checkout, dump, fresh, generate, keys_of, open, production, raw, run};
use tokio_postgres::Client;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

/// Each may be spoken to with these settings.
const SETTINGS: [&str; 3] = [
    "SET session_replication_role = origin",
    "SET session_replication_role = replica",
    "SET session_replication_role = local; SET synchronous_commit = off; SET constraint_exclusion = on",
];

/// `$REVOKED` and `$OPEN` are ids, `$EVENT` one of no event, `$LAST` that of the last event of `$REVOKED`.
const BRING_BACK: [&str; 11] = [
    "UPDATE keys SET status = 'active' WHERE id = '$REVOKED'",
    "UPDATE keys SET status = 'inactive', revision = revision + 1 WHERE id = '$REVOKED'",
    "UPDATE keys SET name = 'x' WHERE id = '$REVOKED'",
    "UPDATE keys SET digest = (SELECT digest FROM keys WHERE id = '$OPEN') WHERE id = '$REVOKED'",
    "$EVENT_OF_REVOKED; UPDATE keys SET status = 'active', revision = revision + 1, last_event = '$EVENT' \
     WHERE id = '$REVOKED'",
    "$TWIN; INSERT INTO keys SELECT * FROM twin \
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, revision = excluded.revision",
    "$TWIN; DELETE FROM keys WHERE id = '$REVOKED'; INSERT INTO keys SELECT * FROM twin",
    "$TWIN; UPDATE keys SET status = twin.status FROM twin WHERE keys.id = twin.id",
    "$TWIN; MERGE INTO keys USING twin ON keys.id = twin.id WHEN MATCHED THEN UPDATE SET status = twin.status",
    "$TWIN; MERGE INTO keys USING twin ON keys.id = twin.id WHEN MATCHED THEN DELETE",
    "CREATE VIEW seen AS SELECT * FROM keys; UPDATE seen SET status = 'active' WHERE id = '$REVOKED'",
];

const MOVE: [&str; 12] = [
    "UPDATE keys SET environment = 'staging' WHERE id = '$OPEN'",
    "UPDATE keys SET environment = 'staging', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET project = 'billing', revision = revision + 1 WHERE id = '$OPEN'",
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
    "$TWIN_OF_OPEN; INSERT INTO keys SELECT * FROM twin \
     ON CONFLICT (id) DO UPDATE SET environment = excluded.environment",
    "UPDATE events SET project = 'billing' WHERE key = '$OPEN'",
];

const SKIP: [&str; 9] = [
    "UPDATE keys SET name = 'x' WHERE id = '$OPEN'",
    "UPDATE keys SET name = 'x', revision = revision + 1 WHERE id = '$OPEN'",
    "UPDATE keys SET revision = revision + 2 WHERE id = '$OPEN'",
    "UPDATE keys SET revision = revision - 1 WHERE id = '$OPEN'",
    "UPDATE keys SET last_event = '$LAST', revision = revision + 1 WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET revision = revision + 2, last_event = '$EVENT' WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN; UPDATE keys SET name = 'x', last_event = '$EVENT' WHERE id = '$OPEN'",
    "$EVENT_OF_OPEN",
    "INSERT INTO events SELECT seq + 1000, '$EVENT', project, key, at, actor, action, revision + 7, changes, reason, \
     operation FROM events WHERE key = '$OPEN' AND revision = 1",
];

const LOSE: [&str; 26] = [
    "DELETE FROM keys",
    "DELETE FROM keys WHERE id = '$OPEN'",
    "TRUNCATE keys",
    "TRUNCATE keys, events, uses, scope_uses, settings CASCADE",
    "DELETE FROM events",
    "DELETE FROM events WHERE key = '$REVOKED'",
    "TRUNCATE events",
    "UPDATE events SET action = 'edited'",
    "UPDATE events SET reason = 'because:' WHERE key = '$REVOKED'",
    "UPDATE events SET seq = seq + 100",
    "INSERT INTO events SELECT * FROM events WHERE key = '$OPEN' ON CONFLICT (id) DO UPDATE SET actor = 'user:eve'",
    "DELETE FROM uses",
    "TRUNCATE uses",
    "UPDATE uses SET at = at - 1",
    "UPDATE uses SET generation = generation + 1",
    "INSERT INTO uses SELECT key, generation, at - 1 FROM uses \
     ON CONFLICT (key, generation) DO UPDATE SET at = excluded.at",
    "DELETE FROM scope_uses",
    "TRUNCATE scope_uses",
    "UPDATE scope_uses SET at = at - 1",
    "UPDATE scope_uses SET since = since + 1",
    "UPDATE scope_uses SET resource = 'agent:other'",
    "UPDATE scope_uses SET key = '$REVOKED'",
    "INSERT INTO scope_uses SELECT key, resource, since + 1, at FROM scope_uses \
     ON CONFLICT (key, resource) DO UPDATE SET since = excluded.since",
    "DELETE FROM settings",
    "TRUNCATE settings",
    "UPDATE settings SET drained_at = drained_at - 1",
];

fn statements() -> impl Iterator<Item = &'static str> {
    BRING_BACK.into_iter().chain(MOVE).chain(SKIP).chain(LOSE)
}

/// Two keys, one of which is revoked, and someone who knows their ids.
struct Scene {
    schema: String,
    client: Client,
    revoked: KeyId,
    revoked_token: String,
    open: KeyId,
    open_token: String,
    last: String,
}

impl Scene {
    async fn new() -> Self {
        let schema = fresh();
        let keys = keys_of(open(&SERVER, &schema).await);
        let project = checkout(&keys);
        let (open, revoked) = (generate(&project, "Mobile app").await, generate(&project, "Old app").await);
        project.edit(open.key.id, Edit::new().name("Web app").unwrap()).await.unwrap();
        project.revoke(revoked.key.id, "leaked").await.unwrap();
        let store = keys.store();
        store.record_use(&[KeyUse::new(open.key.id, 1, open.key.created_at)]).await.unwrap();
        let agent = access_keys::AgentId::new("support-bot").unwrap();
        let reached = ScopeUse::new(open.key.id, agent, open.key.created_at + chrono::TimeDelta::hours(1));
        store.record_scope_uses(&[reached.since(open.key.created_at)]).await.unwrap();
        store.set_max_staleness(Duration::from_secs(1)).await.unwrap();
        let last = store.get(revoked.key.id).await.unwrap().unwrap().last_event().to_string();
        let (revoked_token, open_token) = (revoked.token.expose().to_owned(), open.token.expose().to_owned());
        let client = raw(&SERVER.address()).await;
        client.batch_execute(&format!("SET search_path = {schema}, pg_temp")).await.unwrap();
        Self { schema, client, revoked: revoked.key.id, revoked_token, open: open.key.id, open_token, last }
    }

    fn filled(&self, statement: &str) -> String {
        const EVENT: &str = "INSERT INTO events SELECT 900, '$EVENT', project, id, updated_at + 1, created_by, 'edited', \
            revision + 1, '[]', 'none', 'none', 'none' FROM keys WHERE id = ";
        const TWIN: &str = "CREATE TEMP TABLE twin ON COMMIT DROP AS SELECT * FROM keys WHERE id = ";

        let fill = [
            ("$EVENT_OF_REVOKED", format!("{EVENT}'$REVOKED'")),
            ("$EVENT_OF_OPEN", format!("{EVENT}'$OPEN'")),
            ("$TWIN_OF_OPEN", format!("{TWIN}'$OPEN'; UPDATE twin SET environment = 'staging'")),
            ("$TWIN", format!("{TWIN}'$REVOKED'; UPDATE twin SET status = 'active'")),
            ("$EVENT", "Zz2LkP9sTz4WcX1q".to_owned()),
            ("$REVOKED", self.revoked.to_string()),
            ("$OPEN", self.open.to_string()),
            ("$LAST", self.last.clone()),
        ];
        fill.iter().fold(statement.to_owned(), |sql, (word, text)| sql.replace(word, text))
    }

    /// In one transaction, as whoever wants all of it or nothing would.
    async fn send(&self, statement: &str, end: &str) -> Result<(), tokio_postgres::Error> {
        let sent = self.client.batch_execute(&format!("BEGIN; {}; {end}", self.filled(statement))).await;
        self.client.batch_execute("ROLLBACK").await.unwrap();
        sent
    }

    async fn dump(&self) -> Vec<String> {
        dump(&self.client, &self.schema).await
    }
}

#[test]
fn no_statement_brings_a_key_back_or_moves_or_skips_or_loses_anything() {
    run(async {
        let scene = Scene::new().await;
        let before = scene.dump().await;
        let (mut refused, mut without_effect) = (0, 0);
        for settings in SETTINGS {
            scene.client.batch_execute(settings).await.unwrap();
            for statement in statements() {
                match scene.send(statement, "DROP VIEW IF EXISTS seen; COMMIT").await {
                    Err(_) => refused += 1,
                    Ok(()) => without_effect += 1,
                }
                assert_eq!(scene.dump().await, before, "after {settings} {statement}");
            }
        }
        println!(
            "{} statements: {refused} times refused, {without_effect} without effect",
            statements().count()
        );
        let keys = keys_of(open(&SERVER, &scene.schema).await);
        let denial = keys.verify(&scene.revoked_token, &production()).await.unwrap_err();
        assert!(matches!(denial, Denial::Revoked { .. }), "{denial}");
        assert!(keys.verify(&scene.open_token, &production()).await.is_ok());
        checkout(&keys).revoke(scene.open, "the end").await.unwrap();
    });
}

#[test]
fn old_contents_put_back_bring_nothing_back() {
    run(async {
        let scene = Scene::new().await;
        let keys = keys_of(open(&SERVER, &scene.schema).await);
        let client = &scene.client;
        // As someone who kept a copy of the tables from before.
        client.batch_execute("CREATE TABLE old_keys AS SELECT * FROM keys").await.unwrap();
        checkout(&keys).revoke(scene.open, "leaked").await.unwrap();
        let before = scene.dump().await;
        for settings in SETTINGS {
            client.batch_execute(settings).await.unwrap();
            for back in [
                "UPDATE keys SET (environment, name, status, revision, digest, last_event) = \
                 (old.environment, old.name, old.status, old.revision, old.digest, old.last_event) \
                 FROM old_keys AS old WHERE old.id = keys.id",
                "INSERT INTO keys SELECT * FROM old_keys ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
                 revision = excluded.revision, last_event = excluded.last_event",
                "DELETE FROM keys; INSERT INTO keys SELECT * FROM old_keys",
                "TRUNCATE keys; INSERT INTO keys SELECT * FROM old_keys",
            ] {
                assert!(scene.send(back, "COMMIT").await.is_err(), "{settings}: {back}");
                assert_eq!(scene.dump().await, before, "after {settings} {back}");
            }
        }
    });
}

#[test]
fn each_of_the_statements_has_an_effect_where_the_triggers_are_gone() {
    run(async {
        let scene = Scene::new().await;
        let client = &scene.client;
        for table in postgres_tests::TABLES {
            client.batch_execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await.unwrap();
        }
        let before = scene.dump().await;
        for statement in statements() {
            let sql = scene.filled(statement);
            client
                .batch_execute(&format!("BEGIN; {sql}"))
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            assert_ne!(scene.dump().await, before, "{sql} tests nothing");
            client.batch_execute("ROLLBACK").await.unwrap();
        }
    });
}

#[test]
fn an_event_is_numbered_only_where_it_can_be_seen_in_order() {
    run(async {
        let scene = Scene::new().await;
        let client = &scene.client;
        for level in ["REPEATABLE READ", "SERIALIZABLE"] {
            let sql = scene.filled("$EVENT_OF_OPEN");
            client.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}")).await.unwrap();
            let error = client.batch_execute(&sql).await.unwrap_err();
            assert!(error.as_db_error().unwrap().message().contains("read committed"), "{error:?}");
            client.batch_execute("ROLLBACK").await.unwrap();
        }
    });
}
