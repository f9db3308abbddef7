//! A store that cannot say what it did, several times in a row.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access_keys::domain::Action;
use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{
    AccessKey, Actor, AuditEvent, AuditQuery, Cursor, Edit, Error, FakeClock, KeyId, KeyQuery, Page,
    ProjectId, ProjectKeys, Revision, Status,
};
use pollster::block_on;
use support::{Fault, FaultyStore, checkout, keys, production, project, review, verified_replay};

/// What becomes of the calls, one after the other; those after them work.
fn plan(store: &FaultyStore, faults: &'static [Fault]) {
    store.plan(move |n| faults.get(usize::try_from(n).unwrap() - 1).copied().unwrap_or(Fault::Works));
}

#[test]
fn what_the_last_of_several_unknown_tries_did_is_found() {
    use Fault::{DoneUnknown, LostUnknown, Works};
    let store = FaultyStore::new();
    let keys = keys(store.clone(), &FakeClock::default());
    let owner = project(&keys, "ada");

    // The first of all asks what has changed.
    let _ = block_on(owner.generate(review("First"))).unwrap();
    plan(&store, &[LostUnknown, LostUnknown, DoneUnknown]);
    let issued = block_on(owner.generate(review("Mobile"))).unwrap();
    assert!(block_on(keys.verify(issued.token.expose(), &production())).is_ok());

    // The first call reads the key.
    plan(&store, &[Works, LostUnknown, LostUnknown, DoneUnknown]);
    let change = block_on(owner.revoke(issued.key.id, "")).unwrap();
    assert!(change.is_new());
    store.heal();
    assert_eq!(verified_replay(&*store, &checkout(), issued.key.id).len(), 2);
}

#[test]
fn what_stays_unknown_is_told_as_such_and_a_retry_ends_right() {
    use Fault::{Fails, LostUnknown, Works};
    let store = FaultyStore::new();
    let keys = keys(store.clone(), &FakeClock::default());
    let owner = project(&keys, "ada");
    let issued = block_on(owner.generate(review("Mobile"))).unwrap();

    for faults in [&[Works, LostUnknown, LostUnknown, LostUnknown][..], &[Works, LostUnknown, Fails]] {
        plan(&store, faults);
        let told = block_on(owner.revoke(issued.key.id, ""));
        assert!(matches!(told, Err(Error::Store(StoreError::OutcomeUnknown { .. }))), "{told:?}");
    }
    store.heal();
    assert!(block_on(owner.revoke(issued.key.id, "")).unwrap().is_new());
    assert_eq!(block_on(store.get(issued.key.id)).unwrap().unwrap().key().status, Status::Revoked);
    assert_eq!(verified_replay(&*store, &checkout(), issued.key.id).len(), 2);
}

/// What becomes of the first change of a key, of which the store then says that it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// Kept, and nobody else changes the key.
    KeptAlone,
    Kept,
    Lost,
    /// Lost, and a page of the history ends where the event would stand.
    LostAtAnEnd,
    /// Lost, and the history leads back to its beginning.
    LostInCircles,
    /// Every change is refused, as if another had come first.
    Refused,
}

/// Lets others change the key three times before the second try. A page of its history has one event.
struct Crowded {
    inner: Arc<MemoryStore>,
    first: First,
    tries: AtomicUsize,
    pages: AtomicUsize,
    lost: Mutex<Option<Cursor>>,
}

const ENOUGH: usize = 100;

