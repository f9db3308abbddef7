//! What the guides name is there: tests, files and commands. A promise that names the test of it keeps its name right.

mod rust_text;

use std::collections::{BTreeMap, BTreeSet};

use rust_text::{files, read, root, shown, words};

/// What can be named: the tests of each file, the rules of the conformance kit, and the functions of the library.
struct Known {
    tests: BTreeMap<String, BTreeSet<String>>,
    rules: BTreeSet<String>,
    functions: BTreeSet<String>,
    manifests: String,
}

#[test]
fn every_test_that_a_guide_names_is_there() {
    let known = known();
    let guides = files("src/docs", ".md");
    assert!(guides.len() >= 12, "only {} guides", guides.len());
    let mut wrong = Vec::new();
    for path in &guides {
        let (named, found) = check(&read(path), &known);
        let guide = shown(path);
        wrong.extend(found.into_iter().map(|found| format!("{guide}:{found}")));
        // The pictures are a list of addresses.
        let promises = !guide.ends_with("page_pictures.md");
        assert!(!promises || named > 0, "{guide} promises, and names no test");
        println!("{guide} names {named} tests");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_name_that_is_wrong_is_found_wherever_it_stands() {
    let known = known();
    for (text, named) in [
        ("It holds (`a_client_goes_on_and_moves_with_the_next_rotation` in `tests/import.rs`).", 1),
        ("`tests/import.rs`: `an_import_can_be_run_again`,\n`nobody_makes_a_token_of_a_foreign_digest`", 2),
        ("In `tests/import.rs`.\n\nThen (`an_import_can_be_run_again`).", 1),
        (
            "| a | `tests/import.rs`: `an_import_can_be_run_again` |\n| b | `tests/exports.rs`: `csv_is_read` |",
            2,
        ),
        (
            "`import::an_import_can_be_run_again`, `sqlite::kills::changes_that_never_reached_the_disk_are_missed`",
            2,
        ),
        ("Rule 16, `revoked_is_final`, of `conformance`.", 1),
        (
            "`holds_everywhere_in` and `begin_incarnation` are functions; `cargo bench --bench verify` runs.",
            0,
        ),
        ("```\nlet an_import_that_is_none = 1;\n```", 0),
    ] {
        assert_eq!(check(text, &known), (named, Vec::new()), "{text}");
    }
    for text in [
        "It holds (`a_client_stays_where_it_is` in `tests/import.rs`).",
        "`tests/imports.rs`",
        "`tests/import.rs`: `csv_is_read`",
        "Nobody said where: `an_import_can_be_run_again`",
        "In `tests/import.rs`.\n\nThen (`an_import_cannot_be_run_again`).",
        "| a | `tests/import.rs`: `an_import_can_be_run_again` |\n| b | `tests/exports.rs`: `csv_is_eaten` |",
        "`revoked_is_not_final`",
        "`import::an_import_cannot_be_run_again`",
        "`exports::an_import_can_be_run_again`",
        "`cargo bench --bench verifies`",
        "`cargo run --example quickend`",
        "`cargo run -p consoles`",
        "`examples/own_shop.rs`",
    ] {
        assert_eq!(check(text, &known).1.len(), 1, "{text}");
    }
}

/// How many tests a guide names, and `LINE: WHAT` of each name that stands for nothing. A test belongs to a file that is
/// named in the same paragraph or row, or else to those that were named last.
fn check(guide: &str, known: &Known) -> (usize, Vec<String>) {
    let (mut named, mut wrong, mut in_force) = (0, Vec::new(), Vec::new());
    for (line, block) in blocks(guide) {
        let spans: Vec<&str> = block.split('`').skip(1).step_by(2).collect();
        let paths: Vec<&str> = spans.iter().copied().filter(|span| known.tests.contains_key(*span)).collect();
        if !paths.is_empty() {
            in_force = paths.iter().map(|path| (*path).to_owned()).collect();
        }
        for span in spans {
            if let Some((path, test)) = span.rsplit_once("::").filter(|(_, test)| is_test_name(test)) {
                let here = known.tests.iter().filter(|(file, _)| said_as(file) == path);
                if here.into_iter().any(|(_, tests)| tests.contains(test)) {
                    named += 1;
                } else if !known.functions.contains(test) {
                    wrong.push(format!("{line}: there is no {span}"));
                }
            } else if is_test_name(span) {
                let stands_there = in_force.iter().any(|path: &String| known.tests[path].contains(span))
                    || known.rules.contains(span);
                if stands_there {
                    named += 1;
                } else if !known.functions.contains(span) {
                    wrong.push(format!("{line}: {span} is no test of {in_force:?}"));
                }
            } else if is_path(span) && !root().join(span).exists() {
                wrong.push(format!("{line}: there is no {span}"));
            } else if let Some(target) = target_of(span).filter(|target| !known.manifests.contains(target)) {
                wrong.push(format!("{line}: there is no {target}"));
            }
        }
    }
    (named, wrong)
}

/// Paragraphs and rows of tables with the line at which they begin, without blocks of code.
fn blocks(guide: &str) -> Vec<(usize, String)> {
    let (mut blocks, mut in_code, mut begins) = (Vec::<(usize, String)>::new(), false, true);
    for (i, line) in guide.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            (in_code, begins) = (!in_code, true);
        } else if !in_code {
            let is_row = line.starts_with('|');
            match blocks.last_mut().filter(|_| !begins && !is_row) {
                Some((_, block)) => *block += &format!(" {line}"),
                None => blocks.push((i + 1, line.to_owned())),
            }
            begins = line.trim().is_empty() || is_row;
        }
    }
    blocks
}

