//! Whoever found a token can have its key revoked, and learns nothing of tokens that are none of ours.

mod setup;

use std::sync::Arc;
use std::time::Duration;

use access_keys::domain::{Action, Field, Which};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AuditQuery, Change, Clock, EnvironmentId, Error, FakeClock, Issued, KeyInfo, Pepper,
    ProjectId, ProjectKeys, Scope, Status,
};
use pollster::block_on;
use setup::altered::Altered;
use setup::faulty::{Fault, FaultyStore, poll_at_most};
use setup::{anything, builder, checkout, env, forged, info, parts, production, review};

const HOUR: Duration = Duration::from_secs(3_600);

fn finder() -> Actor {
    Actor::user("mallory-the-helpful").unwrap()
}

fn present<S: KeyStore>(keys: &AccessKeys<S>, token: &str) -> Result<Option<Change>, Error> {
    block_on(keys.revoke_presented(token, "found in a forum", finder()))
}

fn events<S: KeyStore>(project: &ProjectKeys<S>) -> usize {
    block_on(project.history(AuditQuery::default().limit(1_000))).unwrap().items.len()
}

/// A host with a prefix for each environment but one.
fn host() -> (AccessKeys<MemoryStore>, FakeClock) {
    let clock = FakeClock::default();
    let keys = builder(MemoryStore::new(), &clock)
        .environment_prefix(env("production"), "acme_live")
        .environment_prefix(env("staging"), "acme_test")
        .build()
        .unwrap();
    (keys, clock)
}

fn generate_in<S: KeyStore>(project: &ProjectKeys<S>, environment: &EnvironmentId) -> Issued {
    let info = KeyInfo::new("Mobile app", environment.clone()).unwrap();
    block_on(project.generate(review(info))).unwrap()
}

#[test]
fn a_token_that_was_found_ends_its_key_within_its_own_project_in_the_name_of_the_finder() {
    let (keys, _) = host();
    for environment in ["production", "staging", "anywhere"] {
        let owner = keys.project(ProjectId::new("warehouse").unwrap(), Actor::user("bob").unwrap());
        let issued = generate_in(&owner, &env(environment));
        let change = present(&keys, issued.token.expose()).unwrap().expect("it is ours");
        assert!(change.is_new() && change.key().id == issued.key.id);
        assert_eq!(change.key().status, Status::Revoked);
        assert_eq!(change.holds_everywhere_in(), Duration::from_secs(5));
        let history = block_on(owner.history(AuditQuery::default().key(issued.key.id))).unwrap().items;
        let event = &history[0];
        assert_eq!((event.action, &event.actor), (Action::Revoked, &finder()));
        assert_eq!(event.reason.as_deref(), Some("found in a forum"));
        assert_eq!(event.project.as_str(), "warehouse");
        assert!(block_on(keys.verify(issued.token.expose(), &env(environment))).is_err());
    }
}

#[test]
fn a_key_is_ended_in_whatever_state_it_is_and_one_that_was_ended_stays_as_it_is() {
    let (keys, clock) = host();
    let project = checkout(&keys);
    let paused = block_on(project.generate(anything())).unwrap();
    block_on(project.deactivate(paused.key.id)).unwrap();
    let brief = review(info("Mobile app").expires_at(clock.wall() + HOUR));
    let expired = block_on(project.generate(brief)).unwrap();
    clock.advance(HOUR * 2);
    for issued in [&paused, &expired] {
        assert!(present(&keys, issued.token.expose()).unwrap().unwrap().is_new());
        assert_eq!(block_on(project.get(issued.key.id)).unwrap().status, Status::Revoked);
        let before = events(&project);
        let again = present(&keys, issued.token.expose()).unwrap().expect("it is still ours");
        assert!(!again.is_new() && again.key().status == Status::Revoked);
        assert_eq!(events(&project), before);
    }
}

#[test]
fn whatever_is_not_ours_gets_the_same_answer_and_changes_nothing() {
    let (keys, clock) = host();
    let project = checkout(&keys);
    let issued = block_on(project.generate(anything())).unwrap();
    let retired = issued.token.expose().to_owned();
    let newest = block_on(project.rotate(issued.key.id, HOUR)).unwrap();
    clock.advance(HOUR);
    let (id, secret, _) = parts(newest.token.expose());
    let token = newest.token.expose();
    let before = events(&project);
    for text in [
        forged("acme_live", "0123456789012345", secret),
        forged("acme_live", id, &"x".repeat(32)),
        retired,
        format!("{}0", &token[..token.len() - 1]),
        token.to_uppercase(),
        format!("{token} "),
        token[1..].to_owned(),
        format!("__{token}"),
        String::new(),
        "é".repeat(80),
        "x".repeat(1_000_000),
    ] {
        let answer = present(&keys, &text);
        assert_eq!(format!("{answer:?}"), "Ok(None)", "{text:.80}");
    }
    assert_eq!(events(&project), before);
    let _grant = block_on(keys.verify(token, &production())).unwrap();
}

