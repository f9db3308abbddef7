//! The conformance kit over PostgreSQL: one schema, and handles that share nothing else.

use std::sync::LazyLock;

use access_keys::store::conformance::{Fixture, RawWrites};
use access_keys::store::{PostgresOptions, PostgresStore, StoredKey};
use deadpool_postgres::{Manager, Pool};
use postgres_tests::{RUNTIME, Server, raw};
use tokio_postgres::NoTls;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start("max_connections = 400"));

mod handles {
    use super::Handles;

    access_keys::conformance_tests!(Handles);
}

mod pools {
    use super::Pools;

    access_keys::conformance_tests!(Pools);
}

async fn open(options: PostgresOptions) -> PostgresStore {
    RUNTIME.spawn(options.open()).await.unwrap().unwrap()
}

/// Each handle has connections of its own, as one of another process has.
struct Handles;

impl Fixture for Handles {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        open(PostgresStore::options(&SERVER.address())).await
    }

    fn raw_writes(&self) -> Option<RawWrites> {
        let statements = [
            "UPDATE access_keys.keys SET status = 'active' WHERE id = $1",
            "UPDATE access_keys.keys SET status = 'active', revision = revision + 1 WHERE id = $1",
            "DELETE FROM access_keys.keys WHERE id = $1",
            "INSERT INTO access_keys.keys SELECT * FROM access_keys.keys WHERE id = $1 \
             ON CONFLICT (id) DO UPDATE SET status = 'active', revision = keys.revision + 1",
            "UPDATE access_keys.events SET action = 'edited' WHERE key = $1",
            "DELETE FROM access_keys.events WHERE key = $1",
        ];
        Some(statements.into_iter().fold(RawWrites::new(), |raw_writes, sql| {
            raw_writes.attempt(sql, move |key: StoredKey| async move {
                let sent = RUNTIME.spawn(async move {
                    let client = raw(&SERVER.address()).await;
                    client.batch_execute("SET session_replication_role = replica").await?;
                    client.execute(sql, &[&key.key().id.as_str()]).await.map(drop)
                });
                sent.await?.map_err(Into::into)
            })
        }))
    }
}

/// Each handle has a pool of the host.
struct Pools;

impl Fixture for Pools {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        let manager = Manager::new(SERVER.address().parse().unwrap(), NoTls);
        let pool = Pool::builder(manager).max_size(8).build().unwrap();
        open(PostgresStore::from_pool(pool).listen(SERVER.address()).schema("pooled")).await
    }
}
