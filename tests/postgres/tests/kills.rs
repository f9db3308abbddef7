//! Servers and processes that are killed while keys are changed: what was acknowledged is there, with its event, and
//! nothing is half done.
//!
//! `ACCESS_KEYS_SERVER_KILLS` says how often the server is killed, and a process as often; 3 times unless set.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use access_keys::store::KeyStore;
use access_keys::{AuditQuery, KeyId, Status};
use postgres_tests::{Chance, Server, checkout, keys_of, open, raw, run};

const SCHEMA: &str = "access_keys";
const CHANGERS: u64 = 3;
/// After each kill all that was acknowledged is looked at, so a new server has its turn now and then.
const ON_ONE_SERVER: u64 = 25;

/// By key and revision, the status that was acknowledged.
type Told = BTreeMap<(KeyId, u64), Status>;

/// A process that changes keys, and what it says.
struct Changer {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Changer {
    fn start(address: &str, seed: u64) -> Self {
        let mut changer = Command::new(env!("CARGO_BIN_EXE_changer"));
        changer.args([address, SCHEMA, &seed.to_string()]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = changer.spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, lines }
    }

    /// Waits for so many acknowledged changes.
    fn take(&self, count: u64, told: &mut Told) {
        for _ in 0..count {
            note(&self.lines.recv_timeout(Duration::from_secs(60)).unwrap(), told);
        }
    }

    /// Kills it, and gathers what it had acknowledged by then.
    fn kill(mut self, told: &mut Told) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.lines.iter().for_each(|line| note(&line, told));
    }
}

/// Nothing for a line that ended in its middle.
fn note(line: &str, told: &mut Told) {
    if let [id, revision, status] = line.split(' ').collect::<Vec<_>>()[..]
        && let Ok(status) = status.parse()
    {
        told.insert((id.parse().unwrap(), revision.parse().unwrap()), status);
    }
}

/// What is wrong with the database, given what was acknowledged.
async fn wrong(server: &Server, told: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    let store = open(server, SCHEMA).await;
    let project = checkout(&keys_of(store.clone()));
    for ((id, revision), status) in told {
        let Some(stored) = store.get(*id).await.unwrap() else {
            wrong.push(format!("{id} is gone"));
            continue;
        };
        if stored.revision().get() < *revision {
            wrong.push(format!("revision {revision} of {id} is gone"));
        }
        if *status == Status::Revoked && stored.key().status != Status::Revoked {
            wrong.push(format!("{id} is no longer revoked"));
        }
        let query = AuditQuery::default().key(*id).limit(1_000);
        let events = project.history(query).await.unwrap().items;
        if !events.iter().any(|event| event.revision.get() == *revision) {
            wrong.push(format!("the event of revision {revision} of {id} is gone"));
        }
    }
    // Of all keys, also those whose last change nobody was told of.
    let client = raw(&server.address()).await;
    client.batch_execute(&format!("SET search_path = {SCHEMA}")).await.unwrap();
    for (what, sql) in [
        (
            "keys without the event of their last change",
            "SELECT count(*) FROM keys WHERE NOT EXISTS (SELECT FROM events WHERE events.id = last_event \
             AND events.key = keys.id AND events.revision = keys.revision)",
        ),
        (
            "keys with more or fewer events than changes",
            "SELECT count(*) FROM keys WHERE revision <> (SELECT count(*) FROM events WHERE events.key = keys.id)",
        ),
        ("events without a key", "SELECT count(*) FROM events WHERE key NOT IN (SELECT id FROM keys)"),
        (
            "events of a key in another order than their revisions",
            "SELECT count(*) FROM events AS one JOIN events AS other USING (key) \
             WHERE one.seq < other.seq AND one.revision > other.revision",
        ),
    ] {
        let count: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
        if count != 0 {
            wrong.push(format!("{count} {what}"));
        }
    }
    wrong
}

