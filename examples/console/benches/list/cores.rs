//! Who runs where.
//!
//! A browser runs on another machine than the server. On the same core it would wait until the server rests, which after
//! the head of a page it does not: so each has cores of its own.

use std::process::{Command, Stdio};
use std::thread::available_parallelism;

/// Keeps this thread, and those that it will start, on all cores but the first.
pub(crate) fn be_the_server() -> bool {
    let cores = available_parallelism().map_or(1, usize::from);
    cores > 1 && pin(&format!("1-{}", cores - 1))
}

/// Keeps this thread on the first core, and leaves those that it has started where they are.
pub(crate) fn be_the_browser() -> bool {
    pin("0")
}

fn pin(cores: &str) -> bool {
    let arguments = ["-cp", cores, &std::process::id().to_string()];
    let pinned = Command::new("taskset").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    pinned.is_ok_and(|status| status.success())
}
