//! What a stored key opens: its own token, and nothing when its digest was moved, planted or is not understood.

mod setup;

use access_keys::lifecycle::Builder;
use access_keys::store::{KeyStore, MemoryStore, StoredKey};
use access_keys::token::Scheme;
use access_keys::{AccessKeys, AuditEvent, Denial, FakeClock, Grant, Pepper};
use chrono::{DateTime, Utc};
use pollster::block_on;
use serde_json::{Value, json};
use setup::{env, forged, production};

const PLAIN: &str = include_str!("fixtures/stored_key_v1.json");
const PEPPERED: &str = include_str!("fixtures/stored_key_v1_peppered.json");
const ROTATING: &str = include_str!("fixtures/stored_key_v1_rotating.json");
const REVOKED: &str = include_str!("fixtures/stored_key_v1_revoked.json");
const EVENTS: &str = include_str!("fixtures/audit_events_v1.json");

const PLAIN_TOKEN: &str = "acme_NNajVA2HZsBLGdc4_Qwepsc64lEGdjxuD1rIoJdfSlWGJgDDl1HGWNV";
const PEPPERED_TOKEN: &str = "acme_iFemal0Hye5P61RO_3hRDxFyyprCjoC9FDEgEgjV12BId4w0b2R0eW0";
const NEWER_TOKEN: &str = "acme_wngdIyismh1WQ1hd_MjPIYItgQsi5zwxuHmyxtP0TSwQw8K1o19lbrb";
const OLDER_TOKEN: &str = "acme_wngdIyismh1WQ1hd_bfO1TpQnR9ABRiUWtTluLTudfPL8Ct4H0k6LQw";

fn pepper() -> Pepper {
    Pepper::new(3, b"an example pepper of the fixtures").unwrap()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn decode(value: &Value) -> Result<StoredKey, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}

/// Keys over a store that holds these stored forms and nothing else.
fn over(
    stored: &[&Value],
    time: &str,
    more: fn(Builder<MemoryStore>) -> Builder<MemoryStore>,
) -> AccessKeys<MemoryStore> {
    let store = MemoryStore::new();
    for (i, value) in stored.iter().enumerate() {
        let mut event = serde_json::from_str::<Vec<AuditEvent>>(EVENTS).unwrap().remove(0);
        event.id = format!("event{i:011}").parse().unwrap();
        block_on(store.insert(&decode(value).unwrap(), &event)).unwrap();
    }
    let clock = FakeClock::new(time.parse::<DateTime<Utc>>().unwrap());
    more(setup::builder(store, &clock)).build().unwrap()
}

const THEN: &str = "2030-01-01T02:00:00Z";

fn verify(keys: &AccessKeys<MemoryStore>, token: &str) -> Result<Grant, Denial> {
    block_on(keys.verify(token, &production()))
}

