//! The whole library for a scheduler of threads: it decides who goes on at every lock, at every number that threads
//! share without one, and before every step of the map of rows.
//!
//! Left as they are: counters, notes of uses, and randomness, of which no answer depends on who comes first.

use std::fs;
use std::path::{Path, PathBuf};

use crate::copy::{Copy, SOURCES};
use crate::planted;

pub(crate) fn write() {
    let changed = changed();
    for (path, copy) in &changed {
        copy.write(Path::new("library").join(path));
    }
    let written: Vec<PathBuf> = changed.iter().map(|(path, _)| Path::new(SOURCES).join(path)).collect();
    copy_others(Path::new(SOURCES), &written);
}

fn copy_others(folder: &Path, written: &[PathBuf]) {
    let entries = fs::read_dir(folder).expect("the sources can be read");
    for path in entries.map(|entry| entry.expect("the sources can be read").path()) {
        if path.is_dir() {
            copy_others(&path, written);
        } else if !written.contains(&path) {
            let inside = path.strip_prefix(SOURCES).expect("it is a source");
            let copy = Copy::of(inside);
            // Those beside the verifier need what this package has not.
            let copy = if inside.starts_with("verify") { copy.without_tests() } else { copy };
            copy.write(Path::new("library").join(inside));
        }
    }
}

fn changed() -> Vec<(&'static str, Copy)> {
    let files = [
        ("lib.rs", Copy::of("lib.rs").starting("pub mod clock;")),
        ("store/memory.rs", locks_and_arcs("store/memory.rs")),
        ("store/wakeup.rs", locks("store/wakeup.rs").without_tests()),
        (
            "verify/cache.rs",
            Copy::of("verify/cache.rs")
                .without_tests()
                .replace("use papaya::HashMap;", "use crate::map::HashMap;"),
        ),
        ("verify/changing.rs", Copy::of("verify/changing.rs")),
        ("verify/cold.rs", Copy::of("verify/cold.rs")),
        ("verify/flight.rs", Copy::of("verify/flight.rs")),
        ("verify/freshness/core.rs", Copy::of("verify/freshness/core.rs")),
        ("verify/freshness/reads.rs", Copy::of("verify/freshness/reads.rs")),
        ("verify/line.rs", line()),
        ("verify/near.rs", Copy::of("verify/near.rs").replace("thread_local! {", "shuttle::thread_local! {")),
        ("verify/scope_uses.rs", Copy::of("verify/scope_uses.rs").without_tests()),
        ("verify/verifier.rs", locks_and_arcs("verify/verifier.rs")),
    ];
    let planted = planted::all();
    for mistake in &planted {
        assert!(files.iter().any(|(path, _)| *path == mistake.path), "{} is not changed", mistake.path);
    }
    let plant = |path: &str, copy: Copy| {
        let here = planted.iter().filter(|mistake| mistake.path == path);
        here.fold(copy, |copy, mistake| copy.replace(mistake.right, mistake.wrong))
    };
    files.into_iter().map(|(path, copy)| (path, plant(path, copy))).collect()
}

fn locks(path: &str) -> Copy {
    Copy::of(path).replace(
        "use std::sync::{Mutex, MutexGuard, PoisonError};",
        "use std::sync::PoisonError;\nuse shuttle::sync::{Mutex, MutexGuard};",
    )
}

fn locks_and_arcs(path: &str) -> Copy {
    Copy::of(path).replace(
        "use std::sync::{Arc, Mutex, MutexGuard, PoisonError};",
        "use std::sync::{Arc, PoisonError};\nuse shuttle::sync::{Mutex, MutexGuard};",
    )
}

fn line() -> Copy {
    Copy::of("verify/line.rs").replace("use std::sync::atomic::", "use shuttle::sync::atomic::").replace(
        // Shared by tests that are scheduled apart.
        "static NEXT: AtomicU64 = AtomicU64::new(1);",
        "static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);",
    )
}
