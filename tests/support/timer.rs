//! The host's timer.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

/// The host's timer, in the hand of the test: what was asked for, and whether it has rung.
#[derive(Clone, Default)]
pub(crate) struct Timer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    asked: Vec<Duration>,
    /// How many of them are over.
    rung: usize,
    waiting: Vec<Waker>,
}

impl Timer {
    pub(crate) fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let timer = self.clone();
        let number = {
            let mut state = timer.0.lock().unwrap();
            state.asked.push(duration);
            state.asked.len()
        };
        poll_fn(move |context| {
            let mut state = timer.0.lock().unwrap();
            if state.rung >= number {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
    }

    /// Ends every sleep that was asked for.
    pub(crate) fn ring(&self) {
        let waiting = {
            let mut state = self.0.lock().unwrap();
            state.rung = state.asked.len();
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn asked(&self) -> Vec<Duration> {
        self.0.lock().unwrap().asked.clone()
    }

    /// What was asked for last.
    #[track_caller]
    pub(crate) fn last(&self) -> Duration {
        *self.0.lock().unwrap().asked.last().expect("a sleep was asked for")
    }
}
