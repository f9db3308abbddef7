//! A store in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::limit::{LIMIT, check_limit};
use super::wakeup::Wakeup;
use super::{ChangeCursor, Changes, FeedState, KeyStore, KeyUse, ScopeUse, StoreError, StoredKey};
use crate::clock::{Clock, SystemClock};
use crate::domain::{
    AccessKey, AuditEvent, AuditQuery, Cursor, EventId, KeyId, KeyQuery, Page, ProjectId, Resource, Revision,
    Status,
};

/// More changes behind than this, and it is cheaper to forget all.
const BEHIND_MAX: usize = 10_000;

/// A store in memory: for tests, for examples, and for keys that need not outlive the process.
///
/// It obeys the whole contract of [`KeyStore`] but durability. Several [`AccessKeys`](crate::AccessKeys) can
/// share one through an `Arc`, as nodes share a database.
///
/// ```
/// use std::sync::Arc;
/// use access_keys::{AccessKeys, store::MemoryStore};
///
/// let store = Arc::new(MemoryStore::new());
/// let one = AccessKeys::builder(store.clone()).prefix("acme").build()?;
/// let other = AccessKeys::builder(store).prefix("acme").build()?;
/// # let _ = (one, other);
/// # Ok::<(), access_keys::Error>(())
/// ```
pub struct MemoryStore {
    state: Mutex<State>,
    /// Its own clock; without one, that of its callers counts, and a lowered limit drains by the machine's.
    clock: Option<Arc<dyn Clock>>,
    wakeup: Wakeup,
    /// Tells the cursors of one store from those of another.
    incarnation: u64,
}

#[derive(Debug)]
struct Limit {
    longest: Duration,
    /// When, by the store's deadline clock, every node follows it.
    drained_at: Duration,
}

#[derive(Debug, Default)]
struct State {
    keys: HashMap<KeyId, StoredKey>,
    /// The keys of each project by position.
    lists: HashMap<ProjectId, BTreeMap<Cursor, KeyId>>,
    /// In the order in which they were committed.
    events: Vec<AuditEvent>,
    places: HashMap<EventId, usize>,
    /// The events of each project and of each key by position, as places in `events`.
    histories: HashMap<ProjectId, BTreeMap<Cursor, usize>>,
    key_histories: HashMap<KeyId, BTreeMap<Cursor, usize>>,
    uses: BTreeMap<(KeyId, u32), DateTime<Utc>>,
    scope_uses: HashMap<KeyId, BTreeMap<Resource, ScopeUse>>,
    limit: Limit,
}

impl Default for Limit {
    fn default() -> Self {
        Self { longest: LIMIT, drained_at: Duration::ZERO }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        // Drawn, not counted: a cursor of an empty store holds nothing else, and a count begins anew in each process.
        let incarnation = RandomState::new().hash_one(());
        Self { state: Mutex::default(), clock: None, wakeup: Wakeup::default(), incarnation }
    }

