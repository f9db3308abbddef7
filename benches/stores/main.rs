//! What a store costs, as ratios to what its driver costs alone, measured in the same run.
//!
//! `cargo bench --bench stores --features sqlite,postgres` makes a file and a throwaway server of 1,000,000 keys each
//! and prints one line for each figure: `figure NAME VALUE UNIT goal OP GOAL met|missed`. A number after `--` asks for so
//! many keys instead.
#![allow(clippy::cast_possible_truncation, reason = "numbers of rows and places among them are small")]
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused, reason = "nothing to measure")
)]

#[path = "../../tests/sqlite/src/chance.rs"]
#[allow(unreachable_pub, reason = "the tests have it public")]
mod chance;
#[path = "../shared/figure.rs"]
mod figure;
mod hygiene;
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod sample;
#[cfg(feature = "sqlite")]
mod sqlite;
mod wait;

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    println!("Nothing is measured without the feature sqlite or postgres.");
    let keys = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    #[cfg(feature = "sqlite")]
    sqlite::measure(keys)?;
    #[cfg(feature = "postgres")]
    postgres::measure(keys)?;
    Ok(())
}
