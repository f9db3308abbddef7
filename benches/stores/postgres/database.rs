//! A database of many keys, the same with every run but for the secrets of those that are verified.

use std::time::Instant;

use access_keys::store::PostgresStore;
use access_keys::{AccessKeys, Actor, Edit, EnvironmentId, KeyId, KeyInfo, ProjectId, ProjectKeys, Scope};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use super::cores::keep_apart;
use super::server::Server;
use crate::Done;
use crate::sample::agent;

pub(crate) type Keys = AccessKeys<PostgresStore>;

/// How many keys can be verified. They lie anywhere among the others.
const ISSUED: usize = 2_000;
/// What is kept in memory is no figure of a store.
const SETTINGS: &str =
    "shared_buffers = 1GB\nmax_wal_size = 8GB\nautovacuum = off\nmaintenance_work_mem = 512MB";

pub(crate) struct Database {
    pub(crate) runtime: Runtime,
    pub(crate) store: PostgresStore,
    /// Someone else's connection, with the tables in its path.
    pub(crate) client: Client,
    /// Of the keys that can be verified.
    pub(crate) tokens: Vec<String>,
    pub(crate) ids: Vec<KeyId>,
    pub(crate) server: Server,
}

pub(crate) fn production() -> EnvironmentId {
    EnvironmentId::new("production").expect("an id of 10 letters")
}

pub(crate) fn checkout(keys: &Keys) -> ProjectKeys<PostgresStore> {
    let (project, actor) = (ProjectId::new("checkout"), Actor::user("ada"));
    keys.project(project.expect("an id of 8 letters"), actor.expect("an id of 3 letters"))
}

/// A new key of 8 agents.
pub(crate) async fn generate(
    project: &ProjectKeys<PostgresStore>,
    name: &str,
) -> Result<access_keys::Issued, access_keys::Error> {
    let info = KeyInfo::new(name, production())?;
    let agents = Scope::specific((0..8).map(agent).collect::<Vec<_>>())?;
    project.generate(project.draft().info(info).agents(agents).prompts(Scope::All)?).await
}

pub(crate) async fn connect(server: &Server) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&server.address(), NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute("SET search_path = access_keys, pg_temp").await?;
    Ok(client)
}

impl Database {
    pub(crate) fn fill(keys: usize) -> Result<Self, Box<dyn std::error::Error>> {
        let start = Instant::now();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let server = Server::start(SETTINGS);
        keep_apart(server.postmaster().unwrap_or_default());
        let (store, client, tokens, ids) = runtime.block_on(async {
            let store = PostgresStore::connect(&server.address()).await?;
            let host: Keys = AccessKeys::builder(store.clone()).prefix("acme").build()?;
            let project = checkout(&host);
            let (mut tokens, mut ids) = (Vec::new(), Vec::new());
            for i in 0..ISSUED {
                let issued = generate(&project, &format!("Mobile app {i}")).await?;
                tokens.push(issued.token.expose().to_owned());
                ids.push(issued.key.id);
            }
            drop(project.edit(ids[0], Edit::new().description("changed once")?).await?);
            let client = connect(&server).await?;
            Ok::<_, Box<dyn std::error::Error>>((store, client, tokens, ids))
        })?;
        let issued = start.elapsed();
        runtime.block_on(add(&client, keys.saturating_sub(ISSUED)))?;
        let sql = "SELECT pg_database_size(current_database()) / 1000000";
        let size: i64 = runtime.block_on(client.query_one(sql, &[]))?.get(0);
        println!(
            "{ISSUED} keys were generated in {issued:.1?}, {} added in bulk in {:.1?}: {size} MB",
            keys.saturating_sub(ISSUED),
            start.elapsed().saturating_sub(issued)
        );
        Ok(Self { runtime, store, client, tokens, ids, server })
    }

    /// A host whose cache is empty.
    pub(crate) fn host(&self) -> Result<Keys, access_keys::Error> {
        AccessKeys::builder(self.store.clone()).prefix("acme").build()
    }
}

/// Adds keys as rows, with their events, with the triggers asleep and without most indices meanwhile.
async fn add(client: &Client, count: usize) -> Done {
    let indices = "SELECT format('DROP INDEX %I', indexname), indexdef FROM pg_indexes \
        WHERE schemaname = 'access_keys' AND indexname !~ '_pkey$'";
    let triggers = "SELECT format('ALTER TABLE %I DISABLE TRIGGER %I', relname, tgname), \
        format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', relname, tgname) FROM pg_trigger \
        JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = 'access_keys'::regnamespace";
    let mut parts = client.query(indices, &[]).await?;
    parts.extend(client.query(triggers, &[]).await?);
    for part in &parts {
        client.batch_execute(part.get(0)).await?;
    }
    client.batch_execute(&rows(count)).await?;
    for part in &parts {
        client.batch_execute(part.get(1)).await?;
    }
    for table in ["keys", "events"] {
        client.batch_execute(&format!("VACUUM ANALYZE {table}")).await?;
    }
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

/// Statements that insert so many keys, half of them older than those that are there. Pairs have the same time.
fn rows(count: usize) -> String {
    format!(
        "SET synchronous_commit = off; SELECT setseed(0.5); \
         CREATE TEMP TABLE lists AS SELECT first, \
            replace(json_agg('agent-' || lpad((first + j)::text, 34, '0') ORDER BY j)::text, ', ', ',') AS agents \
            FROM generate_series(0, 199) AS first, generate_series(0, 7) AS j GROUP BY first; \
         CREATE TEMP TABLE made AS SELECT i, substr(md5('key' || i), 1, 16) AS id, \
            substr(md5('event' || i), 1, 16) AS event, random() AS name, random() AS environment, \
            random() AS status, random() AS expiry, random() AS agents, floor(random() * 200)::int AS first, \
            (extract(epoch FROM now()) * 1000000)::bigint + 10000000::bigint * (i / 2 - {count} / 4) AS at \
            FROM generate_series(1, {count}) AS i; \
         ANALYZE lists; ANALYZE made; \
         INSERT INTO events SELECT nextval('events_seq'), event, one.project, made.id, made.at, actor, action, 1, \
            changes, reason, operation FROM made, (SELECT * FROM events ORDER BY seq LIMIT 1) AS one; \
         INSERT INTO keys SELECT made.id, project, (ARRAY['production', 'production', 'staging'])[1 + floor(3 * \
            made.environment)], named, lower(named), description, CASE WHEN made.agents < 0.2 THEN '\"all\"' ELSE \
            lists.agents END, prompts, \
            (ARRAY['active', 'active', 'active', 'inactive', 'revoked'])[1 + floor(5 * made.status)], \
            CASE WHEN expiry < 1.0 / 3 THEN 1 ELSE 9223372036854775807 END, 1, made.at, created_by, made.at, \
            origin, digest, generation, issued_by, NULL, NULL, NULL, NULL, event \
            FROM (SELECT *, (ARRAY['Mobile app', 'Web shop', 'Kiosk', 'Partner'])[1 + floor(4 * name)] || ' ' || i \
            AS named FROM made) AS made JOIN lists USING (first), (SELECT project, description, prompts, created_by, \
            origin, digest, generation, issued_by FROM keys LIMIT 1) AS one; \
         DROP TABLE made; DROP TABLE lists; RESET synchronous_commit"
    )
}
