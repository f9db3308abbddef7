//! What holds of every source file: short, without `unsafe`, and with nothing left to do.

mod rust_text;

use std::path::PathBuf;

use rust_text::{Word, files, read, root, shown, words};

const LINES_MAX: usize = 400;

#[test]
fn no_file_of_the_library_is_longer_than_400_lines() {
    let sources = files("src", ".rs");
    assert!(sources.len() > 30, "only {} files", sources.len());
    let lines = sources.iter().map(|path| (shown(path), read(path).lines().count()));
    let long: Vec<_> = lines.filter(|(_, lines)| *lines > LINES_MAX).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn unsafe_code_is_forbidden_and_there_is_none() {
    let manifest = read(&root().join("Cargo.toml"));
    assert!(says(&manifest, "[workspace.lints.rust]", "unsafe_code = \"forbid\""));
    let packages = [root().to_owned()].into_iter().chain(members(&manifest));
    for manifest in packages.map(|package| package.join("Cargo.toml")) {
        assert!(says(&read(&manifest), "[lints]", "workspace = true"), "{}", shown(&manifest));
    }
    for path in files("src", ".rs") {
        let found: Vec<_> = words(&read(&path)).into_iter().filter(|word| word.text == "unsafe").collect();
        assert!(found.is_empty(), "{}: {found:?}", shown(&path));
    }
}

#[test]
fn nothing_is_left_to_do_to_debug_or_ignored() {
    let folders = ["src", "tests", "examples", "benches", "fuzz"];
    let sources: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder, ".rs")).collect();
    let found: Vec<String> = sources
        .iter()
        .flat_map(|path| left_over(&read(path)).into_iter().map(|found| format!("{}:{found}", shown(path))))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_is_left_over_is_found_however_it_is_written() {
    for planted in [
        "fn f() { todo!() }",
        "fn f() { std::unimplemented ! (\"later\") }",
        "fn f() { let x = dbg!(1); }",
        "#[test]\n#[ignore]\nfn t() {}",
        "#[ignore = \"slow\"]",
        "#[cfg_attr(windows, ignore)]",
        "/// ```ignore\n/// f();\n/// ```",
        "//! ```rust,ignore",
    ] {
        assert_eq!(left_over(planted).len(), 1, "{planted}");
    }
    for fine in [
        "// todo!()\nconst A: &str = \"dbg!(#[ignore])\";",
        "fn ignore() { todo(); } fn todo() {}",
        "/// Such lines are what to ignore.\n/// ```\n/// let ignore = 1;\n/// ```",
    ] {
        assert_eq!(left_over(fine), [""; 0], "{fine}");
    }
}

/// `LINE: WHAT` of everything that should not stay.
fn left_over(source: &str) -> Vec<String> {
    let words = words(source);
    let text = |i: usize| words.get(i).map_or("", |word| word.text.as_str());
    let macros = words.iter().enumerate().filter(|(i, word)| {
        ["todo", "unimplemented", "dbg"].contains(&word.text.as_str()) && text(i + 1) == "!"
    });
    let macros = macros.map(|(_, word)| word);
    let ignored = attributes(&words).filter(|attribute| attribute.iter().any(|word| word.text == "ignore"));
    let code = macros.chain(ignored.filter_map(|attribute| attribute.first()));
    let docs = source.lines().enumerate().filter(|(_, line)| {
        let doc = line.trim_start().strip_prefix("//").and_then(|doc| doc.strip_prefix(['/', '!']));
        let block = doc.and_then(|doc| doc.trim_start().strip_prefix("```"));
        block.is_some_and(|language| language.contains("ignore"))
    });
    let code = code.map(|word| format!("{}: {}", word.line, word.text));
    code.chain(docs.map(|(i, line)| format!("{}: {line}", i + 1))).collect()
}

/// The words of each attribute, from its first one to its closing bracket.
fn attributes(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    let starts = words.windows(2).enumerate().filter(|(_, pair)| pair[0].text == "#" && pair[1].text == "[");
    starts.map(|(start, _)| {
        let rest = &words[start + 2..];
        let end = rest.iter().position(|word| word.text == "]").unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether the section of a manifest has this line.
fn says(manifest: &str, section: &str, line: &str) -> bool {
    let lines = manifest.lines().skip_while(|given| given.trim() != section).skip(1);
    lines.take_while(|given| !given.starts_with('[')).any(|given| given.trim() == line)
}

/// The folders of the other packages of the workspace.
fn members(manifest: &str) -> Vec<PathBuf> {
    let list = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next());
    let list = list.expect("a list of members");
    let names = list.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty());
    names.map(|name| root().join(name)).collect()
}
