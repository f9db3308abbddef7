//! What a page of keys is told: mistakes together, a preview as values, when each secret was used, and by which time.

mod setup;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use access_keys::domain::{Field, FieldChange, ScopeChange, ScopeForm, from_now};
use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{
    AccessKey, AccessKeys, Actor, AgentId, AuditEvent, AuditQuery, Clock, Edit, EditForm, Error, FakeClock,
    KeyForm, KeyId, KeyQuery, OperationId, Page, ProjectId, Revision, Scope,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use setup::altered::Altered;
use setup::{agents, anything, builder, checkout, info, keys, keys_in, production, prompts, review};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn an_environment_without_a_prefix_is_told_with_the_other_mistakes() {
    let keys = AccessKeys::builder(MemoryStore::new()).environment_prefix(production(), "acme_live").build();
    let keys = keys.unwrap();
    let project = checkout(&keys);
    let mut form = KeyForm::default();
    form.environment = "staging".to_owned();
    form.expires_at = "never".to_owned();
    form.agents = ScopeForm::All;
    form.prompts = ScopeForm::All;
    let fields = |form: &KeyForm| {
        let invalids = project.review(form).err().into_iter().flatten();
        invalids.map(|invalid| invalid.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(&form), [Field::Name, Field::Environment]);
    form.name = "Mobile app".to_owned();
    assert_eq!(fields(&form), [Field::Environment]);
    // One that is no environment at all is one mistake.
    form.environment = "pro duction".to_owned();
    assert_eq!(fields(&form), [Field::Environment]);
    form.environment = "production".to_owned();
    assert_eq!(project.review(&form).unwrap().environment(), &production());
}

#[test]
fn an_edit_of_a_form_is_checked_by_the_clock_of_the_builder() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let key = block_on(project.generate(anything())).unwrap().key;
    let mut form = EditForm::of(&key);
    form.name = "Web".to_owned();
    form.expires_at = (clock.wall() + HOUR).to_rfc3339();
    let edit = project.review_edit(&form, &key).unwrap();
    assert_eq!(block_on(project.edit(key.id, edit)).unwrap().key().name, "Web");
    clock.advance(HOUR);
    let invalids = project.review_edit(&form, &key).unwrap_err();
    assert_eq!(invalids.iter().map(|invalid| invalid.field).collect::<Vec<_>>(), [Field::ExpiresAt]);
}

/// A key that ends at this moment, seen at another.
fn ending_at(end: &str, seen: TimeDelta) -> (AccessKey, DateTime<Utc>) {
    let end: DateTime<Utc> = end.parse().unwrap();
    let (keys, clock) = keys();
    clock.set_wall(end - TimeDelta::hours(1));
    let issued = block_on(checkout(&keys).generate(review(info("x").expires_at(end)))).unwrap();
    (issued.key, end + seen)
}

#[test]
fn an_expiry_cut_to_what_a_field_of_a_page_can_hold_is_no_change() {
    for seen in [TimeDelta::minutes(-30), TimeDelta::days(30)] {
        let (key, now) = ending_at("2030-01-31T12:34:56.789012Z", seen);
        for same in ["2030-01-31T12:34", " 2030-01-31T12:34:56 ", "2030-01-31T12:34:56.789"] {
            let mut form = EditForm::of(&key);
            form.expires_at = same.to_owned();
            let edit = form.edit(&key, now).unwrap();
            assert!(edit.preview(&key).is_empty(), "{same} at {now}");
        }
        // Whoever writes the zone too means the moment.
        for other in
            ["2030-01-31T12:34:00Z", "2030-01-31T12:34:56.789Z", "2030-01-31T12:33", "2030-01-31T12:35"]
        {
            let mut form = EditForm::of(&key);
            form.expires_at = other.to_owned();
            match form.edit(&key, now) {
                Ok(edit) => assert!(!edit.preview(&key).is_empty(), "{other} at {now}"),
                Err(invalids) => assert_eq!(invalids.of(Field::ExpiresAt).count(), 1, "{other} at {now}"),
            }
        }
    }
    // A new key has no stored expiry to be cut.
    let (key, now) = ending_at("2030-01-31T12:34:00Z", TimeDelta::days(1));
    let mut form = EditForm::of(&key);
    form.expires_at = "2030-01-31T12:34".to_owned();
    assert!(form.edit(&key, now).unwrap().preview(&key).is_empty());
}

#[test]
fn a_preview_has_the_changes_as_values_and_says_which_widen() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let end = clock.wall() + TimeDelta::days(9);
    let made = project.draft().info(info("Mobile").expires_at(end));
    let made = made.agents(agents(&["a", "b"])).prompts(prompts(&["p"])).unwrap();
    let key = block_on(project.generate(made)).unwrap().key;
    let edit = Edit::new().name("Web").unwrap().agents(agents(&["b", "c"])).prompts(Scope::All);
    let edit = edit.expires_at(end - TimeDelta::days(1));
    let preview = edit.preview(&key);
    let told: Vec<_> = preview.changes().iter().map(|change| (change.widens(), change.narrows())).collect();
    assert_eq!(told, [(false, false), (false, true), (true, true), (true, false)]);
    let [FieldChange::Name { .. }, FieldChange::ExpiresAt { .. }, FieldChange::Agents(change), _] =
        preview.changes()
    else {
        panic!("{preview:?}")
    };
    let ScopeChange::Ids { added, removed, .. } = change else { panic!("{change:?}") };
    let one = |id: &str| Scope::specific([AgentId::new(id).unwrap()]).unwrap();
    assert_eq!((Scope::Specific(added.clone()), Scope::Specific(removed.clone())), (one("c"), one("a")));
    // They are what the history then tells.
    let changes = preview.changes().to_vec();
    drop(block_on(project.edit(key.id, edit)).unwrap());
    let newest = block_on(project.history(AuditQuery::default())).unwrap().items.remove(0);
    assert_eq!(newest.changes, changes);
    let never = Edit::new().never_expires().preview(&key);
    assert!(never.changes()[0].widens() && !never.changes()[0].narrows());
    let none = Edit::new().agents(Scope::none()).preview(&key);
    assert!(!none.changes()[0].widens() && none.changes()[0].narrows());
}

