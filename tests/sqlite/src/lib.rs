//! A file of keys, and what the tests do with it.

mod chance;
mod dump;
mod wire;

use std::path::{Path, PathBuf};

use access_keys::store::SqliteStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, Error, Issued, KeyInfo, ProjectId, ProjectKeys, Scope};
use pollster::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

pub use chance::Chance;
pub use dump::{TABLES, columns, dump, triggers};
pub use wire::{Remote, answer};

/// A folder that goes with the test, and the path of a file in it.
#[derive(Debug)]
pub struct File {
    folder: TempDir,
}

impl Default for File {
    fn default() -> Self {
        Self::new()
    }
}

impl File {
    /// A path at which there is no file yet.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder().join("keys.db")
    }

    /// The store in it, made if need be.
    #[must_use]
    pub fn open(&self) -> SqliteStore {
        block_on(SqliteStore::open(self.path())).unwrap()
    }

    /// The library over it.
    #[must_use]
    pub fn keys(&self) -> AccessKeys<SqliteStore> {
        AccessKeys::builder(self.open()).prefix("acme").build().unwrap()
    }

    /// A connection of someone else.
    #[must_use]
    pub fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

/// The environment of the tests.
#[must_use]
pub fn production() -> EnvironmentId {
    EnvironmentId::new("production").unwrap()
}

/// The project of the tests.
#[must_use]
pub fn checkout(keys: &AccessKeys<SqliteStore>) -> ProjectKeys<SqliteStore> {
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

/// A new key of that name.
///
/// # Errors
/// Whatever the store says.
pub fn try_generate(project: &ProjectKeys<SqliteStore>, name: &str) -> Result<Issued, Error> {
    let info = KeyInfo::new(name, production()).unwrap();
    let agents = Scope::parse(["support-bot", "triage"]).unwrap();
    let review = project.draft().info(info).agents(agents).prompts(Scope::All).unwrap();
    block_on(project.generate(review))
}

/// A new key of that name, in a store that works.
///
/// # Panics
/// If the store fails.
pub fn generate(project: &ProjectKeys<SqliteStore>, name: &str) -> Issued {
    try_generate(project, name).unwrap()
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
