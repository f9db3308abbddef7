//! The rules for what a builder is given, each at both sides of its limit.

mod setup;

use std::time::Duration;

use access_keys::domain::{Field, Rule, Unit};
use access_keys::lifecycle::Builder;
use access_keys::store::MemoryStore;
use access_keys::token::Prefix;
use access_keys::{AccessKeys, Denial, Error, Invalid, KeyInfo, Pepper};
use setup::{anything, checkout, env, production, review};

const WORDS: &str = "one or two words of a-z and 0-9 that begin with a letter, joined by _";

#[track_caller]
fn assert_invalid<T>(result: Result<T, Invalid>, field: Field, rule: &Rule, printed: &str) {
    let Err(invalid) = result else { panic!("was accepted, should be: {printed}") };
    assert_eq!((invalid.field, &invalid.rule, invalid.item), (field, rule, None));
    assert_eq!(invalid.to_string(), printed);
}

/// The mistake that building tells of.
fn built(builder: Builder<MemoryStore>) -> Result<AccessKeys<MemoryStore>, Invalid> {
    builder.build().map_err(|error| match error {
        Error::Invalid(invalid) => invalid,
        other => panic!("{other:?}"),
    })
}

fn bare() -> Builder<MemoryStore> {
    AccessKeys::builder(MemoryStore::new())
}

/// By every way in which a prefix is given.
fn prefixes(text: &str) -> [Result<(), Invalid>; 4] {
    [
        Prefix::new(text).map(drop),
        text.parse::<Prefix>().map(drop),
        built(bare().prefix(text)).map(drop),
        built(bare().environment_prefix(production(), text)).map(drop),
    ]
}

#[test]
fn a_prefix_is_one_or_two_short_words() {
    let word = "a23456789012";
    for good in ["a", "acme", "a1", "acme_live", "a_b", "a9_b9", word, &format!("{word}_{word}")] {
        assert_eq!(Prefix::new(good).unwrap().as_str(), good);
        assert!(prefixes(good).iter().all(Result::is_ok));
    }
    let long = "a234567890123";
    for (bad, given) in [("", 0), (long, 13), (&format!("a_{long}"), 13), (&format!("{long}_a"), 13)] {
        let printed = format!("prefix must have 1 to 12 bytes, has {given}");
        for result in prefixes(bad) {
            let rule = Rule::Length { min: 1, max: 12, unit: Unit::Bytes, given };
            assert_invalid(result, Field::Prefix, &rule, &printed);
        }
    }
    for (bad, position) in [
        ("_a", 1),
        ("a_", 2),
        ("_", 1),
        ("a__b", 2),
        ("1a", 1),
        ("Acme", 1),
        ("acmE", 4),
        ("a b", 2),
        ("a-b", 2),
        ("é", 1),
        ("aé", 2),
        ("a\0", 2),
        ("a_1b", 3),
        ("acme_B", 6),
        ("a_b_c", 4),
        ("a_b_", 4),
        ("a_b__", 4),
        ("acme ", 5),
    ] {
        let printed = format!("prefix must be {WORDS}, character {position} is not");
        for result in prefixes(bad) {
            assert_invalid(result, Field::Prefix, &Rule::Character { position, allowed: WORDS }, &printed);
        }
    }
}

#[test]
fn a_prefix_is_needed() {
    let Err(invalid) = built(bare()) else { panic!("was built without a prefix") };
    assert_eq!(invalid.field, Field::Prefix);
    assert!(matches!(invalid.rule, Rule::Missing { .. }));
    assert_eq!(
        invalid.to_string(),
        "prefix is missing, must be one for all environments, or one per environment"
    );
}

#[test]
fn an_environment_without_a_prefix_has_no_tokens() {
    let keys = built(bare().environment_prefix(production(), "acme_live")).unwrap();
    let project = checkout(&keys);
    pollster::block_on(async {
        let elsewhere = review(KeyInfo::new("Mobile app", env("staging")).unwrap());
        let Err(Error::Invalid(invalid)) = project.generate(elsewhere).await else {
            panic!("a key was generated")
        };
        let printed = "environment has no token prefix, and there is none for all environments";
        assert_invalid::<()>(Err(invalid), Field::Environment, &Rule::NoPrefix, printed);

        let issued = project.generate(anything()).await.unwrap();
        assert!(issued.token.expose().starts_with("acme_live_"));
        let denial = keys.verify(issued.token.expose(), &env("staging")).await.unwrap_err();
        assert!(matches!(denial, Denial::Malformed { .. }));
        let _ = keys.verify(issued.token.expose(), &production()).await.unwrap();
    });
}

