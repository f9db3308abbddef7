//! Rust source as words: what is left of it without comments, texts and lifetimes.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::path::{Path, PathBuf};

/// An identifier, a `::`, or a single other character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
}

pub(crate) fn words(source: &str) -> Vec<Word> {
    let (mut words, mut rest, mut line) = (Vec::new(), source, 1);
    while let Some(first) = rest.chars().next() {
        let (len, is_word) = next(rest, first);
        let (taken, after) = rest.split_at(len);
        if is_word {
            words.push(Word { text: taken.trim_start_matches("r#").to_owned(), line });
        }
        line += taken.matches('\n').count();
        rest = after;
    }
    words
}

/// How long the next piece is, and whether it counts.
fn next(rest: &str, first: char) -> (usize, bool) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if let Some(len) = text(rest) {
        return (len, false);
    }
    if first == '\'' {
        return (character_or_lifetime(rest), false);
    }
    if first.is_alphanumeric() || first == '_' {
        let start = if rest.starts_with("r#") { 2 } else { 0 };
        return (start + identifier(&rest[start..]), true);
    }
    if rest.starts_with("::") {
        return (2, true);
    }
    (first.len_utf8(), !first.is_whitespace())
}

fn identifier(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// A text in quotes, raw or not, of characters or bytes.
fn text(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c: char| !matches!(c, 'b' | 'c' | 'r'))?;
    let (prefix, body) = rest.split_at(prefix);
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let body = body[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let len = body.find(&end).map_or(body.len(), |at| at + end.len());
        return Some(prefix.len() + hashes + 1 + len);
    }
    quoted(body, '"').map(|len| prefix.len() + len)
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut characters = rest.strip_prefix(quote)?.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return Some(at + 2);
        }
    }
    Some(rest.len())
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut after = rest.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) | (_, Some('\'')) => quoted(rest, '\'').unwrap_or(rest.len()),
        _ => 1 + identifier(&rest[1..]),
    }
}

/// Every file below `folder` of this package whose name ends with `end`, and where it is below it.
pub(crate) fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Another package below this one may have been built in its own folder.
                folders.extend((!path.ends_with("target")).then_some(path));
            } else if path.to_str().is_some_and(|path| path.ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// A path as it is said in a message.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_str().unwrap().replace('\\', "/")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