#[test]
fn each_secret_is_told_with_its_beginning_its_end_and_its_last_use() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let made = clock.wall();
    let first = block_on(project.generate(anything())).unwrap();
    let id = first.key.id;
    let told = || {
        let secrets = block_on(project.secrets(id)).unwrap();
        secrets.iter().map(|it| (it.generation, it.since, it.ends_at, it.last_used)).collect::<Vec<_>>()
    };
    assert_eq!(told(), [(1, Some(made), None, None)]);
    clock.advance(HOUR);
    let rotated = clock.wall();
    let second = block_on(project.rotate(id, 2 * HOUR)).unwrap();
    clock.advance(Duration::from_secs(60));
    let used = clock.wall();
    let _ = block_on(keys.verify(first.token.expose(), &production())).unwrap();
    let end = Some(rotated + 2 * HOUR);
    assert_eq!(told(), [(2, Some(rotated), None, None), (1, Some(made), end, Some(used))]);
    // Written, it is known still; and a grace that is over is told too: someone may have been cut off.
    block_on(keys.flush_uses()).unwrap();
    clock.advance(5 * HOUR);
    let _ = block_on(keys.verify(second.token.expose(), &production())).unwrap();
    let late = clock.wall();
    assert_eq!(told(), [(2, Some(rotated), None, Some(late)), (1, Some(made), end, Some(used))]);
    // A repeat whose answer was lost replaces the newest, and keeps the older one with its own times.
    let operation = project.operation(OperationId::new("req-7").unwrap());
    let _ = block_on(operation.rotate(id, HOUR)).unwrap();
    let before = clock.wall();
    clock.advance(Duration::from_secs(1));
    let _ = block_on(operation.rotate(id, HOUR)).unwrap();
    let (again, end) = (clock.wall(), Some(before + HOUR));
    assert_eq!(told(), [(4, Some(again), None, None), (2, Some(rotated), end, Some(late))]);
}

#[test]
fn the_history_is_not_read_for_a_key_that_was_never_rotated() {
    let (keys, clock) = keys_in(Altered::default());
    let id = block_on(checkout(&keys).generate(anything())).unwrap().key.id;
    keys.store().alter_history(|_| panic!("was asked"));
    let secrets = block_on(checkout(&keys).secrets(id)).unwrap();
    assert_eq!(secrets.iter().map(|secret| secret.since).collect::<Vec<_>>(), [Some(clock.wall())]);
}