#[test]
fn an_id_that_nobody_has_is_read_like_one_with_another_secret_and_no_token_is_not_read_at_all() {
    let store = Arc::new(Altered::default());
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let issued = block_on(checkout(&keys).generate(anything())).unwrap();
    let reads = |text: &str| {
        let before = store.reads();
        assert!(present(&keys, text).unwrap().is_none());
        store.reads() - before
    };
    assert_eq!(reads(&forged("acme", issued.key.id.as_str(), &"x".repeat(32))), 1);
    assert_eq!(reads(&forged("acme", "0123456789012345", &"x".repeat(32))), 1);
    assert_eq!(reads("acme_0123456789012345_no-token-at-all"), 0);
}

#[test]
fn the_older_secret_counts_until_the_very_end_of_its_grace() {
    for (after, is_ours) in [(HOUR - Duration::from_micros(1), true), (HOUR, false)] {
        let (keys, clock) = host();
        let project = checkout(&keys);
        let old = block_on(project.generate(anything())).unwrap();
        let _new = block_on(project.rotate(old.key.id, HOUR)).unwrap();
        clock.advance(after);
        assert_eq!(present(&keys, old.token.expose()).unwrap().is_some(), is_ours);
        let status = block_on(project.get(old.key.id)).unwrap().status;
        assert_eq!(status == Status::Revoked, is_ours);
    }
}

#[test]
fn a_prefix_that_was_rewritten_or_given_up_hides_nothing() {
    for prefix in ["acme_test", "acme", "given_up"] {
        let (keys, _) = host();
        let issued = block_on(checkout(&keys).generate(anything())).unwrap();
        let (id, secret, _) = parts(issued.token.expose());
        let change = present(&keys, &forged(prefix, id, secret)).unwrap();
        assert!(change.is_some_and(|change| change.is_new()), "{prefix}");
    }
}

#[test]
fn the_store_is_asked_and_not_the_cache() {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let keys = || builder(Arc::clone(&store), &clock).build().unwrap();
    let (here, there) = (keys(), keys());
    let old = block_on(checkout(&here).generate(anything())).unwrap();
    let _grant = block_on(here.verify(old.token.expose(), &production())).unwrap();
    let new = block_on(checkout(&there).rotate(old.key.id, Duration::ZERO)).unwrap();
    // This node has not heard of it, and may go on for its lease.
    assert!(here.verifier().verify_cached(old.token.expose(), &production()).is_some_and(|old| old.is_ok()));
    assert!(present(&here, old.token.expose()).unwrap().is_none());
    assert!(present(&here, new.token.expose()).unwrap().is_some());
    assert!(block_on(here.verify(old.token.expose(), &production())).is_err());
}

#[test]
fn a_node_that_knows_nothing_yet_can_do_it() {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let keys = || builder(Arc::clone(&store), &clock).build().unwrap();
    let issued = block_on(checkout(&keys()).generate(anything())).unwrap();
    assert!(present(&keys(), issued.token.expose()).unwrap().is_some_and(|change| change.is_new()));
}

#[test]
fn being_found_is_no_use_and_no_verification() {
    let (keys, _) = host();
    let project = checkout(&keys);
    let issued = block_on(project.generate(anything())).unwrap();
    let before = keys.verifier().stats();
    let _ = present(&keys, issued.token.expose()).unwrap();
    let _ = present(&keys, "none of ours").unwrap();
    let after = keys.verifier().stats();
    assert_eq!(
        (after.accepted, after.malformed, after.fills),
        (before.accepted, before.malformed, before.fills)
    );
    block_on(keys.flush_uses()).unwrap();
    assert!(block_on(project.last_used(&[issued.key.id])).unwrap().is_empty());
}

#[test]
fn its_read_is_one_of_those_that_are_bounded() {
    let (store, clock) = (FaultyStore::new(), FakeClock::default());
    let keys = builder(Arc::clone(&store), &clock).concurrent_reads(1).build().unwrap();
    let issued = block_on(checkout(&keys).generate(anything())).unwrap();
    let token = issued.token.expose();
    let cold = builder(Arc::clone(&store), &clock).concurrent_reads(1).build().unwrap();
    assert!(block_on(cold.verify("none", &production())).is_err());
    let other = forged("acme", "0123456789012345", &"x".repeat(32));
    // Whoever asks what has changed first may do so; the read after that never ends.
    let hang = || store.plan(|call| if call == 2 { Fault::Hangs } else { Fault::Works });
    {
        hang();
        let production = production();
        let mut verifying = std::pin::pin!(cold.verify(&other, &production));
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(verifying.as_mut().poll(context).is_pending());
        match present(&cold, token) {
            Err(Error::Store(error)) => assert!(format!("{error:?}").contains("too many keys")),
            other => panic!("{other:?}"),
        }
    }
    // And what was dropped gives its place back.
    store.plan(|call| if call == 1 { Fault::Hangs } else { Fault::Works });
    assert!(poll_at_most(5, cold.revoke_presented(token, "", finder())).is_none());
    assert!(present(&cold, token).unwrap().is_some());
}