#[async_trait]
impl KeyStore for Crowded {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.insert(key, event).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.inner.get(id).await
    }

    async fn update(&self, key: &StoredKey, at: Revision, event: &AuditEvent) -> Result<(), StoreError> {
        let tried = self.tries.fetch_add(1, Ordering::Relaxed);
        assert!(tried < ENOUGH, "it never ends");
        match (self.first, tried) {
            (First::Refused, _) => return Err(StoreError::Conflict),
            (first, 0) => {
                *self.lost.lock().unwrap() = Some(Cursor::of_event(event));
                if matches!(first, First::KeptAlone | First::Kept) {
                    self.inner.update(key, at, event).await?;
                }
                return Err(StoreError::outcome_unknown("cut off on purpose"));
            }
            (First::KeptAlone, _) => {}
            (_, 1) => rename(&self.inner, key.key().id, &["One", "Two", "Three"], 1).await,
            _ => {}
        }
        self.inner.update(key, at, event).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.inner.list(project, query).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        assert!(self.pages.fetch_add(1, Ordering::Relaxed) < ENOUGH, "it never ends");
        match self.first {
            First::LostAtAnEnd => Ok(Page::new(Vec::new(), *self.lost.lock().unwrap())),
            First::LostInCircles => {
                let newest = self.inner.history(project, &AuditQuery::default().limit(1)).await?;
                Ok(Page::new(Vec::new(), newest.items.first().map(Cursor::of_event)))
            }
            _ => self.inner.history(project, &query.clone().limit(1)).await,
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

/// What others do, so many seconds later.
async fn rename(store: &Arc<MemoryStore>, id: KeyId, names: &[&str], later: u64) {
    let clock = FakeClock::default();
    clock.advance(Duration::from_secs(later));
    let bob = project(&keys(Arc::clone(store), &clock), "bob");
    for name in names {
        let edit = Edit::new().name(name).unwrap();
        assert!(bob.edit(id, edit).await.unwrap().is_new());
    }
}

/// A key that was renamed five times, in a store that is crowded from now on.
fn crowded(first: First) -> (Arc<Crowded>, ProjectKeys<Arc<Crowded>>, KeyId) {
    let inner = Arc::new(MemoryStore::new());
    let maker = project(&keys(Arc::clone(&inner), &FakeClock::default()), "ada");
    let id = block_on(maker.generate(review("Mobile"))).unwrap().key.id;
    block_on(rename(&inner, id, &["A", "B", "C", "D", "E"], 0));
    let (tries, pages) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let store = Arc::new(Crowded { inner, first, tries, pages, lost: Mutex::default() });
    let owner = project(&keys(Arc::clone(&store), &FakeClock::default()), "ada");
    (store, owner, id)
}

#[test]
fn what_an_unknown_try_did_is_found_behind_what_others_did_since() {
    for (first, name, pages) in [
        (First::KeptAlone, "Mine", 0),
        (First::Kept, "Three", 4),
        (First::Lost, "Mine", 4),
        (First::LostAtAnEnd, "Mine", 1),
        (First::LostInCircles, "Mine", 2),
    ] {
        let (store, owner, id) = crowded(first);
        let change = block_on(owner.edit(id, Edit::new().name("Mine").unwrap())).unwrap();
        assert!(change.is_new());
        // Done once, and not over again over what came later.
        assert_eq!(block_on(store.get(id)).unwrap().unwrap().key().name, name);
        let ours =
            AuditQuery::default().key(id).action(Action::Edited).actor("user:ada".parse::<Actor>().unwrap());
        assert_eq!(block_on(store.inner.history(&checkout(), &ours)).unwrap().items.len(), 1);
        // No further than to where it would stand, nor in circles.
        assert_eq!(store.pages.load(Ordering::Relaxed), pages);
        verified_replay(&*store.inner, &checkout(), id);
    }
}

#[test]
fn a_store_that_refuses_every_change_is_given_up() {
    for renames in [true, false] {
        let (store, owner, id) = crowded(First::Refused);
        let told = if renames {
            block_on(owner.edit(id, Edit::new().name("Mine").unwrap())).map(drop)
        } else {
            block_on(owner.rotate(id, Duration::ZERO)).map(drop)
        };
        assert!(matches!(told, Err(Error::Store(StoreError::Conflict))), "{told:?}");
        assert_eq!(store.tries.load(Ordering::Relaxed), 16);
    }
}
