//! The store.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;

use super::problem::{Problem, Result as Attempt, backend};
use super::readers::Readers;
use super::watch::Watch;
use super::writer::{Queue, Writer};
use super::{SqliteOptions, event_list, feed, key_list, opening, reading, reply, writing};
use crate::domain::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};
use crate::store::limit::check_limit;
use crate::store::sql::INCARNATION_LEN;
use crate::store::{ChangeCursor, Changes, KeyStore, KeyUse, ScopeUse, StoreError, StoredKey};
use crate::token::Random;

/// Recorded in one go, before other writes have their turn.
const USES_AT_ONCE: usize = 1_000;
const READERS_MAX: usize = 8;
/// For lists and histories: however long those take, a verification waits for none.
const LISTERS: usize = 2;

/// Keys in one file of SQLite, for one machine: as many processes as it has may use the file at once.
///
/// ```
/// use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::SqliteStore};
///
/// # pollster::block_on(async {
/// # let folder = std::env::temp_dir().join(format!("access-keys-store-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("keys.db");
/// let store = SqliteStore::open(&path).await?; // made, or brought up to date
/// let keys = AccessKeys::builder(store).prefix("acme").build()?;
/// let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// let production = EnvironmentId::new("production")?;
/// let info = KeyInfo::new("Mobile app", production.clone())?;
/// let issued = project.generate(project.draft().info(info).agents(Scope::All).prompts(Scope::All)?).await?;
/// drop((keys, project));
///
/// let keys = AccessKeys::builder(SqliteStore::open(&path).await?).prefix("acme").build()?;
/// assert!(keys.verify(issued.token.expose(), &production).await.is_ok());
/// # drop(keys);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// A clone is another handle on the same connections. Nothing here needs an async runtime: reads are done where they
/// are asked for, in microseconds, and writes on a thread of the store's own, which ends with the last handle.
///
/// # What is durable
/// A write that returned `Ok` is on the disk, with its event: the file has a log of changes beside it (WAL), which is
/// made sure of at every commit (`synchronous=FULL`). These settings are read back when the file is opened, and a file
/// or an SQLite that does not take them is refused. So is one of another application, one that a later version of
/// this crate has written, one that cannot be written, and one in which a table, an index or a trigger is not as the
/// [migrations](crate::store::sql) make it.
///
/// The database itself refuses to bring a revoked key back, to change what a key was made with, to skip a revision,
/// to change a key without an event, and to delete or overwrite keys and events, whoever sends the statement. It
/// cannot refuse someone who drops its triggers, turns them off (`SQLITE_DBCONFIG_ENABLE_TRIGGER`) or writes to
/// `sqlite_schema` or to the file itself.
///
/// # Several processes
/// Each change is noticed by [`Verifier::follow`](crate::Verifier::follow) in another process within about 50 ms, and
/// by every node within the limit. For that a thread looks at the file while someone follows. The clock of the store
/// is the wall clock of the machine. A call waits for a file that others keep busy for as long as
/// [`time_limit`](SqliteOptions::time_limit) says, 5 seconds unless set, and then fails; so a key in the cache is
/// accepted until its lease ends.
///
/// Network file systems are not supported: their locks do not hold what SQLite needs of them, and the log is shared
/// memory of one machine.
///
/// # Backup and restore
/// Copy the file with SQLite's own means (`VACUUM INTO 'night.db'`, the backup API, `.backup`), never as a file while it
/// is in use: what stands in its log would be missing. To restore:
///
/// 1. Stop every process that has the file open.
/// 2. Delete `keys.db-wal` and `keys.db-shm`, if they are there: a process that was killed leaves them.
/// 3. Put the backup in place: `cp night.db keys.db`. In place of 2 and 3, `sqlite3 keys.db '.restore night.db'`.
/// 4. Call [`begin_incarnation`](Self::begin_incarnation) once, before any node starts: a node that knew what was lost
///    must not take that for what is true now. A node that saw a key revoked goes on refusing it until it is restarted,
///    even if the restore lost the revocation.
/// 5. Do again [what was done since the backup](crate::lifecycle#restored-from-a-backup), then let the nodes in.
///
/// **A copy over a file whose log is left restores nothing, and often no error says so**: SQLite takes the log for that
/// of the copy, and plays back what it holds. Then the file is what it was before, or damaged.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    readers: Readers,
    listers: Readers,
    queue: Queue,
    watch: Arc<Watch>,
    options: SqliteOptions,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.watch.close();
    }
}

