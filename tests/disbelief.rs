//! A grant is checked again, and a store that answers with what is not asked for is not believed.

mod setup;

use std::sync::Arc;
use std::time::Duration;

use access_keys::store::{KeyStore, KeyUse, MemoryStore, StoredKey};
use access_keys::{
    AccessKeys, Actor, AuditQuery, Clock, Denial, Edit, Error, Issued, KeyId, KeyQuery, KeyState, Page,
    ProjectId, ProjectKeys, Scope, Status,
};
use chrono::DateTime;
use pollster::block_on;
use setup::altered::Altered;
use setup::{
    agent, agents, anything, checkout, env, forged, in_seconds, info, keys, keys_at_zero, keys_in, parts,
    production, review,
};

/// A grant, what is then done to its key, and what a recheck says of it.
fn rechecked(act: impl AsyncFnOnce(&ProjectKeys<MemoryStore>, KeyId)) -> Result<Duration, Denial> {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let made = review(info("x").expires_at(in_seconds(&clock, 1_000)));
    block_on(async {
        let issued = project.generate(made).await.unwrap();
        let grant = keys.verify(issued.token.expose(), &production()).await.unwrap();
        act(&project, issued.key.id).await;
        let again = keys.verifier().recheck(&grant).await;
        let verified = keys.verify(issued.token.expose(), &production()).await;
        match (&again, &verified) {
            (Ok(again), Ok(verified)) => assert_eq!(again.key(), verified.key()),
            (Err(again), Err(verified)) => assert_eq!(format!("{again:?}"), format!("{verified:?}")),
            _ => panic!("rechecked {again:?}, verified {verified:?}"),
        }
        again.map(|grant| grant.good_until().remaining(&clock))
    })
}

#[test]
fn a_recheck_answers_as_if_the_token_were_presented_again() {
    assert!(rechecked(async |_, _| {}).is_ok());
    assert!(
        rechecked(async |project, id| drop(project.rotate(id, Duration::from_secs(9)).await.unwrap()))
            .is_ok()
    );
    let denial = rechecked(async |project, id| drop(project.rotate(id, Duration::ZERO).await.unwrap()));
    assert!(matches!(denial, Err(Denial::Unrecognized { .. })));
    let denial = rechecked(async |project, id| drop(project.deactivate(id).await.unwrap()));
    assert!(matches!(denial, Err(Denial::Inactive { .. })));
    let denial = rechecked(async |project, id| drop(project.revoke(id, "").await.unwrap()));
    assert!(matches!(denial, Err(Denial::Revoked { .. })));
    let denial = rechecked(async |project, id| {
        project.rotate(id, Duration::from_secs(9)).await.map(drop).unwrap();
        project.rotate(id, Duration::from_secs(9)).await.map(drop).unwrap();
    });
    assert!(matches!(denial, Err(Denial::Unrecognized { .. })));
}

#[test]
fn a_recheck_sees_time_pass() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let made = review(info("x").expires_at(in_seconds(&clock, 20)));
    let issued = block_on(project.generate(made)).unwrap();
    let grant = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    let rotated = block_on(project.rotate(issued.key.id, Duration::from_secs(10))).unwrap();
    let newer = block_on(keys.verify(rotated.token.expose(), &production())).unwrap();
    let recheck = |grant| block_on(keys.verifier().recheck(grant));
    clock.advance(Duration::from_micros(9_999_999));
    let _ = recheck(&grant).unwrap();
    clock.advance(Duration::from_micros(1));
    assert!(matches!(recheck(&grant), Err(Denial::Unrecognized { .. })));
    let _ = recheck(&newer).unwrap();
    clock.advance(Duration::from_secs(10));
    assert!(matches!(recheck(&newer), Err(Denial::Expired { .. })));
}

