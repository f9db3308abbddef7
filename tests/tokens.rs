//! Tokens: none is dead on arrival, and a mistyped one never reaches the store.

mod setup;

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;

use access_keys::token::Prefix;
use access_keys::{AccessKeys, Denial, EnvironmentId};
use pollster::block_on;
use setup::altered::Altered;
use setup::one_key::OneKey;
use setup::{ALPHABET, SplitMix, anything, builder, checkout, forged, keys_in, parts, production};

/// A prefix of every shape: one word or two, each of every length, with digits where they may stand.
fn shapes() -> Vec<String> {
    let word = |len: usize| "k7q0z9x1c3v5"[..len].to_owned();
    let pairs = (1..=12).flat_map(|a| (1..=12).map(move |b| (a, b)));
    let two = pairs.map(|(a, b)| format!("{}_{}", word(a), word(b)));
    (1..=12).map(word).chain(two).collect()
}

/// How many tokens go round in all: 20,000, unless `ACCESS_KEYS_TOKENS` asks for more.
fn wanted() -> usize {
    std::env::var("ACCESS_KEYS_TOKENS").map_or(20_000, |n| n.parse().expect("a number of tokens"))
}

#[test]
fn every_token_of_every_prefix_is_good_on_arrival() {
    let shapes = shapes();
    assert_eq!(shapes.len(), 156);
    let each = wanted().div_ceil(shapes.len());
    let next = Mutex::new(shapes.iter());
    let take = || next.lock().unwrap().next();
    let work = || std::iter::from_fn(take).map(|shape| round_trips(shape, each)).sum::<usize>();
    let done: usize = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(2, usize::from);
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(done, each * shapes.len());
}

/// Generates so many tokens of one prefix and presents each.
fn round_trips(shape: &str, tokens: usize) -> usize {
    let prefix = Prefix::new(shape).unwrap();
    let keys = AccessKeys::builder(OneKey::default()).prefix(shape).record_uses(false).build().unwrap();
    let (project, review, environment) = (checkout(&keys), anything(), production());
    for _ in 0..tokens {
        let issued = block_on(project.generate(review.clone())).unwrap();
        let token = issued.token.expose();
        assert_eq!(token.len(), shape.len() + 56);
        let grant = block_on(keys.verify(token, &environment)).expect(shape);
        assert_eq!(grant.key().id, issued.key.id);
        let found: Vec<_> = prefix.scan(token).collect();
        assert_eq!((found.len(), found[0].key, found[0].range.len()), (1, issued.key.id, token.len()));
    }
    tokens
}

/// Fails unless `given` is refused as malformed without a look-up.
#[track_caller]
fn assert_malformed(keys: &AccessKeys<Altered>, given: &str, environment: &EnvironmentId) {
    let before = keys.store().reads();
    let denial = block_on(keys.verify(given, environment)).expect_err("was accepted");
    assert!(matches!(denial, Denial::Malformed { .. }), "{denial:?}");
    assert!(matches!(keys.verifier().verify_cached(given, environment), Some(Err(Denial::Malformed { .. }))));
    assert_eq!((keys.store().reads(), denial.key()), (before, None));
}

/// Keys under a prefix of one word and under one of two, and a token of each.
fn samples() -> (AccessKeys<Altered>, Vec<(EnvironmentId, String)>) {
    let clock = access_keys::FakeClock::default();
    let builder = builder(Altered::default(), &clock).random(SplitMix(7));
    let keys = builder.environment_prefix(setup::env("staging"), "acme_test").build().unwrap();
    let mut tokens = Vec::new();
    for environment in [production(), setup::env("staging")] {
        let info = access_keys::KeyInfo::new("x", environment.clone()).unwrap();
        let issued = block_on(checkout(&keys).generate(setup::review(info))).unwrap();
        tokens.push((environment, issued.token.expose().to_owned()));
    }
    (keys, tokens)
}

#[test]
fn a_token_with_one_other_character_is_malformed() {
    let (keys, tokens) = samples();
    let others: Vec<char> = ALPHABET
        .iter()
        .map(|byte| char::from(*byte))
        .chain("_-+/= .\t\n\0\u{7F}é\u{430}\u{200B}".chars())
        .collect();
    for (environment, token) in &tokens {
        for at in 0..token.len() {
            for other in others.iter().filter(|other| !token[at..].starts_with(**other)) {
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert_malformed(&keys, &changed, environment);
            }
        }
        let _ = block_on(keys.verify(token, environment)).expect("the token itself");
    }
}

