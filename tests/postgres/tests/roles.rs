//! Roles: one that verifies can change nothing, one that manages can delete nothing, and with a pepper even one that
//! can write every table makes no token that verifies.

use std::sync::LazyLock;
use std::time::Duration;

use access_keys::store::{KeyStore, KeyUse, Migrate, PostgresAccess, PostgresStore, StoreError};
use access_keys::{AccessKeys, Denial, Edit, Error, KeyQuery, Pepper};
use postgres_tests::{
    Server, causes, checkout, dump, fresh, generate, keys_of, open, production, raw, run, try_generate,
};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

/// A role with this access to a schema, and the address by which it connects.
async fn role(schema: &str, name: &str, access: PostgresAccess) -> String {
    let owner = raw(&SERVER.address()).await;
    owner.batch_execute(&format!("CREATE ROLE {name} LOGIN")).await.unwrap();
    owner.batch_execute(&access.grants(schema, name).unwrap()).await.unwrap();
    SERVER.address_of(name, "postgres")
}

async fn open_as(address: &str, schema: &str) -> PostgresStore {
    PostgresStore::options(address).schema(schema).open().await.unwrap()
}

#[test]
fn a_role_that_verifies_verifies_and_records_uses() {
    run(async {
        let schema = fresh();
        let keys = keys_of(open(&SERVER, &schema).await);
        let issued = generate(&checkout(&keys), "Mobile app").await;
        let address = role(&schema, "verifies", PostgresAccess::Verify).await;
        let node = keys_of(open_as(&address, &schema).await);
        let grant = node.verify(issued.token.expose(), &production()).await.unwrap();
        let agent = access_keys::AgentId::new("support-bot").unwrap();
        grant.require_agent(&agent).unwrap();
        node.flush_uses().await.unwrap();
        let reached = checkout(&keys).scope_used(&[issued.key.id]).await.unwrap().unwrap();
        assert_eq!(reached[0].agents().map(|(id, _)| id).collect::<Vec<_>>(), [&agent]);
        let used = checkout(&keys).last_used(&[issued.key.id]).await.unwrap();
        assert_eq!(used.len(), 1);
        assert_eq!(checkout(&node).list(KeyQuery::default()).await.unwrap().items.len(), 1);
        checkout(&keys).revoke(issued.key.id, "leaked").await.unwrap();
        let node = keys_of(open_as(&address, &schema).await);
        let denial = node.verify(issued.token.expose(), &production()).await.unwrap_err();
        assert!(matches!(denial, Denial::Revoked { .. }), "{denial}");
    });
}

#[test]
fn a_role_that_verifies_changes_nothing_by_the_library_or_by_hand() {
    run(async {
        let schema = fresh();
        let keys = keys_of(open(&SERVER, &schema).await);
        let project = checkout(&keys);
        let (issued, revoked) = (generate(&project, "Mobile app").await, generate(&project, "Old app").await);
        project.revoke(revoked.key.id, "leaked").await.unwrap();
        keys.store().record_use(&[KeyUse::new(issued.key.id, 1, issued.key.created_at)]).await.unwrap();
        let address = role(&schema, "only_verifies", PostgresAccess::Verify).await;
        let node = keys_of(open_as(&address, &schema).await);
        let denied = |error: Error| {
            assert!(matches!(error, Error::Store { .. }), "{error:?}");
            assert!(causes(&error).contains("permission denied"), "{}", causes(&error));
        };
        denied(try_generate(&checkout(&node), "Web app").await.unwrap_err());
        denied(checkout(&node).revoke(issued.key.id, "mine").await.unwrap_err());
        denied(checkout(&node).edit(issued.key.id, Edit::new().name("Mine").unwrap()).await.unwrap_err());
        let limit = node.store().set_max_staleness(Duration::from_secs(1)).await.unwrap_err();
        assert!(causes(&limit).contains("permission denied"), "{}", causes(&limit));
        let owner = raw(&SERVER.address()).await;
        let before = dump(&owner, &schema).await;
        let raw = raw(&address).await;
        raw.batch_execute(&format!("SET search_path = {schema}")).await.unwrap();
        for sql in [
            "INSERT INTO keys SELECT * FROM keys",
            "UPDATE keys SET status = 'active'",
            "UPDATE keys SET digest = digest",
            "DELETE FROM keys",
            "TRUNCATE keys",
            "INSERT INTO events SELECT * FROM events",
            "UPDATE events SET actor = 'user:eve'",
            "DELETE FROM events",
            "UPDATE settings SET max_staleness = 60000000",
            "UPDATE settings SET incarnation = incarnation",
            "DELETE FROM uses",
            "UPDATE uses SET at = at - 1",
            "DELETE FROM scope_uses",
            "INSERT INTO migrations VALUES (2)",
            "SELECT nextval('events_seq')",
            "SELECT setval('events_seq', 1)",
            "ALTER TABLE keys DISABLE TRIGGER USER",
            "DROP TRIGGER keys_are_never_deleted ON keys",
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TABLE more (x int)",
            "SET session_replication_role = replica",
            "LOCK TABLE keys IN ACCESS EXCLUSIVE MODE",
            "COPY keys FROM PROGRAM 'true'",
        ] {
            let sent = raw.batch_execute(sql).await;
            assert!(sent.is_err(), "{sql}");
            assert_eq!(dump(&owner, &schema).await, before, "after {sql}");
        }
    });
}