#[test]
fn a_rechecked_grant_has_the_scope_of_now() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let draft = project.draft().info(info("x")).agents(agents(&["a"])).prompts(Scope::All).unwrap();
    let issued = block_on(project.generate(draft)).unwrap();
    let grant = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    block_on(project.edit(issued.key.id, Edit::new().agents(agents(&["b"])))).unwrap();
    let again = block_on(keys.verifier().recheck(&grant)).unwrap();
    // The old one is a snapshot.
    assert_eq!(grant.sole_agent(), Some(&agent("a")));
    assert_eq!(again.sole_agent(), Some(&agent("b")));
    assert!(again.require_agent(&agent("a")).is_err());
}

#[test]
fn a_recheck_records_no_use() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let issued = block_on(project.generate(anything())).unwrap();
    let grant = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    let used = clock.wall();
    clock.advance(Duration::from_secs(60));
    let _ = block_on(keys.verifier().recheck(&grant)).unwrap();
    assert_eq!(block_on(project.last_used(&[issued.key.id])).unwrap(), [KeyUse::new(issued.key.id, 1, used)]);
}

#[test]
fn a_key_that_is_gone_is_unrecognized_to_a_recheck() {
    let (keys, _) = keys_at_zero(Altered::default());
    let issued = block_on(checkout(&keys).generate(anything())).unwrap();
    let grant = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    // A key that exists, and is another.
    let other = block_on(checkout(&keys).generate(anything())).unwrap().key.id;
    let other = block_on(keys.store().honest.get(other)).unwrap();
    keys.store().alter_get(move |_| other.clone());
    let denial = block_on(keys.verifier().recheck(&grant)).unwrap_err();
    assert!(matches!(denial, Denial::Unavailable { source: Some(_), .. }));
    keys.store().alter_get(|_| None);
    let denial = block_on(keys.verifier().recheck(&grant)).unwrap_err();
    assert!(matches!(denial, Denial::Unrecognized { .. }));
}

/// Keys, their store, two projects, and a key of each.
type Lying = (AccessKeys<Arc<Altered>>, Arc<Altered>, [ProjectKeys<Arc<Altered>>; 2], [Issued; 2]);

/// Two projects with a key each in a store that can be told to lie.
fn two_projects() -> Lying {
    let store = Arc::new(Altered::default());
    let (keys, _) = keys_at_zero(store.clone());
    let ours = checkout(&keys);
    let theirs = keys.project(ProjectId::new("warehouse").unwrap(), Actor::user("bob").unwrap());
    let issued = [&ours, &theirs].map(|project| block_on(project.generate(anything())).unwrap());
    (keys, store, [ours, theirs], issued)
}

fn stored(store: &Altered, id: KeyId) -> StoredKey {
    block_on(store.honest.get(id)).unwrap().unwrap()
}

#[test]
fn a_store_that_answers_with_another_key_has_not_answered() {
    let (keys, store, [ours, _], [mine, other]) = two_projects();
    let wrong = stored(&store, other.key.id);
    store.alter_get(move |_| Some(wrong.clone()));
    let denied = |token: &str| block_on(keys.verify(token, &production())).unwrap_err();
    assert!(matches!(denied(mine.token.expose()), Denial::Unavailable { source: Some(_), .. }));
    // Not even with the secret of the key that came.
    let (_, secret, _) = parts(other.token.expose());
    let mixed = forged("acme", mine.key.id.as_str(), secret);
    assert!(matches!(denied(&mixed), Denial::Unavailable { source: Some(_), .. }));
    let writes = store.writes();
    let id = mine.key.id;
    assert!(matches!(block_on(ours.get(id)), Err(Error::Store(_))));
    assert!(matches!(block_on(ours.revoke(id, "")), Err(Error::Store(_))));
    assert!(matches!(block_on(ours.rotate(id, Duration::ZERO)), Err(Error::Store(_))));
    assert!(matches!(block_on(ours.edit(id, Edit::new().never_expires())), Err(Error::Store(_))));
    assert!(matches!(block_on(ours.last_used(&[id])), Err(Error::Store(_))));
    // It is the right answer for its own id, which is another project's.
    assert!(matches!(block_on(ours.get(other.key.id)), Err(Error::NotFound { .. })));
    assert_eq!(store.writes(), writes);
}