impl SqliteStore {
    /// Opens the file, making it if it is not there, and applies the migrations that it lacks.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for a file that is refused or cannot be opened, with what is wrong in its source. The
    /// file is left as it was.
    ///
    /// # Cancel safety
    /// Migrations are applied whole or not at all.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options(path).open().await
    }

    /// How else the file may be opened.
    pub fn options(path: impl AsRef<Path>) -> SqliteOptions {
        SqliteOptions::new(path.as_ref())
    }

    /// Sets the longest that any node may go on using what it knew of a key: zero, or 100 milliseconds to 60
    /// seconds; 5 seconds unless set.
    ///
    /// It lives in the file and is the same for all processes, each of which may have a lower one of its own. After it
    /// was lowered, changes announce as long as nodes may still follow the old one: 1.1 times that.
    ///
    /// # Errors
    /// [`StoreError::Backend`], with [`Invalid`](crate::Invalid) as its source for any other value;
    /// [`StoreError::OutcomeUnknown`].
    ///
    /// # Cancel safety
    /// It is done or not done.
    pub async fn set_max_staleness(&self, limit: Duration) -> Result<(), StoreError> {
        check_limit(limit).map_err(StoreError::backend)?;
        let inner = &self.0;
        let (clock, time_limit) = (Arc::clone(&inner.options.clock), inner.options.time_limit);
        let micros = i64::try_from(limit.as_micros()).map_err(StoreError::backend)?;
        let change = move |connection: &Connection| {
            writing::set_limit(connection, limit, clock.wall()).map_err(|error| backend(error, time_limit))
        };
        inner
            .queue
            .write(change, move |connection| writing::is_set(connection, "max_staleness", &micros))
            .await
    }

    /// Says that the file was restored from a backup, or is a copy of another: what nodes knew of it before is no
    /// longer what they may go on with.
    ///
    /// Every node then forgets what it knew when it next asks. Until all of them have, for 66 seconds, changes announce
    /// that they hold as late as that.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::OutcomeUnknown`].
    ///
    /// # Cancel safety
    /// It is done or not done; doing it again does no harm.
    ///
    /// ```
    /// use access_keys::store::SqliteStore;
    ///
    /// # pollster::block_on(async {
    /// # let folder = std::env::temp_dir().join(format!("access-keys-restore-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let restored = folder.join("keys.db");
    /// let store = SqliteStore::open(&restored).await?;
    /// store.begin_incarnation().await?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn begin_incarnation(&self) -> Result<(), StoreError> {
        let inner = &self.0;
        let (clock, time_limit) = (Arc::clone(&inner.options.clock), inner.options.time_limit);
        let drawn = Random::system().draw::<{ INCARNATION_LEN }>().map_err(StoreError::backend)?;
        let incarnation = String::from_utf8_lossy(&*drawn).into_owned();
        let is_stored = incarnation.clone();
        let change = move |connection: &Connection| {
            writing::set_incarnation(connection, &incarnation, clock.wall())
                .map_err(|error| backend(error, time_limit))
        };
        inner
            .queue
            .write(change, move |connection| writing::is_set(connection, "incarnation", &is_stored))
            .await
    }

    pub(super) async fn open_with(options: SqliteOptions) -> Result<Self, StoreError> {
        let time_limit = options.time_limit;
        let (sender, receiver) = reply::channel();
        let (queue, jobs) = Queue::new(time_limit);
        let thread = thread::Builder::new().name("access-keys-sqlite".to_owned());
        let open = move || {
            let opened = opening::open(&options).and_then(|connection| {
                let count = thread::available_parallelism().map_or(1, usize::from).clamp(2, READERS_MAX);
                let readers = Readers::connect(&options.path, count, time_limit)?;
                let listers = Readers::connect(&options.path, LISTERS, time_limit)?;
                Ok((connection, readers, listers))
            });
            match opened {
                Err(error) => sender.send(Err(backend(error, time_limit))),
                Ok((connection, readers, listers)) => {
                    let watch = Arc::new(Watch::new(options.path.clone(), time_limit));
                    let writer = Writer::new(connection, Arc::clone(&watch), time_limit);
                    sender.send(Ok(Inner { readers, listers, queue, watch, options }));
                    writer.run(&jobs);
                }
            }
        };
        thread.spawn(open).map_err(StoreError::backend)?;
        let gone = || Err(StoreError::backend(Problem::NoWriter));
        receiver.receive().await.unwrap_or_else(gone).map(|inner| Self(Arc::new(inner)))
    }
}

