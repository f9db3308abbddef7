//! What the runbook says, and that every test it names is there.

mod setup;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::token::Scheme;
use access_keys::{
    AccessKey, AccessKeys, Actor, AuditQuery, Denial, Error, FakeClock, Grant, Issued, KeyId, KeyQuery,
    KeyState, OperationId, Pepper, ProjectId, ProjectKeys,
};
use pollster::block_on;
use setup::altered::Altered;
use setup::{anything, builder, checkout, forged, hex, in_seconds, info, keys_at_zero, production, review};

type Keys = AccessKeys<Arc<MemoryStore>>;

const LEAKED: [u8; 32] = [1; 32];

/// A node over this store with these peppers.
fn node(store: &Arc<MemoryStore>, peppers: &[(u32, [u8; 32])]) -> Keys {
    node_at(&FakeClock::default(), store, peppers)
}

fn node_at(clock: &FakeClock, store: &Arc<MemoryStore>, peppers: &[(u32, [u8; 32])]) -> Keys {
    let node = builder(Arc::clone(store), clock);
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
fn the_token_of_a_revoked_key_is_unavailable_once_its_pepper_is_out() {
    let store = Arc::new(MemoryStore::new());
    let both = node(&store, &[(1, LEAKED), (2, [2; 32])]);
    let before = checkout(&node(&store, &[(1, LEAKED)]));
    let issued = block_on(before.generate(anything())).unwrap();
    block_on(before.revoke(issued.key.id, "no longer sold")).unwrap();
    assert_eq!(verify(&both, &issued).unwrap_err().status(), 401);
    assert_eq!(verify(&node(&store, &[(2, [2; 32])]), &issued).unwrap_err().status(), 503);
}

type Done = Result<(), Box<dyn std::error::Error>>;

/// Gives each key whose current secret is under the old pepper a new one. Called again after a crash, it goes on.
async fn rotate_all<S: KeyStore>(
    keys: &AccessKeys<S>,
    project: &ProjectKeys<S>,
    old: &Scheme,
    grace: Duration,
    hand_out: impl Fn(&AccessKey, &str) -> Done,
) -> Done {
    let operation = OperationId::new("pepper-2")?;
    let rotating = project.operation(operation.clone());
    // Each token is handed out before the next one is drawn: of an earlier call only the last can be lost.
    let last = AuditQuery::default().operation(operation).limit(1);
    for event in project.history(last).await?.items {
        match rotating.rotate(event.key, grace).await {
            Ok(issued) => hand_out(&issued.key, issued.token.expose())?,
            Err(Error::Refused { .. }) => {} // it was used, so it was handed out; or its key has ended
            Err(error) => return Err(error.into()),
        }
    }
    let mut query = KeyQuery::default().limit(1_000);
    loop {
        let page = project.list(query.clone()).await?;
        for key in &page.items {
            let is_usable = matches!(key.state(project.now()), KeyState::Active | KeyState::Inactive);
            let Some(stored) = keys.store().get(key.id).await? else { continue };
            // The newest alone: one in its grace is under the old pepper still, and ends by itself.
            let is_old = stored.digests().first().is_some_and(|digest| digest.scheme() == old);
            if is_usable && is_old {
                let issued = rotating.rotate(key.id, grace).await?;
                hand_out(&issued.key, issued.token.expose())?;
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        query = query.after(next);
    }
}

const GRACE: Duration = Duration::from_secs(3_600);

#[test]
fn a_change_of_pepper_that_a_crash_broke_off_goes_on_and_cuts_nobody_off() {
    let old = Scheme::HmacSha256 { pepper: 1 };
    // It ends at each of the keys, before its token was handed out and after, and not at all.
    for (crash, is_handed_out) in (0..=5).flat_map(|crash| [(crash, false), (crash, true)]) {
        let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
        let before = checkout(&node_at(&clock, &store, &[(1, LEAKED)]));
        let issued: Vec<Issued> = (0..5).map(|_| block_on(before.generate(anything())).unwrap()).collect();
        block_on(before.deactivate(issued[1].key.id)).unwrap();
        let expiring = review(info("Mobile app").expires_at(in_seconds(&clock, 1)));
        let expired = block_on(before.generate(expiring)).unwrap();
        let revoked = block_on(before.generate(anything())).unwrap();
        block_on(before.revoke(revoked.key.id, "")).unwrap();
        clock.advance(Duration::from_secs(1));

        let both = node_at(&clock, &store, &[(1, LEAKED), (2, [2; 32])]);
        let project = checkout(&both);
        let (handed, calls) = (RefCell::new(BTreeMap::<KeyId, String>::new()), Cell::new(0));
        let hand_out = |key: &AccessKey, token: &str| {
            calls.set(calls.get() + 1);
            clock.advance(Duration::from_secs(1));
            if calls.get() != crash || is_handed_out {
                handed.borrow_mut().insert(key.id, token.to_owned());
            }
            if calls.get() == crash { Err("a crash".into()) } else { Ok(()) }
        };
        let is_whole = block_on(rotate_all(&both, &project, &old, GRACE, hand_out)).is_ok();
        assert_eq!(is_whole, crash == 0);
        clock.advance(GRACE / 2);
        block_on(rotate_all(&both, &project, &old, GRACE, hand_out)).unwrap();
        block_on(project.activate(issued[1].key.id)).unwrap();

        for issued in &issued {
            assert!(verify(&both, issued).is_ok(), "crash {crash}: an old token lost its grace");
        }
        // A third call finds only that the last token was used.
        let token = |key: KeyId| handed.borrow()[&key].clone();
        let opens = |node: &Keys, key| block_on(node.verify(&token(key), &production())).is_ok();
        assert!(issued.iter().all(|issued| opens(&both, issued.key.id)));
        let so_far = calls.get();
        block_on(rotate_all(&both, &project, &old, GRACE, hand_out)).unwrap();
        assert_eq!(calls.get(), so_far);

        let after = node_at(&clock, &store, &[(2, [2; 32])]);
        assert!(issued.iter().all(|issued| opens(&after, issued.key.id)), "crash {crash}");
        assert_eq!(handed.borrow().len(), issued.len());
        for key in issued.iter().map(|issued| issued.key.id) {
            let stored = block_on(store.get(key)).unwrap().unwrap();
            assert_eq!(*stored.digests()[0].scheme(), Scheme::HmacSha256 { pepper: 2 });
        }
        for key in [expired.key.id, revoked.key.id] {
            let stored = block_on(store.get(key)).unwrap().unwrap();
            assert_eq!((stored.digests().len(), stored.digests()[0].scheme()), (1, &old));
        }
        clock.advance(GRACE);
        assert!(issued.iter().all(|issued| verify(&both, issued).is_err()));
    }
}

#[test]
fn the_runbook_shows_the_loop_that_is_tested_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [page, here] = ["src/docs/runbook.md", "tests/runbook.rs"]
        .map(|file| std::fs::read_to_string(root.join(file)).unwrap());
    let from = here.find("/// Gives each key whose current secret").unwrap();
    let shown = &here[from..][..here[from..].find("\n}\n").unwrap() + 3];
    assert!(page.contains(shown), "{shown}");
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
fn a_key_that_an_operation_makes_again_is_refused_where_it_was_seen_revoked() {
    let issue = |operation: &str| {
        let (keys, _) = keys_at_zero(MemoryStore::new());
        let project = checkout(&keys).operation(OperationId::new(operation).unwrap());
        let issued = block_on(project.generate(anything())).unwrap();
        let stored = block_on(keys.store().get(issued.key.id)).unwrap().unwrap();
        assert!(block_on(keys.verify(issued.token.expose(), &production())).is_ok(), "on a new node");
        (issued, stored)
    };
    let store = Arc::new(Altered::default());
    let (keys, _) = keys_at_zero(Arc::clone(&store));
    let project = checkout(&keys);
    let first = block_on(project.operation(OperationId::new("req-7").unwrap()).generate(anything())).unwrap();
    block_on(project.revoke(first.key.id, "leaked")).unwrap();
    assert!(block_on(keys.verify(first.token.expose(), &production())).is_err());

    // What is read from a database that was restored to before the key, and in which it was generated once more.
    let (again, stored) = issue("req-7");
    assert_eq!(again.key.id, first.key.id);
    store.alter_get(move |_| Some(stored.clone()));
    let refused = block_on(keys.verify(again.token.expose(), &production())).unwrap_err();
    assert!(matches!(refused, Denial::Revoked { .. }), "{refused}");

    let (other, stored) = issue("req-7-again");
    assert_ne!(other.key.id, first.key.id);
    store.alter_get(move |_| Some(stored.clone()));
    assert!(block_on(keys.verify(other.token.expose(), &production())).is_ok());
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
