//! Times and numbers at their end: what cannot be read again is not written.

mod support;

use std::sync::Arc;
use std::time::Duration;

use access_keys::domain::Field;
use access_keys::store::{KeyStore, MemoryStore, StoredKey};
use access_keys::{
    AccessKey, AccessKeys, AuditQuery, Denial, Edit, Error, FakeClock, KeyId, Pepper, ProjectKeys,
};
use chrono::{DateTime, Utc};
use pollster::block_on;
use serde_json::{Value, json};
use support::{checkout, keys, production, project, review};

type Project = ProjectKeys<Arc<MemoryStore>>;

fn set_up() -> (Arc<MemoryStore>, Project, FakeClock, AccessKey, String) {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let project = project(&keys(Arc::clone(&store), &clock), "ada");
    let issued = block_on(project.generate(review("Mobile"))).unwrap();
    (store, project, clock, issued.key, issued.token.expose().to_owned())
}

fn stored(store: &MemoryStore, id: KeyId) -> StoredKey {
    block_on(store.get(id)).unwrap().unwrap()
}

/// The same key in a store of its own, with its serde form altered.
fn altered(from: &StoredKey, store: &MemoryStore, alter: impl Fn(&mut Value)) -> (Project, KeyId) {
    let mut form = serde_json::to_value(from).unwrap();
    alter(&mut form);
    let other = Arc::new(MemoryStore::new());
    let event = block_on(store.history(&checkout(), &AuditQuery::default())).unwrap().items.remove(0);
    let key: StoredKey = serde_json::from_value(form).unwrap();
    block_on(other.insert(&key, &event)).unwrap();
    (project(&keys(other, &FakeClock::default()), "ada"), key.key().id)
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, field: Field) {
    match result {
        Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, field),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_written_at_a_time_that_cannot_be_read_again() {
    let (store, project, clock, key, _) = set_up();
    let before = stored(&store, key.id);
    let year_10000 = DateTime::from_timestamp(253_402_300_800, 0).unwrap();
    let before_year_0 = DateTime::from_timestamp(-62_167_219_201, 0).unwrap();
    for wall in [year_10000, DateTime::<Utc>::MAX_UTC] {
        clock.set_wall(wall);
        assert_refused(block_on(project.edit(key.id, Edit::new().name("New").unwrap())), Field::Time);
        assert_refused(block_on(project.revoke(key.id, "")), Field::Time);
        assert_refused(block_on(project.rotate(key.id, Duration::ZERO)), Field::Time);
        assert_refused(block_on(project.generate(review("Other"))), Field::Time);
    }
    clock.set_wall(before_year_0);
    assert_refused(block_on(project.generate(review("Other"))), Field::Time);
    assert_eq!(stored(&store, key.id), before);

    clock.set_wall(key.created_at);
    block_on(project.revoke(key.id, "the clock is mended")).unwrap();
    let form = serde_json::to_string(&stored(&store, key.id)).unwrap();
    assert_eq!(serde_json::from_str::<StoredKey>(&form).unwrap(), stored(&store, key.id));
}

#[test]
fn a_grace_beyond_the_last_moment_ends_at_it() {
    let (store, project, clock, key, token) = set_up();
    clock.set_wall(DateTime::from_timestamp(253_402_300_000, 0).unwrap());
    let _ = block_on(project.rotate(key.id, Duration::from_secs(90 * 86_400))).unwrap();
    let form = serde_json::to_string(&stored(&store, key.id)).unwrap();
    assert_eq!(serde_json::from_str::<StoredKey>(&form).unwrap(), stored(&store, key.id));
    let keys = keys(Arc::clone(&store), &clock);
    assert!(block_on(keys.verify(&token, &production())).is_ok());
}

#[test]
fn a_number_that_cannot_rise_is_an_error_and_no_write() {
    let (store, _, _, key, _) = set_up();
    let from = stored(&store, key.id);
    let last = |form: &mut Value| form["key"]["revision"] = json!(i64::MAX);
    let (project, id) = altered(&from, &store, last);
    assert_refused(block_on(project.revoke(id, "")), Field::Revision);
    let last = |form: &mut Value| form["digests"][0]["generation"] = json!(u32::MAX);
    let (project, id) = altered(&from, &store, last);
    assert_refused(block_on(project.rotate(id, Duration::from_secs(60))), Field::Generation);
    block_on(project.revoke(id, "")).unwrap();
}

#[test]
fn a_recheck_needs_what_a_verification_needs() {
    let (store, _, clock, _, token) = set_up();
    let plain = keys(Arc::clone(&store), &clock);
    let grant = block_on(plain.verify(&token, &production())).unwrap();
    let pepper = || Pepper::new(1, [7; 32]).unwrap();
    let builder = || AccessKeys::builder(Arc::clone(&store)).clock(clock.clone());
    let elsewhere = access_keys::EnvironmentId::new("staging").unwrap();

    let peppered = builder().prefix("acme").pepper(pepper()).build().unwrap();
    let without_prefix = builder().environment_prefix(elsewhere, "acme").build().unwrap();
    let migrating = builder().prefix("acme").pepper(pepper()).accept_unpeppered().build().unwrap();
    for keys in [&peppered, &without_prefix, &migrating] {
        let verified = block_on(keys.verify(&token, &production())).map(drop);
        let rechecked = block_on(keys.verifier().recheck(&grant)).map(drop);
        assert_eq!(format!("{verified:?}"), format!("{rechecked:?}"));
    }
    let denied = block_on(peppered.verifier().recheck(&grant)).unwrap_err();
    assert!(matches!(denied, Denial::Unrecognized { .. }));
    let denied = block_on(without_prefix.verifier().recheck(&grant)).unwrap_err();
    assert!(matches!(denied, Denial::Malformed { .. }));
}

#[test]
fn an_ended_secret_whose_pepper_is_gone_makes_nothing_unavailable() {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let with = |versions: &[u32]| {
        let builder = AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(clock.clone());
        let pepper = |version: &u32| Pepper::new(*version, [version.to_le_bytes()[0]; 32]).unwrap();
        versions.iter().map(pepper).fold(builder, access_keys::lifecycle::Builder::pepper).build().unwrap()
    };
    let old = block_on(project(&with(&[1]), "ada").generate(review("Mobile"))).unwrap();
    let new = block_on(project(&with(&[1, 2]), "ada").rotate(old.key.id, Duration::from_secs(60))).unwrap();
    let keys = with(&[2]);
    let verify = |token: &str| block_on(keys.verify(token, &production()));
    assert!(matches!(verify(old.token.expose()), Err(Denial::Unavailable { source: None, .. })));
    assert!(verify(new.token.expose()).is_ok());

    clock.advance(Duration::from_secs(60));
    assert!(matches!(verify(old.token.expose()), Err(Denial::Unrecognized { .. })));
    assert!(verify(new.token.expose()).is_ok());
}