#[test]
fn a_token_with_two_characters_transposed_is_refused() {
    let (keys, tokens) = samples();
    let mut tried = 0;
    for (environment, token) in &tokens {
        let body = token.len() - 6;
        for i in 0..token.len() {
            for j in i + 1..token.len() {
                let mut bytes = token.clone().into_bytes();
                bytes.swap(i, j);
                let changed = String::from_utf8(bytes).unwrap();
                if changed == *token {
                    continue;
                }
                tried += 1;
                // A CRC of 32 bits finds every change within 32 bits; the checksum's own digits are compared.
                let certain = j - i < 4 && j < body || i >= body;
                match block_on(keys.verify(&changed, environment)) {
                    Err(Denial::Malformed { .. }) => {}
                    Err(Denial::Unrecognized { .. }) if !certain => {}
                    other => panic!("{i} and {j}: {other:?}"),
                }
            }
        }
    }
    assert!(tried > 3_000);
}

#[test]
fn what_is_no_whole_token_is_malformed() {
    let (keys, tokens) = samples();
    for (environment, token) in &tokens {
        for len in 0..token.len() {
            assert_malformed(&keys, &token[..len], environment);
            assert_malformed(&keys, &token[token.len() - len..], environment);
        }
        for around in [
            format!("{token} "),
            format!(" {token}"),
            format!("{token}\n"),
            format!("{token}\0"),
            format!("Bearer {token}"),
            format!("\"{token}\""),
            format!("\u{FEFF}{token}"),
            format!("{token}{token}"),
            format!("{token}0"),
            format!("x{token}"),
            token.to_uppercase(),
            token.to_lowercase(),
            token.replacen('_', "-", 1),
            token.replacen('_', "__", 1),
            token.chars().rev().collect(),
        ] {
            assert_malformed(&keys, &around, environment);
        }
        // As many bytes as a token, but not those of one.
        let len = token.len();
        for c in ["\0", "_", "0", " ", "é", "日", "\u{1F511}"] {
            let filled = c.repeat(len / c.len());
            assert_malformed(&keys, &format!("{filled}{}", "0".repeat(len - filled.len())), environment);
        }
        assert_malformed(&keys, &"a".repeat(1 << 20), environment);
        assert_malformed(&keys, &format!("{token}{}", "0".repeat(1 << 20)), environment);
        assert_malformed(&keys, &token.repeat(1 << 14), environment);
    }
}

#[test]
fn a_token_of_another_environments_prefix_is_malformed() {
    let (keys, tokens) = samples();
    for (environment, token) in &tokens {
        for (other, _) in tokens.iter().filter(|(other, _)| other != environment) {
            assert_malformed(&keys, token, other);
        }
    }
    // Right in all but the prefix, with a checksum that fits.
    let (id, secret, _) = parts(&tokens[0].1);
    for prefix in ["acme_live", "acmf", "acm", "acme_", "_acme", "Acme", "a"] {
        assert_malformed(&keys, &forged(prefix, id, secret), &production());
    }
    let again = block_on(keys.verify(&forged("acme", id, secret), &production()));
    let _ = again.expect("the same parts under the right prefix are the token");
}

#[test]
fn a_text_with_a_right_checksum_over_wrong_characters_is_malformed() {
    let (keys, tokens) = samples();
    let (id, secret, _) = parts(&tokens[0].1);
    for wrong in ["-", "_", " ", "\0", "."] {
        assert_malformed(&keys, &forged("acme", &format!("{wrong}{}", &id[1..]), secret), &production());
        assert_malformed(&keys, &forged("acme", id, &format!("{}{wrong}", &secret[1..])), &production());
    }
    // Two bytes for one character: the length in bytes is right.
    assert_malformed(&keys, &forged("acme", &format!("é{}", &id[2..]), secret), &production());
    // Another joint, under a right checksum.
    for joint in ['-', '0', ' '] {
        let body = format!("acme_{id}{joint}{secret}");
        assert_malformed(&keys, &format!("{body}{}", setup::checksum(&body)), &production());
    }
    // The digits of the checksum are those of this alphabet, most significant first, padded.
    let body = &tokens[0].1[..tokens[0].1.len() - 6];
    let reversed: String = setup::checksum(body).chars().rev().collect();
    assert_malformed(&keys, &format!("{body}{reversed}"), &production());
    // A number beyond 32 bits that is the same modulo 2^32.
    let sum = u64::from(setup::crc32(body.as_bytes())) + (1 << 32);
    let digit = |place: u32| usize::try_from(sum / 62_u64.pow(place) % 62).unwrap();
    let beyond: String = (0..6).rev().map(|place| char::from(ALPHABET[digit(place)])).collect();
    assert_malformed(&keys, &format!("{body}{beyond}"), &production());
}

#[test]
fn a_well_formed_token_that_nobody_issued_is_looked_up_once() {
    let (keys, _) = keys_in(Altered::default());
    let mut random = SplitMix(11);
    let mut seen = HashSet::new();
    for n in 1..=1_000 {
        let token = forged("acme", &random.base62(16), &random.base62(32));
        let denial = block_on(keys.verify(&token, &production())).unwrap_err();
        assert!(matches!(denial, Denial::Unrecognized { .. }));
        assert_eq!(keys.store().reads(), n);
        assert!(seen.insert(token));
    }
}