fn kills() -> u64 {
    std::env::var("ACCESS_KEYS_SERVER_KILLS").map_or(3, |count| count.parse().expect("a number of kills"))
}

/// A server with a role that would not wait for the disk.
fn server() -> Server {
    let server = Server::start("");
    run(async {
        drop(open(&server, SCHEMA).await);
        let hasty = "CREATE ROLE hasty SUPERUSER LOGIN; ALTER ROLE hasty SET synchronous_commit = off";
        raw(&server.address()).await.batch_execute(hasty).await.unwrap();
    });
    server
}

fn changers(server: &Server, chance: &mut Chance) -> Vec<Changer> {
    let address = server.address_of("hasty", "postgres");
    (0..CHANGERS).map(|_| Changer::start(&address, chance.below(u64::MAX))).collect()
}

#[test]
fn what_a_killed_server_acknowledged_is_kept_with_its_event() {
    let (mut server, mut told, mut chance) = (server(), Told::new(), Chance::new(1));
    let mut acknowledged = 0;
    for kill in 0..kills() {
        if kill % ON_ONE_SERVER == ON_ONE_SERVER - 1 {
            acknowledged += told.len();
            (server, told) = (self::server(), Told::new());
        }
        let changers = changers(&server, &mut chance);
        changers.iter().for_each(|changer| changer.take(1 + chance.below(15), &mut told));
        thread::sleep(Duration::from_micros(chance.below(5_000)));
        server.kill();
        changers.into_iter().for_each(|changer| changer.kill(&mut told));
        server.restart();
        let wrong = run(wrong(&server, &told));
        assert!(wrong.is_empty(), "after {} kills:\n{}", kill + 1, wrong.join("\n"));
    }
    acknowledged += told.len();
    println!("the server was killed {} times, {acknowledged} acknowledged changes, none lost", kills());
    assert!(acknowledged > 0);
}

#[test]
fn what_a_killed_process_acknowledged_is_kept_with_its_event() {
    let (mut server, mut told, mut chance) = (server(), Told::new(), Chance::new(2));
    let mut acknowledged = 0;
    for kill in 0..kills() {
        if kill % ON_ONE_SERVER == ON_ONE_SERVER - 1 {
            acknowledged += told.len();
            (server, told) = (self::server(), Told::new());
        }
        let changers = changers(&server, &mut chance);
        changers.iter().for_each(|changer| changer.take(1 + chance.below(15), &mut told));
        thread::sleep(Duration::from_micros(chance.below(5_000)));
        changers.into_iter().for_each(|changer| changer.kill(&mut told));
        let wrong = run(wrong(&server, &told));
        assert!(wrong.is_empty(), "after {} kills:\n{}", kill + 1, wrong.join("\n"));
    }
    acknowledged += told.len();
    println!("{} processes were killed, {acknowledged} acknowledged changes, none lost", kills() * CHANGERS);
    assert!(acknowledged > 0);
}

#[test]
fn a_commit_that_does_not_wait_for_the_disk_is_lost_with_the_server() {
    let mut server = server();
    let (mut lost, mut told) = (false, 0);
    for _ in 0..10 {
        run(async {
            let client = raw(&server.address_of("hasty", "postgres")).await;
            client.batch_execute("CREATE TABLE IF NOT EXISTS plain (number int)").await.unwrap();
            client.batch_execute("CHECKPOINT").await.unwrap();
            for number in told..told + 50 {
                client.execute("INSERT INTO plain VALUES ($1)", &[&number]).await.unwrap();
            }
        });
        told += 50;
        server.kill();
        server.restart();
        let count: i64 = run(async {
            let client = raw(&server.address()).await;
            client.query_one("SELECT count(*) FROM plain", &[]).await.unwrap().get(0)
        });
        lost = lost || count < i64::from(told);
        if lost {
            break;
        }
    }
    assert!(lost, "a role that does not wait for the disk loses nothing, so the kills show nothing");
}
