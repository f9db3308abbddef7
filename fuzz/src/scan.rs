//! Tokens in a text.
//!
//! The first byte of an input chooses the prefix; the rest is the text, in which 255 and another byte stand for a token:
//! one of several, whole or damaged.

use std::sync::LazyLock;

use access_keys::token::Prefix;

use crate::answer::{Checked, Target, outcome, same};
use crate::host::host;
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "scan",
    check,
    samples: LazyLock::new(samples),
    words: &["acme_", "acme_live_", "_", "a_"],
    is_json: false,
    mistakes: &[Mistake::MissesNeighbours, Mistake::FindsDamaged],
};

const PREFIXES: [&str; 3] = ["acme", "acme_live", "live"];

/// Compares which tokens are found where.
pub fn check(data: &[u8]) -> Checked {
    let (choice, rest) = data.split_first().unwrap_or((&0, &[]));
    let prefix = PREFIXES[usize::from(*choice) % PREFIXES.len()];
    let text = text(rest);
    let expected = expected(&text, prefix);
    let found = found(&text, prefix);
    same("the tokens", &found, &expected)?;
    Ok(outcome(!expected.is_empty()))
}

type Find = (String, std::ops::Range<usize>);

fn found(text: &[u8], prefix: &str) -> Vec<Find> {
    let scanner = Prefix::new(prefix).expect("a prefix");
    let mut found: Vec<Find> = scanner.scan(text).map(|found| (found.key.to_string(), found.range)).collect();
    if mistake::is(Mistake::MissesNeighbours) {
        let ends: Vec<usize> = found.iter().map(|(_, range)| range.end).collect();
        found.retain(|(_, range)| !ends.contains(&range.start));
    }
    if mistake::is(Mistake::FindsDamaged)
        && let Some(start) = text.windows(6).position(|part| part == b"_acme_")
    {
        let end = start + 1 + prefix.len() + 56;
        let damaged = text.get(start + 1..end).filter(|part| part.iter().all(u8::is_ascii_graphic));
        found.extend(damaged.map(|part| (String::from_utf8_lossy(&part[5..21]).into_owned(), start + 1..end)));
    }
    found
}

fn expected(text: &[u8], prefix: &str) -> Vec<Find> {
    let len = prefix.len() + 1 + 16 + 1 + 38;
    let (mut found, mut at) = (Vec::new(), 0);
    while at + len <= text.len() {
        match naive::token(&text[at..at + len], prefix) {
            Some(id) => {
                found.push((id, at..at + len));
                at += len;
            }
            None => at += 1,
        }
    }
    found
}

fn text(data: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::with_capacity(8 * data.len()), data.iter());
    while let Some(byte) = rest.next() {
        match (byte, rest.as_slice().first()) {
            (255, Some(which)) => {
                rest.next();
                let (token, start) = (host().token(which % 8).as_bytes(), text.len());
                text.extend(token);
                if which % 3 == 2 {
                    text[start + usize::from(*which) % token.len()] ^= 1;
                }
            }
            _ => text.push(*byte),
        }
    }
    text
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        b"\0Authorization: Bearer \xFF\x01\n".to_vec(),
        b"\0\xFF\x01\xFF\x03\xFF\x01".to_vec(),
        b"\x01key=\xFF\0, key=\xFF\x01;".to_vec(),
        b"\0acme_\xFF\x01acme_live_\xFF\0".to_vec(),
        b"\x02acme_\xFF\0\xFF\x0B".to_vec(),
        b"\0\xFF\x04_\xFF\x06\xFF\x07 \xFF\x05".to_vec(),
    ]
}
