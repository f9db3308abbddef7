//! The answer of another thread.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Where one answer is awaited.
pub(super) struct Receiver<T>(Arc<Slot<T>>);

/// From where it is sent. Dropped without sending, it tells that none will come.
pub(super) struct Sender<T>(Arc<Slot<T>>);

struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    Awaited(Option<Waker>),
    Sent(T),
    Over,
}

pub(super) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Slot(Mutex::new(State::Awaited(None))));
    (Sender(Arc::clone(&slot)), Receiver(slot))
}

impl<T> Sender<T> {
    pub(super) fn send(self, answer: T) {
        self.0.put(State::Sent(answer));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.put(State::Over);
    }
}

impl<T> Receiver<T> {
    /// The answer; `None` when none will come.
    pub(super) async fn receive(self) -> Option<T> {
        poll_fn(|context| {
            let waker = context.waker().clone();
            // Dropped after the lock is let go: a waker may own whatever it likes.
            let (poll, _replaced) = {
                let mut state = self.0.state();
                match std::mem::replace(&mut *state, State::Over) {
                    State::Awaited(earlier) => {
                        *state = State::Awaited(Some(waker));
                        (Poll::Pending, earlier)
                    }
                    State::Sent(answer) => (Poll::Ready(Some(answer)), None),
                    State::Over => (Poll::Ready(None), None),
                }
            };
            poll
        })
        .await
    }
}

impl<T> Slot<T> {
    /// Only the first counts.
    fn put(&self, next: State<T>) {
        let before = {
            let mut state = self.state();
            match &*state {
                State::Awaited(_) => std::mem::replace(&mut *state, next),
                State::Sent(_) | State::Over => return,
            }
        };
        // Outside the lock: a waker may run whatever it likes.
        if let State::Awaited(Some(waker)) = before {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
