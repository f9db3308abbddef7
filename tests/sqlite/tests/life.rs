//! The life of a key in a file, across handles and restarts.

use std::time::Duration;

use access_keys::store::{Changes, KeyStore, KeyUse};
use access_keys::{AuditQuery, Denial, Edit, KeyQuery, KeyState, Revision, Scope};
use pollster::block_on;
use sqlite_tests::{File, checkout, generate, production};

#[test]
fn a_key_lives_through_restarts() {
    let file = File::new();
    let issued = generate(&checkout(&file.keys()), "Mobile app");
    let (id, token) = (issued.key.id, issued.token.expose());
    {
        let keys = file.keys();
        let project = checkout(&keys);
        assert_eq!(block_on(project.get(id)).unwrap(), issued.key);
        assert!(block_on(keys.verify(token, &production())).is_ok());
        block_on(project.edit(id, Edit::new().name("Mobile").unwrap().agents(Scope::All))).unwrap();
        block_on(project.deactivate(id)).unwrap();
    }
    {
        let keys = file.keys();
        let project = checkout(&keys);
        let refused = block_on(keys.verify(token, &production())).unwrap_err();
        assert!(matches!(refused, Denial::Inactive { .. }), "{refused}");
        block_on(project.activate(id)).unwrap();
        let rotated = block_on(project.rotate(id, Duration::from_secs(3_600))).unwrap();
        assert!(block_on(keys.verify(token, &production())).is_ok());
        assert!(block_on(keys.verify(rotated.token.expose(), &production())).is_ok());
        block_on(keys.flush_uses()).unwrap();
    }
    let keys = file.keys();
    let project = checkout(&keys);
    block_on(project.revoke(id, "leaked")).unwrap();
    let keys = file.keys();
    let project = checkout(&keys);
    let refused = block_on(keys.verify(token, &production())).unwrap_err();
    assert!(matches!(refused, Denial::Revoked { .. }), "{refused}");
    let key = block_on(project.get(id)).unwrap();
    assert_eq!((key.name.as_str(), key.revision), ("Mobile", Revision::new(6).unwrap()));
    let history = block_on(project.history(AuditQuery::default())).unwrap().items;
    let actions: Vec<_> = history.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["revoked", "rotated", "activated", "deactivated", "edited", "created"]);
    assert_eq!(history[0].reason.as_deref(), Some("leaked"));
    assert_eq!(history[1].reason, None);
    let uses = block_on(project.last_used(&[id])).unwrap();
    assert_eq!(uses.iter().map(|used| used.generation).collect::<Vec<_>>(), [1, 2]);
    let revoked = block_on(project.list(KeyQuery::default().state(KeyState::Revoked))).unwrap();
    assert_eq!(revoked.items, [key]);
}

#[test]
fn what_one_handle_changes_the_other_sees_at_once() {
    let file = File::new();
    let (one, other) = (file.open(), file.open());
    let Changes::Everything { next, .. } = block_on(other.changes(None)).unwrap() else {
        panic!("the first")
    };
    let keys = access_keys::AccessKeys::builder(one.clone()).prefix("acme").build().unwrap();
    let key = generate(&checkout(&keys), "Mobile app").key;
    let stored = block_on(other.get(key.id)).unwrap().unwrap();
    assert_eq!(*stored.key(), key);
    let Changes::Since { ids, next, .. } = block_on(other.changes(Some(&next))).unwrap() else {
        panic!("the cursor is known")
    };
    assert_eq!(ids, [key.id]);
    let Changes::Since { ids, .. } = block_on(one.changes(Some(&next))).unwrap() else {
        panic!("a cursor of the other handle is known")
    };
    assert_eq!(ids, []);
}

#[test]
fn a_cursor_outlives_a_restart_and_no_new_incarnation() {
    let file = File::new();
    let key = generate(&checkout(&file.keys()), "Mobile app").key;
    let Changes::Everything { next, .. } = block_on(file.open().changes(None)).unwrap() else {
        panic!("the first")
    };
    let store = file.open();
    let again = block_on(store.changes(Some(&next))).unwrap();
    assert!(matches!(&again, Changes::Since { ids, .. } if ids.is_empty()), "{again:?}");
    block_on(store.begin_incarnation()).unwrap();
    let Changes::Everything { state, .. } = block_on(store.changes(Some(&next))).unwrap() else {
        panic!("a cursor of the incarnation before")
    };
    assert!(state.drained_in > Duration::from_secs(60) && state.drained_in <= Duration::from_secs(66));
    assert!(block_on(store.get(key.id)).unwrap().is_some());
}

