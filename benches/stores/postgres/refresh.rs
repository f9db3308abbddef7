//! Asking what changed when nothing did.

use std::hint::black_box;
use std::time::Instant;

use access_keys::store::{ChangeCursor, Changes, KeyStore, PostgresStore, StoreError};
use tokio_postgres::{Client, Statement};

use super::database::{Database, connect};
use crate::Done;
use crate::figure::{at_most, median};

const ROUNDS: usize = 101;
const PER_ROUND: usize = 100;

pub(crate) fn measure(database: &Database) -> Done {
    let (mut ratios, mut bare) = (Vec::new(), Vec::new());
    database.runtime.block_on(async {
        let client = connect(&database.server).await?;
        let one = client.prepare("SELECT 1").await?;
        let Changes::Everything { next, .. } = database.store.changes(None).await? else {
            return Err("a feed begins with everything".into());
        };
        for round in 0..ROUNDS {
            let (asking, selecting) = if round % 2 == 0 {
                let asking = ask(&database.store, &next).await?;
                (asking, select(&client, &one).await?)
            } else {
                let selecting = select(&client, &one).await?;
                (ask(&database.store, &next).await?, selecting)
            };
            ratios.push(asking / selecting);
            bare.push(selecting * 1e6);
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    println!("`SELECT 1` takes {:.1} µs", median(bare));
    at_most("postgres_refresh", median(ratios), "x", 1.4);
    Ok(())
}

/// The seconds that the store takes to say that nothing changed.
async fn ask(store: &PostgresStore, since: &ChangeCursor) -> Result<f64, StoreError> {
    let start = Instant::now();
    for _ in 0..PER_ROUND {
        let changes = store.changes(Some(since)).await?;
        assert!(matches!(&changes, Changes::Since { ids, .. } if ids.is_empty()), "{changes:?}");
    }
    Ok(start.elapsed().as_secs_f64() / PER_ROUND as f64)
}

async fn select(client: &Client, one: &Statement) -> Result<f64, tokio_postgres::Error> {
    let start = Instant::now();
    for _ in 0..PER_ROUND {
        black_box(client.query_one(one, &[]).await?);
    }
    Ok(start.elapsed().as_secs_f64() / PER_ROUND as f64)
}