impl Inner {
    fn read<T>(&self, read: impl FnOnce(&mut Connection) -> Attempt<T>) -> Result<T, StoreError> {
        self.readers.with(read).map_err(|error| backend(error, self.options.time_limit))
    }

    fn list<T>(&self, read: impl FnOnce(&mut Connection) -> Attempt<T>) -> Result<T, StoreError> {
        self.listers.with(read).map_err(|error| backend(error, self.options.time_limit))
    }

    /// Records uses, some at a time: others have their turn in between.
    async fn record<U: Clone + Send + 'static>(
        &self,
        uses: &[U],
        record: fn(&Connection, &[U]) -> Attempt<()>,
    ) -> Result<(), StoreError> {
        let time_limit = self.options.time_limit;
        for uses in uses.chunks(USES_AT_ONCE) {
            let uses = uses.to_vec();
            let change = move |connection: &Connection| {
                record(connection, &uses).map_err(|error| backend(error, time_limit))
            };
            // All can be recorded again.
            self.queue.write(change, |_| Ok(false)).await.map_err(|error| match error {
                StoreError::OutcomeUnknown { source } => StoreError::backend(source),
                error => error,
            })?;
        }
        Ok(())
    }

    /// Stores a key with its event, unless the check says why not.
    async fn put(
        &self,
        sql: &'static str,
        key: &StoredKey,
        event: &AuditEvent,
        check: impl FnOnce(&Connection) -> Attempt<Option<StoreError>> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (key, event, time_limit) = (key.clone(), event.clone(), self.options.time_limit);
        let id = event.id;
        let change = move |connection: &Connection| {
            let refused = check(connection).map_err(|error| backend(error, time_limit))?;
            refused.map_or(Ok(()), Err)?;
            writing::put(connection, sql, &key, &event).map_err(|error| backend(error, time_limit))
        };
        self.queue.write(change, move |connection| writing::event_is_stored(connection, id)).await
    }
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        let id = key.key().id;
        let check = move |connection: &Connection| {
            Ok(writing::exists(connection, id)?.then_some(StoreError::AlreadyExists))
        };
        self.0.put(writing::INSERT_KEY, key, event, check).await
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.read(|connection| reading::get(connection, id))
    }

    async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        self.0.list(|connection| reading::get_many(connection, ids))
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let id = key.key().id;
        let check = move |connection: &Connection| {
            Ok((!writing::is_open_at(connection, id, expected)?).then_some(StoreError::Conflict))
        };
        self.0.put(writing::UPDATE_KEY, key, event, check).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.0.list(|connection| key_list::list(connection, project, query))
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.0.list(|connection| event_list::history(connection, project, query))
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        let mut uses = uses.to_vec();
        // In the order of the table: neighbours share its pages.
        uses.sort_unstable_by_key(|used| (used.key, used.generation));
        self.0.record(&uses, writing::record_uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.0.list(|connection| reading::last_uses(connection, ids))
    }

    async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
        let mut uses = uses.to_vec();
        uses.sort_unstable_by(|one, other| (one.key, &one.resource).cmp(&(other.key, &other.resource)));
        self.0.record(&uses, writing::record_scope_uses).await
    }

    async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        let mut asked = ids.to_vec();
        asked.sort_unstable();
        asked.dedup();
        self.0.list(|connection| reading::scope_uses(connection, &asked)).map(Some)
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        let inner = &self.0;
        inner.read(|connection| {
            let (changes, head) = feed::changes(connection, since, &*inner.options.clock)?;
            inner.watch.tell(head);
            Ok(changes)
        })
    }

    async fn changed(&self) {
        self.0.watch.wait().await;
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.options.path).finish_non_exhaustive()
    }
}
