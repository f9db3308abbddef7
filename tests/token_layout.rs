//! What a token looks like, what is stored of it, and how it is found in a text.

mod setup;

use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore, StoredKey};
use access_keys::token::{Prefix, Scheme};
use access_keys::{AccessKeys, KeyId, OperationId, Pepper};
use hmac::{Hmac, KeyInit, Mac};
use pollster::block_on;
use setup::{ALPHABET, SplitMix, anything, builder, checkout, forged, hex, keys, parts};
use sha2::{Digest, Sha256};

#[test]
fn the_checksum_of_these_tests_is_that_of_zip() {
    // The check value of CRC-32/ISO-HDLC in the catalogue, and two more that zlib gives.
    assert_eq!(setup::crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(setup::crc32(b""), 0);
    assert_eq!(setup::crc32(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
    let digits = setup::checksum("123456789");
    let value = |digit: u8| u64::try_from(ALPHABET.iter().position(|c| *c == digit).unwrap()).unwrap();
    assert_eq!(digits.bytes().fold(0, |sum, digit| sum * 62 + value(digit)), 0xCBF4_3926);
    assert_eq!(setup::checksum(""), "000000");
}

#[test]
fn a_token_is_prefix_id_secret_checksum() {
    let (keys, clock) = keys();
    drop(keys);
    for prefix in ["acme", "acme_live", "a", "a_b"] {
        let keys =
            AccessKeys::builder(MemoryStore::new()).clock(clock.clone()).prefix(prefix).build().unwrap();
        let project = checkout(&keys);
        for _ in 0..100 {
            let issued = block_on(project.generate(anything())).unwrap();
            let token = issued.token.expose();
            let (id, secret, sum) = parts(token);
            assert_eq!(token, format!("{prefix}_{id}_{secret}{sum}"));
            assert_eq!(id, issued.key.id.as_str());
            assert_eq!(sum, setup::checksum(&token[..token.len() - 6]));
            assert_eq!((id.len(), secret.len()), (16, 32));
            assert!(token.bytes().all(|byte| byte == b'_' || ALPHABET.contains(&byte)));
            assert_eq!(token.matches('_').count(), prefix.matches('_').count() + 2);
        }
    }
}

#[test]
fn a_checksum_with_leading_zeros_is_padded() {
    // 62⁵ is a fifth of 2³², so every fifth token has one.
    let (keys, _) = keys();
    let project = checkout(&keys);
    let padded = (0..200).filter(|_| {
        let issued = block_on(project.generate(anything())).unwrap();
        parts(issued.token.expose()).2.starts_with('0')
    });
    assert!(padded.count() > 5);
}

fn stored(keys: &AccessKeys<MemoryStore>, id: KeyId) -> (StoredKey, serde_json::Value) {
    let stored = block_on(keys.store().get(id)).unwrap().unwrap();
    let json = serde_json::to_value(&stored).unwrap();
    (stored, json)
}

/// The 49 characters of which a digest is made.
fn signed(token: &str) -> &[u8] {
    &token.as_bytes()[token.len() - 55..token.len() - 6]
}

#[test]
fn what_is_stored_is_the_sha_256_of_id_and_secret() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let issued = block_on(project.generate(anything())).unwrap();
    let rotated = block_on(project.rotate(issued.key.id, Duration::from_secs(60))).unwrap();
    let (stored, json) = stored(&keys, issued.key.id);
    let digest = |token: &str| format!("sha256:{}", hex(&Sha256::digest(signed(token))));
    assert_eq!(json["digests"][0]["digest"], digest(rotated.token.expose()));
    assert_eq!(json["digests"][1]["digest"], digest(issued.token.expose()));
    assert!(stored.digests().iter().all(|stored| *stored.scheme() == Scheme::Sha256));
    assert_eq!(stored.digests().iter().map(|d| d.generation()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn under_a_pepper_it_is_the_hmac_of_them() {
    let clock = access_keys::FakeClock::default();
    let pepper = |version, secret: &[u8]| Pepper::new(version, secret).unwrap();
    // Longer than the block of the hash, which is then hashed first.
    for (version, secret) in [(3, vec![7; 32]), (u32::MAX, vec![9; 64]), (0, vec![11; 1_024])] {
        let builder = builder(MemoryStore::new(), &clock).pepper(pepper(version, &secret));
        let keys = builder.build().unwrap();
        let operation = OperationId::new("req-7").unwrap();
        let issued = block_on(checkout(&keys).operation(operation.clone()).generate(anything())).unwrap();
        let (stored, json) = stored(&keys, issued.key.id);
        let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
        let mac = mac.chain_update(signed(issued.token.expose())).finalize().into_bytes();
        assert_eq!(json["digests"][0]["digest"], format!("hmac-sha256/{version}:{}", hex(&mac)));
        assert_eq!(*stored.digests()[0].scheme(), Scheme::HmacSha256 { pepper: version });
        assert_eq!(stored.digests()[0].operation(), Some(&operation));
    }
    // The newest of several makes new digests, in whatever order they are given.
    let several =
        builder(MemoryStore::new(), &clock).pepper(pepper(9, &[1; 32])).pepper(pepper(10, &[2; 32]));
    let keys = several.pepper(pepper(2, &[3; 32])).build().unwrap();
    let id = block_on(checkout(&keys).generate(anything())).unwrap().key.id;
    assert_eq!(*stored(&keys, id).0.digests()[0].scheme(), Scheme::HmacSha256 { pepper: 10 });
}

#[test]
fn the_name_of_a_scheme_is_written_in_one_way() {
    for good in ["sha256", "hmac-sha256/0", "hmac-sha256/4294967295", "blake3", "argon2id/1", &"a".repeat(64)]
    {
        assert_eq!(good.parse::<Scheme>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "hmac-sha256",
        "hmac-sha256/",
        "hmac-sha256/01",
        "hmac-sha256/+1",
        "hmac-sha256/4294967296",
        "SHA256",
        "sha 256",
        "a_b",
        "é",
        &"a".repeat(65),
    ] {
        let invalid = bad.parse::<Scheme>().unwrap_err();
        assert!(invalid.to_string().ends_with(&format!("is other text of {} bytes", bad.len())), "{bad}");
    }
}

/// Whether a text is what the pattern says, which is written out here by hand.
fn fits(prefix: &str, text: &str) -> bool {
    let base62 = |text: &str| text.bytes().all(|byte| ALPHABET.contains(&byte));
    let rest = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    let pair = rest.and_then(|rest| rest.split_once('_'));
    pair.is_some_and(|(id, rest)| id.len() == 16 && rest.len() == 38 && base62(id) && base62(rest))
}

#[test]
fn the_pattern_of_a_prefix_fits_its_tokens() {
    for prefix in ["acme", "acme_live", "a1_b2"] {
        let pattern = Prefix::new(prefix).unwrap().pattern();
        assert_eq!(pattern, format!("{prefix}_[0-9A-Za-z]{{16}}_[0-9A-Za-z]{{38}}"));
        let keys = AccessKeys::builder(MemoryStore::new()).prefix(prefix).build().unwrap();
        for _ in 0..20 {
            let issued = block_on(checkout(&keys).generate(anything())).unwrap();
            assert!(fits(prefix, issued.token.expose()));
        }
    }
}

fn found(prefix: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Vec<(String, usize)> {
    let prefix = Prefix::new(prefix).unwrap();
    let found = prefix.scan(text).map(|found| {
        let token = &text.as_ref()[found.range.clone()];
        assert_eq!(&token[token.len() - 55..token.len() - 39], found.key.as_str().as_bytes());
        (String::from_utf8(token.to_vec()).unwrap(), found.range.start)
    });
    found.collect()
}

/// Tokens with a right checksum, of the same prefix.
fn tokens(prefix: &str, n: usize) -> Vec<String> {
    let mut random = SplitMix(5);
    (0..n).map(|_| forged(prefix, &random.base62(16), &random.base62(32))).collect()
}

#[test]
fn a_scan_finds_every_token_in_a_text() {
    let list = tokens("acme", 3);
    let [a, b, c] = list.as_slice() else { panic!() };
    let all = |text: &str| found("acme", text).into_iter().map(|(token, _)| token).collect::<Vec<_>>();
    assert_eq!(all(a), [a.as_str()]);
    assert_eq!(all(&format!("Authorization: Bearer {a}\r\nGET /?key={b}&x=1 {{\"token\":\"{c}\"}}")), list);
    assert_eq!(all(&format!("{a}{b}{c}")), list);
    assert_eq!(all(&format!("acme_{a}_acme{b}acme_acme_{c}acme_")), list);
    assert_eq!(all(&format!("x{a}0 _{b}_ é{c}é")), list);
    assert_eq!(all(&format!("{a} {a}")), [a.as_str(), a.as_str()]);
    // One that was cut off in the middle of which another begins.
    for cut in 0..a.len() {
        assert_eq!(all(&format!("{}{b}", &a[..cut])), [b.as_str()], "cut at {cut}");
    }
    assert_eq!(found("acme", &format!("..{a}")), [(a.clone(), 2)]);
}

#[test]
fn a_scan_reads_bytes_that_are_no_text() {
    let list = tokens("acme", 2);
    let mut log = vec![0xFF, 0xFE, 0, 0xC3];
    log.extend(list[0].bytes());
    log.extend([0xC3, 0x28, 0x80]);
    log.extend(list[1].bytes());
    log.push(0xFF);
    let places = [(list[0].clone(), 4), (list[1].clone(), 4 + list[0].len() + 3)];
    assert_eq!(found("acme", &log), places);
    assert_eq!(found("acme", &[0xFF; 200]), []);
}

#[test]
fn a_scan_finds_nothing_that_is_no_token() {
    let mut random = SplitMix(6);
    let token = tokens("acme", 1).remove(0);
    assert_eq!(found("acme", ""), []);
    assert_eq!(found("acme", "acme_"), []);
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
        assert_eq!(found("acme", &changed), [], "changed at {at}");
        let without = format!("{}{}", &token[..at], &token[at + 1..]);
        assert_eq!(found("acme", &without), [], "without {at}");
    }
    // Everything but the checksum is right, thousands of times.
    let junk: String =
        (0..5_000).map(|_| format!("acme_{}_{} ", random.base62(16), random.base62(38))).collect();
    assert_eq!(found("acme", &junk), []);
    // A token of another prefix, be it the beginning of this one or this one the beginning of it.
    assert_eq!(found("acme_live", &token), []);
    assert_eq!(found("acme", &tokens("acme_live", 1)[0]), []);
    assert_eq!(found("live", &tokens("acme_live", 1)[0]), []);
}