#[test]
fn secrets_of_another_project_or_of_no_key_are_not_found() {
    let (keys, _) = keys();
    let id = block_on(checkout(&keys).generate(anything())).unwrap().key.id;
    let other = keys.project(ProjectId::new("warehouse").unwrap(), Actor::user("bob").unwrap());
    assert!(matches!(block_on(other.secrets(id)), Err(Error::NotFound { key }) if key == id));
    let none = KeyId::new("7Hq2LkP9sTz4WcX1").unwrap();
    assert!(matches!(block_on(checkout(&keys).secrets(none)), Err(Error::NotFound { .. })));
}

#[test]
fn a_page_judges_by_the_clock_of_the_store() {
    let (node, of_store) = (FakeClock::default(), FakeClock::default());
    of_store.advance(30 * HOUR);
    let keys = builder(MemoryStore::with_clock(of_store.clone()), &node).build().unwrap();
    let project = checkout(&keys);
    assert_eq!(project.now(), node.wall(), "nothing is known yet");
    let key = block_on(project.generate(anything())).unwrap().key;
    assert_eq!(key.created_at, of_store.wall());
    assert_eq!(project.now(), of_store.wall());
    assert_eq!(from_now(of_store.wall() + TimeDelta::days(3), project.now()), "in 3 days");
}

/// Counts the reads of keys.
#[derive(Default)]
struct Counting {
    inner: MemoryStore,
    one: AtomicUsize,
    many: AtomicUsize,
}

#[async_trait]
impl KeyStore for Counting {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.insert(key, event).await
    }
    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.one.fetch_add(1, Ordering::Relaxed);
        self.inner.get(id).await
    }
    async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        self.many.fetch_add(1, Ordering::Relaxed);
        self.inner.get_many(ids).await
    }
    async fn update(&self, key: &StoredKey, at: Revision, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.update(key, at, event).await
    }
    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.inner.list(project, query).await
    }
    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.inner.history(project, query).await
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

#[test]
fn when_many_keys_were_last_used_takes_one_read_of_them_through_every_pointer() {
    let store = Arc::new(Counting::default());
    // Through both pointers: one that did not forward would ask for each key.
    let keys = builder(Box::new(Arc::clone(&store)), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let ids: Vec<_> = (0..25).map(|_| block_on(project.generate(anything())).unwrap().key.id).collect();
    store.one.store(0, Ordering::Relaxed);
    assert_eq!(block_on(project.last_used(&ids)).unwrap(), []);
    let reads = (store.one.load(Ordering::Relaxed), store.many.load(Ordering::Relaxed));
    assert_eq!(reads, (0, 1));
}

#[test]
fn the_default_of_a_store_finds_each_key_once() {
    /// Has no `get_many` of its own.
    struct Plain(MemoryStore);

    #[async_trait]
    impl KeyStore for Plain {
        async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
            self.0.insert(key, event).await
        }
        async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
            self.0.get(id).await
        }
        async fn update(&self, key: &StoredKey, at: Revision, event: &AuditEvent) -> Result<(), StoreError> {
            self.0.update(key, at, event).await
        }
        async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
            self.0.list(project, query).await
        }
        async fn history(
            &self,
            project: &ProjectId,
            query: &AuditQuery,
        ) -> Result<Page<AuditEvent>, StoreError> {
            self.0.history(project, query).await
        }
        async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
            self.0.record_use(uses).await
        }
        async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
            self.0.last_uses(ids).await
        }
        async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
            self.0.changes(since).await
        }
    }

    let keys = builder(Plain(MemoryStore::new()), &FakeClock::default()).build().unwrap();
    let [one, two] = [(); 2].map(|()| block_on(checkout(&keys).generate(anything())).unwrap().key.id);
    let absent = KeyId::new("7Hq2LkP9sTz4WcX1").unwrap();
    let found = block_on(keys.store().get_many(&[two, absent, one, two, one])).unwrap();
    let mut found: Vec<_> = found.iter().map(|stored| stored.key().id).collect();
    found.sort();
    let mut expected = [one, two];
    expected.sort();
    assert_eq!(found, expected);
}
