//! Tokens in a text: all of them, where they stand, and nothing that only looks like one.

mod setup;

use std::time::Instant;

use access_keys::token::{Found, Prefix, find_tokens};
use proptest::prelude::*;
use setup::{SplitMix, forged};

const PREFIXES: [&str; 3] = ["acme", "acme_live", "live"];

fn prefixes() -> Vec<Prefix> {
    PREFIXES.iter().map(|prefix| Prefix::new(prefix).unwrap()).collect()
}

fn token(random: &mut SplitMix, prefix: &str) -> String {
    forged(prefix, &random.base62(16), &random.base62(32))
}

/// Every place that holds a token of any prefix, by trying all of them; of two that overlap the first.
fn naive(text: &str, prefixes: &[&str]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for start in 0..text.len() {
        for prefix in prefixes {
            let end = start + prefix.len() + 1 + 16 + 1 + 38;
            let is_free = found.last().is_none_or(|(_, end)| *end <= start);
            let Some(part) = text.get(start..end).filter(|part| is_free && part.is_ascii()) else { continue };
            let tail = &part[prefix.len()..];
            let is_base62 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let (id, secret) = (&tail[1..17], &tail[18..50]);
            let shaped = part.starts_with(prefix) && tail.starts_with('_') && &tail[17..18] == "_";
            if shaped && is_base62(id) && is_base62(secret) && part == forged(prefix, id, secret) {
                found.push((start, end));
            }
        }
    }
    found
}

fn places(found: impl Iterator<Item = Found>) -> Vec<(usize, usize)> {
    found.map(|found| (found.range.start, found.range.end)).collect()
}

proptest! {
    #[test]
    fn what_is_found_is_what_a_naive_search_finds(
        seed: u64,
        pieces in prop::collection::vec((0..9_usize, "[a-z_0-9é ]{0,6}"), 0..12),
    ) {
        let mut random = SplitMix(seed);
        let mut text = String::new();
        for (kind, between) in pieces {
            let prefix = *random.pick(&PREFIXES);
            let token = token(&mut random, prefix);
            let at = random.below(token.len());
            text += &match kind {
                0..4 => token,
                4 => token[..at].to_owned(),
                5 => token[at..].to_owned(),
                6 => format!("{}{}", &token[..at], token),
                7 => token.replace('_', "-"),
                _ => format!("{}x{}", &token[..at], &token[at + 1..]),
            };
            text += &between;
        }
        prop_assert_eq!(places(find_tokens(&text, &prefixes())), naive(&text, &PREFIXES));
    }
}

#[test]
fn tokens_of_several_prefixes_are_found_in_their_order_and_with_their_keys() {
    let mut random = SplitMix(1);
    let all = ["acme_live", "acme", "live", "acme_live"].map(|prefix| token(&mut random, prefix));
    let text = all.concat();
    let found: Vec<_> = find_tokens(&text, &prefixes()).collect();
    let texts: Vec<&str> = found.iter().map(|found| &text[found.range.clone()]).collect();
    assert_eq!(texts, all);
    assert!(found.iter().all(|found| text[found.range.clone()].contains(found.key.as_str())));
    assert_eq!(find_tokens(&text, &prefixes()[1..2]).count(), 2);
    assert_eq!(find_tokens(&text, &[]).count(), 0);
    assert_eq!(find_tokens("", &prefixes()).count(), 0);
    assert_eq!(find_tokens(&[0xFF, 0xFE], &prefixes()).count(), 0);
}

#[test]
fn it_takes_time_in_proportion_to_the_text() {
    let time = |len: usize| {
        // The worst there is: every place looks like a beginning.
        let text = "acme_live_".repeat(len / 10);
        let once = || {
            let begun = Instant::now();
            assert_eq!(find_tokens(&text, &prefixes()).count(), 0);
            begun.elapsed()
        };
        (0..3).map(|_| once()).min().unwrap()
    };
    let (short, long) = (time(50_000), time(500_000));
    // Ten times as long; what grows with the square takes a hundred times.
    assert!(long < short * 40, "{short:?} and {long:?}");
}
