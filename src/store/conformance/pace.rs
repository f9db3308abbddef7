//! A writer and a reader side by side: the writer goes on when the reader has looked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Set when the writer is at its end, whatever that is.
    is_written: AtomicBool,
    /// The same of the reader.
    is_read: AtomicBool,
    reads: AtomicUsize,
}

/// Set when it is dropped: at the end of a call, whatever that is.
#[must_use]
pub(super) struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Pace {
    /// The writer has begun; it is at its end when this is dropped.
    pub(super) const fn writer(&self) -> End<'_> {
        End(&self.is_written)
    }

    /// The same of the reader.
    pub(super) const fn reader(&self) -> End<'_> {
        End(&self.is_read)
    }

    pub(super) fn is_written(&self) -> bool {
        self.is_written.load(Ordering::SeqCst)
    }

    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    pub(super) fn note_a_read(&self) {
        self.reads.fetch_add(1, Ordering::SeqCst);
    }

    /// Until the reader has looked `times` times more than `reads`, or looks no longer.
    pub(super) fn wait_for_reads(&self, times: usize, reads: usize) {
        while self.reads() < reads + times && !self.is_read.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}
