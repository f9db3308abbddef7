//! The store.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use futures_util::future::select;
use tokio::runtime::Handle;
use tokio_postgres::Config;

use super::ask::Ask;
use super::connector::{Connector, OnNotice};
use super::listener::Listener;
use super::problem::Problem;
use super::runner::Runner;
use super::{PostgresOptions, event_list, feed, key_list, opening, reading, scope_uses, writing};
use crate::clock::{Clock, SystemClock};
use crate::domain::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};
use crate::store::limit::check_limit;
use crate::store::sql::INCARNATION_LEN;
use crate::store::{ChangeCursor, Changes, KeyStore, KeyUse, ScopeUse, StoreError, StoredKey};
use crate::token::Random;

/// How long a change waits for its notice to be sent, which goes on afterwards.
const NOTICE: Duration = Duration::from_millis(100);

/// Keys in PostgreSQL, for as many nodes as it has connections for.
///
/// ```no_run
/// use access_keys::{AccessKeys, store::PostgresStore};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://gateway@localhost/gateway").await?; // tables are made as needed
/// let keys = AccessKeys::builder(store).prefix("acme").build()?;
/// tokio::spawn(keys.verifier().follow(tokio::time::sleep)); // a change by another node arrives in milliseconds
/// # Ok(())
/// # }
/// ```
///
/// It is opened within a runtime of tokio and connects in that one, so it ends with that; its calls may come from
/// anywhere. A clone is another
/// handle on the same connections, of which a node has up to five: one each for reads of keys, for the change feed,
/// for changes, for all that may take long, and one that listens while someone follows. Each is made when it is
/// needed, and anew when it is lost. The host's own pool can be used instead ([`from_pool`](Self::from_pool)).
///
/// # What is durable
/// A write that returned `Ok` is on the disk of the server, and on those of the standbys that it commits to, with its
/// event: a trigger sets `synchronous_commit` for it, whatever the role or the session says. A server with `fsync` or
/// `full_page_writes` off is refused. So are a replica, an answer that something in between repeats, a schema that a
/// later version of this crate has written, and one in which a trigger is missing or does not always fire.
///
/// The database itself refuses to bring a revoked key back, to change what a key was made with, to skip a revision, to
/// change a key without an event, and to delete keys and events, whoever sends the statement, also where
/// `session_replication_role` is changed. It cannot refuse its own superusers and the owner of the tables, who can drop
/// the triggers: let nodes connect as a role that owns nothing ([`PostgresAccess`](super::PostgresAccess)).
///
/// # Outages
/// Keys in the cache are accepted until their lease ends, then verifications are `Unavailable` until the server is back.
/// Where a connection is lost while a change is under way, its outcome is unknown; the library then looks it up.
///
/// # Backup, restore and failover
/// After a restore call [`begin_incarnation`](Self::begin_incarnation) before any node uses the database. A standby that
/// was promoted is recognised by its timeline: every node forgets what it knew, and changes announce that they hold as
/// late as 66 seconds, until so long after a node that may manage first asked. The server that it replaces must be out of reach of every node by then: of two
/// servers that both take writes no store can tell which one is right. Logical replication does not carry the tables:
/// their triggers number the events anew.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    runner: Arc<Runner>,
    listener: Listener,
    schema: String,
}

