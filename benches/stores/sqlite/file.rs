//! A file of many keys, the same with every run but for the secrets of those that are verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use access_keys::clock::FakeClock;
use access_keys::store::SqliteStore;
use access_keys::{AccessKeys, Edit, KeyId, KeyInfo, Scope};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use rusqlite::{Connection, OpenFlags, Statement};

use super::host::{Keys, checkout, production};
use crate::Done;
use crate::chance::Chance;
use crate::sample::agent;

/// How many keys can be verified. They lie anywhere among the others.
const ISSUED: usize = 4_000;
const AGENTS: usize = 200;

pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) store: SqliteStore,
    /// Of the keys that can be verified.
    pub(crate) tokens: Vec<String>,
    pub(crate) ids: Vec<KeyId>,
}

impl File {
    pub(crate) fn fill(path: &Path, keys: usize) -> Result<Self, Box<dyn std::error::Error>> {
        let start = Instant::now();
        // In the middle of the others.
        let clock = Arc::new(FakeClock::new(time(keys / 2)));
        let store = block_on(SqliteStore::options(path).clock(Arc::clone(&clock)).open())?;
        let host: Keys = AccessKeys::builder(store).prefix("acme").clock(clock).build()?;
        let project = checkout(&host);
        let (mut tokens, mut ids) = (Vec::new(), Vec::new());
        for i in 0..ISSUED {
            let info = KeyInfo::new(format!("Mobile app {i}"), production())?;
            let agents = Scope::specific((0..8).map(agent).collect::<Vec<_>>())?;
            let review = project.draft().info(info).agents(agents).prompts(Scope::All)?;
            let issued = block_on(project.generate(review))?;
            tokens.push(issued.token.expose().to_owned());
            ids.push(issued.key.id);
        }
        let _ = block_on(project.edit(ids[0], Edit::new().description("changed once")?))?;
        let issued = start.elapsed();
        add(path, keys.saturating_sub(ISSUED))?;
        let size = std::fs::metadata(path)?.len() + std::fs::metadata(path.with_extension("db-wal"))?.len();
        println!(
            "{ISSUED} keys were generated in {issued:.1?}, {} added in bulk in {:.1?}: {} MB",
            keys.saturating_sub(ISSUED),
            start.elapsed().saturating_sub(issued),
            size / 1_000_000
        );
        let store = block_on(SqliteStore::open(path))?;
        Ok(Self { path: path.to_owned(), store, tokens, ids })
    }

    /// A connection that only reads, with the settings of the driver.
    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.path, flags)
    }

    /// A host whose cache is empty.
    pub(crate) fn host(&self) -> Result<Keys, access_keys::Error> {
        AccessKeys::builder(self.store.clone()).prefix("acme").build()
    }
}

/// When the key at this place was made: pairs have the same time.
fn time(place: usize) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(17_000) + TimeDelta::seconds(10 * (place / 2) as i64)
}

/// Adds keys as rows, with their events, in one transaction: in the order of their ids, and with the indices and the
/// triggers put back as they were, which is ten times as fast as one after the other.
fn add(path: &Path, count: usize) -> Done {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE",
    )?;
    let parts = parts(&connection)?;
    for (kind, name, _) in &parts {
        connection.execute_batch(&format!("DROP {kind} {name}"))?;
    }
    let first: i64 = connection.query_row("SELECT max(seq) + 1 FROM events", [], |row| row.get(0))?;
    let mut chance = Chance::new(1);
    let mut ids: Vec<_> = (0..count).map(|_| id(&mut chance)).collect();
    ids.sort_unstable();
    let mut rows = Rows {
        event: connection.prepare(
            "INSERT INTO events SELECT ?1, ?2, project, ?3, ?4, actor, 'created', 1, '[]', reason, operation, \
             'none' FROM events WHERE seq = 1",
        )?,
        key: connection.prepare(
            "INSERT INTO keys SELECT ?1, project, ?2, ?3, ?4, description, ?5, prompts, ?6, ?7, 1, ?8, \
             created_by, ?8, origin, digest, generation, issued_by, NULL, NULL, NULL, NULL, ?9, 'none' \
             FROM keys WHERE id = (SELECT key FROM events WHERE seq = 1)",
        )?,
        chance,
    };
    for (i, id) in ids.iter().enumerate() {
        // Any order but that of the ids: a prime number of steps.
        rows.add(first + i as i64, id, i * 7_368_787 % count)?;
    }
    drop(rows);
    for (_, _, sql) in parts {
        connection.execute_batch(&sql)?;
    }
    // The log takes all of it at once, and goes back into the file.
    connection.execute_batch("COMMIT")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Kind, name and text of each index and trigger.
fn parts(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let sql = "SELECT type, name, sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL";
    let mut parts = connection.prepare(sql)?;
    let parts = parts.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    parts.collect()
}

fn id(chance: &mut Chance) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (0..16).map(|_| char::from(DIGITS[chance.below(62) as usize])).collect()
}

struct Rows<'c> {
    event: Statement<'c>,
    key: Statement<'c>,
    chance: Chance,
}

impl Rows<'_> {
    fn add(&mut self, seq: i64, id: &str, i: usize) -> rusqlite::Result<()> {
        let at = time(i).timestamp_micros();
        let event = self::id(&mut self.chance);
        self.event.execute((seq, &event, id, at))?;
        let name = format!("{} {}", self.one_of(&["Mobile app", "Web shop", "Kiosk", "Partner"]), i);
        let environment = self.one_of(&["production", "production", "staging"]);
        let status = self.one_of(&["active", "active", "active", "inactive", "revoked"]);
        let expiry = if self.chance.below(3) == 0 { at + 86_400_000_000 } else { i64::MAX };
        let agents = self.agents();
        self.key.execute((
            id,
            environment,
            &name,
            name.to_lowercase(),
            agents,
            status,
            expiry,
            at,
            &event,
        ))?;
        Ok(())
    }

    fn below(&mut self, end: usize) -> usize {
        self.chance.below(end as u64) as usize
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len())]
    }

    fn agents(&mut self) -> String {
        if self.chance.below(5) == 0 {
            return "\"all\"".to_owned();
        }
        let first = self.below(AGENTS);
        let ids: Vec<_> = (first..first + 8).map(|i| format!("\"{}\"", agent(i))).collect();
        format!("[{}]", ids.join(","))
    }
}
