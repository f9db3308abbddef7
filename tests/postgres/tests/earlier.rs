//! Schemas of earlier versions open, keep working and keep refusing.

#[path = "../../support/earlier.rs"]
mod earlier;

use std::sync::LazyLock;

use access_keys::store::{Migrate, PostgresStore};
use postgres_tests::{Server, causes, open, raw, run};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));
const V1: &str = include_str!("../fixtures/keys_v1.sql");
const TOKENS: &str = include_str!("../fixtures/keys_v1.tokens");

#[test]
fn a_schema_of_version_1_goes_on() {
    run(async {
        raw(&SERVER.address()).await.batch_execute(V1).await.unwrap();
        let options = PostgresStore::options(&SERVER.address()).schema("keys_v1");
        let check = options.migrate(Migrate::Check).open().await;
        let said = causes(&check.expect_err("it is opened"));
        assert!(said.contains("has migration 1 and needs"), "{said}");
        earlier::goes_on(open(&SERVER, "keys_v1").await, TOKENS).await;
    });
}
