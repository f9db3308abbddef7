//! Hearing of changes by others.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::connector::{Connector, OnNotice};
use crate::store::Wakeup;

/// Between two attempts to connect, at first and at most.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A connection of its own that listens, from the first wait until the store is dropped.
pub(super) struct Listener {
    /// `None` where there is nothing to listen to.
    connector: Option<Arc<Connector>>,
    channel: String,
    wakeup: Arc<Wakeup>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    pub(super) fn new(connector: Option<Arc<Connector>>, channel: &str) -> Self {
        Self { connector, channel: channel.to_owned(), wakeup: Arc::default(), task: Mutex::default() }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// Wakes who waits here.
    pub(super) fn ring(&self) {
        self.wakeup.ring();
    }

    pub(super) async fn wait(&self) {
        self.begin();
        self.wakeup.wait().await;
    }

    fn begin(&self) {
        let Some(connector) = &self.connector else { return };
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.is_none() {
            let listen = listen(Arc::clone(connector), self.channel.clone(), Arc::downgrade(&self.wakeup));
            *task = Some(connector.handle.spawn(listen));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

/// Listens, on one connection after the other. A loss costs milliseconds: nothing rests on a notice.
async fn listen(connector: Arc<Connector>, channel: String, wakeup: Weak<Wakeup>) {
    let heard = wakeup.clone();
    let ring: OnNotice = Arc::new(move || {
        if let Some(wakeup) = heard.upgrade() {
            wakeup.ring();
        }
    });
    let mut pause = PAUSE;
    while wakeup.strong_count() > 0 {
        if let Ok(mut session) = connector.connect(&ring).await {
            let listening = session.client().batch_execute(&format!("LISTEN \"{channel}\"")).await;
            if listening.is_ok() {
                pause = PAUSE;
                // What came before.
                ring();
                session.end().await;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