    /// An empty store with a clock of its own, as a database has one: expiry and the ends of graces are stamped
    /// and judged by it on every node.
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { clock: Some(Arc::new(clock)), ..Self::new() }
    }

    /// Sets the longest that any node may go on using what it knew of a key: zero, or 100 milliseconds to 60
    /// seconds; 5 seconds unless set.
    ///
    /// It lives with the data and is the same for all nodes, each of which may have a lower one of its own. At zero
    /// every verification reads the store, and a change holds everywhere once it is acknowledged. After it was
    /// lowered, changes announce as long as nodes may still follow the old one: 1.1 times that.
    ///
    /// # Errors
    /// [`StoreError::Backend`] with [`Invalid`](crate::Invalid) as its source for any other value, and nothing is changed.
    ///
    /// # Cancel safety
    /// It is done or not done.
    ///
    /// ```
    /// use std::time::Duration;
    /// use access_keys::store::MemoryStore;
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::new();
    /// store.set_max_staleness(Duration::from_millis(500)).await?;
    /// assert!(store.set_max_staleness(Duration::from_secs(3_600)).await.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[expect(clippy::unused_async, reason = "as in every store")]
    pub async fn set_max_staleness(&self, limit: Duration) -> Result<(), StoreError> {
        check_limit(limit).map_err(StoreError::backend)?;
        {
            let now = self.boot();
            let mut state = self.state();
            let old = state.limit.longest;
            if limit < old {
                let drained_at = now.saturating_add(old * 11 / 10);
                state.limit.drained_at = drained_at.max(state.limit.drained_at);
            }
            state.limit.longest = limit;
        }
        self.wakeup.ring();
        Ok(())
    }

    fn boot(&self) -> Duration {
        self.clock.as_ref().map_or_else(|| SystemClock.boot(), |clock| clock.boot())
    }

    fn feed_state(&self, state: &State) -> FeedState {
        let drained_in = state.limit.drained_at.saturating_sub(self.boot());
        FeedState::new(self.clock.as_ref().map(|clock| clock.wall()), state.limit.longest, drained_in)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is made after its last check, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursor(&self, state: &State) -> ChangeCursor {
        let mut bytes = self.incarnation.to_be_bytes().to_vec();
        bytes.extend(state.events.last().map(|event| *event.id.bytes()).into_iter().flatten());
        ChangeCursor::new(bytes)
    }

    /// The first event that a cursor does not cover; `None` for a cursor that is not of this store.
    fn place_after(&self, cursor: &ChangeCursor, state: &State) -> Option<usize> {
        let id = cursor.as_bytes().strip_prefix(&self.incarnation.to_be_bytes())?;
        if id.is_empty() {
            return Some(0);
        }
        let id = EventId::from_base62(id.try_into().ok()?)?;
        state.places.get(&id).map(|place| place + 1)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("keys", &self.state().keys.len()).finish_non_exhaustive()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn put(&mut self, key: &StoredKey, event: &AuditEvent) {
        let place = self.events.len();
        self.places.insert(event.id, place);
        let position = Cursor::of_event(event);
        self.histories.entry(event.project.clone()).or_default().insert(position, place);
        self.key_histories.entry(event.key).or_default().insert(position, place);
        self.events.push(event.clone());
        let list = self.lists.entry(key.key().project.clone()).or_default();
        list.insert(Cursor::of_key(key.key()), key.key().id);
        self.keys.insert(key.key().id, key.clone());
    }
}

/// The first `limit` of `index` after a position, newest first, that `take` takes.
fn page<P, T>(
    index: Option<&BTreeMap<Cursor, P>>,
    after: Option<Cursor>,
    limit: usize,
    take: impl Fn(&P) -> Option<T>,
) -> Page<T> {
    let before = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    let range = index.map(|index| index.range((std::ops::Bound::Unbounded, before)));
    let mut found = range.into_iter().flatten().rev().filter_map(|(at, place)| Some((*at, take(place)?)));
    let mut items = Vec::new();
    let mut last = None;
    for (at, item) in found.by_ref().take(limit) {
        items.push(item);
        last = Some(at);
    }
    Page::new(items, last.filter(|_| found.next().is_some()))
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        {
            let mut state = self.state();
            if state.keys.contains_key(&key.key().id) {
                return Err(StoreError::AlreadyExists);
            }
            state.put(key, event);
        }
        self.wakeup.ring();
        Ok(())
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.state().keys.get(&id).cloned())
    }

    async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        let state = self.state();
        let ids = BTreeSet::from_iter(ids);
        Ok(ids.into_iter().filter_map(|id| state.keys.get(id).cloned()).collect())
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        {
            let mut state = self.state();
            let current = state.keys.get(&key.key().id).map(StoredKey::key);
            if !current.is_some_and(|key| key.revision == expected && key.status != Status::Revoked) {
                return Err(StoreError::Conflict);
            }
            state.put(key, event);
        }
        self.wakeup.ring();
        Ok(())
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        let state = self.state();
        Ok(page(state.lists.get(project), query.after, query.limit, |id| {
            state.keys.get(id).map(StoredKey::key).filter(|key| query.matches(key)).cloned()
        }))
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        let state = self.state();
        let index = match &query.key {
            None => state.histories.get(project),
            Some(key) => state.key_histories.get(key),
        };
        Ok(page(index, query.after, query.limit, |place| {
            let event = state.events.get(*place)?;
            (event.project == *project && query.matches(event)).then(|| event.clone())
        }))
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        let mut state = self.state();
        for used in uses {
            let last = state.uses.entry((used.key, used.generation)).or_insert(used.at);
            *last = used.at.max(*last);
        }
        Ok(())
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        let state = self.state();
        let of = |id: &KeyId| state.uses.range((*id, 0)..=(*id, u32::MAX));
        let uses = ids.iter().flat_map(of).map(|((key, generation), at)| KeyUse::new(*key, *generation, *at));
        Ok(uses.collect())
    }

    async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
        let mut state = self.state();
        for used in uses {
            let kept = state.scope_uses.entry(used.key).or_default();
            let is_same_kind = |other: &&Resource| other.is_agent() == used.resource.is_agent();
            if let Some(known) = kept.get_mut(&used.resource) {
                *known = used.clone().and(known);
            } else if kept.keys().filter(is_same_kind).count() <= ScopeUse::KEPT {
                kept.insert(used.resource.clone(), used.clone());
            }
        }
        Ok(())
    }

    async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        let state = self.state();
        let of = |id: &KeyId| state.scope_uses.get(id).into_iter().flat_map(BTreeMap::values).cloned();
        Ok(Some(BTreeSet::from_iter(ids).into_iter().flat_map(of).collect()))
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        let state = self.state();
        let now = self.feed_state(&state);
        let next = self.cursor(&state);
        let missed = since
            .and_then(|cursor| self.place_after(cursor, &state))
            .and_then(|place| state.events.get(place..))
            .filter(|missed| missed.len() <= BEHIND_MAX);
        Ok(match missed {
            Some(missed) => {
                let ids = missed.iter().map(|event| event.key).collect();
                Changes::Since { ids, next, state: now }
            }
            None => Changes::Everything { next, state: now },
        })
    }

    async fn changed(&self) {
        self.wakeup.wait().await;
    }
}
