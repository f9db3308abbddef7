//! What goes on beside the requests: knowing of changes sooner, writing uses, ending what is no longer good.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use super::race::either;
use super::verifier::{Inner, Verifier};
use super::{Denial, Grant};
use crate::store::KeyStore;

/// How often [`Verifier::follow`] writes uses.
const WRITE_USES_EVERY: Duration = Duration::from_secs(10);
/// How often [`Verifier::ended`] looks, when no hint wakes it sooner.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The least between two looks, however often the store says that something changed.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest between two tries to refresh that failed.
const TRY_AGAIN_IN: Duration = Duration::from_millis(250);

impl Verifier {
    /// Waits until `grant` no longer holds, and says why: the end of a stream.
    ///
    /// Rechecks the grant when the lease on which it rests ends, once a second at least, and at once when the
    /// store tells of a change or this verifier has learned of one. A store that cannot be asked ends it too once the lease is over, as
    /// [`Denial::Unavailable`]. A narrower scope does not: for that, [`recheck`](Self::recheck) from time to time
    /// and require the agent of the new grant, or let `http::Watch` do it (feature `tower`). `sleep` is the host's
    /// timer, for example `tokio::time::sleep`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ended<S, F>(&self, grant: &Grant, sleep: S) -> Denial
    where
        S: Fn(Duration) -> F + Send,
        F: Future + Send,
    {
        self.ended_unless(grant, sleep, |_| Ok(())).await
    }

    /// The same, also when the grant of that moment does not pass.
    pub(crate) async fn ended_unless<S, F>(
        &self,
        grant: &Grant,
        sleep: S,
        passes: impl Fn(&Grant) -> Result<(), Denial> + Send,
    ) -> Denial
    where
        S: Fn(Duration) -> F + Send,
        F: Future + Send,
    {
        let mut hinted = false;
        loop {
            let (mut change, mut learned) =
                (pin!(self.setup().store.changed()), pin!(self.inner.learned.wait()));
            // Listens before it looks, so that no change in between goes unheard.
            let heard = poll_fn(|context| {
                let _ = learned.as_mut().poll(context);
                Poll::Ready(change.as_mut().poll(context).is_ready())
            })
            .await;
            if hinted || heard {
                // Whether it was this key the store can say; a store that cannot is asked at the deadline.
                let _ = self.inner.refresh_anew().await;
            }
            let now = self.recheck(grant).await.and_then(|now| passes(&now).map(|()| now));
            match now {
                Err(denial) => return denial,
                // A store that tells of changes without a pause is not asked without one.
                Ok(_) if heard => drop(sleep(PAUSE).await),
                Ok(now) => {
                    let left = now.good_until().remaining(&*self.setup().clock);
                    // At limit zero nothing is good for any time: then the pace is the usual one.
                    let left = if left.is_zero() { LOOK_EVERY } else { left.min(LOOK_EVERY) };
                    hinted = either(change, either(learned, sleep(left))).await;
                }
            }
        }
    }

    /// Keeps this verifier informed, for as long as any other handle of it is there: asks the store what has
    /// changed as soon as it says that something has, and ahead of every deadline, so that no request waits for
    /// it; and writes the uses of keys every 10 seconds.
    ///
    /// To be spawned once: `sleep` is the host's timer, the library has no runtime of its own. It makes things
    /// sooner, never truer: without it, or with a store whose hints are lost, a change holds everywhere by the
    /// time that was announced. What cannot be written is kept and tried again. It ends within 10 seconds of the
    /// last other handle, without writing: [`flush_uses`](crate::AccessKeys::flush_uses) is the host's last call.
    ///
    /// ```no_run
    /// # async fn sleep(_: std::time::Duration) {}
    /// # fn spawn(_: impl std::future::Future<Output = ()> + Send + 'static) {}
    /// # fn start(keys: access_keys::AccessKeys<access_keys::store::MemoryStore>) {
    /// spawn(keys.verifier().follow(sleep)); // tokio::spawn(keys.verifier().follow(tokio::time::sleep))
    /// # }
    /// ```
    pub fn follow<S, F>(self, sleep: S) -> impl Future<Output = ()> + Send + 'static
    where
        S: Fn(Duration) -> F + Send + 'static,
        F: Future + Send + 'static,
    {
        let inner = Arc::downgrade(&self.inner);
        let store = Arc::clone(&self.setup().store);
        drop(self);
        async move {
            // The two share the host's timer, which need not be `Sync`.
            let sleep = Mutex::new(sleep);
            let sleep = |time| sleep.lock().unwrap_or_else(PoisonError::into_inner)(time);
            // Side by side: a table of uses that someone holds locked must not keep it from hearing of a change.
            either(Self::keep_written(&inner, &sleep), Self::keep_informed(&inner, &*store, &sleep)).await;
        }
    }

    /// Ends when no other handle is there and something happens.
    async fn keep_informed<F: Future>(
        inner: &Weak<Inner>,
        store: &dyn KeyStore,
        sleep: &impl Fn(Duration) -> F,
    ) {
        let mut hinted = false;
        loop {
            let mut change = pin!(store.changed());
            let heard = poll_fn(|context| Poll::Ready(change.as_mut().poll(context).is_ready())).await;
            let Some(verifier) = Self::upgrade(inner) else { return };
            let refresh = if hinted || heard {
                verifier.inner.refresh_anew().await
            } else {
                verifier.inner.refresh().await
            };
            let wait = verifier.wait_for(refresh.is_ok());
            drop(verifier);
            if heard {
                // A store that tells of changes without a pause is not asked without one.
                sleep(PAUSE).await;
                hinted = false;
            } else {
                hinted = either(change, sleep(wait.max(PAUSE))).await;
            }
        }
    }

    /// Ends when no other handle is there, 10 seconds later at most.
    async fn keep_written<F: Future>(inner: &Weak<Inner>, sleep: &impl Fn(Duration) -> F) {
        let mut write_at = Duration::ZERO;
        while let Some(verifier) = Self::upgrade(inner) {
            let boot = verifier.setup().clock.boot();
            if boot >= write_at {
                // What could not be written is kept and tried again.
                let _ = verifier.flush_uses().await;
                write_at = boot.saturating_add(WRITE_USES_EVERY);
            }
            drop(verifier);
            // The timer and the clock need not agree on when that is.
            sleep(write_at.saturating_sub(boot).max(PAUSE)).await;
        }
    }

    /// How long until the store should be asked again.
    fn wait_for(&self, refreshed: bool) -> Duration {
        let now = self.inner.now();
        let ahead = self.inner.lock().core.refresh_in(now).unwrap_or(WRITE_USES_EVERY);
        if refreshed { ahead } else { ahead.clamp(PAUSE, TRY_AGAIN_IN) }
    }

    fn upgrade(inner: &Weak<Inner>) -> Option<Self> {
        inner.upgrade().map(|inner| Self { inner })
    }
}
