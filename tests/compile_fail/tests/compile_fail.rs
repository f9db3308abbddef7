//! What must not compile does not, says why in words that help, and has a twin that does compile.
//!
//! A case is `cases/NAME.fail.rs`, what the compiler says of it `cases/NAME.fail.stderr`, and its twin
//! `cases/NAME.pass.rs`, which differs in one place. The messages are those of Rust 1.95 (without the
//! component `rust-src`) and are compared only when it runs. Any other compiler must still refuse every
//! case and accept every twin. To take over new messages, and then read them:
//! `TRYBUILD=overwrite cargo test -p compile-fail-tests`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use trybuild::TestCases;

const MESSAGES_OF: &str = "rustc 1.95.";
const OVERWRITE: (&str, &str) = ("TRYBUILD", "overwrite");

#[test]
fn what_must_not_compile_does_not_and_says_why() {
    if rustc_version().starts_with(MESSAGES_OF) {
        TestCases::new().compile_fail("cases/*.fail.rs");
    } else {
        refused_whatever_the_message();
    }
}

#[test]
fn every_twin_compiles() {
    // One program with a module for each twin: a build for each would take minutes.
    let mut program = String::from("//! Every twin.\n#![allow(unused)]\n\nfn main() {}\n");
    for twin in files_ending(".pass.rs") {
        let module = twin.file_name().unwrap().to_str().unwrap().split('.').next().unwrap();
        program += &format!("#[path = {twin:?}]\nmod {module};\n");
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("twins.rs");
    fs::write(&file, program).unwrap();
    TestCases::new().pass(file);
}

#[test]
fn every_case_has_a_message_and_a_twin_that_differs_in_one_place() {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files: BTreeSet<String> = files_ending("").into_iter().map(name).collect();
    let names: BTreeSet<&str> = files.iter().filter_map(|file| file.split('.').next()).collect();
    assert!(names.len() >= 18, "only {} cases", names.len());
    for name in names {
        let [fail, pass, message] = [".fail.rs", ".pass.rs", ".fail.stderr"].map(|end| {
            let file = format!("{name}{end}");
            assert!(files.contains(&file), "{file} is missing");
            fs::read_to_string(cases().join(file)).unwrap()
        });
        let (fail, pass) = differing(&fail, &pass);
        let (fail, pass) = (fail.len(), pass.len());
        assert!((1..=3).contains(&fail.max(pass)), "the twins of {name} differ in {fail} and {pass} lines");
        assert!(message.starts_with("error"), "the message of {name} begins with something else");
    }
    assert_eq!(files.len() % 3, 0, "a file belongs to no case: {files:?}");
}

/// What is left of both when the same beginning and the same end are taken off.
fn differing<'a>(a: &'a str, b: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut a, mut b): (Vec<_>, Vec<_>) = (a.lines().collect(), b.lines().collect());
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    a.truncate(a.len() - same_end);
    b.truncate(b.len() - same_end);
    let same_start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    (a.split_off(same_start), b.split_off(same_start))
}

/// Where no message is expected and `TRYBUILD` asks for new ones, trybuild fails only for what compiles. It
/// reads that variable of its own process alone, so this test runs itself once more with it, on copies.
fn refused_whatever_the_message() {
    let (variable, value) = OVERWRITE;
    if env::var(variable).is_ok_and(|given| given == value) {
        let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
        let _ = fs::remove_dir_all(&copies);
        fs::create_dir_all(&copies).unwrap();
        for case in files_ending(".fail.rs") {
            fs::copy(&case, copies.join(case.file_name().unwrap())).unwrap();
        }
        TestCases::new().compile_fail(copies.join("*.fail.rs"));
    } else {
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "what_must_not_compile_does_not_and_says_why"])
            .env(variable, value)
            .status();
        assert!(status.unwrap().success(), "a case compiles");
    }
}

fn files_ending(end: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_str().unwrap().ends_with(end)).collect()
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    String::from_utf8(Command::new(rustc).arg("--version").output().unwrap().stdout).unwrap()
}
