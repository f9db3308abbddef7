//! Calls at the same time: each on a thread of its own, under any executor.

use std::pin::{Pin, pin};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::ruling::{Ruling, Stop};

/// Runs all futures at once and gives what came of them, in their order.
///
/// A store that needs a runtime of tokio finds the caller's on every thread.
pub(super) async fn at_once<F>(futures: Vec<F>) -> Ruling<Vec<F::Output>>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let start = Arc::new(Barrier::new(futures.len()));
    let runtime = tokio::runtime::Handle::try_current().ok();
    let mut runs = Vec::new();
    for future in futures {
        let (start, runtime) = (Arc::clone(&start), runtime.clone());
        let slot = Arc::new(Slot(Mutex::new(State::Running(None))));
        let result = Ended(Arc::clone(&slot));
        let thread = thread::Builder::new().name("conformance".into()).spawn(move || {
            let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
            start.wait();
            result.end(State::Done(block_on(future)));
        });
        thread.map_err(|error| Stop::not_asked(format!("no thread could be made: {error}")))?;
        runs.push(slot);
    }
    let mut outputs = Vec::new();
    for slot in runs {
        let output = Run(slot).await;
        outputs.push(output.ok_or_else(|| {
            Stop::broken("many calls at the same time", "every call ends without a panic", "a call panicked")
        })?);
    }
    Ok(outputs)
}

#[derive(Debug)]
struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    Running(Option<Waker>),
    Done(T),
    Panicked,
}

impl<T> Slot<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a thread is at its end, also when that is a panic.
struct Ended<T>(Arc<Slot<T>>);

impl<T> Ended<T> {
    fn end(&self, state: State<T>) {
        if let State::Running(Some(waker)) = std::mem::replace(&mut *self.0.state(), state) {
            waker.wake();
        }
    }
}

impl<T> Drop for Ended<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.end(State::Panicked);
        }
    }
}

/// Waits for a thread; `None` when it panicked.
struct Run<T>(Arc<Slot<T>>);

impl<T> Future for Run<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.state();
        match std::mem::replace(&mut *state, State::Panicked) {
            State::Running(_) => {
                *state = State::Running(Some(context.waker().clone()));
                Poll::Pending
            }
            State::Done(output) => Poll::Ready(Some(output)),
            State::Panicked => Poll::Ready(None),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}
