//! What the contract of a store asks of the one in memory, called directly.

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use access_keys::store::{
    ChangeCursor, Changes, FeedState, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey,
};
use access_keys::{AuditEvent, AuditQuery, FakeClock, KeyId, KeyQuery, Page};
use pollster::block_on;
use support::{checkout, keys, project, review};

/// A key that was made, renamed and revoked in another store: what each write stored.
fn life() -> Vec<(StoredKey, AuditEvent)> {
    let keys = keys(MemoryStore::new(), &FakeClock::default());
    let owner = project(&keys, "ada");
    let id = block_on(owner.generate(review("Mobile"))).unwrap().key.id;
    let now = || {
        let event = block_on(owner.history(AuditQuery::default().key(id))).unwrap().items.remove(0);
        (block_on(keys.store().get(id)).unwrap().unwrap(), event)
    };
    let made = now();
    block_on(owner.edit(id, access_keys::Edit::new().name("Renamed").unwrap())).unwrap();
    let renamed = now();
    block_on(owner.revoke(id, "")).unwrap();
    vec![made, renamed, now()]
}

fn insert(store: &MemoryStore, (key, event): &(StoredKey, AuditEvent)) {
    block_on(store.insert(key, event)).unwrap();
}

fn changes(
    store: &MemoryStore,
    since: Option<&ChangeCursor>,
) -> (Option<Vec<KeyId>>, ChangeCursor, FeedState) {
    match block_on(store.changes(since)).unwrap() {
        Changes::Since { ids, next, state } => (Some(ids), next, state),
        Changes::Everything { next, state } => (None, next, state),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_insert_of_a_stored_id_stores_nothing() {
    let (store, life) = (MemoryStore::new(), life());
    insert(&store, &life[0]);
    for (key, event) in &life {
        let again = block_on(store.insert(key, event));
        assert!(matches!(again, Err(StoreError::AlreadyExists)));
    }
    assert_eq!(block_on(store.get(life[0].0.key().id)).unwrap().unwrap(), life[0].0);
    assert_eq!(block_on(store.history(&checkout(), &AuditQuery::default())).unwrap().items.len(), 1);
}

#[test]
fn an_update_needs_the_expected_revision_and_a_key_that_is_not_revoked() {
    let (store, life) = (MemoryStore::new(), life());
    let [made, renamed, revoked] = [0, 1, 2].map(|i| life[i].0.revision());
    let update = |i: usize, expected| block_on(store.update(&life[i].0, expected, &life[i].1));
    assert!(matches!(update(1, made), Err(StoreError::Conflict)), "there is no such key");
    insert(&store, &life[0]);
    assert!(matches!(update(1, renamed), Err(StoreError::Conflict)));
    update(1, made).unwrap();
    assert!(matches!(update(1, made), Err(StoreError::Conflict)));
    update(2, renamed).unwrap();
    for expected in [made, renamed, revoked] {
        assert!(matches!(update(0, expected), Err(StoreError::Conflict)), "revoked is final");
    }
    let history = block_on(store.history(&checkout(), &AuditQuery::default())).unwrap().items;
    assert_eq!(history, [life[2].1.clone(), life[1].1.clone(), life[0].1.clone()]);
    assert_eq!(block_on(store.get(life[0].0.key().id)).unwrap().unwrap(), life[2].0);
}

#[test]
fn the_feed_names_what_changed_since_a_cursor_and_nothing_else() {
    let (store, first, second) = (MemoryStore::new(), life(), life());
    let (everything, start, state) = changes(&store, None);
    assert_eq!((everything, state.now), (None, None), "no cursor: everything; no clock of its own");
    assert_eq!(changes(&store, Some(&start)).0, Some(vec![]));
    insert(&store, &first[0]);
    let (ids, one, _) = changes(&store, Some(&start));
    assert_eq!(ids, Some(vec![first[0].0.key().id]));
    insert(&store, &second[0]);
    block_on(store.update(&first[1].0, first[0].0.revision(), &first[1].1)).unwrap();
    let (ids, two, _) = changes(&store, Some(&one));
    assert_eq!(ids, Some(vec![second[0].0.key().id, first[0].0.key().id]));
    assert_eq!(changes(&store, Some(&two)).0, Some(vec![]));
    assert_eq!(changes(&store, Some(&start)).0.map(|ids| ids.len()), Some(3), "from the beginning");
}

#[test]
fn a_write_that_was_refused_is_not_in_the_feed() {
    let (store, life) = (MemoryStore::new(), life());
    insert(&store, &life[0]);
    let (_, cursor, _) = changes(&store, None);
    block_on(store.update(&life[2].0, life[1].0.revision(), &life[2].1)).unwrap_err();
    block_on(store.insert(&life[0].0, &life[0].1)).unwrap_err();
    assert_eq!(changes(&store, Some(&cursor)).0, Some(vec![]));
}

#[test]
fn a_cursor_of_another_store_or_of_none_is_answered_with_everything() {
    let (store, other, life) = (MemoryStore::new(), MemoryStore::new(), life());
    let (_, empty, _) = changes(&other, None);
    insert(&store, &life[0]);
    insert(&other, &life[0]);
    let (_, foreign, _) = changes(&other, None);
    let (_, own, _) = changes(&store, None);
    let cut = ChangeCursor::new(&own.as_bytes()[..own.as_bytes().len() - 1]);
    for strange in [empty, foreign, cut, ChangeCursor::new([]), ChangeCursor::new([7; 24])] {
        assert_eq!(changes(&store, Some(&strange)).0, None, "{strange:?}");
    }
}

#[test]
fn who_is_too_far_behind_is_told_to_forget_everything() {
    let store = Arc::new(MemoryStore::new());
    let keys = keys(Arc::clone(&store), &FakeClock::default());
    let owner = project(&keys, "ada");
    let (_, start, _) = changes(&store, None);
    for _ in 0..10_000 {
        let _ = block_on(owner.generate(review("Mobile"))).unwrap();
    }
    assert_eq!(changes(&store, Some(&start)).0.map(|ids| ids.len()), Some(10_000));
    let _ = block_on(owner.generate(review("Mobile"))).unwrap();
    assert_eq!(changes(&store, Some(&start)).0, None);
}

#[test]
fn every_write_wakes_those_who_wait_and_nothing_else_does() {
    let (store, life) = (MemoryStore::new(), life());
    let mut context = Context::from_waker(Waker::noop());
    let mut wakes = |write: &dyn Fn()| {
        let mut waiting = pin!(store.changed());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        write();
        waiting.as_mut().poll(&mut context) == Poll::Ready(())
    };
    assert!(wakes(&|| insert(&store, &life[0])));
    assert!(wakes(&|| block_on(store.update(&life[1].0, life[0].0.revision(), &life[1].1)).unwrap()));
    assert!(!wakes(&|| block_on(store.insert(&life[0].0, &life[0].1)).unwrap_err().to_string().clear()));
    let used = KeyUse::new(life[0].0.key().id, 1, std::time::SystemTime::now());
    assert!(!wakes(&|| block_on(store.record_use(&[used])).unwrap()));
}

#[test]
fn a_last_use_never_moves_back_and_touches_no_key() {
    let (store, life) = (MemoryStore::new(), life());
    insert(&store, &life[0]);
    let id = life[0].0.key().id;
    let at = |generation, seconds| {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        KeyUse::new(id, generation, time)
    };
    let (_, cursor, _) = changes(&store, None);
    for uses in [&[at(1, 20), at(2, 5)][..], &[at(1, 10)], &[at(2, 7), at(2, 6)], &[at(1, 20)]] {
        block_on(store.record_use(uses)).unwrap();
    }
    assert_eq!(block_on(store.last_uses(&[id])).unwrap(), [at(1, 20), at(2, 7)]);
    assert_eq!(block_on(store.last_uses(&[KeyId::new("0000000000000000").unwrap()])).unwrap(), []);
    assert_eq!(block_on(store.get(id)).unwrap().unwrap(), life[0].0);
    assert_eq!(changes(&store, Some(&cursor)).0, Some(vec![]));
}

#[test]
fn the_pages_of_the_store_are_those_of_the_query_itself() {
    let store = Arc::new(MemoryStore::new());
    let clock = FakeClock::default();
    let keys = keys(Arc::clone(&store), &clock);
    let owner = project(&keys, "ada");
    for i in 0..40 {
        // Four keys to a moment, so that the id decides too.
        clock.advance(std::time::Duration::from_secs(u64::from(i % 4 == 0)));
        let key = block_on(owner.generate(review(if i % 3 == 0 { "Third" } else { "Other" }))).unwrap().key;
        if i % 5 == 0 {
            block_on(owner.deactivate(key.id)).unwrap();
        }
    }
    let all = block_on(store.list(&checkout(), &KeyQuery::default().limit(1_000))).unwrap().items;
    let events = block_on(store.history(&checkout(), &AuditQuery::default().limit(1_000))).unwrap().items;
    assert_eq!((all.len(), events.len()), (40, 48));
    for filter in [
        KeyQuery::default(),
        KeyQuery::default().name("thi"),
        KeyQuery::default().status(access_keys::Status::Inactive),
    ] {
        for limit in [1, 3, 7, 40] {
            let mut query = filter.clone().limit(limit);
            loop {
                let page: Page<_> = block_on(store.list(&checkout(), &query)).unwrap();
                assert_eq!(page, query.page(&all));
                let Some(next) = page.next else { break };
                query = query.after(next);
            }
        }
    }
    for key in [None, Some(all[7].id)] {
        for limit in [1, 5, 48] {
            let mut query = AuditQuery::default().key(key).limit(limit);
            loop {
                let page = block_on(store.history(&checkout(), &query)).unwrap();
                assert_eq!(page, query.page(&events));
                let Some(next) = page.next else { break };
                query = query.after(next);
            }
        }
    }
}