#[test]
fn a_role_that_manages_does_all_that_the_library_does_and_no_more() {
    run(async {
        let schema = fresh();
        drop(open(&SERVER, &schema).await);
        let address = role(&schema, "manages", PostgresAccess::Manage).await;
        let keys = keys_of(open_as(&address, &schema).await);
        let project = checkout(&keys);
        let issued = generate(&project, "Mobile app").await;
        project.edit(issued.key.id, Edit::new().name("Web app").unwrap()).await.unwrap();
        drop(project.rotate(issued.key.id, Duration::from_secs(60)).await.unwrap());
        project.deactivate(issued.key.id).await.unwrap();
        project.activate(issued.key.id).await.unwrap();
        keys.store().set_max_staleness(Duration::from_secs(1)).await.unwrap();
        keys.store().begin_incarnation().await.unwrap();
        keys.store().record_use(&[KeyUse::new(issued.key.id, 1, issued.key.created_at)]).await.unwrap();
        project.revoke(issued.key.id, "leaked").await.unwrap();
        let owner = raw(&SERVER.address()).await;
        let before = dump(&owner, &schema).await;
        let raw = raw(&address).await;
        raw.batch_execute(&format!("SET search_path = {schema}")).await.unwrap();
        for sql in [
            "UPDATE keys SET status = 'active'",
            "UPDATE keys SET status = 'active', revision = revision + 1",
            "DELETE FROM keys",
            "TRUNCATE keys",
            "UPDATE events SET actor = 'user:eve'",
            "DELETE FROM events",
            "DELETE FROM settings",
            "ALTER TABLE keys DISABLE TRIGGER USER",
            "SELECT setval('events_seq', 1)",
            "SET session_replication_role = replica",
        ] {
            assert!(raw.batch_execute(sql).await.is_err(), "{sql}");
            assert_eq!(dump(&owner, &schema).await, before, "after {sql}");
        }
    });
}

#[test]
fn a_role_without_access_is_told_so_when_it_opens() {
    run(async {
        let schema = fresh();
        drop(open(&SERVER, &schema).await);
        raw(&SERVER.address()).await.batch_execute("CREATE ROLE stranger LOGIN").await.unwrap();
        let address = SERVER.address_of("stranger", "postgres");
        for migrate in [Migrate::Apply, Migrate::Check] {
            let opened = PostgresStore::options(&address).schema(&*schema).migrate(migrate).open().await;
            let error = opened.expect_err("it is opened");
            assert!(causes(&error).contains("permission denied"), "{}", causes(&error));
        }
        let unheard_of =
            PostgresStore::options(&address).schema("their_own").open().await.expect_err("it is opened");
        assert!(causes(&unheard_of).contains("permission denied"), "{}", causes(&unheard_of));
    });
}

#[test]
fn with_a_pepper_whoever_writes_the_tables_makes_no_token() {
    run(async {
        let (schema, elsewhere) = (fresh(), fresh());
        let pepper = || Pepper::new(1, [7; 32]).unwrap();
        let peppered = |store| AccessKeys::builder(store).prefix("acme").pepper(pepper()).build().unwrap();
        let keys = peppered(open(&SERVER, &schema).await);
        let issued = generate(&checkout(&keys), "Mobile app").await;
        assert!(keys.verify(issued.token.expose(), &production()).await.is_ok());
        // A key of their own making, by the library itself, without the pepper and with another.
        let own = keys_of(open(&SERVER, &elsewhere).await);
        let other = AccessKeys::builder(open(&SERVER, &elsewhere).await).prefix("acme");
        let other = other.pepper(Pepper::new(1, [8; 32]).unwrap()).build().unwrap();
        let planted =
            [generate(&checkout(&own), "Planted").await, generate(&checkout(&other), "Planted").await];
        let owner = raw(&SERVER.address()).await;
        for table in ["keys", "events"] {
            owner
                .batch_execute(&format!(
                    "ALTER TABLE {schema}.{table} DISABLE TRIGGER USER; \
                     INSERT INTO {schema}.{table} SELECT * FROM {elsewhere}.{table} ON CONFLICT DO NOTHING"
                ))
                .await
                .unwrap();
        }
        // Its digest in the row of a key that is good.
        let planted_row = format!(
            "UPDATE {schema}.keys SET digest = planted.digest FROM {elsewhere}.keys AS planted WHERE keys.id = '{}'",
            issued.key.id
        );
        owner.batch_execute(&planted_row).await.unwrap();
        for table in ["keys", "events"] {
            let triggers = format!(
                "SELECT format('ALTER TABLE {schema}.{table} ENABLE ALWAYS TRIGGER %I', tgname) FROM pg_trigger \
                 WHERE tgrelid = '{schema}.{table}'::regclass AND NOT tgisinternal"
            );
            for row in owner.query(&triggers, &[]).await.unwrap() {
                owner.batch_execute(row.get(0)).await.unwrap();
            }
        }
        let node = peppered(open(&SERVER, &schema).await);
        for token in planted.iter().chain([&issued]) {
            assert!(node.store().get(token.key.id).await.unwrap().is_some());
            let denial = node.verify(token.token.expose(), &production()).await.unwrap_err();
            assert!(matches!(denial, Denial::Unrecognized { .. }), "{denial:?}");
        }
    });
}

#[test]
fn a_role_that_would_need_quotes_is_refused() {
    for (schema, role) in
        [("a\"b", "node"), ("keys", "node; DROP TABLE keys"), ("", "node"), ("keys", "Node")]
    {
        let error = PostgresAccess::Verify.grants(schema, role).unwrap_err();
        assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    }
}
