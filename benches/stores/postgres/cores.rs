//! Who runs where.
//!
//! A round trip between two cores takes four times as long as on one, or as between two that are kept apart, and which of
//! them a run meets is the scheduler's luck: so this thread has a core of its own, and the server the others.

use std::process::{Command, Stdio};
use std::thread::available_parallelism;

/// Keeps this thread on the first core, and a server that has just started on the others. Says so where it cannot.
pub(crate) fn keep_apart(server: u32) {
    let cores = available_parallelism().map_or(1, usize::from);
    let apart = cores > 1
        && pin(&["-cp", "0", &std::process::id().to_string()])
        && pin(&["-cp", &format!("1-{}", cores - 1), &server.to_string()]);
    if apart {
        println!("this thread runs on one core, the server on {} others", cores - 1);
    } else {
        println!("who runs on which of {cores} cores is left to the system: the ratios vary with it");
    }
}

fn pin(arguments: &[&str]) -> bool {
    let pinned = Command::new("taskset").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    pinned.is_ok_and(|status| status.success())
}
