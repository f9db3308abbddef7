//! How a file is opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::SqliteStore;
use crate::clock::{Clock, SystemClock};
use crate::store::{Migrate, StoreError};

const TIME_LIMIT: Duration = Duration::from_secs(5);
const TIME_LIMIT_MIN: Duration = Duration::from_millis(1);
const TIME_LIMIT_MAX: Duration = Duration::from_secs(86_400);

/// How a [`SqliteStore`] is opened.
///
/// ```
/// use std::time::Duration;
/// use access_keys::store::{Migrate, SqliteStore};
///
/// # pollster::block_on(async {
/// # let folder = std::env::temp_dir().join(format!("access-keys-options-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("keys.db");
/// let behind = SqliteStore::options(&path).migrate(Migrate::Check).open().await;
/// assert!(behind.is_err()); // there is no such file, and a check makes none
/// let store = SqliteStore::options(&path).time_limit(Duration::from_secs(2)).open().await?;
/// # drop(store);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "nothing is opened yet"]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) migrate: Migrate,
    pub(super) time_limit: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl SqliteOptions {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            migrate: Migrate::default(),
            time_limit: TIME_LIMIT,
            clock: Arc::new(SystemClock),
        }
    }

    /// What becomes of a database that lacks migrations: they are applied, unless set.
    pub const fn migrate(mut self, migrate: Migrate) -> Self {
        self.migrate = migrate;
        self
    }

    /// How long a call waits for a file that others keep busy: 5 seconds unless set, a millisecond to a
    /// day.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(TIME_LIMIT_MIN, TIME_LIMIT_MAX);
        self
    }

    /// The clock of the store: that of the machine unless set. For tests; all processes on one file need the same
    /// time.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the file.
    ///
    /// # Errors
    /// As for [`SqliteStore::open`].
    ///
    /// # Cancel safety
    /// Migrations are applied whole or not at all.
    pub async fn open(self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(self).await
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("migrate", &self.migrate)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
