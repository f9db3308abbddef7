//! Each layer knows only those before it.

mod rust_text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rust_text::{Word, files, read, root, shown, words};

/// In their order: an arrow may only point to the left.
const LAYERS: [&str; 8] = ["clock", "domain", "token", "store", "verify", "lifecycle", "import", "http"];

/// Has only documentation: it uses nothing, and nothing uses it.
const DOCUMENTATION: &str = "guide";

fn may_use(layer: &str, other: &str) -> bool {
    let place = |name| LAYERS.iter().position(|layer| *layer == name);
    match layer {
        DOCUMENTATION => false,
        // The current time is an argument there.
        "domain" => other == "domain",
        "http" => ["http", "domain", "verify", "clock"].contains(&other),
        _ => place(other).is_some_and(|other| place(layer).is_some_and(|layer| other <= layer)),
    }
}

#[test]
fn no_module_uses_a_layer_to_its_right() {
    let exports = exports();
    let (mut wrong, mut arrows) = (Vec::new(), BTreeSet::new());
    for path in files("src", ".rs") {
        let shown = shown(&path);
        let module = module_of(&shown);
        wrong.extend(check(&shown, &module, &read(&path), &exports));
        for (_, used) in uses(&module, &words(&read(&path))) {
            arrows.insert((module.first().cloned(), used.first().cloned()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // What finds no arrow would find no wrong one.
    for (from, to) in [("lifecycle", "verify"), ("verify", "store"), ("verify", "clock"), ("store", "token")]
    {
        assert!(arrows.contains(&(Some(from.into()), Some(to.into()))), "{from} uses {to}, unseen");
    }
}

#[test]
fn a_planted_arrow_is_found_however_it_is_written() {
    let found = |file: &str, source: &str| check(file, &module_of(file), source, &exports());
    for (file, source) in [
        ("src/store/memory.rs", "use crate::verify::Grant;"),
        (
            "src/store/memory.rs",
            "use crate::{\n    domain::KeyId,\n    verify::{\n        decide::{self as d},\n    },\n};",
        ),
        ("src/store/memory.rs", "use {std::fmt, crate::lifecycle as l};"),
        ("src/store/memory.rs", "fn f() -> crate::verify::Grant { todo() }"),
        ("src/store/memory.rs", "use super::super::verify::Grant;"),
        ("src/store/mod.rs", "use super::verify::Grant;"),
        ("src/store/memory.rs", "mod tests { fn f() { super::super::super::verify::g() } }"),
        ("src/store/memory.rs", "fn f<'a>(_: &'a str) { '\"'; crate::verify::f(\"\") }"),
        ("src/store/memory.rs", "macro_rules! m { () => { $crate::verify::f() } }"),
        ("src/store/memory.rs", "use crate::r#verify::Grant;"),
        ("src/store/memory.rs", "use access_keys::verify::Grant;"),
        // By the name that the front page gives it.
        ("src/store/memory.rs", "use crate::Grant;"),
        ("src/domain/key.rs", "use crate::clock::Clock;"),
        ("src/domain/key.rs", "use crate::token::Token;"),
        ("src/clock.rs", "use crate::domain::time;"),
        ("src/clock.rs", "use super::domain::time;"),
        ("src/http/layer.rs", "use crate::lifecycle::AccessKeys;"),
        ("src/http/layer.rs", "use crate::store::MemoryStore;"),
        ("src/http/layer.rs", "use crate::token::Token;"),
        // What nobody has put in its place, and what could be anything.
        ("src/store/memory.rs", "use crate::helpers::f;"),
        ("src/store/memory.rs", "use crate::*;"),
        ("src/clock.rs", "use super::*;"),
        ("src/guide.rs", "use crate::domain::KeyId;"),
        ("src/store/memory.rs", "use crate::guide::start;"),
        // A macro of the store.
        ("src/domain/key.rs", "crate::conformance_tests!();"),
        ("src/helpers.rs", ""),
        ("src/helpers/mod.rs", "use crate::domain::KeyId;"),
    ] {
        assert_eq!(found(file, source).len(), 1, "in {file}: {source}");
    }
    for (file, source) in [
        ("src/store/memory.rs", "use crate::domain::{KeyId, time}; use crate::{token::Token, KeyId as K};"),
        (
            "src/store/memory.rs",
            "// crate::verify::Grant\n/// crate::verify\n/* /* */ crate::verify::Grant */",
        ),
        (
            "src/store/memory.rs",
            "const A: &str = \"crate::verify::A\"; const B: &str = r#\"\"crate::verify\"#;",
        ),
        ("src/store/memory.rs", "pub(crate) mod tests { use super::*; pub(in crate::store) struct A; }"),
        ("src/store/mod.rs", "pub use self::verify::A; mod verify;"),
        (
            "src/http/layer.rs",
            "use crate::{clock::Clock, domain::EnvironmentId, verify::{Denial, Grant}, KeyId};",
        ),
    ] {
        assert_eq!(found(file, source), [""; 0], "in {file}: {source}");
    }
}

fn check(file: &str, module: &[String], source: &str, exports: &BTreeMap<String, String>) -> Vec<String> {
    // The front page gathers from all layers, and has no logic.
    let Some(layer) = module.first() else { return Vec::new() };
    if layer != DOCUMENTATION && !LAYERS.contains(&layer.as_str()) {
        return vec![format!("{file}: {layer} is in no layer")];
    }
    let wrong = uses(module, &words(source)).into_iter().filter_map(|(line, path)| {
        let name = path.first().map_or("*", String::as_str);
        let other = exports.get(name).map_or(name, String::as_str);
        let path = path.join("::");
        (!may_use(layer, other))
            .then(|| format!("{file}:{line}: {layer} must not use crate::{path} ({other})"))
    });
    wrong.collect()
}

/// The modules from the crate down to the one of this file.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// The names of the front page, each with the layer that it comes from.
fn exports() -> BTreeMap<String, String> {
    let words = words(&read(&Path::new(root()).join("src/lib.rs")));
    let starts = words.iter().enumerate().filter(|(_, word)| word.text == "use").map(|(i, _)| i + 1);
    let mut exports = BTreeMap::new();
    for start in starts {
        let mut paths = Vec::new();
        tree(&words, start, &[], &mut paths);
        for (_, path) in paths {
            exports.extend(path.last().cloned().zip(path.first().cloned()));
        }
    }
    assert!(exports.len() > 30, "the front page exports only {exports:?}");
    exports.extend(macros());
    exports
}

/// The exported macros, which stand at the crate's root wherever they are written, each with the layer of its file.
fn macros() -> BTreeMap<String, String> {
    let mut macros = BTreeMap::new();
    for path in files("src", ".rs") {
        let words = words(&read(&path));
        let is_exported = words.iter().any(|word| word.text == "macro_export");
        let defined = words.windows(3).filter(|word| word[0].text == "macro_rules" && word[1].text == "!");
        let layer = module_of(&shown(&path)).into_iter().next();
        for name in defined.map(|word| word[2].text.clone()).filter(|_| is_exported) {
            macros.extend(Some(name).zip(layer.clone()));
        }
    }
    macros
}

/// Every path that begins with the crate, with a module above, or with this one: from the crate down.
fn uses(module: &[String], words: &[Word]) -> Vec<(usize, Vec<String>)> {
    let text = |i: usize| words.get(i).map_or("", |word| word.text.as_str());
    let mut module = module.to_vec();
    let (mut inline, mut depth) = (Vec::new(), 0_usize);
    let (mut found, mut i) = (Vec::new(), 0);
    while i < words.len() {
        let is_path = text(i + 1) == "::" && (i == 0 || text(i - 1) != "::");
        match text(i) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inline.last() == Some(&depth) {
                    inline.pop();
                    module.pop();
                }
            }
            "mod" if text(i + 2) == "{" => {
                module.push(text(i + 1).to_owned());
                inline.push(depth);
            }
            "crate" | "access_keys" if is_path => {
                i = tree(words, i + 2, &[], &mut found);
                continue;
            }
            "self" | "super" if is_path => {
                let mut above = module.clone();
                while text(i) == "super" && text(i + 1) == "::" {
                    above.pop();
                    i += 2;
                }
                i = tree(words, if text(i) == "self" { i + 2 } else { i }, &above, &mut found);
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Takes what may follow a `use`, of a path in code its one path, and returns where it ends.
fn tree(words: &[Word], start: usize, above: &[String], found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let text = |i: usize| words.get(i).map_or("", |word| word.text.as_str());
    let mut path = above.to_vec();
    let mut i = start;
    loop {
        if text(i) == "{" {
            i += 1;
            while !matches!(text(i), "}" | "") {
                i = if text(i) == "," { i + 1 } else { tree(words, i, &path, found) };
            }
            return i + 1;
        }
        match text(i) {
            "self" => {}
            name => path.push(name.to_owned()),
        }
        i += 1;
        if text(i) != "::" {
            break;
        }
        i += 1;
    }
    found.push((words.get(start).map_or(0, |word| word.line), path));
    // The new name of a renamed import.
    if text(i) == "as" { i + 2 } else { i }
}
