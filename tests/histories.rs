//! A history that was tampered with is found out, at the first event that is not what was written.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use access_keys::domain::{Action, Seal};
use access_keys::lifecycle::history::{Break, Cause, Checkpoint, HistoryChecker, HistoryReport};
use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{
    AccessKey, AccessKeys, Actor, AgentId, AuditEvent, AuditQuery, Edit, Error, FakeClock, KeyId, KeyQuery,
    Page, Pepper, ProjectId, ProjectKeys, Revision, Scope,
};
use pollster::block_on;
use serde_json::{Value, json};
use support::{checkout, operation, review};

/// A store whose owner shows another history than was written, and another key.
#[derive(Default)]
struct Forged {
    inner: MemoryStore,
    events: Mutex<Option<Vec<AuditEvent>>>,
    key: Mutex<Option<Value>>,
    hidden: Mutex<bool>,
}

#[async_trait]
impl KeyStore for Forged {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.insert(key, event).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let forged = self.key.lock().unwrap().clone();
        match forged {
            Some(form) => serde_json::from_value(form).map(Some).map_err(StoreError::backend),
            None => self.inner.get(id).await,
        }
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.inner.update(key, expected, event).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        let hidden = *self.hidden.lock().unwrap();
        let page = self.inner.list(project, query).await?;
        Ok(if hidden { Page::new(Vec::new(), None) } else { page })
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        let forged = self.events.lock().unwrap().clone();
        match forged {
            Some(events) => Ok(Page::new(events, None)),
            None => self.inner.history(project, query).await,
        }
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.inner.record_use(uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.inner.last_uses(ids).await
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        self.inner.changes(since).await
    }
}

fn pepper(version: u32) -> Pepper {
    Pepper::new(version, [u8::try_from(version).unwrap(); 32]).unwrap()
}

struct Scene {
    store: Arc<Forged>,
    clock: FakeClock,
    keys: AccessKeys<Arc<Forged>>,
    project: ProjectKeys<Arc<Forged>>,
    key: AccessKey,
    /// Newest first.
    events: Vec<AuditEvent>,
}

impl Scene {
    /// A key with an event of every kind.
    async fn new() -> Self {
        let (store, clock) = (Arc::new(Forged::default()), FakeClock::default());
        let keys = AccessKeys::builder(Arc::clone(&store))
            .prefix("acme")
            .pepper(pepper(1))
            .clock(clock.clone())
            .build()
            .unwrap();
        let project = keys.project(checkout(), Actor::user("ada").unwrap());
        let id = project.generate(review("Mobile app")).await.unwrap().key.id;
        let agent = |id: &str| AgentId::new(id).unwrap();
        for edit in [
            Edit::new().name("Mobile").unwrap().description("iOS").unwrap(),
            Edit::new().agents(Scope::specific([agent("a"), agent("b")]).unwrap()),
            Edit::new().agents(Scope::specific([agent("b"), agent("c")]).unwrap()).prompts(Scope::none()),
            Edit::new().expires_at(access_keys::Clock::wall(&clock) + Duration::from_secs(86_400)),
            Edit::new().never_expires(),
        ] {
            project.edit(id, edit).await.unwrap();
        }
        project.deactivate(id).await.unwrap();
        project.operation(operation("req-1")).activate(id).await.unwrap();
        let _ = project.rotate(id, Duration::from_secs(60)).await.unwrap();
        let _ = project.rotate(id, Duration::ZERO).await.unwrap();
        project.revoke(id, "leaked").await.unwrap();
        let events = project.history(AuditQuery::default()).await.unwrap().items;
        let key = project.get(id).await.unwrap();
        Self { store, clock, keys, project, key, events }
    }

    async fn verify(&self) -> HistoryReport {
        self.project.verify_history(self.key.id).await.unwrap()
    }

    /// What is found when this is the history.
    async fn found(&self, events: Vec<AuditEvent>) -> Option<Break> {
        *self.store.events.lock().unwrap() = Some(events);
        let report = self.verify().await;
        *self.store.events.lock().unwrap() = None;
        assert!(report.breaks().len() <= 1, "{report}");
        assert_eq!(report.is_intact(), report.breaks().is_empty());
        report.breaks().first().cloned()
    }

    /// What is found when this is the stored key.
    async fn found_of_key(&self, change: impl FnOnce(&mut Value)) -> Option<Break> {
        let mut form = serde_json::to_value(self.keys.store().get(self.key.id).await.unwrap()).unwrap();
        change(&mut form);
        *self.store.key.lock().unwrap() = Some(form);
        let report = self.verify().await;
        *self.store.key.lock().unwrap() = None;
        report.breaks().first().cloned()
    }

