//! Databases that are opened, and databases that are refused and left as they were.

use std::sync::LazyLock;
use std::time::Duration;

use access_keys::store::sql::{Database, migrations};
use access_keys::store::{KeyStore, Migrate, PostgresStore, StoreError};
use postgres_tests::{RUNTIME, Server, causes, checkout, dump, fresh, generate, keys_of, open, raw, run};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

async fn refused(address: &str, schema: &str, migrate: Migrate) -> String {
    let opened = PostgresStore::options(address).schema(schema).migrate(migrate).open().await;
    let error = opened.expect_err("it is opened");
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    causes(&error)
}

#[test]
fn a_schema_is_made_and_opened_again() {
    run(async {
        let schema = fresh();
        let keys = keys_of(open(&SERVER, &schema).await);
        let issued = generate(&checkout(&keys), "Mobile app").await;
        let again = open(&SERVER, &schema).await;
        assert!(again.get(issued.key.id).await.unwrap().is_some());
    });
}

#[test]
fn ten_nodes_open_a_new_database_at_once() {
    run(async {
        for _ in 0..5 {
            let schema = fresh();
            let opened: Vec<_> = (0..10)
                .map(|_| {
                    let schema = schema.clone();
                    RUNTIME.spawn(async move { open(&SERVER, &schema).await })
                })
                .collect();
            for store in opened {
                assert!(store.await.unwrap().changes(None).await.is_ok());
            }
            let client = raw(&SERVER.address()).await;
            let sql = format!("SELECT count(*) FROM {schema}.migrations");
            assert_eq!(client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), 3);
        }
    });
}

#[test]
fn a_check_applies_nothing() {
    run(async {
        let schema = fresh();
        let said = refused(&SERVER.address(), &schema, Migrate::Check).await;
        assert!(said.contains("has migration 0 and needs 3"), "{said}");
        let client = raw(&SERVER.address()).await;
        let made = client.query("SELECT FROM pg_namespace WHERE nspname = $1", &[&schema]).await.unwrap();
        assert!(made.is_empty());
        // With a tool of the host's own.
        client
            .batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}, pg_temp"))
            .await
            .unwrap();
        for migration in migrations().iter().filter(|migration| migration.database == Database::Postgres) {
            client.batch_execute(&format!("BEGIN; {} COMMIT", migration.sql)).await.unwrap();
        }
        let options = PostgresStore::options(&SERVER.address()).schema(&*schema);
        let store = options.migrate(Migrate::Check).open().await.unwrap();
        assert!(store.changes(None).await.is_ok());
    });
}

#[test]
fn a_schema_of_a_later_version_or_of_another_application_is_refused() {
    run(async {
        let schema = fresh();
        drop(open(&SERVER, &schema).await);
        let client = raw(&SERVER.address()).await;
        client.batch_execute(&format!("INSERT INTO {schema}.migrations VALUES (99)")).await.unwrap();
        let before = dump(&client, &schema).await;
        for migrate in [Migrate::Apply, Migrate::Check] {
            let said = refused(&SERVER.address(), &schema, migrate).await;
            assert!(said.contains("it has migration 99, and this one knows 3"), "{said}");
        }
        assert_eq!(dump(&client, &schema).await, before);
        for table in
            ["theirs (x int)", "migrations (x int)", "migrations (number text)", "migrations (number int8)"]
        {
            let schema = fresh();
            client
                .batch_execute(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table}"))
                .await
                .unwrap();
            let said = refused(&SERVER.address(), &schema, Migrate::Apply).await;
            assert!(said.contains("another application"), "{table}: {said}");
            let keys = client.query("SELECT to_regclass($1) IS NULL", &[&format!("{schema}.keys")]).await;
            assert!(keys.unwrap()[0].get::<_, bool>(0), "tables were made beside {table}");
        }
    });
}

#[test]
fn a_schema_in_which_a_trigger_is_missing_or_sleeps_is_refused() {
    run(async {
        let schema = fresh();
        drop(open(&SERVER, &schema).await);
        let client = raw(&SERVER.address()).await;
        let triggers = client
            .query(
                "SELECT tgname::text, relname::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid \
                 WHERE relnamespace = $1::text::regnamespace",
                &[&schema],
            )
            .await
            .unwrap();
        assert_eq!(triggers.len(), 18);
        for row in triggers {
            let (name, table): (String, String) = (row.get(0), row.get(1));
            for state in ["DISABLE", "ENABLE", "ENABLE REPLICA"] {
                let change = |state| format!("ALTER TABLE {schema}.{table} {state} TRIGGER {name}");
                client.batch_execute(&change(state)).await.unwrap();
                let said = refused(&SERVER.address(), &schema, Migrate::Apply).await;
                assert!(said.contains(&format!("the trigger {name} is missing")), "{said}");
                client.batch_execute(&change("ENABLE ALWAYS")).await.unwrap();
            }
        }
        drop(open(&SERVER, &schema).await);
    });
}

#[test]
fn a_name_that_would_need_quotes_is_refused() {
    run(async {
        let long = "k".repeat(49);
        for schema in ["", "Keys", "keys-1", "1keys", "pg_keys", "a\"b", "a.b", "ключи", long.as_str()] {
            let said = refused(&SERVER.address(), schema, Migrate::Apply).await;
            assert!(said.contains("a schema is named by"), "{schema}: {said}");
        }
        drop(open(&SERVER, &"k".repeat(48)).await);
    });
}

#[test]
fn an_address_that_leads_nowhere_says_why_and_shows_no_password() {
    run(async {
        let port = SERVER.port();
        for (address, why) in [
            ("postgres://ada:hush@127.0.0.1:1/postgres".to_owned(), "Connection refused"),
            ("postgres://ada:hush@localhost:x/postgres".to_owned(), "cannot be read"),
            (format!("postgres://ada:hush@127.0.0.1:{port}/postgres"), "role \"ada\" does not exist"),
            (format!("postgres://postgres:hush@127.0.0.1:{port}/none"), "database \"none\" does not exist"),
            (format!("postgres://postgres:hush@127.0.0.1:{port}/postgres?sslmode=require"), "asks for TLS"),
        ] {
            let said = refused(&address, "keys", Migrate::Apply).await;
            assert!(said.contains(why) && !said.contains("hush"), "{address}: {said}");
            let options = PostgresStore::options(&address);
            assert!(!format!("{options:?}").contains("hush"), "{options:?}");
        }
    });
}

#[test]
fn outside_a_runtime_it_says_so() {
    let opened = futures_util::FutureExt::now_or_never(PostgresStore::connect(&SERVER.address()));
    let error = opened.expect("it waits for nothing").expect_err("it is opened");
    assert!(causes(&error).contains("no runtime of tokio"), "{}", causes(&error));
}

#[test]
fn a_server_that_would_lose_what_it_acknowledged_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let server = Server::start(&format!("{setting} = off"));
        let said = run(refused(&server.address(), "keys", Migrate::Apply));
        assert!(said.contains(&format!("the setting {setting} at off, and it must be on")), "{said}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    run(async {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address =
            format!("postgres://postgres@127.0.0.1:{}/postgres", silent.local_addr().unwrap().port());
        let options = PostgresStore::options(&address).time_limit(Duration::from_millis(900));
        let error = options.open().await.expect_err("it is opened");
        assert!(causes(&error).contains("no answer within 900ms"), "{}", causes(&error));
    });
}
