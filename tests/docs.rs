//! Every type that a user begins with shows an example.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names that `src/lib.rs` gives out.
fn paved_path(front: &str) -> Vec<String> {
    let lists = front.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let names = lists.flat_map(|list| list.split(['{', '}', ',', ':']).map(str::trim).map(str::to_owned));
    names.filter(|name| name.starts_with(char::is_uppercase)).collect()
}

/// The documentation that stands before the definition of `name`, in its own words or in those of the macro
/// that defines it.
fn documentation(source: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_definition = |line: &&str| {
        let lead = ["pub struct ", "pub enum ", "pub trait "].iter().find_map(|lead| line.strip_prefix(lead));
        let rest = lead.unwrap_or(line).strip_prefix(name);
        match (lead, rest) {
            (Some(_), Some(rest)) => !rest.starts_with(char::is_alphanumeric),
            (None, Some(rest)) => rest.starts_with(" (Field::") || rest == " {" || rest.starts_with(", "),
            (_, None) => false,
        }
    };
    let at = lines.iter().position(is_definition)?;
    if lines[at].starts_with(&format!("{name}, ")) {
        return documentation(source, "$name");
    }
    let before =
        lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    Some(before.copied().collect::<Vec<_>>().join("\n"))
}

#[test]
fn every_type_of_the_paved_path_shows_an_example() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let names = paved_path(&fs::read_to_string(src.join("lib.rs")).unwrap());
    assert!(names.len() > 30, "the list was not found: {names:?}");
    for name in names {
        let found: Vec<String> = texts.iter().filter_map(|text| documentation(text, &name)).collect();
        assert!(!found.is_empty(), "{name} is defined nowhere");
        assert!(found.iter().any(|docs| docs.contains("```")), "{name} shows no example");
    }
}

/// The definitions of links in a text, each by its label.
fn definitions(text: &str) -> BTreeMap<&str, &str> {
    let found = text.lines().filter_map(|line| {
        let line = line.strip_prefix("//! ").unwrap_or(line);
        line.strip_prefix('[')?.split_once("]: ")
    });
    found.collect()
}

/// A page of the documentation, or one of the web.
fn is_page(target: &str) -> bool {
    ["crate::", "https://", "#"].iter().any(|lead| target.starts_with(lead))
}

#[test]
fn no_link_of_the_front_page_is_dead_in_the_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let front = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    // Of two definitions of a label the first one counts.
    let (before, _) = front.split_once("include_str!").unwrap();
    let (here, there) = (definitions(before), definitions(&readme));
    assert!(there.len() >= 12, "{there:?}");
    let prose: String = readme.split("```").step_by(2).collect();
    for (label, target) in &there {
        assert!(root.join(target).exists(), "there is no {target}");
        assert!(here.get(label).is_some_and(|page| is_page(page)), "[{label}] leads nowhere");
        assert!(prose.matches(&format!("[{label}]")).count() > 1, "[{label}] is nowhere in the text");
    }
    for inline in prose.split("](").skip(1) {
        let target = inline.split(')').next().unwrap();
        assert!(is_page(target), "{target} is a file, which the documentation has not");
    }
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
}
