//! Processes that are killed while they write: what they acknowledged is there, with its event, and nothing is half
//! done.
//!
//! `ACCESS_KEYS_KILLS` says how often; 10 times unless set.

use std::collections::BTreeMap;
use std::fs::File as Disk;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use access_keys::store::{KeyStore, SqliteStore};
use access_keys::{AuditQuery, KeyId, Status};
use pollster::block_on;
use rusqlite::Connection;
use sqlite_tests::{Chance, File, checkout};

/// By key and revision, the status that was acknowledged.
type Told = BTreeMap<(KeyId, u64), Status>;

fn start(path: &Path, seed: u64) -> Child {
    let mut changer = Command::new(env!("CARGO_BIN_EXE_changer"));
    changer.arg(path).arg(seed.to_string()).arg("1000000");
    changer.stdout(Stdio::piped()).spawn().unwrap()
}

/// Lets a few processes change keys, kills each of them after so many acknowledged changes, and gathers those. The
/// last of them may have been killed at any point of its next change.
fn cycle(path: &Path, chance: &mut Chance, told: &mut Told) -> usize {
    let mut changers: Vec<_> = (0..=chance.below(2)).map(|_| start(path, chance.below(u64::MAX))).collect();
    let mut acknowledged = 0;
    for changer in &mut changers {
        let mut lines = BufReader::new(changer.stdout.take().unwrap()).lines();
        let count = usize::try_from(chance.below(12)).unwrap();
        let before: Vec<String> = lines.by_ref().take(count).map(Result::unwrap).collect();
        changer.kill().unwrap();
        // What it had acknowledged when the signal came.
        let lines = before.into_iter().chain(lines.map_while(Result::ok));
        for line in lines {
            let [id, revision, status] = line.split(' ').collect::<Vec<_>>()[..] else {
                continue; // killed in the middle of a line
            };
            let Ok(status) = status.parse() else { continue };
            told.insert((id.parse().unwrap(), revision.parse().unwrap()), status);
            acknowledged += 1;
        }
    }
    for changer in &mut changers {
        changer.wait().unwrap();
    }
    acknowledged
}

/// What is wrong with the file, given what was acknowledged.
fn wrong(path: &Path, told: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    let store = match block_on(SqliteStore::open(path)) {
        Ok(store) => store,
        Err(error) => return vec![sqlite_tests::causes(&error)],
    };
    let keys = access_keys::AccessKeys::builder(store.clone()).prefix("acme").build().unwrap();
    let project = checkout(&keys);
    for ((id, revision), status) in told {
        let Some(stored) = block_on(store.get(*id)).unwrap() else {
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
        let events = block_on(project.history(query)).unwrap().items;
        if !events.iter().any(|event| event.revision.get() == *revision) {
            wrong.push(format!("the event of revision {revision} of {id} is gone"));
        }
    }
    // Of all keys, also those whose last change nobody was told of.
    let connection = Connection::open(path).unwrap();
    for (what, sql) in [
        (
            "keys without the event of their last change",
            "SELECT count(*) FROM keys WHERE NOT EXISTS (SELECT 1 FROM events \
             WHERE events.id = last_event AND events.key = keys.id AND events.revision = keys.revision)",
        ),
        (
            "keys with more or fewer events than changes",
            "SELECT count(*) FROM keys WHERE revision <> (SELECT count(*) FROM events WHERE events.key = keys.id)",
        ),
        ("events without a key", "SELECT count(*) FROM events WHERE key NOT IN (SELECT id FROM keys)"),
        ("gaps in the order of the events", "SELECT coalesce(max(seq), 0) - count(*) FROM events"),
    ] {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        if count != 0 {
            wrong.push(format!("{count} {what}"));
        }
    }
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if sound != "ok" {
        wrong.push(sound);
    }
    wrong
}

fn kills() -> u64 {
    std::env::var("ACCESS_KEYS_KILLS").map_or(10, |count| count.parse().expect("a number of kills"))
}

#[test]
fn what_a_killed_process_acknowledged_is_kept_with_its_event() {
    let (mut file, mut told) = (File::new(), Told::new());
    let (mut acknowledged, mut files) = (0, 1);
    for seed in 0..kills() {
        let mut chance = Chance::new(seed);
        if chance.below(4) == 0 {
            (file, told) = (File::new(), Told::new());
            files += 1;
        }
        acknowledged += cycle(&file.path(), &mut chance, &mut told);
        let wrong = wrong(&file.path(), &told);
        assert!(wrong.is_empty(), "after the kill with seed {seed}:\n{}", wrong.join("\n"));
    }
    println!("{} kills, {files} files, {acknowledged} acknowledged changes, none lost", kills());
    assert!(acknowledged > 0);
}

#[test]
fn changes_that_never_reached_the_disk_are_missed() {
    let (mut caught, mut tried) = (0, 0);
    for seed in 0..kills().min(20) {
        let (file, mut told) = (File::new(), Told::new());
        let mut chance = Chance::new(seed);
        if cycle(&file.path(), &mut chance, &mut told) < 4 {
            continue;
        }
        tried += 1;
        // As if the last commits had been acknowledged and not made sure of, and the power had failed. Most of them:
        // the very last may be one that nobody was told of.
        let log = Disk::options().write(true).open(file.folder().join("keys.db-wal")).unwrap();
        log.set_len(log.metadata().unwrap().len() / 4).unwrap();
        drop(log);
        caught += usize::from(!wrong(&file.path(), &told).is_empty());
    }
    println!("{caught} of {tried} files with lost commits were caught");
    assert!(tried > 0 && caught == tried, "{caught} of {tried} were caught");
}
