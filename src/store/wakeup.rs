//! Waking those who wait for a change.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A bell that wakes everyone who waits for it at that moment.
#[derive(Debug, Default)]
pub(crate) struct Wakeup(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rung: u64,
    tickets: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Wakeup {
    /// Wakes all who wait.
    pub(crate) fn ring(&self) {
        let waiting = {
            let mut state = self.state();
            state.rung = state.rung.wrapping_add(1);
            std::mem::take(&mut state.waiting)
        };
        // Outside the lock: a waker may run whatever it likes.
        waiting.into_values().for_each(Waker::wake);
    }

    /// Waits until it is rung after the first poll.
    pub(crate) async fn wait(&self) {
        let ticket = Ticket::take(self);
        poll_fn(|context| {
            let waker = context.waker().clone();
            // Dropped after the lock is let go: a waker may own whatever it likes, another waiter included.
            let _replaced = {
                let mut state = self.state();
                if state.rung != ticket.rung {
                    return Poll::Ready(());
                }
                state.waiting.insert(ticket.number, waker)
            };
            Poll::Pending
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait, given up when the future is dropped, so that waiting again and again
/// without a change fills no memory.
struct Ticket<'a> {
    wakeup: &'a Wakeup,
    number: u64,
    rung: u64,
}

impl<'a> Ticket<'a> {
    fn take(wakeup: &'a Wakeup) -> Self {
        let mut state = wakeup.state();
        state.tickets = state.tickets.wrapping_add(1);
        Self { wakeup, number: state.tickets, rung: state.rung }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let removed = self.wakeup.state().waiting.remove(&self.number);
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::{Context, Wake};

    use super::*;

    #[test]
    fn waiters_wake_once_rung_and_leave_nothing_behind() {
        let wakeup = Wakeup::default();
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut waiter = pin!(wakeup.wait());
            assert!(waiter.as_mut().poll(&mut context).is_pending());
            assert_eq!(wakeup.state().waiting.len(), 1);
            wakeup.ring();
            assert!(waiter.as_mut().poll(&mut context).is_ready());
        }
        {
            let mut abandoned = pin!(wakeup.wait());
            assert!(abandoned.as_mut().poll(&mut context).is_pending());
        }
        assert!(wakeup.state().waiting.is_empty());
    }

    #[test]
    fn a_waker_that_owns_another_waiter_locks_nothing() {
        struct Owner(#[expect(dead_code, reason = "it only has to be dropped")] Waiting);
        type Waiting = Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>;

        impl Wake for Owner {
            fn wake(self: Arc<Self>) {}
        }

        let wakeup = Arc::new(Wakeup::default());
        let waiting = || {
            let wakeup = Arc::clone(&wakeup);
            Box::pin(async move { wakeup.wait().await })
        };
        let mut owned = waiting();
        assert!(owned.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let owner = Waker::from(Arc::new(Owner(Mutex::new(Some(owned)))));
        let mut outer = waiting();
        assert!(outer.as_mut().poll(&mut Context::from_waker(&owner)).is_pending());
        drop(owner);
        drop(outer);
        assert!(wakeup.state().waiting.is_empty());
    }
}
