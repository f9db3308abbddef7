//! The memory that cached keys take.

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{
    AccessKey, AccessKeys, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision,
};

use crate::Done;
use crate::figure::at_most;
use crate::host::{Host, ready, well_formed};

const KEYS: usize = 1_000_000;

/// Has a key under every id, and keeps none of them.
struct Endless {
    inner: MemoryStore,
    /// The serde form of one key, with places for its id and for a number that makes its agents its own.
    form: std::sync::OnceLock<String>,
}

#[async_trait]
impl KeyStore for Endless {
    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let Some(form) = self.form.get() else { return self.inner.get(id).await };
        let form = form.replace("{id}", id.as_str()).replace("{number}", &id.as_str()[8..]);
        serde_json::from_str(&form).map(Some).map_err(StoreError::backend)
    }

    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.insert(key, event).await
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

pub(crate) fn measure() -> Done {
    let store = Endless { inner: MemoryStore::new(), form: std::sync::OnceLock::new() };
    let host = Host::of(AccessKeys::builder(store).prefix("acme").cache_capacity(KEYS).build()?)?;
    let (issued, agents) = host.issue(8)?;
    let id = issued.key.id;
    let stored = ready(host.keys.store().inner.get(id))?.ok_or("the key is gone")?;
    let mut form = serde_json::to_string(&stored)?.replace(id.as_str(), "{id}");
    for (place, agent) in agents.iter().enumerate() {
        form = form.replace(agent.as_str(), &format!("agent-{place:026}{{number}}"));
    }
    host.keys.store().form.set(form).map_err(|_| "set twice")?;

    let secret = "x".repeat(32);
    let fill = |i: usize| {
        let token = well_formed(&format!("{i:016}"), &secret);
        assert!(ready(host.keys.verify(&token, &host.production)).is_err(), "nobody has that secret");
    };
    (0..1_000).for_each(fill);
    let before = (resident()?, host.keys.verifier().stats().keys);
    (1_000..KEYS).for_each(fill);
    let (after, stats) = (resident()?, host.keys.verifier().stats());
    let keys = stats.keys - before.1;
    println!(
        "{keys} more keys in the cache, of which it believes that they take {} bytes each",
        stats.bytes / stats.keys
    );
    at_most("cached_key_bytes", (after - before.0) as f64 / keys as f64, "bytes", 570.0);
    Ok(())
}

/// The memory of this process that is in use, in bytes, as the operating system counts it.
fn resident() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1_024)
}
