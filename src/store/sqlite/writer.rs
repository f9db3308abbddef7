//! The thread that writes.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, ffi};

use super::problem::{Problem, Result, backend, explain};
use super::reply;
use super::watch::Watch;
use crate::clock::{Clock, SystemClock};
use crate::store::StoreError;

const SETTLE: &str = "UPDATE settings SET settled = settled + 1 WHERE one = 1";

type Job = Box<dyn FnOnce(&mut Writer) + Send>;
type Stored<T> = std::result::Result<T, StoreError>;

/// What waits to be written. The thread ends when all of these are dropped.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    jobs: mpsc::Sender<Job>,
    time_limit: Duration,
}

pub(super) struct Writer {
    connection: Connection,
    watch: Arc<Watch>,
    time_limit: Duration,
}

impl Queue {
    pub(super) fn new(time_limit: Duration) -> (Self, mpsc::Receiver<Job>) {
        let (jobs, queue) = mpsc::channel();
        (Self { jobs, time_limit }, queue)
    }

    /// Has one transaction done, and waits for it. It is done also for a caller that no longer waits.
    ///
    /// `is_stored` is asked after a commit whose outcome is not clear.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Stored<T> + Send + 'static,
        is_stored: impl FnOnce(&Connection) -> Result<bool> + Send + 'static,
    ) -> Stored<T> {
        let end = SystemClock.boot().saturating_add(self.time_limit);
        let (sender, receiver) = reply::channel();
        let job: Job = Box::new(move |writer| sender.send(writer.write(end, change, is_stored)));
        self.jobs.send(job).map_err(|_| StoreError::backend(Problem::NoWriter))?;
        let gone = || Err(StoreError::outcome_unknown(Problem::NoWriter));
        receiver.receive().await.unwrap_or_else(gone)
    }
}

impl Writer {
    pub(super) const fn new(connection: Connection, watch: Arc<Watch>, time_limit: Duration) -> Self {
        Self { connection, watch, time_limit }
    }

    pub(super) fn run(mut self, queue: &mpsc::Receiver<Job>) {
        for job in queue {
            job(&mut self);
        }
    }

    fn write<T>(
        &mut self,
        end: Duration,
        change: impl FnOnce(&Connection) -> Stored<T>,
        is_stored: impl FnOnce(&Connection) -> Result<bool>,
    ) -> Stored<T> {
        let left = end.saturating_sub(SystemClock.boot());
        if left.is_zero() {
            return Err(StoreError::backend(Problem::Busy { waited: self.time_limit, source: None }));
        }
        self.begin(left).map_err(|error| backend(error, self.time_limit))?;
        let changed = match change(&self.connection) {
            Ok(changed) => changed,
            Err(error) => {
                self.roll_back();
                return Err(error);
            }
        };
        if let Err(failed) = self.connection.execute_batch("COMMIT") {
            self.settle(failed, is_stored)?;
        }
        self.watch.ring();
        Ok(changed)
    }

    fn begin(&mut self, time_limit: Duration) -> Result<()> {
        self.connection.busy_timeout(time_limit)?;
        // Left behind only where rolling back failed.
        self.roll_back();
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// What it cannot undo now, the next one does.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    /// Finds out whether a commit that failed is stored.
    fn settle(
        &mut self,
        failed: rusqlite::Error,
        is_stored: impl FnOnce(&Connection) -> Result<bool>,
    ) -> Stored<()> {
        self.roll_back();
        let found =
            if is_cut_short(&failed) { is_stored(&self.connection) } else { self.write_over(is_stored) };
        let failed = explain(failed.into(), self.time_limit);
        match found {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::backend(failed)),
            Err(_) => Err(StoreError::outcome_unknown(failed)),
        }
    }

    /// Whether a commit is stored, after making sure that one that is not will never be.
    ///
    /// It may lie complete in the log, of which only the end could not be made sure, and would count when the log is
    /// next read from the disk. Another commit takes its place there.
    fn write_over(&mut self, is_stored: impl FnOnce(&Connection) -> Result<bool>) -> Result<bool> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored = is_stored(&transaction)?;
        transaction.execute(SETTLE, [])?;
        transaction.commit()?;
        Ok(stored)
    }
}

/// Whether a commit failed before its end was written: the log is written from first to last, and what makes it
/// count is the last.
fn is_cut_short(failed: &rusqlite::Error) -> bool {
    failed.sqlite_error().is_some_and(|error| {
        [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_BUSY].contains(&error.extended_code)
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{SqliteOptions, opening};
    use super::*;
    use crate::store::BoxError;

    /// A file that goes with the test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("access-keys-{name}-{}", std::process::id()));
            drop(std::fs::create_dir_all(&folder));
            Self(folder)
        }

        fn writer(&self) -> Result<Writer> {
            let path = self.0.join("keys.db");
            let time_limit = Duration::from_secs(5);
            let watch = Arc::new(Watch::new(path.clone(), time_limit));
            Ok(Writer::new(opening::open(&SqliteOptions::new(&path))?, watch, time_limit))
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    const ORPHAN: &str = "INSERT INTO events VALUES \
        (1, '0000000000000001', 'checkout', '0000000000000002', 0, 'user:ada', 'created', 1, '[]', 'none', 'none', \
         'none')";

    /// A change that fails only when it is committed: its event is of no key.
    fn fail_late(writer: &mut Writer, is_stored: impl FnOnce(&Connection) -> Result<bool>) -> Stored<()> {
        let change = |connection: &Connection| {
            connection.execute_batch(ORPHAN).map_err(|error| StoreError::backend(BoxError::from(error)))
        };
        writer.write(SystemClock.boot() + Duration::from_secs(5), change, is_stored)
    }

    fn number(writer: &Writer, sql: &str) -> Result<i64> {
        Ok(writer.connection.query_row(sql, [], |row| row.get(0))?)
    }

    #[test]
    fn a_commit_that_fails_is_looked_for_and_written_over() -> Result<()> {
        let file = File::new("settled");
        let mut writer = file.writer()?;
        let events = |connection: &Connection| {
            Ok(connection.query_row("SELECT count(*) > 0 FROM events", [], |row| row.get(0))?)
        };
        let failed = fail_late(&mut writer, events);
        assert!(matches!(failed, Err(StoreError::Backend { .. })), "{failed:?}");
        assert_eq!(number(&writer, "SELECT settled FROM settings")?, 1);
        assert_eq!(number(&writer, "SELECT count(*) FROM events")?, 0);
        let found = fail_late(&mut writer, |_| Ok(true));
        assert!(found.is_ok(), "{found:?}");
        let unclear = fail_late(&mut writer, |_| Err("the disk is gone".into()));
        assert!(matches!(unclear, Err(StoreError::OutcomeUnknown { .. })), "{unclear:?}");
        assert_eq!(number(&writer, "SELECT settled FROM settings")?, 2);
        // Nothing of all that is in the way of the next change.
        let done = writer.write(SystemClock.boot() + Duration::from_secs(5), |_| Ok(7), |_| Ok(false));
        assert!(matches!(done, Ok(7)), "{done:?}");
        Ok(())
    }

    #[test]
    fn a_commit_whose_end_was_never_written_is_not_stored() {
        let failure = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_BUSY] {
            assert!(is_cut_short(&failure(code)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR, ffi::SQLITE_CONSTRAINT] {
            assert!(!is_cut_short(&failure(code)), "{code}");
        }
    }
}
