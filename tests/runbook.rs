//! What the runbook says, and that every test it names is there.

mod setup;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AuditQuery, Denial, FakeClock, Grant, Issued, KeyQuery, Pepper, ProjectId,
};
use pollster::block_on;
use setup::{anything, builder, checkout, forged, hex, production};

type Keys = AccessKeys<Arc<MemoryStore>>;

const LEAKED: [u8; 32] = [1; 32];

/// A node over this store with these peppers.
fn node(store: &Arc<MemoryStore>, peppers: &[(u32, [u8; 32])]) -> Keys {
    let node = builder(Arc::clone(store), &FakeClock::default());
    let with = |node: access_keys::lifecycle::Builder<_>, (version, secret): &(u32, [u8; 32])| {
        node.pepper(Pepper::new(*version, secret).unwrap())
    };
    peppers.iter().fold(node, with).build().unwrap()
}

fn verify(keys: &Keys, issued: &Issued) -> Result<Grant, Denial> {
    block_on(keys.verify(issued.token.expose(), &production()))
}

fn is_unavailable(result: &Result<Grant, Denial>) -> bool {
    matches!(result, Err(Denial::Unavailable { .. }))
}

#[test]
fn a_key_that_was_planted_under_a_leaked_pepper_is_good_until_the_pepper_is_taken_out() {
    let store = Arc::new(MemoryStore::new());
    // Whoever has the pepper and the database has all that the library has.
    let thief = node(&store, &[(1, LEAKED)]);
    let project = thief.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
    let planted = block_on(project.generate(anything())).unwrap();
    assert!(verify(&node(&store, &[(1, LEAKED), (2, [2; 32])]), &planted).is_ok());
    assert!(is_unavailable(&verify(&node(&store, &[(2, [2; 32])]), &planted)));
    // The version alone is not the pepper.
    let guessed = verify(&node(&store, &[(1, [9; 32]), (2, [2; 32])]), &planted);
    assert!(matches!(guessed, Err(Denial::Unrecognized { .. })));
}

#[test]
fn a_key_that_was_rotated_outlives_its_pepper_and_one_that_was_not_is_unavailable() {
    let store = Arc::new(MemoryStore::new());
    let before = checkout(&node(&store, &[(1, LEAKED)]));
    let rotated = block_on(before.generate(anything())).unwrap();
    let forgotten = block_on(before.generate(anything())).unwrap();
    let both = node(&store, &[(1, LEAKED), (2, [2; 32])]);
    let new = block_on(checkout(&both).rotate(rotated.key.id, Duration::from_secs(3_600))).unwrap();
    for issued in [&rotated, &forgotten, &new] {
        assert!(verify(&both, issued).is_ok());
    }
    let after = node(&store, &[(2, [2; 32])]);
    assert!(verify(&after, &new).is_ok());
    assert!(is_unavailable(&verify(&after, &forgotten)));
    // Within its grace the old token cannot be told from a bad one either.
    assert!(is_unavailable(&verify(&after, &rotated)));
}

#[test]
fn what_is_stored_opens_nothing_when_it_is_presented() {
    for peppers in [&[][..], &[(1, LEAKED)]] {
        let store = Arc::new(MemoryStore::new());
        let keys = node(&store, peppers);
        let issued = block_on(checkout(&keys).generate(anything())).unwrap();
        let stored = block_on(store.get(issued.key.id)).unwrap().unwrap();
        let form = serde_json::to_value(&stored).unwrap();
        let digest = form["digests"][0]["digest"].as_str().unwrap();
        let (_, digits) = digest.split_once(':').unwrap();
        let id = issued.key.id.as_str();
        for text in [
            digest.to_owned(),
            digits.to_owned(),
            forged("acme", id, &digits[..32]),
            forged("acme", id, &digits[32..]),
            forged("acme", id, &hex(id.as_bytes())),
            form.to_string(),
        ] {
            assert!(block_on(keys.verify(&text, &production())).is_err());
            let finder = Actor::user("bob").unwrap();
            assert!(block_on(keys.revoke_presented(&text, "", finder)).unwrap().is_none());
        }
    }
}

/// A copy of everything in a store, as a backup is one.
fn backup(store: &MemoryStore) -> Arc<MemoryStore> {
    let project = ProjectId::new("checkout").unwrap();
    let copy = MemoryStore::new();
    for key in block_on(store.list(&project, &KeyQuery::default())).unwrap().items {
        let stored = block_on(store.get(key.id)).unwrap().unwrap();
        let last = block_on(store.history(&project, &AuditQuery::default().key(key.id))).unwrap().items;
        block_on(copy.insert(&stored, &last[0])).unwrap();
    }
    Arc::new(copy)
}

#[test]
fn a_restore_brings_back_what_was_retired_and_revoked_since_until_it_is_done_again() {
    let store = Arc::new(MemoryStore::new());
    let project = checkout(&node(&store, &[]));
    let old = block_on(project.generate(anything())).unwrap();
    let leaked = block_on(project.generate(anything())).unwrap();
    let restored = backup(&store);
    let new = block_on(project.rotate(old.key.id, Duration::ZERO)).unwrap();
    block_on(project.revoke(leaked.key.id, "leaked")).unwrap();
    let now = node(&store, &[]);
    assert!(verify(&now, &new).is_ok() && verify(&now, &old).is_err() && verify(&now, &leaked).is_err());

    let keys = node(&restored, &[]);
    assert!(verify(&keys, &old).is_ok() && verify(&keys, &leaked).is_ok());
    assert!(matches!(verify(&keys, &new), Err(Denial::Unrecognized { .. })));
    let finder = || Actor::system("runbook").unwrap();
    for issued in [&old, &leaked] {
        let change = block_on(keys.revoke_presented(issued.token.expose(), "again", finder())).unwrap();
        assert!(change.is_some_and(|change| change.is_new()));
        assert!(matches!(verify(&keys, issued), Err(Denial::Revoked { .. })));
    }
}

#[test]
fn every_test_that_the_runbook_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("src/docs/runbook.md")).unwrap();
    let names: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| {
            name.starts_with(char::is_lowercase) && name.contains("::") && !name.contains(['(', '\n'])
        })
        .filter(|name| !name.starts_with("leak::"))
        .collect();
    assert!(names.len() >= 18, "{names:?}");
    for name in names {
        let parts: Vec<&str> = name.split("::").collect();
        let file = match parts[..] {
            [file, _] => vec![format!("tests/{file}.rs")],
            [folder, file, _] => {
                vec![format!("tests/{folder}/{file}.rs"), format!("tests/{folder}/tests/{file}.rs")]
            }
            _ => panic!("{name}"),
        };
        let text = file.iter().find_map(|file| std::fs::read_to_string(root.join(file)).ok());
        let text = text.unwrap_or_else(|| panic!("no file of {name}"));
        let test = parts[parts.len() - 1];
        assert!(text.contains(&format!("fn {test}()")), "{name} is not there");
    }
}
