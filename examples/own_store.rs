//! A store of the host's own: every change is one line of JSON in a file, and the host restarts.
//!
//! `cargo run --example own_store`. For one process at a time; the library's `page` filters, orders and cuts.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;

use access_keys::store::{ChangeCursor, Changes, KeyStore, KeyUse, StoreError, StoredKey, async_trait};
use access_keys::{
    AccessKey, AccessKeys, Actor, AuditEvent, AuditQuery, Denial, EnvironmentId, KeyId, KeyInfo, KeyQuery,
    Page, ProjectId, Revision, Scope, Status,
};
use serde::{Deserialize, Serialize};

/// One line: a key together with the event that tells of it, so that no crash can part them.
#[derive(Serialize, Deserialize)]
enum Line {
    Change(Box<StoredKey>, Box<AuditEvent>),
    Uses(Vec<KeyUse>),
}

type Done = Result<(), StoreError>;
struct FileStore(Mutex<Contents>);

struct Contents {
    file: File,
    len: u64, // of what is acknowledged
    keys: HashMap<KeyId, StoredKey>,
    events: Vec<AuditEvent>,
    uses: BTreeMap<(KeyId, u32), KeyUse>,
}

impl FileStore {
    fn open(path: &std::path::Path) -> Result<Self, Box<dyn Error>> {
        let file = File::options().append(true).create(true).open(path)?;
        let bytes = std::fs::read(path)?;
        // What a crash left behind the last line break was never acknowledged.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (len, (keys, events, uses)) = (whole as u64, Default::default());
        let mut contents = Contents { file, len, keys, events, uses };
        for line in serde_json::Deserializer::from_slice(&bytes[..whole]).into_iter() {
            contents.apply(line?);
        }
        Ok(Self(Mutex::new(contents)))
    }
}

impl Contents {
    /// `None` unless what is stored is as expected.
    fn change(&mut self, expected: Option<Revision>, key: &StoredKey, event: &AuditEvent) -> Option<Done> {
        let current = self.keys.get(&key.key().id);
        let open = current.is_none_or(|stored| stored.key().status != Status::Revoked);
        let as_expected = open && current.map(StoredKey::revision) == expected;
        as_expected.then(|| self.append(Line::Change(key.clone().into(), event.clone().into())))
    }

    /// Writes the line to the disk, and only then to memory.
    fn append(&mut self, line: Line) -> Done {
        let mut text = serde_json::to_vec(&line).map_err(StoreError::backend)?;
        text.push(b'\n');
        // What an earlier write left behind when it failed goes first.
        self.file.set_len(self.len).map_err(StoreError::backend)?;
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        written.map_err(StoreError::outcome_unknown)?;
        self.len += text.len() as u64;
        self.apply(line);
        Ok(())
    }

    fn apply(&mut self, line: Line) {
        match line {
            Line::Change(key, event) => {
                self.events.push(*event);
                self.keys.insert(key.key().id, *key);
            }
            Line::Uses(uses) => uses.into_iter().for_each(|used| {
                let last = self.uses.entry((used.key, used.generation)).or_insert(used);
                last.at = last.at.max(used.at);
            }),
        }
    }
}

#[async_trait]
impl KeyStore for FileStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Done {
        self.0.lock().unwrap().change(None, key, event).ok_or(StoreError::AlreadyExists)?
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.0.lock().unwrap().keys.get(&id).cloned())
    }

    async fn update(&self, key: &StoredKey, expected: Revision, event: &AuditEvent) -> Done {
        self.0.lock().unwrap().change(Some(expected), key, event).ok_or(StoreError::Conflict)?
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        let keys = &self.0.lock().unwrap().keys;
        Ok(query.page(keys.values().map(StoredKey::key).filter(|key| key.project == *project)))
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        Ok(query.page(self.0.lock().unwrap().events.iter().filter(|event| event.project == *project)))
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Done {
        self.0.lock().unwrap().append(Line::Uses(uses.to_vec()))
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        Ok(self.0.lock().unwrap().uses.values().filter(|used| ids.contains(&used.key)).copied().collect())
    }

    async fn changes(&self, _since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        Ok(Changes::NoFeed)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("access-keys-{}.jsonl", std::process::id()));
    let start = || -> Result<_, Box<dyn Error>> {
        let keys = AccessKeys::builder(FileStore::open(&path)?).prefix("acme").build()?;
        let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        Ok((keys, project))
    };
    let production = EnvironmentId::new("production")?;
    pollster::block_on(async {
        let (keys, project) = start()?;
        let info = KeyInfo::new("Mobile app", production.clone())?;
        let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
        let issued = project.generate(review).await?;
        let token = issued.token.expose();
        println!("the key {} works: {}", issued.key.id, keys.verify(token, &production).await.is_ok());
        let (keys, project) = start()?;
        println!("it works after a restart: {}", keys.verify(token, &production).await.is_ok());
        project.revoke(issued.key.id, "the example is over").await?;
        let (keys, project) = start()?;
        let refused = keys.verify(token, &production).await.unwrap_err();
        println!("revoked, and after another restart: {refused}");
        assert!(matches!(refused, Denial::Revoked { .. }));
        assert_eq!(project.history(AuditQuery::default()).await?.items.len(), 2);
        Ok(std::fs::remove_file(&path)?)
    })
}
