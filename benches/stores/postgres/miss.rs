//! Verifications of keys that are not in the cache.

use std::hint::black_box;
use std::time::Instant;

use futures_util::{StreamExt, stream};
use tokio_postgres::{Client, Row, Statement};

use super::database::{Database, Keys, connect, production};
use crate::Done;
use crate::figure::{at_least, at_most, median};

const ROUNDS: usize = 101;
const PER_ROUND: usize = 200;
const AT_ONCE: usize = 64;

/// What the store reads of a key.
const SELECT: &str = "SELECT id, project, environment, name, description, agents, prompts, status, expires_at, \
    revision, created_at, created_by, updated_at, origin, digest, generation, issued_by, older_digest, \
    older_generation, older_issued_by, older_ends_at, last_event FROM keys WHERE id = $1";

async fn verify(node: &Keys, token: &str) {
    let grant = node.verify(black_box(token), &production()).await;
    assert!(grant.is_ok(), "{grant:?}");
}

async fn select(client: &Client, statement: &Statement, id: &str) {
    let row = client.query_one(statement, &[&id]).await.expect("there is such a key");
    read(&row);
}

/// As a caller of the driver has it: every column.
fn read(row: &Row) {
    for column in row.columns().iter().zip(0..) {
        match *column.0.type_() {
            tokio_postgres::types::Type::INT8 => drop(black_box(row.get::<_, Option<i64>>(column.1))),
            _ => drop(black_box(row.get::<_, Option<&str>>(column.1).map(str::to_owned))),
        }
    }
}

/// The places of a round: what was read by one is not warm for the other.
fn places(database: &Database, round: usize) -> [usize; 2] {
    let half = database.ids.len() / 2;
    let place = (round / 2 % (half / PER_ROUND)) * PER_ROUND;
    [place + round % 2 * half, place + (1 - round % 2) * half]
}

/// A node that knows how things stand, and has its connections, but none of these keys.
async fn node(database: &Database) -> Result<Keys, access_keys::Error> {
    let node = database.host()?;
    verify(&node, &database.tokens[database.tokens.len() - 1]).await;
    Ok(node)
}

/// Verifies some keys by a node that knows none of them, so many at once. Gives the seconds for each.
async fn miss(database: &Database, place: usize, at_once: usize) -> Result<f64, access_keys::Error> {
    let node = node(database).await?;
    let tokens = &database.tokens[place..][..PER_ROUND - 1];
    let start = Instant::now();
    stream::iter(tokens).for_each_concurrent(at_once, |token| verify(&node, token)).await;
    let took = start.elapsed().as_secs_f64();
    assert_eq!(node.verifier().stats().hits, 0);
    Ok(took / tokens.len() as f64)
}

/// Selects some on a connection that is held.
async fn selected(database: &Database, held: &(Client, Statement), place: usize, at_once: usize) -> f64 {
    let ids = &database.ids[place..][..PER_ROUND - 1];
    let start = Instant::now();
    stream::iter(ids).for_each_concurrent(at_once, |id| select(&held.0, &held.1, id.as_str())).await;
    start.elapsed().as_secs_f64() / ids.len() as f64
}

/// How long a miss takes in each round, and how long a SELECT.
fn rounds(database: &Database, at_once: usize) -> Result<Vec<[f64; 2]>, Box<dyn std::error::Error>> {
    database.runtime.block_on(async {
        let client = connect(&database.server).await?;
        let statement = client.prepare(SELECT).await?;
        let held = (client, statement);
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            let [of_miss, of_select] = places(database, round);
            rounds.push(if round % 4 < 2 {
                let missing = miss(database, of_miss, at_once).await?;
                [missing, selected(database, &held, of_select, at_once).await]
            } else {
                let selecting = selected(database, &held, of_select, at_once).await;
                [miss(database, of_miss, at_once).await?, selecting]
            });
        }
        Ok(rounds)
    })
}

fn median_of(rounds: &[[f64; 2]], value: impl Fn(&[f64; 2]) -> f64) -> f64 {
    median(rounds.iter().map(value).collect())
}

/// One after the other.
pub(crate) fn measure(database: &Database) -> Done {
    let rounds = rounds(database, 1)?;
    let [missing, selecting] = [0, 1].map(|what| median_of(&rounds, |round| round[what] * 1e6));
    println!("a SELECT takes {selecting:.1} µs, a miss {missing:.1} µs");
    at_most("postgres_miss", median_of(&rounds, |[missing, selecting]| missing / selecting), "x", 1.1);
    Ok(())
}

/// The same, many at once.
pub(crate) fn measure_64(database: &Database) -> Done {
    let rounds = rounds(database, AT_ONCE)?;
    let [missing, selecting] = [0, 1].map(|what| median_of(&rounds, |round| 1.0 / round[what]));
    println!("{AT_ONCE} at once, {selecting:.0} SELECTs a second, {missing:.0} misses");
    at_least("postgres_miss_64", median_of(&rounds, |[missing, selecting]| selecting / missing), "x", 0.9);
    Ok(())
}
