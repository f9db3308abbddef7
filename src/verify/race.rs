//! Waiting for the first of two futures.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Ends when either does, and says whether the first did.
pub(super) async fn either(a: impl Future, b: impl Future) -> bool {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| {
        if a.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        b.as_mut().poll(context).map(|_| false)
    })
    .await
}