/// At least three words in small letters, as the names of tests are.
fn is_test_name(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    span.chars().all(plain) && span.split('_').filter(|word| !word.is_empty()).count() >= 3
}

/// A file of tests as it is said in a path: `tests/postgres/tests/kills.rs` is `postgres::kills`.
fn said_as(file: &str) -> String {
    let parts =
        file.trim_end_matches(".rs").split('/').filter(|part| !["tests", "src", "main"].contains(part));
    parts.collect::<Vec<_>>().join("::")
}

fn is_path(span: &str) -> bool {
    let folders = ["tests/", "examples/", "benches/", "src/"];
    folders.iter().any(|folder| span.starts_with(folder)) && !span.contains([' ', '*', '<'])
}

/// What a command of cargo runs, as the manifests name it.
fn target_of(span: &str) -> Option<String> {
    let rest = span.strip_prefix("cargo ")?;
    let after = |flag: &str| rest.split_once(flag).and_then(|(_, rest)| rest.split_whitespace().next());
    let name = after("--bench ").or_else(|| after("--example ")).or_else(|| after("-p "));
    name.map(|name| format!("name = \"{name}\""))
}

fn known() -> Known {
    let mut tests = BTreeMap::new();
    let mut functions = BTreeSet::new();
    for path in ["tests", "src", "examples"].into_iter().flat_map(|folder| files(folder, ".rs")) {
        let found = functions_of(&read(&path));
        if shown(&path).starts_with("src") {
            functions.extend(found.iter().map(|(name, _)| name.clone()));
        }
        let found = found.into_iter().filter(|(_, is_test)| *is_test).map(|(name, _)| name);
        tests.insert(shown(&path), found.collect());
    }
    let contract = read(&root().join("src/store/key_store.rs"));
    let rules = contract.lines().filter_map(|line| line.trim().strip_prefix("///")?.split('`').nth(1));
    let rules: BTreeSet<String> = rules.filter(|name| is_test_name(name)).map(str::to_owned).collect();
    assert!(rules.len() > 100, "only {} rules were found", rules.len());
    let packages = ["Cargo.toml"].into_iter().map(|name| root().join(name));
    let members = ["benches", "examples", "tests"].into_iter().flat_map(|folder| files(folder, "Cargo.toml"));
    let manifests = packages.chain(members).map(|path| read(&path)).collect();
    Known { tests, rules, functions, manifests }
}

/// The functions of a source, and whether each is a test.
fn functions_of(source: &str) -> Vec<(String, bool)> {
    let words = words(source);
    let names = words.windows(2).enumerate().filter(|(_, pair)| pair[0].text == "fn");
    names
        .map(|(i, pair)| {
            // `#[test]` and `#[tokio::test(…)]`: no brace and no semicolon stands in between.
            let before =
                words[..i].iter().rev().take_while(|word| !["{", "}", ";"].contains(&word.text.as_str()));
            (pair[1].text.clone(), before.into_iter().any(|word| word.text == "test"))
        })
        .collect()
}
