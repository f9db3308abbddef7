//! A store of the host's own, to be copied: keys, events and uses in one file of the embedded database redb.
//!
//! `cargo run --example own_store`. For one process at a time, as redb is; so it has no change feed. With
//! `cargo test --example own_store --features conformance` it shows that it keeps every rule of a store.

use std::error::Error;
use std::sync::Arc;

use access_keys::store::{ChangeCursor, Changes, KeyStore, KeyUse, StoreError, StoredKey, async_trait};
use access_keys::{
    AccessKey, AccessKeys, Actor, AuditEvent, AuditQuery, Denial, EnvironmentId, KeyId, KeyInfo, KeyQuery,
    Page, ProjectId, Revision, Scope, Status,
};
use chrono::DateTime;
use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

/// By id: a record is one text, of which the database knows no more.
const KEYS: TableDefinition<&str, &[u8]> = TableDefinition::new("keys");
/// The ids of each project's keys.
const OF_PROJECT: TableDefinition<(&str, &str), ()> = TableDefinition::new("of_project");
/// By project and id.
const EVENTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("events");
/// By key and generation, in microseconds: apart from the keys, so that a use changes none.
const USES: TableDefinition<(&str, u32), i64> = TableDefinition::new("uses");

#[derive(Clone)]
struct RedbStore(Arc<Database>);

type Done = Result<(), StoreError>;

/// Any failure before a commit: nothing was stored.
fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::backend(error.into())
}

fn text(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(StoreError::backend)
}

fn record<T: DeserializeOwned>(text: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(text).map_err(StoreError::backend)
}

/// The least text after all those that a project's entries begin with: ids are visible ASCII.
const END: &str = "\u{7f}";

impl RedbStore {
    fn new(database: Database) -> Result<Self, StoreError> {
        let store = Self(Arc::new(database));
        // Every table is there from now on.
        store.write(|writing| {
            writing.open_table(KEYS).map_err(failed)?;
            writing.open_table(OF_PROJECT).map_err(failed)?;
            writing.open_table(EVENTS).map_err(failed)?;
            writing.open_table(USES).map_err(failed)?;
            Ok(())
        })?;
        Ok(store)
    }

    /// One transaction at a time, on the disk when it returns. A host with an async runtime gives it a thread.
    fn write(&self, change: impl FnOnce(&WriteTransaction) -> Done) -> Done {
        let writing = self.0.begin_write().map_err(failed)?;
        // Dropped without a commit, it has done nothing.
        change(&writing)?;
        writing.commit().map_err(|error| StoreError::outcome_unknown(redb::Error::from(error)))
    }

    /// Stores a key and its event together, if what is stored is as expected.
    fn change(&self, key: &StoredKey, expected: Option<Revision>, event: &AuditEvent) -> Done {
        self.write(|writing| {
            let (id, project) = (key.key().id, key.key().project.as_str());
            let mut keys = writing.open_table(KEYS).map_err(failed)?;
            let current = keys.get(id.as_str()).map_err(failed)?.map(|text| record(text.value()));
            let current: Option<StoredKey> = current.transpose()?;
            let is_open = current.as_ref().is_none_or(|stored| stored.key().status != Status::Revoked);
            if !is_open || current.as_ref().map(StoredKey::revision) != expected {
                return Err(expected.map_or(StoreError::AlreadyExists, |_| StoreError::Conflict));
            }
            keys.insert(id.as_str(), text(key)?.as_slice()).map_err(failed)?;
            let mut of_project = writing.open_table(OF_PROJECT).map_err(failed)?;
            of_project.insert((project, id.as_str()), ()).map_err(failed)?;
            let mut events = writing.open_table(EVENTS).map_err(failed)?;
            events.insert((project, event.id.as_str()), text(event)?.as_slice()).map_err(failed)?;
            Ok(())
        })
    }
}

