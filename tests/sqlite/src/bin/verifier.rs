//! A node on the file at the given path: it verifies a token again and again until its input ends, and then says when
//! it began the last verification that accepted, and how many there were.
//!
//! With `follow` it follows the feed, too; with `deaf` the feed tells it nothing, as a broken one would.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{
    ChangeCursor, Changes, FeedState, KeyStore, KeyUse, SqliteStore, StoreError, StoredKey, async_trait,
};
use access_keys::{
    AccessKey, AccessKeys, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision,
};
use pollster::block_on;
use sqlite_tests::production;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (path, token) = (arguments.next().expect("a path"), arguments.next().expect("a token"));
    let mode = arguments.next();
    let store = Node {
        inner: block_on(SqliteStore::open(path)).expect("the file opens"),
        deaf: mode.as_deref() == Some("deaf"),
    };
    let keys = AccessKeys::builder(store).prefix("acme").build().expect("a prefix");
    if mode.as_deref() == Some("follow") {
        let follower = keys.verifier();
        std::thread::spawn(move || block_on(follower.follow(sleep)));
    }
    let over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&over);
    let input = std::thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        ended.store(true, Ordering::SeqCst);
    });
    let (mut last, mut accepted, mut refused, mut said) = (0, 0_u64, 0_u64, false);
    while !over.load(Ordering::SeqCst) {
        let began = SystemClock.boot();
        match block_on(keys.verify(&token, &production())) {
            Ok(_) => (last, accepted) = (began.as_nanos(), accepted + 1),
            Err(_) => refused += 1,
        }
        if accepted > 0 && !said {
            println!("ready");
            said = true;
        }
    }
    input.join().expect("the input ends");
    println!("{last} {accepted} {refused}");
}

async fn sleep(duration: Duration) {
    // On a thread of its own, which does nothing else.
    std::thread::sleep(duration);
}

struct Node {
    inner: SqliteStore,
    deaf: bool,
}

#[async_trait]
impl KeyStore for Node {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.insert(key, event).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.inner.get(id).await
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
        match self.inner.changes(since).await? {
            Changes::Since { next, state, .. } if self.deaf => {
                let state = FeedState::new(state.now, state.limit, state.drained_in);
                Ok(Changes::Since { ids: Vec::new(), next, state })
            }
            answer => Ok(answer),
        }
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }
}