    /// The place of the event that made this revision.
    fn place(&self, revision: u64) -> usize {
        self.events.iter().position(|event| event.revision.get() == revision).unwrap()
    }
}

#[test]
fn what_was_written_is_intact() {
    block_on(async {
        let scene = Scene::new().await;
        let report = scene.verify().await;
        assert!(report.is_intact(), "{report}");
        assert_eq!((report.keys(), report.events(), report.unsealed()), (1, 11, 0));
        assert_eq!(report.to_string(), "1 key, 11 events: intact");
        let all = scene.project.verify_histories(None).await.unwrap();
        assert_eq!(all, report);
    });
}

/// Every field of every event, changed to what could have stood there.
#[test]
fn every_change_of_an_event_is_found_at_that_event() {
    type Forge = fn(&mut AuditEvent, &AuditEvent);
    let changes: [(&str, Forge); 9] = [
        ("id", |event, other| event.id = other.id),
        ("at", |event, _| event.at -= chrono::TimeDelta::microseconds(1)),
        ("actor", |event, _| event.actor = Actor::user("eve").unwrap()),
        ("action", |event, _| {
            event.action =
                if event.action == Action::Activated { Action::Deactivated } else { Action::Activated };
        }),
        ("changes", |event, other| event.changes.clone_from(&other.changes)),
        ("no changes", |event, _| event.changes.clear()),
        ("reason", |event, _| event.reason = Some("as planned".to_owned())),
        ("operation", |event, _| event.operation = Some(operation("req-9"))),
        ("seal", |event, other| event.seal = other.seal),
    ];
    block_on(async {
        let scene = Scene::new().await;
        let mut tried = 0;
        for place in 0..scene.events.len() {
            for (what, change) in changes {
                let mut events = scene.events.clone();
                let other = &scene.events[(place + 1) % scene.events.len()];
                change(&mut events[place], other);
                if events[place] == scene.events[place] {
                    continue;
                }
                let found =
                    scene.found(events).await.unwrap_or_else(|| panic!("{what} at {place}: not found"));
                assert_eq!(found.revision, scene.events[place].revision, "{what}: {found}");
                tried += 1;
            }
        }
        assert!(tried >= 95, "{tried}");
    });
}

#[test]
fn an_event_that_is_gone_or_elsewhere_or_new_is_found() {
    block_on(async {
        let scene = Scene::new().await;
        for place in 0..scene.events.len() {
            let mut events = scene.events.clone();
            let gone = events.remove(place);
            let found = scene.found(events).await.unwrap();
            assert_eq!((found.revision, found.cause), (gone.revision, Cause::Missing), "{place}");

            // Numbered anew, so that no number is missing.
            let mut events = scene.events.clone();
            let gone = events.remove(place);
            for event in &mut events[..place] {
                event.revision = Revision::new(event.revision.get() - 1).unwrap();
            }
            let found = scene.found(events).await.unwrap();
            assert!(found.revision <= gone.revision, "{place}: {found}");

            let mut events = scene.events.clone();
            events.insert(place, scene.events[place].clone());
            let found = scene.found(events).await.unwrap();
            assert_eq!((found.revision, found.cause), (scene.events[place].revision, Cause::OutOfOrder));
        }
        for place in 1..scene.events.len() {
            let mut events = scene.events.clone();
            events.swap(place - 1, place);
            assert!(scene.found(events).await.is_some(), "{place}");
            // With their times and numbers exchanged too, so that nothing but the contents moved.
            let mut events = scene.events.clone();
            let (newer, older) = (events[place - 1].clone(), events[place].clone());
            events[place - 1] = older.clone();
            events[place] = newer.clone();
            (events[place - 1].at, events[place - 1].revision) = (newer.at, newer.revision);
            (events[place].at, events[place].revision) = (older.at, older.revision);
            let found = scene.found(events).await.unwrap();
            assert_eq!(found.revision, older.revision, "{found}");
        }
        assert_eq!(scene.found(Vec::new()).await.unwrap().cause, Cause::Missing);
    });
}

