//! Several futures at once, without a runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How many futures may end in one poll before others have a turn.
const TURN: usize = 1_000;

/// What comes of each of `futures`, in their order. At most `width` of them wait at a time: the next one begins when
/// one has ended.
///
/// One that ends at its first poll costs no allocation, and one that is woken is polled alone.
pub(crate) async fn together<F: Future + Unpin>(
    futures: impl IntoIterator<Item = F>,
    width: usize,
) -> Vec<F::Output> {
    let futures = futures.into_iter();
    let mut outputs: Vec<Option<F::Output>> = Vec::with_capacity(futures.size_hint().0);
    let mut futures = futures.enumerate();
    let mut waiting: Vec<Waiting<F>> = Vec::new();
    let parent = Parent::default();
    // What the last one that ended at once did not need. Should it wake it nevertheless, another is polled in vain.
    let mut spare: Option<Arc<Woken>> = None;
    poll_fn(|context| {
        // Before any of them is polled, so that no wake-up is lost.
        *parent.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        waiting.retain_mut(|waiting| match waiting.poll() {
            Poll::Ready(output) => {
                put(&mut outputs, waiting.place, output);
                false
            }
            Poll::Pending => true,
        });
        for _ in 0..TURN {
            if waiting.len() >= width {
                return Poll::Pending;
            }
            let Some((place, future)) = futures.next() else {
                return if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending };
            };
            let woken = spare.take().unwrap_or_else(|| Woken::new(&parent));
            let mut begun = Waiting { place, future, woken };
            match begun.poll() {
                Poll::Ready(output) => {
                    put(&mut outputs, place, output);
                    begun.woken.is_so.store(true, Ordering::Release);
                    spare = Some(begun.woken);
                }
                Poll::Pending => waiting.push(begun),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    let mut all = Vec::with_capacity(outputs.len());
    all.extend(outputs.into_iter().flatten());
    all
}

fn put<T>(outputs: &mut Vec<Option<T>>, place: usize, output: T) {
    if outputs.len() <= place {
        outputs.resize_with(place + 1, || None);
    }
    if let Some(free) = outputs.get_mut(place) {
        *free = Some(output);
    }
}

type Parent = Arc<Mutex<Option<Waker>>>;

/// A future that has begun.
struct Waiting<F> {
    place: usize,
    future: F,
    woken: Arc<Woken>,
}

impl<F: Future + Unpin> Waiting<F> {
    /// Polls it if it was woken since it was last polled.
    fn poll(&mut self) -> Poll<F::Output> {
        if !self.woken.is_so.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }
}

/// Which of the futures was woken.
struct Woken {
    is_so: AtomicBool,
    parent: Parent,
}

impl Woken {
    /// Woken from the start, so that it is polled for the first time.
    fn new(parent: &Parent) -> Arc<Self> {
        Arc::new(Self { is_so: AtomicBool::new(true), parent: Arc::clone(parent) })
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is_so.store(true, Ordering::Release);
        let parent = self.parent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Outside the lock: a waker may run whatever it likes.
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}
