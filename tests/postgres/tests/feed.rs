//! Writers that hold their transactions open and roll some back, beside someone who asks all the time: nothing is
//! missed. A feed by numbers alone misses some.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use access_keys::KeyId;
use access_keys::store::{Changes, KeyStore};
use postgres_tests::{Chance, RUNTIME, Server, checkout, fresh, generate, keys_of, open, raw, run};
use tokio::task::JoinHandle;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

const WRITERS: u64 = 8;
const WRITES: u64 = 55;

/// Does each write in a transaction that it holds open, and rolls some back. Gives what it committed.
fn write(seed: u64, sql: impl Fn(&str) -> String + Send + 'static) -> JoinHandle<Vec<String>> {
    RUNTIME.spawn(async move {
        let (client, mut chance) = (raw(&SERVER.address()).await, Chance::new(seed));
        let mut committed = Vec::new();
        while (committed.len() as u64) < WRITES {
            let id = format!("{seed:08}{:08}", chance.below(100_000_000));
            client.batch_execute(&format!("BEGIN; {}", sql(&id))).await.unwrap();
            tokio::time::sleep(Duration::from_micros(chance.below(4_000))).await;
            if chance.below(6) == 0 {
                client.batch_execute("ROLLBACK").await.unwrap();
            } else {
                client.batch_execute("COMMIT").await.unwrap();
                committed.push(id);
            }
        }
        committed
    })
}

#[test]
fn nothing_is_missed_beside_slow_writers() {
    run(async {
        let schema = fresh();
        let store = open(&SERVER, &schema).await;
        drop(generate(&checkout(&keys_of(store.clone())), "Mobile app").await);
        let Changes::Everything { mut next, .. } = store.changes(None).await.unwrap() else { panic!() };
        let sql = move |id: &str| {
            format!(
                "SET LOCAL lock_timeout = 0; SET LOCAL search_path = {schema}; \
                 INSERT INTO events SELECT 1, '{id}', project, '{id}', at, actor, action, 1, changes, reason, operation \
                 FROM events ORDER BY seq LIMIT 1; \
                 INSERT INTO keys SELECT '{id}', project, environment, name, name_search, description, agents, prompts, \
                 status, expires_at, 1, created_at, created_by, updated_at, origin, digest, generation, issued_by, \
                 older_digest, older_generation, older_issued_by, older_ends_at, '{id}' FROM keys LIMIT 1"
            )
        };
        let writers: Vec<_> = (0..WRITERS).map(|seed| write(seed, sql.clone())).collect();
        let (mut named, mut asked) = (BTreeSet::<KeyId>::new(), 0);
        loop {
            let over = writers.iter().all(JoinHandle::is_finished);
            match store.changes(Some(&next)).await.unwrap() {
                Changes::Since { ids, next: then, .. } => {
                    named.extend(ids);
                    next = then;
                }
                other => panic!("{other:?}"),
            }
            asked += 1;
            if over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut committed = BTreeSet::new();
        for writer in writers {
            committed.extend(writer.await.unwrap().iter().map(|id| KeyId::new(id).unwrap()));
        }
        println!(
            "{} commits, asked {asked} times, {} missed",
            committed.len(),
            committed.difference(&named).count()
        );
        assert_eq!(named, committed);
    });
}

#[test]
fn a_feed_by_numbers_alone_misses_some() {
    run(async {
        let table = fresh();
        let client = raw(&SERVER.address()).await;
        client.batch_execute(&format!("CREATE TABLE {table} (seq bigserial, id text)")).await.unwrap();
        let insert = format!("INSERT INTO {table} (id) VALUES");
        let writers: Vec<_> = (0..WRITERS)
            .map(|seed| {
                let insert = insert.clone();
                write(seed, move |id| format!("{insert} ('{id}')"))
            })
            .collect();
        let (mut named, mut last) = (BTreeSet::<String>::new(), 0_i64);
        let after = format!("SELECT seq, id FROM {table} WHERE seq > $1 ORDER BY seq");
        loop {
            let over = writers.iter().all(JoinHandle::is_finished);
            for row in client.query(&after, &[&last]).await.unwrap() {
                last = row.get(0);
                named.insert(row.get(1));
            }
            if over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut committed = BTreeSet::new();
        for writer in writers {
            committed.extend(writer.await.unwrap());
        }
        let missed = committed.difference(&named).count();
        println!("{} commits, {missed} missed by a feed of numbers", committed.len());
        assert!(missed > 0, "the writers are too quick to show anything");
    });
}