#[test]
fn the_limit_lives_in_the_file_and_drains_when_lowered() {
    let file = File::new();
    let (one, other) = (file.open(), file.open());
    let state = || match block_on(other.changes(None)).unwrap() {
        Changes::Everything { state, .. } => state,
        answer => panic!("{answer:?}"),
    };
    assert_eq!((state().limit, state().drained_in), (Duration::from_secs(5), Duration::ZERO));
    block_on(one.set_max_staleness(Duration::from_secs(60))).unwrap();
    assert_eq!((state().limit, state().drained_in), (Duration::from_secs(60), Duration::ZERO));
    block_on(one.set_max_staleness(Duration::ZERO)).unwrap();
    assert_eq!(state().limit, Duration::ZERO);
    assert!(state().drained_in > Duration::from_secs(60), "{:?}", state());
    block_on(one.set_max_staleness(Duration::from_millis(100))).unwrap();
    assert!(state().drained_in > Duration::from_secs(60), "a higher one ends no drain: {:?}", state());
    assert!(block_on(one.set_max_staleness(Duration::from_secs(61))).is_err());
    assert_eq!(state().limit, Duration::from_millis(100));
    assert!(state().now.is_some());
}

#[test]
fn uses_of_unknown_keys_are_dropped_and_the_latest_of_known_ones_stays() {
    let file = File::new();
    let key = generate(&checkout(&file.keys()), "Mobile app").key;
    let store = file.open();
    let unknown = access_keys::KeyId::new("7Hq2LkP9sTz4WcX1").unwrap();
    let at = |seconds: u64| key.created_at + Duration::from_secs(seconds);
    let uses = [
        KeyUse::new(key.id, 1, at(2)),
        KeyUse::new(unknown, 1, at(9)),
        KeyUse::new(key.id, 1, at(7)),
        KeyUse::new(key.id, 1, at(3)),
    ];
    block_on(store.record_use(&uses)).unwrap();
    block_on(store.record_use(&[KeyUse::new(key.id, 1, at(6))])).unwrap();
    assert_eq!(block_on(store.last_uses(&[unknown, key.id])).unwrap(), [KeyUse::new(key.id, 1, at(7))]);
}

#[test]
fn a_change_in_one_handle_wakes_who_waits_at_another() {
    let file = File::new();
    let (one, other) = (file.keys(), file.open());
    drop(block_on(other.changes(None)).unwrap());
    let waiting = std::thread::spawn(move || block_on(other.changed()));
    drop(generate(&checkout(&one), "Mobile app"));
    waiting.join().unwrap();
}

#[test]
fn a_change_after_the_last_answer_wakes_who_begins_to_wait_later() {
    let file = File::new();
    let (one, other) = (file.keys(), file.open());
    drop(block_on(other.changes(None)).unwrap());
    drop(generate(&checkout(&one), "Mobile app"));
    block_on(other.changed());
}

#[test]
fn a_handle_can_be_sent_shared_and_cloned_and_its_last_clone_lets_the_file_go() {
    fn checked<T: Clone + Send + Sync + std::fmt::Debug + 'static>(value: T) -> T {
        value
    }

    let file = File::new();
    let store = checked(file.open());
    assert!(format!("{store:?}").contains("keys.db"));
    let clone = store.clone();
    drop(store);
    assert!(block_on(clone.changes(None)).is_ok());
    drop(clone);
    // The last connection to leave takes the log with it.
    while file.folder().join("keys.db-wal").exists() {
        std::thread::yield_now();
    }
    assert_eq!(std::fs::read_dir(file.folder()).unwrap().count(), 1);
}

#[test]
fn a_write_whose_future_is_dropped_is_done_or_not_done() {
    let file = File::new();
    let key = generate(&checkout(&file.keys()), "Mobile app").key;
    let keys = file.keys();
    let project = checkout(&keys);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let mut editing = Box::pin(project.edit(key.id, Edit::new().name(name).unwrap()));
        drop(editing.as_mut().poll(&mut context));
    }
    block_on(project.edit(key.id, Edit::new().name("last").unwrap())).unwrap();
    let stored = block_on(project.get(key.id)).unwrap();
    let events = block_on(project.history(AuditQuery::default())).unwrap().items;
    assert_eq!(stored.name, "last");
    assert_eq!(u64::try_from(events.len()).unwrap(), stored.revision.get());
}