/// Without the pepper no chain can be made that holds.
#[test]
fn a_chain_that_was_made_anew_is_found() {
    block_on(async {
        let scene = Scene::new().await;
        let stripped = |from: u64| {
            let mut events = scene.events.clone();
            for event in events.iter_mut().filter(|event| event.revision.get() >= from) {
                event.seal = None;
            }
            events
        };
        let found = scene.found(stripped(4)).await.unwrap();
        assert_eq!((found.revision.get(), found.cause), (4, Cause::Unsealed));
        let told = format!("key {} at revision 4: its event has lost its seal", scene.key.id);
        assert_eq!(found.to_string(), told);
        // From the first on: the key still holds a seal.
        assert_eq!(scene.found(stripped(1)).await.unwrap().cause, Cause::Altered);
        // The oldest ones alone, as if they were of an earlier version.
        let mut events = scene.events.clone();
        for event in events.iter_mut().filter(|event| event.revision.get() <= 3) {
            event.seal = None;
        }
        let found = scene.found(events).await.unwrap();
        assert_eq!((found.revision.get(), found.cause), (4, Cause::Altered));

        // Sealed by someone who has no pepper, or another one.
        for (peppers, cause) in
            [(Vec::new(), Cause::Unpeppered), (vec![Pepper::new(1, [9; 32]).unwrap()], Cause::Altered)]
        {
            let other = peppers.into_iter().fold(
                AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(scene.clock.clone()),
                |builder, pepper| builder.pepper(pepper),
            );
            let other = other.build().unwrap();
            let other = other.project(checkout(), Actor::user("ada").unwrap());
            let theirs = other.generate(review("Mobile app")).await.unwrap().key.id;
            let seal = other.history(AuditQuery::default().key(theirs)).await.unwrap().items[0].seal;
            let mut events = scene.events.clone();
            events[scene.place(6)].seal = seal;
            let found = scene.found(events).await.unwrap();
            assert_eq!((found.revision.get(), found.cause), (6, cause));
        }
    });
}

#[test]
fn a_key_that_is_not_what_its_history_makes_of_it_is_found() {
    let fields: [(&str, Value); 12] = [
        ("name", json!("Another")),
        ("description", json!("Android")),
        ("agents", json!("all")),
        ("agents", json!(["b", "c", "d"])),
        // Without what was added last, and with what was taken away.
        ("agents", json!(["b"])),
        ("agents", json!(["a", "b", "c"])),
        ("prompts", json!(["greeting"])),
        ("status", json!("active")),
        ("expires_at", json!("2040-01-01T00:00:00.000000Z")),
        ("environment", json!("staging")),
        ("created_by", json!("user:eve")),
        ("updated_at", json!("2040-01-01T00:00:00.000000Z")),
    ];
    block_on(async {
        let scene = Scene::new().await;
        for (field, value) in fields {
            let found = scene.found_of_key(|form| form["key"][field] = value).await;
            let found = found.unwrap_or_else(|| panic!("{field}: not found"));
            assert!(matches!(found.cause, Cause::Record { .. }), "{field}: {found}");
        }
        // Back to what it was, with a history that still tells of more.
        let found = scene.found_of_key(|form| form["last_event"] = json!("0000000000000001")).await.unwrap();
        assert_eq!(found.cause, Cause::Altered);
        let found = scene.found_of_key(|form| form["digests"][0]["generation"] = json!(9)).await.unwrap();
        assert!(matches!(found.cause, Cause::Record { .. }), "{found}");
    });
}

#[test]
fn of_two_breaks_at_one_place_the_one_that_was_found_first_is_told() {
    block_on(async {
        let scene = Scene::new().await;
        let checkpoint = scene.project.checkpoint().await.unwrap();
        let mut events = scene.events.clone();
        events[0].id = events[1].id;
        *scene.store.events.lock().unwrap() = Some(events);
        let report = scene.project.verify_histories(Some(&checkpoint)).await.unwrap();
        let found: Vec<_> = report.breaks().iter().map(|found| (found.revision, found.cause)).collect();
        assert_eq!(found, [(scene.events[0].revision, Cause::Checkpoint)]);
    });
}