#[test]
fn not_even_another_key_of_the_same_project_is_taken_for_the_one_asked_for() {
    let (_, store, [ours, _], [mine, _]) = two_projects();
    let sibling = block_on(ours.generate(anything())).unwrap().key.id;
    let wrong = stored(&store, sibling);
    store.alter_get(move |_| Some(wrong.clone()));
    let writes = store.writes();
    assert!(matches!(block_on(ours.get(mine.key.id)), Err(Error::Store(_))));
    assert!(matches!(block_on(ours.revoke(mine.key.id, "")), Err(Error::Store(_))));
    assert!(matches!(block_on(ours.rotate(mine.key.id, Duration::ZERO)), Err(Error::Store(_))));
    assert_eq!(store.writes(), writes);
}

/// A stored key with one field of its serde form set to another value.
fn with(stored: &StoredKey, place: &str, value: serde_json::Value) -> StoredKey {
    let mut json = serde_json::to_value(stored).unwrap();
    *json.pointer_mut(place).unwrap() = value;
    serde_json::from_str(&json.to_string()).unwrap()
}

#[test]
fn another_key_with_the_right_digest_is_still_another_key() {
    let (keys, store, _, [mine, other]) = two_projects();
    let grant = block_on(keys.verify(mine.token.expose(), &production())).unwrap();
    let wrong = with(&stored(&store, mine.key.id), "/key/id", other.key.id.as_str().into());
    store.alter_get(move |_| Some(wrong.clone()));
    let denial = block_on(keys.verify(mine.token.expose(), &production())).unwrap_err();
    assert!(matches!(denial, Denial::Unavailable { source: Some(_), .. }));
    let denial = block_on(keys.verifier().recheck(&grant)).unwrap_err();
    assert!(matches!(denial, Denial::Unavailable { source: Some(_), .. }));
}

#[test]
fn a_recheck_tells_secrets_apart_by_more_than_their_number() {
    // A backup that was restored, and a rotation after it: another second secret.
    let (keys, store, [ours, _], [mine, _]) = two_projects();
    let token = block_on(ours.rotate(mine.key.id, Duration::ZERO)).unwrap();
    let grant = block_on(keys.verify(token.token.expose(), &production())).unwrap();
    let digest = format!("sha256:{}", "0".repeat(64));
    let again = with(&stored(&store, mine.key.id), "/digests/0/digest", digest.into());
    store.alter_get(move |_| Some(again.clone()));
    let denial = block_on(keys.verifier().recheck(&grant)).unwrap_err();
    assert!(matches!(denial, Denial::Unrecognized { .. }));
}

#[test]
fn a_store_that_lists_other_projects_is_not_believed() {
    let (_, store, [ours, _], [mine, other]) = two_projects();
    let both = vec![other.key.clone(), mine.key.clone()];
    store.alter_list(move |_| Page::new(both.clone(), None));
    assert_eq!(block_on(ours.list(KeyQuery::default())).unwrap().items, std::slice::from_ref(&mine.key));

    let theirs = ProjectId::new("warehouse").unwrap();
    let foreign = block_on(store.honest.history(&theirs, &AuditQuery::default())).unwrap().items;
    assert_eq!(foreign.len(), 1);
    store.alter_history(move |mut page| {
        page.items.extend(foreign.clone());
        page
    });
    let told = block_on(ours.history(AuditQuery::default())).unwrap().items;
    assert_eq!(told.iter().map(|event| event.key).collect::<Vec<_>>(), [mine.key.id]);
    let told = block_on(ours.history(AuditQuery::default().key(other.key.id))).unwrap().items;
    assert!(told.is_empty());
}

