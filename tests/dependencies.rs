//! Few dependencies, the agreed ones among them, and no runtime and no driver by default.

mod rust_text;

use std::collections::BTreeSet;
use std::process::Command;

const DIRECT_MAX: usize = 13;
const AGREED: [&str; 8] =
    ["serde", "thiserror", "rand_core", "getrandom", "sha2", "zeroize", "chrono", "async-trait"];
const ABSENT: [&str; 16] = [
    "tokio",
    "async-std",
    "smol",
    "async-io",
    "async-executor",
    "futures-executor",
    "mio",
    "sqlx",
    "rusqlite",
    "libsqlite3-sys",
    "postgres",
    "tokio-postgres",
    "axum",
    "axum-core",
    "hyper",
    "tower",
];

#[test]
fn there_are_at_most_thirteen_direct_dependencies_and_the_agreed_ones_are_among_them() {
    let direct = tree(&["--edges", "normal", "--depth", "1"]);
    let names: BTreeSet<&str> = direct.iter().map(|package| name(package)).collect();
    println!("{} direct dependencies: {names:?}", names.len());
    assert!(names.len() <= DIRECT_MAX, "{} direct dependencies: {names:?}", names.len());
    for agreed in AGREED {
        assert!(names.contains(agreed), "{agreed} is missing in {names:?}");
    }
}

#[test]
fn the_properties_are_tested_with_proptest() {
    let dev = tree(&["--edges", "dev", "--depth", "1"]);
    assert!(dev.iter().any(|package| name(package) == "proptest"), "proptest is missing in {dev:?}");
}

#[test]
fn no_runtime_no_driver_and_no_server_is_in_the_default_tree() {
    let whole = tree(&["--edges", "normal,build"]);
    println!("{} packages in the default tree for all targets", whole.len());
    // What does not see the dependencies of dependencies would not see a runtime there.
    assert!(whole.iter().any(|package| name(package) == "typenum"), "the tree is cut short: {whole:?}");
    for absent in ABSENT {
        let found: Vec<_> = whole.iter().filter(|package| is_of(absent, name(package))).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn the_parts_of_a_family_are_recognised_and_others_are_not() {
    assert!(is_of("tokio", "tokio") && is_of("tokio", "tokio-util") && is_of("tower", "tower-http"));
    assert!(!is_of("smol", "smol_str") && !is_of("async-io", "async-iocraft") && !is_of("mio", "mioco"));
}

fn is_of(family: &str, package: &str) -> bool {
    package.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// `NAME vVERSION` of every package that `cargo tree` shows of this one with its default features.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(rust_text::root())
        .args(["tree", "--package", "access-keys", "--prefix", "none", "--target", "all", "--color", "never"])
        .args(arguments)
        .output()
        .unwrap();
    let (answer, problem) =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).into();
    assert!(
        output.status.success(),
        "`cargo tree` failed, so nothing is known of the dependencies:\n{problem}"
    );
    let packages = answer.lines().filter(|line| line.contains(" v"));
    let packages = packages.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    packages.filter(|package| name(package) != "access-keys").collect()
}

fn name(package: &str) -> &str {
    package.split(' ').next().unwrap_or_default()
}
