//! A server of keys, and what the tests do with it.

mod server;

use std::sync::LazyLock;

use access_keys::store::PostgresStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, Error, Issued, KeyInfo, ProjectId, ProjectKeys, Scope};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

pub use server::Server;

/// What every test of a process runs in.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

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
