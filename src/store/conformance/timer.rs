//! Time limits without a runtime: one thread that sleeps.

use std::pin::{Pin, pin};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// Ends after a time. Dropping it ends its thread.
#[derive(Debug)]
pub(super) struct Timer {
    bell: Arc<Mutex<Bell>>,
    _dropped: Sender<()>,
}

#[derive(Debug, Default)]
struct Bell {
    rang: bool,
    waker: Option<Waker>,
}

impl Timer {
    pub(super) fn new(after: Duration) -> Self {
        let (dropped, watch) = channel();
        let bell = Arc::<Mutex<Bell>>::default();
        let ringing = Arc::clone(&bell);
        // Where no thread can be made, nothing is limited: the rules can still be asked.
        let _thread = thread::Builder::new().name("conformance timer".into()).spawn(move || {
            if let Err(RecvTimeoutError::Timeout) = watch.recv_timeout(after) {
                let waker = {
                    let mut bell = ringing.lock().unwrap_or_else(PoisonError::into_inner);
                    bell.rang = true;
                    bell.waker.take()
                };
                waker.into_iter().for_each(Waker::wake);
            }
        });
        Self { bell, _dropped: dropped }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        if bell.rang {
            return Poll::Ready(());
        }
        bell.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// What `future` gives, unless it takes longer than `limit`.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timer = pin!(Timer::new(limit));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}
