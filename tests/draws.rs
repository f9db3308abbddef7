//! How ids and secrets are drawn: every character as likely as any other, and nothing from a broken source.

mod setup;

use std::collections::HashSet;
use std::fmt;

use access_keys::lifecycle::Builder;
use access_keys::{Error, KeyQuery};
use pollster::block_on;
use rand_core::{TryCryptoRng, TryRng};
use setup::altered::Altered;
use setup::one_key::OneKey;
use setup::{ALPHABET, SplitMix, anything, builder, checkout, parts, production};

/// How many tokens give a million characters of secrets.
const TOKENS: usize = 31_250;
const SECRET: usize = 32;

/// The chi-square statistic of characters that should be equally likely.
fn chi_square<'t>(characters: impl IntoIterator<Item = &'t u8>) -> f64 {
    let mut counts = [0_u32; 62];
    for c in characters {
        counts[ALPHABET.binary_search(c).expect("a character of the alphabet")] += 1;
    }
    let expected = f64::from(counts.iter().sum::<u32>()) / 62.0;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// What a fair draw exceeds with a probability below e^-x, for 61 degrees of freedom (Laurent and Massart).
fn bound(x: f64) -> f64 {
    61.0 + 2.0 * (61.0 * x).sqrt() + 2.0 * x
}

/// Draws with this builder and fails if any character is likelier than another, or anything repeats.
fn assert_fair(builder: Builder<OneKey>) {
    let keys = builder.record_uses(false).build().unwrap();
    let (project, review) = (checkout(&keys), anything());
    let (mut secrets, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..TOKENS {
        let issued = block_on(project.generate(review.clone())).unwrap();
        secrets.extend(parts(issued.token.expose()).1.bytes());
        ids.extend(issued.key.id.as_str().bytes());
        let event = keys.store().last().as_ref().map(|(_, event)| event.id);
        ids.extend(event.unwrap().as_str().bytes());
    }
    assert!(secrets.len() >= 1_000_000 && ids.len() >= 1_000_000);
    // In all, a fair source fails one run in ten thousand million.
    let (x, each) = (1e11_f64.ln(), 5e12_f64.ln());
    for characters in [&secrets, &ids] {
        assert!(chi_square(characters) < bound(x), "{}", chi_square(characters));
    }
    for place in 0..SECRET {
        let at = chi_square(secrets.iter().skip(place).step_by(SECRET));
        assert!(at < bound(each), "place {place}: {at}");
    }
    assert_eq!(secrets.chunks(SECRET).collect::<HashSet<_>>().len(), TOKENS);
    assert_eq!(ids.chunks(16).collect::<HashSet<_>>().len(), 2 * TOKENS);
}

#[test]
fn every_character_of_a_seeded_draw_is_as_likely_as_any_other() {
    let clock = access_keys::FakeClock::default();
    assert_fair(builder(OneKey::default(), &clock).random(SplitMix(1)));
}

#[test]
fn every_character_that_the_system_gives_is_as_likely_as_any_other() {
    let clock = access_keys::FakeClock::default();
    assert_fair(builder(OneKey::default(), &clock));
}

#[test]
fn a_draw_that_folds_bytes_instead_of_rejecting_them_would_be_found() {
    let mut random = SplitMix(1);
    let mut bytes = vec![0; TOKENS * SECRET];
    random.try_fill_bytes(&mut bytes).unwrap();
    let folded: Vec<u8> = bytes.iter().map(|byte| ALPHABET[usize::from(byte % 62)]).collect();
    assert!(chi_square(&folded) > 10.0 * bound(1e11_f64.ln()), "{}", chi_square(&folded));
    let fair: Vec<u8> = (0..TOKENS * SECRET).map(|_| ALPHABET[random.below(62)]).collect();
    assert!(chi_square(&fair) < bound(1e11_f64.ln()));
}

/// A source that works so often and then fails, or gives one byte for ever.
#[derive(Clone, Copy)]
enum Broken {
    After(usize),
    Stuck(u8),
}

#[derive(Debug)]
struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no entropy")
    }
}

impl std::error::Error for NoEntropy {}

struct Source(Broken, SplitMix);

impl TryRng for Source {
    type Error = NoEntropy;

    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        match &mut self.0 {
            Broken::Stuck(byte) => bytes.fill(*byte),
            Broken::After(0) => return Err(NoEntropy),
            Broken::After(left) => {
                *left -= 1;
                self.1.try_fill_bytes(bytes).unwrap();
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Source {}

fn with(broken: Broken) -> access_keys::AccessKeys<Altered> {
    let clock = access_keys::FakeClock::default();
    builder(Altered::default(), &clock).random(Source(broken, SplitMix(3))).build().unwrap()
}

#[track_caller]
fn assert_no_randomness<T>(result: Result<T, Error>) {
    let Err(error @ Error::Randomness { .. }) = result else { panic!("should have had no randomness") };
    assert_eq!(error.to_string(), "no randomness could be had");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_source_that_gives_only_what_is_rejected_stores_nothing() {
    for byte in [0xFF, 0x3F, 0x3E, 0xFE] {
        let keys = with(Broken::Stuck(byte));
        assert_no_randomness(block_on(checkout(&keys).generate(anything())));
        assert_eq!(keys.store().writes(), 0);
    }
}

#[test]
fn a_source_that_repeats_itself_stores_no_second_key() {
    for byte in [0, 1, 0x3D, 0x80] {
        let keys = with(Broken::Stuck(byte));
        let project = checkout(&keys);
        let first = block_on(project.generate(anything())).unwrap();
        assert_no_randomness(block_on(project.generate(anything())));
        let page = block_on(project.list(KeyQuery::default())).unwrap();
        assert_eq!(page.items, [first.key]);
    }
}

#[test]
fn a_source_that_fails_stores_nothing() {
    // How many draws one generate takes is found out, so that none is left untried.
    let draws = (0..64)
        .find(|draws| block_on(checkout(&with(Broken::After(*draws))).generate(anything())).is_ok())
        .unwrap();
    assert!(draws >= 3, "an id, a secret, the id of an event");
    for n in 0..draws {
        let keys = with(Broken::After(n));
        assert_no_randomness(block_on(checkout(&keys).generate(anything())));
        assert_eq!(keys.store().writes(), 0);
    }
    // The same for a rotation, which leaves the old secret alone.
    let mut failed = 0;
    for n in draws.. {
        let keys = with(Broken::After(n));
        let project = checkout(&keys);
        let issued = block_on(project.generate(anything())).unwrap();
        let rotated = block_on(project.rotate(issued.key.id, std::time::Duration::ZERO));
        if rotated.is_ok() {
            break;
        }
        failed += 1;
        assert_no_randomness(rotated);
        assert_eq!(keys.store().writes(), 1);
        let _ = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    }
    assert!(failed >= 2, "a secret, the id of an event");
}
