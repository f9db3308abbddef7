//! The conformance kit over a file: by handles that share nothing but the file.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use access_keys::store::conformance::{Faults, Fixture, RawWrites};
use access_keys::store::{SqliteStore, StoredKey};
use rusqlite::Connection;
use sqlite_tests::{File, Remote};

mod handles {
    use super::Shared;

    access_keys::conformance_tests!(Shared::default());
}

mod clones {
    use super::Cloned;

    access_keys::conformance_tests!(Cloned::default());
}

mod processes {
    use super::Processes;

    access_keys::conformance_tests!(Processes::default());
}

/// Each handle has connections of its own, as one of another process has.
#[derive(Default)]
struct Shared(File);

impl Fixture for Shared {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        SqliteStore::options(self.0.path()).time_limit(Duration::from_secs(30)).open().await.unwrap()
    }

    fn raw_writes(&self) -> Option<RawWrites> {
        let statements = [
            "UPDATE keys SET status = 'active' WHERE id = ?1",
            "UPDATE OR REPLACE keys SET status = 'active', revision = revision + 1 WHERE id = ?1",
            "DELETE FROM keys WHERE id = ?1",
            "REPLACE INTO keys SELECT * FROM keys WHERE id = ?1",
            "UPDATE events SET action = 'edited' WHERE key = ?1",
            "DELETE FROM events WHERE key = ?1",
        ];
        Some(statements.into_iter().fold(RawWrites::new(), |raw, sql| {
            let path = self.0.path();
            raw.attempt(sql, move |key: StoredKey| {
                let sent = Connection::open(&path).and_then(|connection| {
                    connection.execute_batch("PRAGMA recursive_triggers = OFF; PRAGMA foreign_keys = OFF")?;
                    connection.execute(sql, [key.key().id.as_str()]).map(drop)
                });
                std::future::ready(sent.map_err(Into::into))
            })
        }))
    }
}

/// Handles that share their connections.
#[derive(Default)]
struct Cloned(File, Mutex<Option<SqliteStore>>);

impl Fixture for Cloned {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        let opened = self.1.lock().unwrap().clone();
        match opened {
            Some(store) => store,
            None => {
                let opened = SqliteStore::options(self.0.path()).time_limit(Duration::from_secs(2));
                let opened = opened.open().await.unwrap();
                self.1.lock().unwrap().get_or_insert(opened).clone()
            }
        }
    }

    /// Someone else writes and does not end.
    fn faults(&self) -> Option<Faults> {
        let other = Arc::new(Mutex::new(Connection::open(self.0.path()).unwrap()));
        let send = |sql: &'static str| {
            let other = Arc::clone(&other);
            move || {
                other.lock().unwrap().execute_batch(sql).unwrap();
                std::future::ready(())
            }
        };
        Some(Faults::new(send("BEGIN IMMEDIATE"), send("ROLLBACK")))
    }
}

/// Each handle is in a process of its own.
#[derive(Default)]
struct Processes(File);

impl Fixture for Processes {
    type Store = Remote;

    async fn open(&self) -> Remote {
        Remote::start(env!("CARGO_BIN_EXE_server"), &self.0.path())
    }
}
