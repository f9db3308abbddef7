//! One who asks, and others who wait for the same answer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use crate::store::Wakeup;

/// An answer that is under way.
#[derive(Debug)]
pub(super) struct Flight<T> {
    /// `None` when the one who asked gave up.
    outcome: OnceLock<Option<T>>,
    landed: Wakeup,
}

impl<T: Clone> Flight<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { outcome: OnceLock::new(), landed: Wakeup::default() })
    }

    /// Gives the answer to all who wait. Only the first one counts.
    pub(super) fn land(&self, outcome: Option<T>) {
        if self.outcome.set(outcome).is_ok() {
            self.landed.ring();
        }
    }

    /// Waits for the answer.
    pub(super) async fn wait(&self) -> Option<T> {
        let mut landed = pin!(self.landed.wait());
        poll_fn(|context| {
            // Listens before it looks; once it has rung, the answer is there.
            let listening = landed.as_mut().poll(context);
            self.outcome.get().cloned().map_or(listening.map(|()| None), Poll::Ready)
        })
        .await
    }
}
