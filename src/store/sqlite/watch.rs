//! Noticing changes by other processes.
//!
//! Changes by this process ring a bell. For those of others a thread asks SQLite for its `data_version`, which moves
//! with each commit of another connection: every 50 ms, and only while someone waits or has just waited.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::connection::connect_to_read;
use super::feed;
use super::problem::Result;
use crate::store::Wakeup;
use crate::store::sql::Head;

const PERIOD: Duration = Duration::from_millis(50);
/// So often in vain, and the thread ends.
const IDLE_ROUNDS: u32 = 40;

pub(super) struct Watch {
    path: PathBuf,
    time_limit: Duration,
    wakeup: Wakeup,
    state: Mutex<State>,
    stop: Condvar,
}

#[derive(Default)]
struct State {
    waiting: usize,
    watching: bool,
    closed: bool,
    /// Where the feed stood when it was last told to anyone here.
    told: Option<Head>,
}

impl Watch {
    pub(super) fn new(path: PathBuf, time_limit: Duration) -> Self {
        Self { path, time_limit, wakeup: Wakeup::default(), state: Mutex::default(), stop: Condvar::new() }
    }

    pub(super) fn ring(&self) {
        self.wakeup.ring();
    }

    pub(super) fn tell(&self, head: Head) {
        let mut state = self.state();
        // Comparing is cheaper than keeping a copy for each answer.
        if state.told.as_ref() != Some(&head) {
            state.told = Some(head);
        }
    }

    pub(super) async fn wait(self: &Arc<Self>) {
        let _waiting = Waiting::begin(self);
        self.wakeup.wait().await;
    }

    /// No handle is left.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.stop.notify_all();
    }

    fn watch(&self) {
        let mut view = None;
        let mut idle = 0;
        loop {
            // A file that cannot be read now is looked at again in the next round.
            if self.look(&mut view).unwrap_or(false) {
                self.ring();
            }
            let state = self.state();
            let (mut state, _) =
                self.stop.wait_timeout(state, PERIOD).unwrap_or_else(PoisonError::into_inner);
            idle = if state.waiting == 0 { idle + 1 } else { 0 };
            if state.closed || idle > IDLE_ROUNDS {
                state.watching = false;
                return;
            }
        }
    }

    /// Whether something changed since the last look; at the first, since anyone here was told of the feed.
    fn look(&self, view: &mut Option<View>) -> Result<bool> {
        let view = match view {
            Some(view) => view,
            none => none.insert(View::open(self)?),
        };
        let version = view.version()?;
        if view.seen == Some(version) {
            return Ok(false);
        }
        let head = feed::head(&view.connection)?;
        let before = view.head.replace(head.clone()).or_else(|| self.state().told.clone());
        view.seen = Some(version);
        // Uses move the version and not the feed.
        Ok(before.as_ref() != Some(&head))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What the thread saw.
struct View {
    connection: Connection,
    seen: Option<i64>,
    head: Option<Head>,
}

impl View {
    fn open(watch: &Watch) -> Result<Self> {
        let connection = connect_to_read(&watch.path, watch.time_limit)?;
        Ok(Self { connection, seen: None, head: None })
    }

    fn version(&self) -> Result<i64> {
        Ok(self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }
}

struct Waiting<'w>(&'w Watch);

impl<'w> Waiting<'w> {
    fn begin(watch: &'w Arc<Watch>) -> Self {
        let mut state = watch.state();
        state.waiting += 1;
        if !state.watching && !state.closed {
            let watched = Arc::clone(watch);
            let thread = thread::Builder::new().name("access-keys-watch".to_owned());
            // Without it, changes by other processes are learnt of when the feed is next asked.
            state.watching = thread.spawn(move || watched.watch()).is_ok();
        }
        Self(watch)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
    }
}
