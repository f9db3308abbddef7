//! Verifications of keys that are not in the cache.

use std::hint::black_box;
use std::time::Instant;

use access_keys::store::KeyStore;
use rusqlite::{Connection, Statement};

use super::file::File;
use super::host::verify;
use crate::Done;
use crate::figure::{at_most, median};

const ROUNDS: usize = 201;
const PER_ROUND: usize = 200;

/// What the store reads of a key.
const SELECT: &str = "SELECT id, project, environment, name, description, agents, prompts, status, expires_at, \
    revision, created_at, created_by, updated_at, origin, digest, generation, issued_by, older_digest, \
    older_generation, older_issued_by, older_ends_at, last_event FROM keys WHERE id = ?1";

/// Verifies some keys by a node that knows none of them, and selects others.
pub(crate) fn measure(file: &File) -> Done {
    let connection: Connection = file.connect()?;
    let mut statement = connection.prepare(SELECT)?;
    let columns = statement.column_count();
    let (mut ratios, mut selects, mut misses, mut gets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let size = file.ids.len() / 3 / PER_ROUND;
    for round in 0..ROUNDS {
        // From one third each, in turn: what was read of one is not warm for the other.
        let place = (round / 3 % size) * PER_ROUND;
        let third = file.ids.len() / 3;
        let [of_select, of_miss, of_get] = [0, 1, 2].map(|part| (part + round) % 3 * third);
        let node = file.host()?;
        // It knows how things stand, as a node in service does.
        verify(&node, file.tokens.last());
        let tokens = &file.tokens[of_miss + place..][..PER_ROUND - 1];
        let start = Instant::now();
        verify(&node, tokens);
        let missing = start.elapsed().as_secs_f64() / tokens.len() as f64;
        assert_eq!(node.verifier().stats().hits, 0);
        let ids = &file.ids[of_get + place..][..PER_ROUND - 1];
        let start = Instant::now();
        for id in ids {
            let key = pollster::block_on(file.store.get(*id))?;
            assert!(black_box(key).is_some());
        }
        gets.push(start.elapsed().as_secs_f64() / ids.len() as f64 * 1e6);
        let ids = &file.ids[of_select + place..][..PER_ROUND - 1];
        let start = Instant::now();
        for id in ids {
            select(&mut statement, columns, id.as_str())?;
        }
        let selecting = start.elapsed().as_secs_f64() / ids.len() as f64;
        ratios.push(missing / selecting);
        selects.push(selecting * 1e6);
        misses.push(missing * 1e6);
    }
    println!("`get` of the store takes {:.2} µs", median(gets));
    println!("a SELECT takes {:.2} µs, a miss {:.2} µs", median(selects), median(misses));
    at_most("sqlite_miss", median(ratios), "x", 1.2);
    Ok(())
}

/// As a caller of the driver has it: every column, as the values that it gives.
fn select(statement: &mut Statement<'_>, columns: usize, id: &str) -> rusqlite::Result<()> {
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    for column in 0..columns {
        black_box(row.get::<_, rusqlite::types::Value>(column)?);
    }
    Ok(())
}
