//! A console over a file with so many keys: ten that the library made, and rows that are like them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Instant;

use access_keys::store::SqliteStore;
use access_keys::{AccessKeys, Actor, Cursor, EnvironmentId, KeyInfo, KeyQuery, ProjectId, Scope};
use chrono::{TimeDelta, Utc};
use rusqlite::Connection;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const NAMES: [&str; 10] = [
    "The very first key",
    "Mobile app",
    "Help centre",
    "Kiosk",
    "Back office",
    "Partner portal",
    "Nightly reports",
    "Chat widget",
    "Data pipeline",
    "Order service",
];

/// A console that listens.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) keys: usize,
    /// A position in the middle of its list.
    pub(crate) middle: String,
}

pub(crate) fn host(path: &Path, keys: usize) -> Result<Host> {
    let (sender, receiver) = channel();
    let path = path.to_owned();
    // On a thread of its own, as another process would be.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime
            .block_on(async {
                let host = console::builder(SqliteStore::open(&path).await?)?.build_dyn()?;
                make(&host).await?;
                drop(host);
                let began = Instant::now();
                add(&path, keys - NAMES.len())?;
                println!("{keys} keys were made in {:.1} s", began.elapsed().as_secs_f64());
                let host = console::builder(SqliteStore::open(&path).await?)?.build_dyn()?;
                let middle = middle(&host, &path).await?;
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                sender.send(Host { address, keys, middle })?;
                console::serve(listener, console::router(host, false), std::future::pending()).await?;
                Result::Ok(())
            })
            .inspect_err(|error| println!("{error}"))
    });
    Ok(receiver.recv()?)
}

/// Ten keys, of which the first is the oldest.
async fn make(keys: &AccessKeys) -> Result<()> {
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    for (i, name) in NAMES.into_iter().enumerate() {
        let environment = EnvironmentId::new(["production", "staging", "development"][i % 3])?;
        let mut info = KeyInfo::new(name, environment.clone())?.description("Made to be listed.")?;
        if i % 2 == 0 {
            info = info.expires_at(Utc::now() + TimeDelta::days(3 + 10 * i as i64));
        }
        let agents = match i {
            0 => Scope::parse(["safety-filter"])?,
            1..=5 => Scope::parse(["support-bot", "triage", "refund-clerk"])?,
            _ => Scope::parse(["translator"])?,
        };
        let issued = project.generate(project.draft().info(info).agents(agents).prompts(Scope::All)?).await?;
        match i {
            2 => drop(project.deactivate(issued.key.id).await?),
            3 => drop(project.revoke(issued.key.id, "No longer needed.").await?),
            _ => drop(keys.verify(issued.token.expose(), &environment).await?),
        }
    }
    keys.flush_uses().await?;
    Ok(())
}

/// Adds so many rows that are like the keys after the first, in one transaction without the triggers, which are put back.
/// Ids are in no order, as drawn ones are; one in fifty has expired.
fn add(path: &Path, count: usize) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")?;
    let parts: Vec<(String, String, String)> = connection
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (kind, name, _) in &parts {
        connection.execute_batch(&format!("DROP {kind} {name}"))?;
    }
    let now = Utc::now().timestamp_micros();
    connection.execute_batch(&format!(
        "CREATE TEMP TABLE like_these AS SELECT *, row_number() OVER (ORDER BY created_at) - 2 AS place FROM main.keys;
         CREATE TEMP TABLE made AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
            SELECT i, printf('bulk%012d', i * 7368787 % 999983) AS id, printf('tell%012d', i) AS event FROM n
            WHERE {count} > 0;
         INSERT INTO events SELECT (SELECT max(seq) FROM main.events) + 1 + i, made.event, project, made.id, {now} + i,
            created_by, 'created', 1, '[]', 'none', 'none', 'none' FROM made JOIN like_these ON place = i % 9;
         INSERT INTO keys SELECT made.id, project, environment, name || ' ' || i, name_search || ' ' || i, description,
            agents, prompts, status, CASE WHEN i % 50 = 7 THEN {now} ELSE expires_at END, 1, {now} + i, created_by,
            {now} + i, origin, digest, 1, issued_by, NULL, NULL, NULL, NULL, made.event, 'none'
            FROM made JOIN like_these ON place = i % 9 ORDER BY made.id;
         INSERT INTO uses SELECT id, 1, {now} + i FROM made WHERE i % 2 = 0 ORDER BY id"
    ))?;
    for (_, _, sql) in parts {
        connection.execute_batch(&sql)?;
    }
    connection.execute_batch("COMMIT")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Before the page of ten that is the last but one of few keys, and in the middle of many.
async fn middle(keys: &AccessKeys, path: &Path) -> Result<String> {
    let connection = Connection::open(path)?;
    let (id, at): (String, i64) = connection.query_row(
        "SELECT id, created_at FROM keys ORDER BY created_at DESC, id DESC \
         LIMIT 1 OFFSET (SELECT CASE WHEN count(*) <= 10 THEN 0 ELSE count(*) / 2 END FROM keys)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let cursor: Cursor = format!("k.{at}.{id}").parse()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let page = project.list(KeyQuery::default().limit(10).after(cursor)).await?;
    if page.items.is_empty() { Err("nothing follows the middle".into()) } else { Ok(cursor.to_string()) }
}