#[track_caller]
fn assert_unavailable(result: Result<Grant, Denial>) {
    match result {
        Err(denial @ Denial::Unavailable { source: None, .. }) => assert_eq!(
            denial.to_string(),
            "the key cannot be verified by this node, which lacks its pepper or its digest scheme"
        ),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_unrecognized(result: Result<Grant, Denial>) {
    match result {
        Err(Denial::Unrecognized { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stored_key_is_still_opened_by_its_token() {
    let mut active = value(ROTATING);
    active["key"]["status"] = json!("active");
    let stored = [&value(PLAIN), &value(PEPPERED), &active];
    let keys = over(&stored, THEN, |builder| builder.pepper(pepper()).accept_unpeppered());
    for token in [PLAIN_TOKEN, NEWER_TOKEN, OLDER_TOKEN] {
        let _ = verify(&keys, token).unwrap();
    }
    let _ = block_on(keys.verify(PEPPERED_TOKEN, &env("staging"))).unwrap();
    let later = over(&stored, "2030-01-02T01:00:00.777777Z", |b| b.pepper(pepper()).accept_unpeppered());
    assert_unrecognized(verify(&later, OLDER_TOKEN));
    let _ = verify(&later, NEWER_TOKEN).unwrap();
    let revoked = over(&[&value(REVOKED)], THEN, |builder| builder.pepper(pepper()));
    assert!(matches!(verify(&revoked, NEWER_TOKEN), Err(Denial::Revoked { .. })));
}

/// A stored key with the digest of its newest secret written in another way.
fn with_digest(text: &str, change: impl Fn(&str) -> String) -> Value {
    let mut stored = value(text);
    let digest = change(stored["digests"][0]["digest"].as_str().unwrap());
    stored["digests"][0]["digest"] = digest.into();
    stored
}

#[test]
fn an_unknown_scheme_is_unavailable_and_not_unrecognized() {
    let stored = with_digest(PLAIN, |digest| digest.replace("sha256:", "blake3:"));
    assert_eq!(*decode(&stored).unwrap().digests()[0].scheme(), Scheme::Other("blake3".to_owned()));
    assert_eq!(serde_json::to_value(decode(&stored).unwrap()).unwrap(), stored);
    let keys = over(&[&stored], THEN, |builder| builder);
    assert_unavailable(verify(&keys, PLAIN_TOKEN));
    // Whoever presents another secret learns no more than that.
    assert_unavailable(verify(&keys, &forged("acme", "NNajVA2HZsBLGdc4", &"x".repeat(32))));
}

#[test]
fn an_unknown_pepper_is_unavailable_and_not_unrecognized() {
    let mut stored = value(PEPPERED);
    stored["key"]["environment"] = json!("production");
    assert_unavailable(verify(&over(&[&stored], THEN, |builder| builder), PEPPERED_TOKEN));
    let other = over(&[&stored], THEN, |builder| builder.pepper(Pepper::new(4, [7; 32]).unwrap()));
    assert_unavailable(verify(&other, PEPPERED_TOKEN));
    // The same version with another secret is another pepper, and cannot be told from a wrong token.
    let wrong = over(&[&stored], THEN, |builder| builder.pepper(Pepper::new(3, [7; 32]).unwrap()));
    assert_unrecognized(verify(&wrong, PEPPERED_TOKEN));
    let both = over(&[&stored], THEN, |b| b.pepper(Pepper::new(4, [7; 32]).unwrap()).pepper(pepper()));
    let _ = verify(&both, PEPPERED_TOKEN).unwrap();
}

#[test]
fn an_unpeppered_key_under_a_pepper_is_unrecognized_unless_accepted() {
    let stored = value(PLAIN);
    let _ = verify(&over(&[&stored], THEN, |builder| builder), PLAIN_TOKEN).unwrap();
    assert_unrecognized(verify(&over(&[&stored], THEN, |b| b.pepper(pepper())), PLAIN_TOKEN));
    let accepting = over(&[&stored], THEN, |b| b.pepper(pepper()).accept_unpeppered());
    let _ = verify(&accepting, PLAIN_TOKEN).unwrap();
    let mut rotating = value(ROTATING);
    rotating["key"]["status"] = json!("active");
    let refusing = over(&[&rotating], THEN, |b| b.pepper(pepper()));
    let _ = verify(&refusing, NEWER_TOKEN).unwrap();
    assert_unrecognized(verify(&refusing, OLDER_TOKEN));
}

#[test]
fn a_digest_that_was_moved_to_another_key_opens_nothing() {
    let mut victim = value(PEPPERED);
    victim["key"]["environment"] = json!("production");
    victim["digests"] = value(PLAIN)["digests"].clone();
    for more in
        [|b: Builder<MemoryStore>| b, |b: Builder<MemoryStore>| b.pepper(pepper()).accept_unpeppered()]
    {
        let keys = over(&[&value(PLAIN), &victim], THEN, more);
        let _ = verify(&keys, PLAIN_TOKEN).unwrap();
        let (_, secret, _) = setup::parts(PLAIN_TOKEN);
        assert_unrecognized(verify(&keys, &forged("acme", "iFemal0Hye5P61RO", secret)));
        assert_unrecognized(verify(&keys, PEPPERED_TOKEN));
    }
}

#[test]
fn a_planted_key_opens_nothing_under_a_pepper() {
    use sha2::{Digest, Sha256};
    // Whoever can write the database knows everything but the pepper.
    let (id, secret) = ("Planted000000001", "S".repeat(32));
    let digest = setup::hex(&Sha256::digest(format!("{id}_{secret}")));
    for scheme in ["sha256", "hmac-sha256/3"] {
        let mut planted = with_digest(PLAIN, |_| format!("{scheme}:{digest}"));
        planted["key"]["id"] = json!(id);
        let keys = over(&[&planted], THEN, |builder| builder.pepper(pepper()));
        assert_unrecognized(verify(&keys, &forged("acme", id, &secret)));
    }
    // Without a pepper it would have worked, which is what a pepper is for.
    let mut planted = with_digest(PLAIN, |_| format!("sha256:{digest}"));
    planted["key"]["id"] = json!(id);
    let _ = verify(&over(&[&planted], THEN, |builder| builder), &forged("acme", id, &secret)).unwrap();
}

#[test]
fn a_key_of_which_no_secret_can_be_checked_is_unavailable() {
    let mut stored = value(ROTATING);
    stored["key"]["status"] = json!("active");
    for digest in stored["digests"].as_array_mut().unwrap() {
        let (_, hex) = digest["digest"].as_str().unwrap().split_once(':').unwrap();
        digest["digest"] = format!("blake3:{hex}").into();
    }
    let keys = over(&[&stored], THEN, |builder| builder.pepper(pepper()));
    for token in [NEWER_TOKEN, OLDER_TOKEN, &forged("acme", "wngdIyismh1WQ1hd", &"x".repeat(32))] {
        assert_unavailable(verify(&keys, token));
    }
}