#[test]
fn a_store_in_trouble_is_an_error_and_never_says_that_a_token_is_none_of_ours() {
    let mut failed = 0;
    for fault in [Fault::Fails, Fault::LostUnknown, Fault::DoneUnknown] {
        for broken in 1..=8 {
            for goes_on in [false, true] {
                let (store, clock) = (FaultyStore::new(), FakeClock::default());
                let keys = builder(Arc::clone(&store), &clock).build().unwrap();
                let issued = block_on(checkout(&keys).generate(anything())).unwrap();
                let node = builder(Arc::clone(&store), &clock).build().unwrap();
                let is_broken = move |call| call == broken || goes_on && call > broken;
                store.plan(move |call| if is_broken(call) { fault } else { Fault::Works });
                match present(&node, issued.token.expose()) {
                    Ok(Some(change)) => assert_eq!(change.key().status, Status::Revoked),
                    Ok(None) => panic!("{fault:?} at {broken}"),
                    Err(Error::Store(_)) => failed += 1,
                    Err(other) => panic!("{other:?}"),
                }
                store.heal();
                assert!(present(&node, issued.token.expose()).unwrap().is_some());
                assert!(events(&checkout(&keys)) == 2);
            }
        }
    }
    assert!(failed > 10, "{failed}");
}

#[test]
fn a_node_that_lacks_the_pepper_cannot_tell_and_says_so() {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let with = |pepper| builder(Arc::clone(&store), &clock).pepper(pepper).build().unwrap();
    let keys = with(Pepper::new(2, [2; 32]).unwrap());
    let issued = block_on(checkout(&keys).generate(anything())).unwrap();
    let lacking = with(Pepper::new(1, [1; 32]).unwrap());
    match present(&lacking, issued.token.expose()) {
        Err(error @ Error::PepperLacking { key }) => {
            assert_eq!(key, issued.key.id);
            assert!(error.to_string().contains("lacks the pepper"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(present(&keys, issued.token.expose()).unwrap().is_some());
}

#[test]
fn a_reason_is_checked_before_the_token_and_never_records_it() {
    let (keys, _) = host();
    let project = checkout(&keys);
    let issued = block_on(project.generate(anything())).unwrap();
    let token = issued.token.expose();
    for text in [token, "none of ours"] {
        match block_on(keys.revoke_presented(text, "x".repeat(1_001), finder())) {
            Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, Field::Reason),
            other => panic!("{other:?}"),
        }
    }
    let (_, secret, sum) = parts(token);
    let reason = format!("seen as {token}, and its end as {secret}{sum}");
    assert!(block_on(keys.revoke_presented(token, reason, finder())).unwrap().is_some());
    let event = block_on(project.history(AuditQuery::default())).unwrap().items.remove(0);
    let id = issued.key.id;
    let recorded = format!("seen as acme_live_{id}_[redacted], and its end as [redacted]");
    assert_eq!(event.reason, Some(recorded));
    // Also where what was presented is no token, and no text of its own.
    assert!(block_on(keys.revoke_presented(&"é".repeat(19), "é".repeat(30), finder())).unwrap().is_none());
}

/// A person who ends a key by hand writes why, and pastes what was found.
#[test]
fn no_reason_records_a_token_of_these_keys() {
    let (keys, _) = host();
    let project = checkout(&keys);
    let issued = [production(), env("staging")].map(|environment| generate_in(&project, &environment));
    let tokens = issued.each_ref().map(|issued| issued.token.expose());
    let reason = format!("«{}» and {} were in the log", tokens[0], tokens[1]);
    let found: Vec<_> = keys.find_tokens(&reason).map(|found| (found.key, &reason[found.range])).collect();
    assert_eq!(found, [(issued[0].key.id, tokens[0]), (issued[1].key.id, tokens[1])]);

    block_on(project.revoke(issued[0].key.id, &reason)).unwrap();
    assert!(
        block_on(project.revoke_all(Which::every_key(), &reason).unwrap().finish())
            .unwrap()
            .failed
            .is_empty()
    );
    let recorded = format!(
        "«acme_live_{}_[redacted]» and acme_test_{}_[redacted] were in the log",
        issued[0].key.id, issued[1].key.id
    );
    let revoked = AuditQuery::default().action(Action::Revoked);
    let events = block_on(project.history(revoked)).unwrap().items;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.reason.as_ref() == Some(&recorded)), "{events:?}");
}

#[test]
fn a_key_of_a_narrow_scope_is_ended_like_any_other() {
    let (keys, _) = host();
    let project = checkout(&keys);
    let draft =
        project.draft().info(info("Prompts alone")).agents(Scope::none()).prompts(Scope::All).unwrap();
    let issued = block_on(project.generate(draft)).unwrap();
    assert!(present(&keys, issued.token.expose()).unwrap().is_some());
}