/// A key with its events put back to an earlier state holds in itself; what was kept elsewhere tells.
#[test]
fn a_checkpoint_finds_what_was_put_back_and_what_is_gone() {
    block_on(async {
        let scene = Scene::new().await;
        let other = scene.project.generate(review("Second")).await.unwrap().key;
        let before: Checkpoint = {
            let text = serde_json::to_string(&scene.project.checkpoint().await.unwrap()).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        assert_eq!(before.heads().len(), 2);
        scene.project.edit(other.id, Edit::new().name("Renamed").unwrap()).await.unwrap();
        let report = scene.project.verify_histories(Some(&before)).await.unwrap();
        assert!(report.is_intact(), "{report}");
        assert_eq!(report.keys(), 2);

        *scene.store.hidden.lock().unwrap() = true;
        assert!(scene.project.verify_histories(None).await.unwrap().is_intact());
        let report = scene.project.verify_histories(Some(&before)).await.unwrap();
        assert_eq!(report.breaks().len(), 2, "{report}");
        assert!(report.breaks().iter().all(|broken| broken.cause == Cause::Checkpoint));
        *scene.store.hidden.lock().unwrap() = false;

        // The exported events of the first key, cut off at the end.
        let kept: Vec<_> = scene.events.iter().skip(2).cloned().collect();
        let check = |events: &[AuditEvent], expect: bool| {
            let mut checker = HistoryChecker::new([pepper(1)]).unwrap();
            if expect {
                checker.expect(&before).unwrap();
            }
            events.iter().for_each(|event| checker.event(event));
            checker.finish()
        };
        assert!(check(&kept, false).is_intact());
        let all: Vec<_> = scene.project.history(AuditQuery::default()).await.unwrap().items;
        assert!(check(&all, true).is_intact());
        let report = check(&kept, true);
        let first = report.breaks().iter().find(|broken| broken.key == scene.key.id).unwrap();
        assert_eq!((first.revision.get(), first.cause), (11, Cause::Checkpoint));

        // One that was changed, and one of another project, are refused.
        let mut form = serde_json::to_value(&before).unwrap();
        form["heads"][0]["revision"] = json!(99);
        let changed: Checkpoint = serde_json::from_value(form).unwrap();
        assert!(matches!(scene.project.verify_histories(Some(&changed)).await, Err(Error::Invalid(_))));
        let billing = scene.keys.project(ProjectId::new("billing").unwrap(), Actor::user("ada").unwrap());
        assert!(matches!(billing.verify_histories(Some(&before)).await, Err(Error::Invalid(_))));
    });
}

/// A chain goes on under the next pepper, and is broken where one is lacking that made a part of it.
#[test]
fn peppers_change_in_the_middle_of_a_chain() {
    block_on(async {
        let scene = Scene::new().await;
        let id = scene.project.generate(review("Second")).await.unwrap().key.id;
        let builder = || AccessKeys::builder(Arc::clone(&scene.store)).prefix("acme");
        let both = builder().pepper(pepper(1)).pepper(pepper(2)).build().unwrap();
        let project = both.project(checkout(), Actor::user("bob").unwrap());
        project.edit(id, Edit::new().name("Renamed").unwrap()).await.unwrap();
        let report = project.verify_histories(None).await.unwrap();
        assert!(report.is_intact(), "{report}");
        let seals: Vec<Seal> = project
            .history(AuditQuery::default().key(id))
            .await
            .unwrap()
            .items
            .iter()
            .filter_map(|event| event.seal)
            .collect();
        assert_eq!(seals.iter().map(Seal::pepper).collect::<Vec<_>>(), [Some(2), Some(1)]);

        let found = scene.project.verify_history(id).await.unwrap().breaks()[0].clone();
        assert_eq!(
            (found.revision.get(), found.cause.to_string()),
            (2, "its event is sealed under pepper 2, which is lacking: it cannot be checked".to_owned())
        );
    });
}

/// What an earlier version wrote has no seal; the chain begins with the first event of this one.
#[test]
fn keys_of_an_earlier_version_begin_their_chain_with_their_next_change() {
    block_on(async {
        let scene = Scene::new().await;
        let old = |event: &AuditEvent| {
            let mut event = event.clone();
            event.seal = None;
            event
        };
        let store = Arc::new(MemoryStore::new());
        let fresh = AccessKeys::builder(MemoryStore::new())
            .prefix("acme")
            .clock(scene.clock.clone())
            .build()
            .unwrap();
        let fresh = fresh.project(checkout(), Actor::user("ada").unwrap());
        let key = fresh.generate(review("Old")).await.unwrap().key;
        let event = old(&fresh.history(AuditQuery::default()).await.unwrap().items[0]);
        let digest = json!({
            "digest": format!("sha256:{}", "00".repeat(32)), "generation": 1, "ends_at": "never", "issued_by": "call",
        });
        let form = json!({ "version": 1, "key": key, "digests": [digest], "last_event": event.id });
        let stored: StoredKey = serde_json::from_value(form).unwrap();
        assert_eq!(stored.last_seal(), None);
        store.insert(&stored, &event).await.unwrap();
        let keys = AccessKeys::builder(Arc::clone(&store)).prefix("acme").pepper(pepper(1)).build().unwrap();
        let project = keys.project(checkout(), Actor::user("bob").unwrap());
        let report = project.verify_history(key.id).await.unwrap();
        assert!(report.is_intact());
        assert_eq!(report.to_string(), "1 key, 1 event, 1 of them without a seal: intact");
        project.edit(key.id, Edit::new().name("New").unwrap()).await.unwrap();
        let report = project.verify_history(key.id).await.unwrap();
        assert!(report.is_intact(), "{report}");
        assert_eq!((report.events(), report.unsealed()), (2, 1));
        assert_eq!(keys.store().get(key.id).await.unwrap().unwrap().last_seal().unwrap().pepper(), Some(1));
    });
}