#[test]
fn a_store_that_does_not_filter_is_filtered() {
    let store = Arc::new(Altered::default());
    let (keys, clock) = keys_in(store.clone());
    let project = checkout(&keys);
    let draft = project.draft().info(info("Special").expires_at(in_seconds(&clock, 10)));
    let special = draft.agents(agents(&["a"])).prompts(Scope::none()).unwrap();
    let special = block_on(project.generate(special)).unwrap().key.id;
    let draft = project.draft().info(info("Other")).agents(agents(&["b"])).prompts(Scope::All).unwrap();
    let other = block_on(project.generate(draft)).unwrap().key.id;
    block_on(project.deactivate(other)).unwrap();
    let all = vec![stored(&store, special).key().clone(), stored(&store, other).key().clone()];
    store.alter_list(move |_| Page::new(all.clone(), None));
    let found = |query| {
        let items = block_on(project.list(query)).unwrap().items;
        items.into_iter().map(|key| key.name).collect::<Vec<_>>()
    };
    let all = KeyQuery::default;
    assert_eq!(found(all()).len(), 2);
    assert_eq!(found(all().status(Status::Active)), ["Special"]);
    assert_eq!(found(all().state(KeyState::Inactive)), ["Other"]);
    assert_eq!(found(all().name("spec")), ["Special"]);
    assert_eq!(found(all().agent(agent("a"))), ["Special"]);
    assert_eq!(found(all().prompt(setup::prompt("p"))), ["Other"]);
    assert_eq!(found(all().expiring_before(in_seconds(&clock, 11))), ["Special"]);
    assert_eq!(found(all().environment(env("staging"))), [""; 0]);
    clock.advance(Duration::from_secs(10));
    assert_eq!(found(all().state(KeyState::Expired)), ["Special"]);
    // A page that begins before its place would show keys twice.
    let position = access_keys::Cursor::of_key(stored(&store, special).key());
    assert!(found(all().after(position)).iter().all(|name| name != "Special"));
}

#[test]
fn a_history_that_begins_before_its_place_is_cut() {
    let (_, store, [ours, _], [mine, _]) = two_projects();
    block_on(ours.deactivate(mine.key.id)).unwrap();
    let all = block_on(ours.history(AuditQuery::default())).unwrap();
    let newest = access_keys::Cursor::of_event(&all.items[0]);
    let older = all.items[1..].to_vec();
    store.alter_history(move |_| all.clone());
    assert_eq!(block_on(ours.history(AuditQuery::default().after(newest))).unwrap().items, older);
}

#[test]
fn a_store_that_tells_of_other_uses_is_not_believed() {
    let (_, store, [ours, _], [mine, other]) = two_projects();
    let uses = [other.key.id, mine.key.id].map(|id| KeyUse::new(id, 1, DateTime::UNIX_EPOCH));
    store.alter_last_uses(move |_| uses.to_vec());
    assert_eq!(block_on(ours.last_used(&[mine.key.id])).unwrap(), [uses[1]]);
}

#[test]
fn a_foreign_id_is_not_even_asked_about_its_uses() {
    let (_, store, [ours, _], [mine, other]) = two_projects();
    store.alter_last_uses(|_| panic!("was asked"));
    assert!(block_on(ours.last_used(&[mine.key.id, other.key.id])).is_err());
}

#[test]
fn a_page_that_leads_back_is_taken_for_the_last() {
    let (_, store, [ours, _], [mine, _]) = two_projects();
    let event = block_on(ours.history(AuditQuery::default())).unwrap().items.remove(0);
    let key = access_keys::Cursor::of_key(&mine.key);
    let told = access_keys::Cursor::of_event(&event);
    store.alter_list(move |_| Page::new(vec![], Some(key)));
    store.alter_history(move |_| Page::new(vec![], Some(told)));

    assert_eq!(block_on(ours.list(KeyQuery::default())).unwrap().next, Some(key));
    assert_eq!(block_on(ours.list(KeyQuery::default().after(key))).unwrap().next, None);
    assert_eq!(block_on(ours.history(AuditQuery::default())).unwrap().next, Some(told));
    assert_eq!(block_on(ours.history(AuditQuery::default().after(told))).unwrap().next, None);

    // Nor does an operation that looks for what it did go round in circles.
    let request = ours.operation(access_keys::OperationId::new("req-7").unwrap());
    assert!(block_on(request.deactivate(mine.key.id)).unwrap().is_new());
}