impl PostgresStore {
    /// Opens the database at an address, `postgres://user:password@host:port/database` or `host=… user=…`, and applies
    /// the migrations that it lacks.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for a database that is refused or cannot be reached, with what is wrong in its source,
    /// and outside a runtime of tokio.
    ///
    /// # Cancel safety
    /// Migrations are applied whole or not at all.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        Self::options(address).open().await
    }

    /// How else the database may be opened.
    pub fn options(address: &str) -> PostgresOptions {
        PostgresOptions::new(Some(address), None)
    }

    /// Sends every statement by the host's own pool. Changes by others are heard of only where the store is told what
    /// to [`listen`](PostgresOptions::listen) to; otherwise they are learnt of when the lease is renewed.
    ///
    /// What its connections are set to is the host's: a `statement_timeout` keeps a change that was given up from being
    /// stored late.
    pub fn from_pool(pool: Pool) -> PostgresOptions {
        PostgresOptions::new(None, Some(pool))
    }

    /// Sets the longest that any node may go on using what it knew of a key: zero, or 100 milliseconds to 60
    /// seconds; 5 seconds unless set.
    ///
    /// It lives in the database and is the same for all nodes, each of which may have a lower one of its own. After it
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
        writing::set_limit(&self.0.runner, limit).await?;
        self.tell().await;
        Ok(())
    }

    /// Says that the database was restored from a backup, or is a copy of another: what nodes knew of it before is no
    /// longer what they may go on with.
    ///
    /// Every node then forgets what it knew when it next asks. Until all of them have, for 66 seconds, changes announce
    /// that they hold as late as that. A node that saw a key revoked goes on refusing it until it is restarted, even if
    /// the restore lost the revocation.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::OutcomeUnknown`].
    ///
    /// # Cancel safety
    /// It is done or not done; doing it again does no harm.
    pub async fn begin_incarnation(&self) -> Result<(), StoreError> {
        let drawn = Random::system().draw::<INCARNATION_LEN>().map_err(StoreError::backend)?;
        writing::set_incarnation(&self.0.runner, &String::from_utf8_lossy(&*drawn)).await?;
        self.tell().await;
        Ok(())
    }

    pub(super) async fn open_with(options: PostgresOptions) -> Result<Self, StoreError> {
        Self::opened(&options).await.map_err(StoreError::backend)
    }

    async fn opened(options: &PostgresOptions) -> Result<Self, Problem> {
        if !opening::is_name(&options.schema) {
            return Err(Problem::SchemaName);
        }
        let handle = Handle::try_current().map_err(|_| Problem::NoRuntime)?;
        let connector = |address: &str, through_pooler| {
            let config: Config = address.parse().map_err(|source| Problem::Address { source })?;
            let connector = Connector::new(
                config,
                options.tls.clone(),
                options.time_limit,
                through_pooler,
                handle.clone(),
            );
            connector.map(Arc::new)
        };
        // Of a pool only the timers are used.
        let main = connector(options.address.as_deref().unwrap_or(""), options.through_pooler)?;
        match &options.pool {
            None => {
                let ignore: OnNotice = Arc::new(|| {});
                let mut session = main.connect(&ignore).await?;
                opening::open(session.client_mut(), &options.schema, options.migrate).await?;
            }
            Some(pool) => {
                let object = pool.get().await;
                let mut object = object.map_err(|error| Problem::NoneOfPool { words: error.to_string() })?;
                opening::open(&mut object, &options.schema, options.migrate).await?;
            }
        }
        let listens_to = match &options.listen_to {
            Some(address) => Some(connector(address, false)?),
            None if options.pool.is_none() && !options.through_pooler => Some(Arc::clone(&main)),
            None => None,
        };
        let drawn = Random::system().draw::<8>().map_err(|_| Problem::NoRandomness)?;
        let runner =
            Runner::new(main, options.pool.clone(), &options.schema, i64::from_le_bytes(*drawn) >> 1);
        let channel = format!("access_keys {}", options.schema);
        Ok(Self(Arc::new(Inner {
            runner: Arc::new(runner),
            listener: Listener::new(listens_to, &channel),
            schema: options.schema.clone(),
        })))
    }

    /// Tells others that something changed, when it is committed: a notice within a transaction would hold up the
    /// commits of all, and could make one fail.
    async fn tell(&self) {
        let inner = &self.0;
        inner.listener.ring();
        let (runner, channel) = (Arc::clone(&inner.runner), inner.listener.channel().to_owned());
        let handle = inner.runner.connector.handle.clone();
        let told = handle.spawn(async move { runner.write(Ask::Notify, &[&channel]).await.map(drop) });
        // Who revokes and exits must not take the notice along; nor may a server that hangs hold up who revoked.
        let late = SystemClock.boot().saturating_add(NOTICE);
        select(told, pin!(inner.runner.connector.until(late))).await;
    }
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        if !writing::put(&self.0.runner, key, None, event).await? {
            return Err(StoreError::AlreadyExists);
        }
        self.tell().await;
        Ok(())
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        reading::get(&self.0.runner, id).await
    }

    async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        reading::get_many(&self.0.runner, ids).await
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        if !writing::put(&self.0.runner, key, Some(expected), event).await? {
            return Err(StoreError::Conflict);
        }
        self.tell().await;
        Ok(())
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        key_list::list(&self.0.runner, project, query).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        event_list::history(&self.0.runner, project, query).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        writing::record_uses(&self.0.runner, uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        reading::last_uses(&self.0.runner, ids).await
    }

    async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
        scope_uses::record(&self.0.runner, uses).await
    }

    async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        scope_uses::of(&self.0.runner, ids).await.map(Some)
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        feed::changes(&self.0.runner, since).await
    }

    async fn changed(&self) {
        self.0.listener.wait().await;
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("schema", &self.0.schema).finish_non_exhaustive()
    }
}
