//! Making a key, over the statements that a host would send for it: the same two rows in a transaction of four round
//! trips.
//!
//! The figure is over the same tables, so that both pay for the same indices, checks and triggers. Beside it stands
//! what copies without triggers take, which are as large.

use std::time::Instant;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::database::{Database, checkout, connect, generate};
use crate::Done;
use crate::figure::{at_most, median};

const ROUNDS: usize = 301;

const COPIES: &str = "CREATE SCHEMA IF NOT EXISTS plain; SET LOCAL synchronous_commit = off; \
    CREATE TABLE plain.keys (LIKE access_keys.keys); INSERT INTO plain.keys SELECT * FROM access_keys.keys; \
    CREATE TABLE plain.events (LIKE access_keys.events); INSERT INTO plain.events SELECT * FROM access_keys.events; \
    ALTER TABLE plain.events ALTER seq SET DEFAULT nextval('access_keys.events_seq')";

/// What a column of text or of numbers holds.
type Value = Box<dyn ToSql + Sync>;

/// The statements of a host, with the values of a key that was made.
struct ByHand {
    client: Client,
    event: (Statement, Vec<Value>),
    key: (Statement, Vec<Value>),
}

impl ByHand {
    async fn new(database: &Database, schema: &str) -> Result<Self, tokio_postgres::Error> {
        let client = connect(&database.server).await?;
        let id = database.ids[0];
        let of = |table: &str, place: &str| {
            format!("SELECT * FROM {table} WHERE {place} = '{id}' AND revision = 1")
        };
        // The one that was edited has another revision by now.
        let key = client.query_one(&of("keys", "id").replace("= 1", "= 2"), &[]).await?;
        let event = client.query_one(&of("events", "key"), &[]).await?;
        let event = insert(&client, &format!("{schema}.events"), &event).await?;
        let key = insert(&client, &format!("{schema}.keys"), &key).await?;
        Ok(Self { client, event, key })
    }

    /// Makes a key under these ids.
    async fn generate(&mut self, key: String, event: String) -> Result<(), tokio_postgres::Error> {
        let columns = (&mut self.event.1, &mut self.key.1);
        (columns.0[0], columns.0[2]) = (Box::new(event.clone()), Box::new(key.clone()));
        (columns.1[0], columns.1[10], columns.1[22]) = (Box::new(key), Box::new(1_i64), Box::new(event));
        self.client.batch_execute("BEGIN").await?;
        for (statement, values) in [&self.event, &self.key] {
            let values: Vec<_> = values.iter().map(|value| &**value).collect();
            self.client.execute(statement, &values).await?;
        }
        self.client.batch_execute("COMMIT").await
    }
}

/// A statement that inserts a row like this one, but for the number of an event, and its values.
async fn insert(
    client: &Client,
    table: &str,
    row: &Row,
) -> Result<(Statement, Vec<Value>), tokio_postgres::Error> {
    let columns = row.columns().iter().enumerate().filter(|(_, column)| column.name() != "seq");
    let (mut names, mut types, mut values) = (Vec::new(), Vec::new(), Vec::<Value>::new());
    for (place, column) in columns {
        names.push(column.name());
        types.push(column.type_().clone());
        values.push(match *column.type_() {
            Type::INT8 => Box::new(row.get::<_, Option<i64>>(place)),
            _ => Box::new(row.get::<_, Option<String>>(place)),
        });
    }
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
    Ok((client.prepare_typed(&sql, &types).await?, values))
}

pub(crate) fn measure(database: &Database) -> Done {
    let (mut ratios, mut over_copies, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    database.runtime.block_on(async {
        copy(&database.client).await?;
        let mut same = ByHand::new(database, "access_keys").await?;
        let mut copies = ByHand::new(database, "plain").await?;
        let host = database.host()?;
        let project = checkout(&host);
        for round in 0..ROUNDS {
            let start = Instant::now();
            drop(generate(&project, "Mobile app").await?);
            let making = start.elapsed().as_secs_f64();
            let start = Instant::now();
            same.generate(format!("k{round:015}"), format!("e{round:015}")).await?;
            let by_hand = start.elapsed().as_secs_f64();
            let start = Instant::now();
            copies.generate(format!("k{round:015}"), format!("e{round:015}")).await?;
            over_copies.push(making / start.elapsed().as_secs_f64());
            ratios.push(making / by_hand);
            bare.push(by_hand * 1e6);
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    println!(
        "four round trips take {:.0} µs; `generate` takes {:.2} x those into tables without triggers",
        median(bare),
        median(over_copies)
    );
    at_most("postgres_generate", median(ratios), "x", 0.95);
    Ok(())
}

/// Copies of the tables, with their checks and indices.
async fn copy(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(COPIES).await?;
    let sql = "SELECT replace(pg_get_indexdef(indexrelid), ' ON access_keys.', ' ON plain.') FROM pg_index \
        WHERE indrelid IN ('access_keys.keys'::regclass, 'access_keys.events'::regclass)";
    for row in client.query(sql, &[]).await? {
        client.batch_execute(row.get(0)).await?;
    }
    let sql = "SELECT format('ALTER TABLE plain.%s ADD %s', relname, pg_get_constraintdef(pg_constraint.oid)) \
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE contype = 'c' \
        AND relnamespace = 'access_keys'::regnamespace AND relname IN ('keys', 'events')";
    for row in client.query(sql, &[]).await? {
        client.batch_execute(row.get(0)).await?;
    }
    client.batch_execute("ANALYZE plain.keys; ANALYZE plain.events; CHECKPOINT").await
}
