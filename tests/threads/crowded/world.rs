//! What every order begins with: a store with two keys, and a clock.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use scheduled::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use scheduled::{
    AccessKey, AccessKeys, Actor, AgentId, AuditEvent, AuditQuery, EnvironmentId, FakeClock, KeyId, KeyInfo,
    KeyQuery, Page, ProjectId, ProjectKeys, Revision, Scope,
};
use shuttle::Runner;
use shuttle::future::block_on;
use shuttle::scheduler::RandomScheduler;
use shuttle::sync::atomic::{AtomicBool, Ordering};

use crate::orders::config;

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Feed,
    /// With a clock of its own.
    FeedAndClock,
    NoFeed,
    /// With a clock of its own, and a limit of zero for all nodes.
    Zero,
}

/// A memory store whose answers take time to come, and that may be without a feed.
pub(crate) struct Store {
    inner: MemoryStore,
    kind: Kind,
    sent: AtomicBool,
}

/// The keys that are there in the beginning, and their tokens: the one that is cut off, and another.
struct Made {
    stored: [(StoredKey, AuditEvent); 2],
    tokens: [String; 2],
}

static MADE: OnceLock<Made> = OnceLock::new();

/// Makes the keys with which every order begins: once, under a scheduler like all that locks.
pub(crate) fn prepare() {
    MADE.get_or_init(|| {
        let made = Arc::new(OnceLock::new());
        let theirs = Arc::clone(&made);
        let one_order = RandomScheduler::new_from_seed(0, 1);
        Runner::new(one_order, config()).run(move || drop(theirs.set(block_on(make()))));
        Arc::into_inner(made).and_then(OnceLock::into_inner).expect("the one order has ended")
    });
}

fn made() -> &'static Made {
    MADE.get().expect("it is made before the first order")
}

async fn make() -> Made {
    let store = Arc::new(MemoryStore::new());
    let keys =
        AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(FakeClock::default()).build().unwrap();
    let project = project(&keys);
    let mut made = Vec::new();
    for name in ["Mobile app", "Web app"] {
        let agents = Scope::specific([agent(), other_agent()]).unwrap();
        let review = project.draft().info(KeyInfo::new(name, production()).unwrap()).agents(agents);
        let issued = project.generate(review.prompts(Scope::All).unwrap()).await.unwrap();
        let id = issued.key.id;
        let events = project.history(AuditQuery::default().key(id)).await.unwrap().items;
        let stored = (store.get(id).await.unwrap().unwrap(), events.into_iter().next().unwrap());
        made.push((stored, issued.token.expose().to_owned()));
    }
    let (stored, tokens): (Vec<_>, Vec<_>) = made.into_iter().unzip();
    Made { stored: stored.try_into().unwrap(), tokens: tokens.try_into().unwrap() }
}

/// The key that is cut off.
pub(crate) fn id() -> KeyId {
    made().stored[0].0.key().id
}

pub(crate) fn token() -> &'static str {
    &made().tokens[0]
}

pub(crate) fn other_token() -> &'static str {
    &made().tokens[1]
}

/// An agent that the key reaches until its scope is narrowed.
pub(crate) fn agent() -> AgentId {
    AgentId::new("support-bot").unwrap()
}

/// One that it goes on reaching.
pub(crate) fn other_agent() -> AgentId {
    AgentId::new("sales-bot").unwrap()
}

pub(crate) fn production() -> EnvironmentId {
    EnvironmentId::new("production").unwrap()
}

/// A node, perhaps with room for one key alone.
pub(crate) fn node(store: &Arc<Store>, clock: &FakeClock, is_tight: bool) -> AccessKeys<Arc<Store>> {
    let builder = AccessKeys::builder(Arc::clone(store)).prefix("acme").clock(clock.clone());
    if is_tight { builder.cache_capacity(1) } else { builder }.build().unwrap()
}

pub(crate) fn project<S: KeyStore>(keys: &AccessKeys<S>) -> ProjectKeys<S> {
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

impl Store {
    /// A store with the keys in it.
    pub(crate) async fn new(kind: Kind, clock: &FakeClock) -> Arc<Self> {
        let inner = match kind {
            Kind::Feed | Kind::NoFeed => MemoryStore::new(),
            Kind::FeedAndClock | Kind::Zero => MemoryStore::with_clock(clock.clone()),
        };
        for (key, event) in &made().stored {
            inner.insert(key, event).await.unwrap();
        }
        if kind == Kind::Zero {
            inner.set_max_staleness(Duration::ZERO).await.unwrap();
            // Until no node follows the earlier limit.
            clock.advance(Duration::from_secs(60));
        }
        Arc::new(Self { inner, kind, sent: AtomicBool::new(false) })
    }

    /// Lets others have a turn while an answer is on its way.
    fn on_its_way<T>(&self, answer: T) -> T {
        self.sent.store(true, Ordering::SeqCst);
        answer
    }
}

#[async_trait]
impl KeyStore for Store {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.on_its_way(self.inner.insert(key, event).await)
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.on_its_way(self.inner.get(id).await)
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.on_its_way(self.inner.update(key, expected, event).await)
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
        if self.kind == Kind::NoFeed {
            return Ok(Changes::NoFeed);
        }
        self.on_its_way(self.inner.changes(since).await)
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }
}
