//! A throwaway server of PostgreSQL.

mod cores;
mod database;
mod feed;
mod generate;
mod miss;
mod refresh;
#[path = "../../../tests/postgres/src/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests have it public, and use all of it")]
mod server;

use crate::{Done, hygiene, page};

pub(crate) fn measure(keys: usize) -> Done {
    let database = database::Database::fill(keys)?;
    miss::measure(&database)?;
    miss::measure_64(&database)?;
    refresh::measure(&database)?;
    generate::measure(&database)?;
    let host = database.host()?;
    hygiene::measure("postgres", &database::checkout(&host), host.store(), &database.runtime)?;
    page::measure("postgres_page", &database::checkout(&host), "strpos", &database.runtime, |sql| {
        Ok(database.runtime.block_on(database.client.query_one(sql, &[]))?.get(0))
    })?;
    feed::measure(&database)
}