#[test]
fn a_pepper_has_32_to_1024_bytes_and_a_version_of_its_own() {
    for (version, good) in [(0, 32), (1, 33), (7, 1_024)] {
        assert_eq!(Pepper::new(version, vec![7; good]).unwrap().version(), version);
    }
    for given in [0, 31, 1_025] {
        let printed = format!("pepper must have 32 to 1024 bytes, has {given}");
        let rule = Rule::Length { min: 32, max: 1_024, unit: Unit::Bytes, given };
        assert_invalid(Pepper::new(1, vec![7; given]), Field::Pepper, &rule, &printed);
    }
    let pepper = |version, byte| Pepper::new(version, [byte; 32]).unwrap();
    let twice = bare().prefix("acme").pepper(pepper(1, 1)).pepper(pepper(2, 2)).pepper(pepper(1, 3));
    let problem = "has two of one version";
    let rule = Rule::Inconsistent { problem };
    assert_invalid(built(twice), Field::Pepper, &rule, "pepper has two of one version");
    assert!(built(bare().prefix("acme").pepper(pepper(1, 1)).pepper(pepper(2, 2))).is_ok());
}

#[test]
fn the_limit_of_a_node_is_at_most_60_seconds() {
    let with = |limit| built(bare().prefix("acme").max_staleness(limit));
    for good in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(60)] {
        assert!(with(good).is_ok());
    }
    for (given, seconds) in [
        (Duration::new(60, 1), "60.000000001"),
        (Duration::from_secs(61), "61"),
        (Duration::from_secs(1_000_000), "1000000"),
    ] {
        let rule = Rule::Span { max: Duration::from_secs(60), given };
        let printed = format!("max_staleness must be at most 60 s, is {seconds} s");
        assert_invalid(with(given), Field::MaxStaleness, &rule, &printed);
    }
}

#[test]
fn a_capacity_is_at_least_1() {
    let rule = Rule::Range { min: 1, max: u64::MAX, given: 0 };
    let printed = |field| format!("{field} must be 1 to 18446744073709551615, is 0");
    let builder = || bare().prefix("acme");
    assert!(built(builder().cache_capacity(1).concurrent_reads(1)).is_ok());
    let (none, field) = (builder().cache_capacity(0), Field::CacheCapacity);
    assert_invalid(built(none), field, &rule, &printed(field));
    let (none, field) = (builder().concurrent_reads(0), Field::ConcurrentReads);
    assert_invalid(built(none), field, &rule, &printed(field));
}

#[test]
fn building_tells_of_the_first_mistake() {
    let builder = bare().prefix("Acme").max_staleness(Duration::from_secs(61)).cache_capacity(0);
    assert_eq!(built(builder).err().map(|invalid| invalid.field), Some(Field::Prefix));
    // A good value afterwards does not take a bad one back.
    let builder = bare().prefix("Acme").prefix("acme");
    assert_eq!(built(builder).err().map(|invalid| invalid.field), Some(Field::Prefix));
}

#[test]
fn a_token_has_the_prefix_of_its_environment() {
    let keys = built(bare().prefix("acme").environment_prefix(env("staging"), "acme_test")).unwrap();
    let project = checkout(&keys);
    pollster::block_on(async {
        for (environment, prefix) in [("staging", "acme_test_"), ("production", "acme_"), ("other", "acme_")]
        {
            let info = KeyInfo::new("x", env(environment)).unwrap();
            let issued = project.generate(review(info)).await.unwrap();
            assert_eq!(issued.token.expose().len(), prefix.len() + 16 + 1 + 32 + 6);
            assert!(issued.token.expose().starts_with(prefix));
        }
    });
}
