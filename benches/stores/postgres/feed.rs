//! What a feed misses beside writers that hold their transactions open, and roll some back.
//!
//! The same writers at a feed by numbers alone show that they would be missed.

use std::collections::BTreeSet;
use std::time::Duration;

use access_keys::store::{Changes, KeyStore};
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::database::{Database, connect};
use crate::Done;
use crate::chance::Chance;
use crate::figure::at_most;

const WRITERS: u64 = 8;
const COMMITS: u64 = 440;

/// Of keys and events, under an id that is new.
const OWN: &str = "INSERT INTO events SELECT 1, '$ID', project, '$ID', at, actor, action, 1, changes, reason, operation \
    FROM events ORDER BY seq LIMIT 1; \
    INSERT INTO keys SELECT '$ID', project, environment, name, name_search, description, agents, prompts, status, \
    expires_at, 1, created_at, created_by, updated_at, origin, digest, generation, issued_by, older_digest, \
    older_generation, older_issued_by, older_ends_at, '$ID' FROM keys LIMIT 1";
const NAIVE: &str = "INSERT INTO by_numbers.naive (id) VALUES ('$ID')";

/// Commits its share, with holds of up to 30 ms within the transactions, and a rollback for each five commits.
fn write(client: Client, of: &'static str, writer: u64) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let (mut chance, mut committed) = (Chance::new(writer), Vec::new());
        for step in 0.. {
            if committed.len() as u64 == COMMITS / WRITERS {
                break;
            }
            let id = format!("{writer:08}{step:08}");
            if let Err(error) = client.batch_execute(&format!("BEGIN; {}", of.replace("$ID", &id))).await {
                // The others may hold the lock for longer than one waits for it.
                assert_eq!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE), "{error}");
                client.batch_execute("ROLLBACK").await.expect("a rollback");
                continue;
            }
            tokio::time::sleep(Duration::from_micros(chance.below(30_000))).await;
            if step % 6 == 5 {
                client.batch_execute("ROLLBACK").await.expect("a rollback");
            } else {
                client.batch_execute("COMMIT").await.expect("a commit");
                committed.push(id);
            }
        }
        committed
    })
}

async fn writers(
    database: &Database,
    of: &'static str,
) -> Result<Vec<JoinHandle<Vec<String>>>, tokio_postgres::Error> {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(write(connect(&database.server).await?, of, writer));
    }
    Ok(writers)
}

async fn committed(
    writers: Vec<JoinHandle<Vec<String>>>,
) -> Result<BTreeSet<String>, tokio::task::JoinError> {
    let mut all = BTreeSet::new();
    for writer in writers {
        all.extend(writer.await?);
    }
    Ok(all)
}

pub(crate) fn measure(database: &Database) -> Done {
    database.runtime.block_on(async {
        let Changes::Everything { mut next, .. } = database.store.changes(None).await? else {
            return Err("a feed begins with everything".into());
        };
        let running = writers(database, OWN).await?;
        let mut named = BTreeSet::new();
        loop {
            let over = running.iter().all(JoinHandle::is_finished);
            let Changes::Since { ids, next: then, .. } = database.store.changes(Some(&next)).await? else {
                return Err("the feed lost its place".into());
            };
            named.extend(ids.iter().map(ToString::to_string));
            next = then;
            if over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let missed = committed(running).await?.difference(&named).count();

        let client = connect(&database.server).await?;
        client.batch_execute("CREATE SCHEMA by_numbers; CREATE TABLE by_numbers.naive (seq bigserial PRIMARY KEY, id text)").await?;
        let running = writers(database, NAIVE).await?;
        let (mut named, mut last) = (BTreeSet::new(), 0_i64);
        loop {
            let over = running.iter().all(JoinHandle::is_finished);
            for row in
                client.query("SELECT seq, id FROM by_numbers.naive WHERE seq > $1 ORDER BY seq", &[&last]).await?
            {
                last = row.get(0);
                named.insert(row.get::<_, String>(1));
            }
            if over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let by_numbers = committed(running).await?.difference(&named).count();
        println!("a feed by numbers alone missed {by_numbers} of {COMMITS} commits");
        assert!(by_numbers > 0, "the writers are too quick to show anything");
        at_most("feed_missed", missed as f64, "changes", 0.0);
        Ok(())
    })
}
