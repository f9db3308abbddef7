//! What requests notice of refreshes and revocations.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use access_keys::AccessKeys;
use access_keys::store::MemoryStore;

use crate::Done;
use crate::figure::{at_most, median};
use crate::host::{Host, percentile, ready};

const ROUNDS: usize = 9;
const SAMPLES: usize = 300_000;
const TICK: Duration = Duration::from_millis(1);

/// Verifies one key while another thread follows the changes that a third party makes every millisecond, and
/// while it does not.
pub(crate) fn measure() -> Done {
    let store = Arc::new(MemoryStore::new());
    let node = |store| AccessKeys::builder(store).prefix("acme").build();
    let (host, other) = (Host::of(node(Arc::clone(&store))?)?, Host::of(node(store)?)?);
    let (issued, agents) = host.issue(8)?;
    let mut samples = vec![0; SAMPLES];
    let mut p999 = || {
        for sample in &mut samples {
            *sample = host.verify(1, issued.token.expose(), &agents[4]).as_nanos() as u64;
        }
        percentile(&mut samples, 0.999)
    };
    let (busy, over) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
    let verifier = host.keys.verifier();
    let ratios = std::thread::scope(|scope| {
        let is_busy = Arc::clone(&busy);
        let over = &over;
        scope.spawn(move || follow(verifier, other, is_busy, over));
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            busy.store(false, Ordering::Relaxed);
            let quiet = p999();
            busy.store(true, Ordering::Relaxed);
            ratios.push(p999() / quiet);
        }
        over.store(true, Ordering::Relaxed);
        ratios
    });
    let stats = host.keys.verifier().stats();
    println!("{} refreshes went on beside {} verifications", stats.refreshes, stats.accepted);
    at_most("refresh_stall", median(ratios), "x", 3.0);
    Ok(())
}

/// Follows, and in place of each sleep makes and revokes a key on another node, until it is over.
fn follow(
    verifier: access_keys::Verifier,
    other: Host<Arc<MemoryStore>>,
    busy: Arc<AtomicBool>,
    over: &AtomicBool,
) {
    let other = Arc::new(other);
    let mut following = pin!(verifier.follow(move |_| {
        let (other, busy) = (Arc::clone(&other), Arc::clone(&busy));
        async move {
            if busy.load(Ordering::Relaxed)
                && let Ok((issued, _)) = other.issue(1)
            {
                ready(other.project.revoke(issued.key.id, "leaked")).expect("it was just made");
            }
            yield_once().await;
        }
    }));
    while !over.load(Ordering::Relaxed) {
        let _ = following.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        std::thread::sleep(TICK);
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
