//! How a database is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use rustls::ClientConfig;

use super::PostgresStore;
use crate::store::{Migrate, StoreError};

const TIME_LIMIT: Duration = Duration::from_secs(5);
const TIME_LIMIT_MIN: Duration = Duration::from_millis(10);
const TIME_LIMIT_MAX: Duration = Duration::from_secs(86_400);
pub(super) const SCHEMA: &str = "access_keys";

/// How a [`PostgresStore`] is opened.
///
/// ```no_run
/// use std::time::Duration;
/// use access_keys::store::{Migrate, PostgresStore};
///
/// # async fn open() -> Result<(), access_keys::store::StoreError> {
/// let store = PostgresStore::options("postgres://gateway@db.internal/gateway")
///     .schema("gateway_keys")
///     .migrate(Migrate::Check) // a role of a node need not be able to make tables
///     .time_limit(Duration::from_secs(2))
///     .open()
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is opened yet"]
pub struct PostgresOptions {
    pub(super) address: Option<String>,
    pub(super) pool: Option<Pool>,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) schema: String,
    pub(super) migrate: Migrate,
    pub(super) time_limit: Duration,
    pub(super) through_pooler: bool,
    pub(super) listen_to: Option<String>,
}

impl PostgresOptions {
    pub(super) fn new(address: Option<&str>, pool: Option<Pool>) -> Self {
        Self {
            address: address.map(str::to_owned),
            pool,
            tls: None,
            schema: SCHEMA.to_owned(),
            migrate: Migrate::default(),
            time_limit: TIME_LIMIT,
            through_pooler: false,
            listen_to: None,
        }
    }

    /// The schema that holds the tables: `access_keys` unless set. 1 to 48 of `a-z`, `0-9` and `_`, beginning with
    /// no digit and not with `pg_`. It is made if it is not there.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// What becomes of a schema that lacks migrations: they are applied, unless set.
    pub const fn migrate(mut self, migrate: Migrate) -> Self {
        self.migrate = migrate;
        self
    }

    /// How long a call may take, and how long one waits for others that write: 5 seconds unless set, 10 milliseconds
    /// to a day. A read that is not answered after half a second is sent again on a new connection meanwhile.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(TIME_LIMIT_MIN, TIME_LIMIT_MAX);
        self
    }

    /// Encrypts the store's own connections, with the certificates and the cryptography of the host's choice. Needed
    /// for an address with `sslmode=require`; with the default, `prefer`, a server without TLS is spoken to in clear.
    pub fn tls(mut self, config: impl Into<Arc<ClientConfig>>) -> Self {
        self.tls = Some(config.into());
        self
    }

    /// Whether a pooler that lends its connections for one transaction at a time is in between. Statements then have
    /// no names and settings are left as they are: each costs a plan more, and the server ends nothing by itself that
    /// takes too long. Changes by others cannot be heard of through it: [`listen`](Self::listen) past it, or they are
    /// learnt of when the lease is renewed.
    pub const fn through_pooler(mut self, through_pooler: bool) -> Self {
        self.through_pooler = through_pooler;
        self
    }

    /// Hears of changes by a connection to this address: for a store that was given a pool, or whose statements go
    /// through a pooler.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen_to = Some(address.into());
        self
    }

    /// Opens the database.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect`].
    ///
    /// # Cancel safety
    /// Migrations are applied whole or not at all.
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        PostgresStore::open_with(self).await
    }
}

/// An address may hold a password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("migrate", &self.migrate)
            .field("time_limit", &self.time_limit)
            .field("through_pooler", &self.through_pooler)
            .finish_non_exhaustive()
    }
}