#[async_trait]
impl KeyStore for RedbStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Done {
        self.change(key, None, event)
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let keys = self.0.begin_read().map_err(failed)?.open_table(KEYS).map_err(failed)?;
        keys.get(id.as_str()).map_err(failed)?.map(|text| record(text.value())).transpose()
    }

    async fn update(&self, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        self.change(key, Some(expected), event)
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        let reading = self.0.begin_read().map_err(failed)?;
        let keys = reading.open_table(KEYS).map_err(failed)?;
        let of_project = reading.open_table(OF_PROJECT).map_err(failed)?;
        let (mut found, project) = (Vec::new(), project.as_str());
        for entry in of_project.range((project, "")..(project, END)).map_err(failed)? {
            let (place, ()) = entry.map(|(place, unit)| (place, unit.value())).map_err(failed)?;
            let text = keys.get(place.value().1).map_err(failed)?;
            found.extend(text.map(|text| record::<StoredKey>(text.value())).transpose()?);
        }
        Ok(query.page(found.iter().map(StoredKey::key)))
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        let events = self.0.begin_read().map_err(failed)?.open_table(EVENTS).map_err(failed)?;
        let (mut found, project) = (Vec::new(), project.as_str());
        for entry in events.range((project, "")..(project, END)).map_err(failed)? {
            found.push(record::<AuditEvent>(entry.map_err(failed)?.1.value())?);
        }
        Ok(query.page(found))
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Done {
        self.write(|writing| {
            let mut table = writing.open_table(USES).map_err(failed)?;
            for used in uses {
                let place = (used.key.as_str(), used.generation);
                let last = table.get(place).map_err(failed)?.map_or(i64::MIN, |last| last.value());
                table.insert(place, used.at.timestamp_micros().max(last)).map_err(failed)?;
            }
            Ok(())
        })
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        let table = self.0.begin_read().map_err(failed)?.open_table(USES).map_err(failed)?;
        let mut found = Vec::new();
        for id in ids {
            for entry in table.range((id.as_str(), 0)..=(id.as_str(), u32::MAX)).map_err(failed)? {
                let (place, at) = entry.map_err(failed)?;
                let at = DateTime::from_timestamp_micros(at.value());
                let at = at.ok_or_else(|| StoreError::backend("a use at no time"))?;
                found.push(KeyUse::new(*id, place.value().1, at));
            }
        }
        Ok(found)
    }

    async fn changes(&self, _since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        Ok(Changes::NoFeed)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("access-keys-{}.redb", std::process::id()));
    let start = || -> Result<_, Box<dyn Error>> {
        let keys = AccessKeys::builder(RedbStore::new(Database::create(&path)?)?).prefix("acme").build()?;
        let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        Ok((keys, project))
    };
    let production = EnvironmentId::new("production")?;
    let key = pollster::block_on(async {
        let (keys, project) = start()?;
        let info = KeyInfo::new("Mobile app", production.clone())?;
        let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
        let issued = project.generate(review).await?;
        let is_good = keys.verify(issued.token.expose(), &production).await.is_ok();
        println!("the key {} works: {is_good}", issued.key.id);
        Ok::<_, Box<dyn Error>>(issued)
    })?;
    pollster::block_on(async {
        let (keys, project) = start()?;
        let is_good = keys.verify(key.token.expose(), &production).await.is_ok();
        println!("it works after a restart: {is_good}");
        project.revoke(key.key.id, "the example is over").await?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    pollster::block_on(async {
        let (keys, project) = start()?;
        let refused = keys.verify(key.token.expose(), &production).await.unwrap_err();
        println!("revoked, and after another restart: {refused}");
        assert!(matches!(refused, Denial::Revoked { .. }));
        assert_eq!(project.history(AuditQuery::default()).await?.items.len(), 2);
        Ok(std::fs::remove_file(&path)?)
    })
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    access_keys::conformance_tests!(|| async {
        let file = tempfile::tempfile().unwrap();
        super::RedbStore::new(redb::Database::builder().create_file(file).unwrap()).unwrap()
    });
}
