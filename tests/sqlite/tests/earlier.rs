//! Files of earlier versions open, keep working and keep refusing.

#[path = "../../support/earlier.rs"]
mod earlier;

use access_keys::store::{Migrate, SqliteStore};
use pollster::block_on;
use sqlite_tests::{File, causes};

const V1: &str = include_str!("../fixtures/keys_v1.sql");
const TOKENS: &str = include_str!("../fixtures/keys_v1.tokens");

#[test]
fn a_file_of_version_1_goes_on() {
    let file = File::new();
    file.raw().execute_batch(V1).unwrap();
    let check = block_on(SqliteStore::options(file.path()).migrate(Migrate::Check).open());
    let said = causes(&check.expect_err("it is opened"));
    assert!(said.contains("has migration 1 and needs"), "{said}");
    block_on(earlier::goes_on(file.open(), TOKENS));
}
