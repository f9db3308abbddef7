//! The rules that the example prints find every token of the host, whole, and nothing that only looks like one.

#[path = "../examples/scanner_rules.rs"]
#[allow(dead_code, reason = "what it prints is tested, not that it prints")]
mod rules;
mod setup;

use access_keys::store::MemoryStore;
use access_keys::token::Prefix;
use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId};
use pollster::block_on;
use regex::bytes::{Regex, RegexBuilder};
use setup::review;

const PREFIXES: [&str; 4] = ["acme", "acme_live", "acme_test", "a1b2c3d4e5f6_z9y8x7w6v5u4"];

fn prefixes() -> Vec<Prefix> {
    PREFIXES.iter().map(|prefix| Prefix::new(prefix).unwrap()).collect()
}

/// What stands behind `key` in each line that begins with it.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(key)).map(str::trim).collect()
}

fn unquoted<'t>(value: &'t str, quote: &str) -> &'t str {
    value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote)).expect("a quoted value")
}

/// The regular expressions of each tool, one for each prefix, as the tool puts them together. The first group is what
/// it takes for the secret.
fn expressions() -> [(&'static str, Vec<Regex>); 3] {
    let prefixes = prefixes();
    let [gitleaks, trufflehog, github] =
        [rules::gitleaks(&prefixes), rules::trufflehog(&prefixes), rules::github(&prefixes)];
    // `\b` and what is no letter are those of ASCII in all three.
    let compiled = |pattern: &str| RegexBuilder::new(pattern).unicode(false).build().unwrap();
    assert_eq!(values(&gitleaks, "secretGroup ="), ["1"; PREFIXES.len()]);
    let gitleaks = values(&gitleaks, "regex =").into_iter().map(|value| compiled(unquoted(value, "'''")));
    let trufflehog = values(&trufflehog, "token:").into_iter().map(|value| compiled(unquoted(value, "'")));
    let [format, before, after] =
        ["Secret format:", "Before secret:", "After secret:"].map(|key| values(&github, key));
    let github = (0..format.len()).map(|i| {
        let (format, before, after) = (format[i], before[i], after[i]);
        compiled(&format!("(?:{before})({format})(?:{after})"))
    });
    [("gitleaks", gitleaks.collect()), ("trufflehog", trufflehog.collect()), ("GitHub", github.collect())]
}

fn tokens(prefix: &str, count: usize) -> Vec<String> {
    let keys = AccessKeys::builder(MemoryStore::new()).prefix(prefix).build().unwrap();
    let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
    let info = || KeyInfo::new("x", EnvironmentId::new("production").unwrap()).unwrap();
    let token = |_| block_on(project.generate(review(info()))).unwrap().token.expose().to_owned();
    (0..count).map(token).collect()
}

#[test]
fn each_tool_gets_one_expression_for_each_prefix() {
    for (tool, expressions) in expressions() {
        assert_eq!(expressions.len(), PREFIXES.len(), "{tool}");
    }
}

#[test]
fn every_token_is_found_whole_wherever_it_stands() {
    let surroundings = [
        ("", ""),
        ("\n", "\n"),
        ("TOKEN=", ""),
        ("Authorization: Bearer ", "\r\n"),
        ("\"", "\","),
        ("{'key': '", "'}"),
        ("https://x.test/?key=", "&next=1"),
        ("key%3D", "%26"),
        ("`", "`"),
        ("<b>", "</b>"),
        ("ACME_KEY_", " "),
        ("é", "é"),
        ("\\n", "\\n"),
        ("", "_"),
        ("", "_OLD=1"),
        ("ACME_KEY_", "_2"),
    ];
    let tools = expressions();
    for (place, prefix) in PREFIXES.iter().enumerate() {
        for token in tokens(prefix, 100) {
            for (before, after) in surroundings {
                let text = format!("{before}{token}{after}");
                for (tool, expressions) in &tools {
                    // Where a letter stands before it, GitHub would have to look into every word.
                    if *tool == "GitHub" && before == "\\n" {
                        continue;
                    }
                    let found: Vec<_> = expressions[place].captures_iter(text.as_bytes()).collect();
                    assert_eq!(found.len(), 1, "{tool}: {before}…{after}");
                    assert_eq!(&found[0][1], token.as_bytes(), "{tool}: {before}…{after}");
                    // What a tool shows that knows no groups. GitHub tells the parts apart by itself.
                    let shown = found[0][0].strip_suffix(b"_").unwrap_or(&found[0][0]);
                    assert!(*tool == "GitHub" || shown == token.as_bytes(), "{tool}: {before}…{after}");
                    let scanned: Vec<_> = Prefix::new(prefix).unwrap().scan(&text).collect();
                    assert_eq!(&text[scanned[0].range.clone()], token);
                }
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_token_is_not_found() {
    let tools = expressions();
    for (place, prefix) in PREFIXES.iter().enumerate() {
        for token in tokens(prefix, 20) {
            let id_at = prefix.len() + 1;
            let joint = id_at + 16;
            let mut other = token.clone();
            other.replace_range(joint..=joint, "-");
            for text in [
                token[..token.len() - 1].to_owned(),
                format!("{token}0"),
                token[1..].to_owned(),
                token.to_uppercase(),
                format!("{}x{}", &token[..id_at], &token[id_at..]),
                format!("{}{}", &token[..id_at], &token[id_at + 1..]),
                format!("{}\n{}", &token[..joint], &token[joint..]),
                format!("{}é{}", &token[..joint + 1], &token[joint + 2..]),
                other,
                format!("{prefix}_{}", "x".repeat(100)),
                format!("{prefix}_"),
            ] {
                for (tool, expressions) in &tools {
                    assert!(!expressions[place].is_match(text.as_bytes()), "{tool} finds {text}");
                }
            }
        }
    }
}

#[test]
fn a_prefix_that_another_one_begins_with_finds_its_own_tokens_alone() {
    let tools = expressions();
    for (place, prefix) in PREFIXES.iter().enumerate() {
        for token in tokens(prefix, 20) {
            for (tool, expressions) in &tools {
                let finders: Vec<usize> =
                    (0..4).filter(|i| expressions[*i].is_match(token.as_bytes())).collect();
                assert_eq!(finders, [place], "{tool}");
            }
        }
    }
}

#[test]
fn what_a_tool_looks_for_first_stands_in_every_token() {
    let prefixes = prefixes();
    let gitleaks = rules::gitleaks(&prefixes);
    let keywords = values(&gitleaks, "keywords =").into_iter();
    let gitleaks: Vec<&str> = keywords.map(|value| value.trim_matches(['[', ']', '"'])).collect();
    let trufflehog = rules::trufflehog(&prefixes);
    let trufflehog: Vec<&str> =
        values(&trufflehog, "- ").into_iter().filter(|value| !value.starts_with("name:")).collect();
    for keywords in [gitleaks, trufflehog] {
        assert_eq!(keywords.len(), PREFIXES.len());
        for (keyword, prefix) in keywords.into_iter().zip(PREFIXES) {
            assert!(tokens(prefix, 3).iter().all(|token| token.contains(keyword)));
        }
    }
}
