//! What a verification costs, as ratios to what cannot be avoided, measured in the same run.
//!
//! `cargo bench --bench verify` prints one line for each figure:
//! `figure NAME VALUE UNIT goal OP GOAL met|missed`. `cargo bench --bench verify -- growth` shows instead how the
//! cost grows with the number of keys and of ids, and with how they are used; `-- warm` ends after the figures of one
//! core.
#![allow(clippy::cast_possible_truncation, reason = "times, places and percentages of samples are small")]

#[path = "../shared/figure.rs"]
mod figure;
mod flood;
mod growth;
mod host;
mod memory;
mod refresh;
mod threads;
mod warm;

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    if std::env::args().any(|argument| argument == "growth") {
        return growth::measure();
    }
    warm::measure()?;
    if std::env::args().any(|argument| argument == "warm") {
        return Ok(());
    }
    threads::measure()?;
    memory::measure()?;
    refresh::measure()?;
    flood::measure()
}
