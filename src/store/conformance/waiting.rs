//! Rules of waiting for a change.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::handle::{Handle, open};
use super::kept::start;
use super::ruling::{Ruling, Stop, same};
use super::samples::Samples;
use super::timer::within;
use super::{Fixture, Opens};
use crate::store::KeyStore;

/// How long a hint may take before it is not waited for.
const HINT: Duration = Duration::from_secs(2);

pub(super) async fn changed_wakes_who_waits<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let waiter = match fixture.opens() {
        Opens::SameData => open(fixture).await,
        Opens::OwnData => store.clone(),
    };
    let woken = woken(&store, &waiter, &samples).await?;
    // A hint: the contract allows that it is missing, and the report should show it.
    if woken {
        Ok(())
    } else {
        Err(Stop::not_asked(format!("`changed` was silent for {HINT:?} after a change")))
    }
}

async fn woken<S: KeyStore>(store: &Handle<S>, waiter: &Handle<S>, samples: &Samples) -> Ruling<bool> {
    let mut waits = pin!(waiter.store().changed());
    let made = samples.key()?;
    let mut write = pin!(store.put(&made));
    // Waiting begins before the change.
    let first = poll_fn(|context| Poll::Ready(waits.as_mut().poll(context).is_ready())).await;
    write.as_mut().await?;
    Ok(first || within(HINT, waits).await.is_some())
}

pub(super) async fn waiting_for_a_change_blocks_nothing<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut waiting = Vec::new();
    for _ in 0..64 {
        waiting.push(Box::pin(store.store().changed()));
    }
    for waits in &mut waiting {
        poll_fn(|context| {
            let _ = waits.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    // Half of them go away, as a node does that was stopped.
    waiting.truncate(32);
    let made = samples.key()?;
    store.put(&made).await?;
    let stored = store.get(made.id()).await?;
    same("`get` while 32 wait for a change, and 32 no longer do", &stored, &Some(made.key.clone()))?;
    drop(waiting);
    store.put(&samples.renamed(&made, "Another name")?).await
}
