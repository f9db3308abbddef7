//! What a store costs, as ratios to what its driver costs alone, measured in the same run.
//!
//! `cargo bench --bench stores --features sqlite` makes a file of 1,000,000 keys and prints one line for each figure:
//! `figure NAME VALUE UNIT goal OP GOAL met|missed`. A number after `--` asks for so many keys instead.
#![allow(clippy::cast_possible_truncation, reason = "numbers of rows and places among them are small")]

#[path = "../shared/figure.rs"]
mod figure;
mod file;
mod host;
mod miss;
mod page;
mod uses;

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    let keys = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir()?;
    let file = file::File::fill(&folder.path().join("keys.db"), keys)?;
    miss::measure(&file)?;
    page::measure(&file)?;
    uses::measure(&file)
}
