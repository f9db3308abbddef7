//! A server of keys, and what the tests do with it.

#[path = "../../sqlite/src/chance.rs"]
mod chance;
mod proxy;
mod server;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use access_keys::store::{PostgresStore, StoreError};
use access_keys::{AccessKeys, Actor, EnvironmentId, Error, Issued, KeyInfo, ProjectId, ProjectKeys, Scope};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

pub use chance::Chance;
pub use proxy::{Cut, Proxy};
pub use server::{Server, as_nobody, binary, free_port, give_away, unprivileged};

/// What every test of a process runs in.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// The tables.
pub const TABLES: [&str; 5] = ["keys", "events", "uses", "scope_uses", "settings"];

/// Runs a test.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// A schema that nobody else has.
#[must_use]
pub fn fresh() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("keys_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The store of a schema, made if need be.
///
/// # Panics
/// If it does not open.
pub async fn open(server: &Server, schema: &str) -> PostgresStore {
    PostgresStore::options(&server.address()).schema(schema).open().await.unwrap()
}

/// The library over a store.
#[must_use]
pub fn keys_of(store: PostgresStore) -> AccessKeys<PostgresStore> {
    AccessKeys::builder(store).prefix("acme").build().unwrap()
}

/// A connection of someone else.
///
/// # Panics
/// If there is none to be had.
pub async fn raw(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    RUNTIME.spawn(connection);
    client
}

/// The environment of the tests.
#[must_use]
pub fn production() -> EnvironmentId {
    EnvironmentId::new("production").unwrap()
}

/// The project of the tests.
#[must_use]
pub fn checkout(keys: &AccessKeys<PostgresStore>) -> ProjectKeys<PostgresStore> {
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

/// A new key of that name.
///
/// # Errors
/// Whatever the store says.
pub async fn try_generate(project: &ProjectKeys<PostgresStore>, name: &str) -> Result<Issued, Error> {
    let info = KeyInfo::new(name, production()).unwrap();
    let agents = Scope::parse(["support-bot", "triage"]).unwrap();
    let review = project.draft().info(info).agents(agents).prompts(Scope::All).unwrap();
    project.generate(review).await
}

/// A new key of that name, in a store that works. On a machine that is busy an answer may come too late to be used:
/// what certainly was not stored is tried again.
///
/// # Panics
/// If the store goes on failing.
pub async fn generate(project: &ProjectKeys<PostgresStore>, name: &str) -> Issued {
    for _ in 0..9 {
        match try_generate(project, name).await {
            Err(Error::Store(StoreError::Backend { .. })) => {}
            generated => return generated.unwrap(),
        }
    }
    try_generate(project, name).await.unwrap()
}

/// Every row of every table of a schema, as text.
///
/// # Panics
/// If they cannot be read.
pub async fn dump(client: &Client, schema: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for table in TABLES {
        let sql = format!("SELECT found::text FROM {schema}.{table} AS found ORDER BY 1");
        let found = client.query(&sql, &[]).await.unwrap();
        rows.extend(found.iter().map(|row| format!("{table}: {}", row.get::<_, String>(0))));
    }
    rows
}

/// What went wrong, with every cause.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
