//! Time for those who wait for an answer.
//!
//! A timer of its own for each call would cost as much as a third of the call: the runtime has to be woken to learn of
//! it. One task beats for all of them, and only while there are any.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::store::Wakeup;

const PERIOD: Duration = Duration::from_millis(50);
/// So often for nobody, and the task ends.
const IDLE_BEATS: u32 = 40;

pub(super) struct Pulse {
    handle: Handle,
    wakeup: Wakeup,
    waiting: AtomicUsize,
    beating: AtomicBool,
}

impl Pulse {
    pub(super) fn new(handle: Handle) -> Arc<Self> {
        Arc::new(Self {
            handle,
            wakeup: Wakeup::default(),
            waiting: AtomicUsize::new(0),
            beating: AtomicBool::new(false),
        })
    }

    /// Returns after 50 milliseconds at most.
    pub(super) async fn beat(self: &Arc<Self>) {
        let _waiting = Waiting::begin(self);
        self.wakeup.wait().await;
    }
}

async fn beats(pulse: Weak<Pulse>) {
    let mut idle = 0;
    loop {
        tokio::time::sleep(PERIOD).await;
        let Some(pulse) = pulse.upgrade() else { return };
        pulse.wakeup.ring();
        idle = if pulse.waiting.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle > IDLE_BEATS {
            pulse.beating.store(false, Ordering::SeqCst);
            // Whoever came meanwhile saw it beating.
            if pulse.waiting.load(Ordering::SeqCst) == 0 || pulse.beating.swap(true, Ordering::SeqCst) {
                return;
            }
            idle = 0;
        }
    }
}

struct Waiting<'p>(&'p Pulse);

impl<'p> Waiting<'p> {
    fn begin(pulse: &'p Arc<Pulse>) -> Self {
        pulse.waiting.fetch_add(1, Ordering::SeqCst);
        if !pulse.beating.load(Ordering::SeqCst) && !pulse.beating.swap(true, Ordering::SeqCst) {
            pulse.handle.spawn(beats(Arc::downgrade(pulse)));
        }
        Self(pulse)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
