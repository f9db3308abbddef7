//! What a verifier counts.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a [`Verifier`](crate::Verifier) has counted since it was made, and what it holds now: plain numbers for
/// whatever the host keeps its metrics in.
///
/// Every verification and every recheck is counted once, by its answer. What is asked of a grant
/// ([`require_agent`](crate::Grant::require_agent)) is not.
///
/// ```
/// use access_keys::{AccessKeys, EnvironmentId, store::MemoryStore};
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let _ = keys.verify("no token at all", &EnvironmentId::new("production")?).await;
/// let stats = keys.verifier().stats();
/// assert_eq!((stats.accepted, stats.malformed), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Tokens and grants that were found good.
    pub accepted: u64,
    /// Refused as [`Denial::Malformed`](crate::Denial::Malformed).
    pub malformed: u64,
    /// Refused as [`Denial::Unrecognized`](crate::Denial::Unrecognized).
    pub unrecognized: u64,
    /// Refused as [`Denial::Inactive`](crate::Denial::Inactive).
    pub inactive: u64,
    /// Refused as [`Denial::Revoked`](crate::Denial::Revoked).
    pub revoked: u64,
    /// Refused as [`Denial::Expired`](crate::Denial::Expired).
    pub expired: u64,
    /// Refused as [`Denial::WrongEnvironment`](crate::Denial::WrongEnvironment).
    pub wrong_environment: u64,
    /// Answered with [`Denial::Unavailable`](crate::Denial::Unavailable).
    pub unavailable: u64,
    /// How many of all these were answered from the cache without a lock.
    pub hits: u64,
    /// Reads of a key that brought an answer.
    pub fills: u64,
    /// How many of them nobody could use, because the key changed meanwhile.
    pub fenced_fills: u64,
    /// Answers of the store to the question what has changed.
    pub refreshes: u64,
    /// Questions that failed.
    pub failed_refreshes: u64,
    /// How long ago the last answer was asked for; `None` before the first and over a store without a feed.
    pub age: Option<Duration>,
    /// Keys in the cache.
    pub keys: usize,
    /// The memory that the cache takes, in bytes, about.
    pub bytes: usize,
}

/// What is counted of each verification.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(super) enum Count {
    Accepted,
    Malformed,
    Unrecognized,
    Inactive,
    Revoked,
    Expired,
    WrongEnvironment,
    Unavailable,
    /// Answers that the cache could not give.
    Asked,
    Fills,
    FencedFills,
    Refreshes,
    FailedRefreshes,
}

const COUNTS: usize = Count::FailedRefreshes as usize + 1;

/// The counts of one thread, which it alone writes.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Block([AtomicU64; COUNTS]);

impl Block {
    fn add(&self, count: Count) {
        if let Some(count) = self.0.get(count as usize) {
            // Not an addition in one step: no other thread writes it.
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }
}

thread_local! {
    /// The blocks of this thread by the number of their verifier, the last one used first.
    static BLOCKS: RefCell<Vec<(u64, Arc<Block>)>> = const { RefCell::new(Vec::new()) };
}

/// The counts of one verifier.
#[derive(Debug)]
pub(super) struct Counters {
    number: u64,
    blocks: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    living: Vec<Arc<Block>>,
    /// Of threads that have ended.
    ended: [u64; COUNTS],
}

impl Counters {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), blocks: Mutex::default() }
    }

    #[inline]
    pub(super) fn add(&self, count: Count) {
        let added = BLOCKS.try_with(|blocks| {
            let mut blocks = blocks.try_borrow_mut().ok()?;
            if blocks.first().is_none_or(|(number, _)| *number != self.number) {
                self.enter(&mut blocks);
            }
            blocks.first().map(|(_, block)| block.add(count))
        });
        if !matches!(added, Ok(Some(()))) {
            // The thread is ending, and so has no block any more.
            if let Some(ended) = self.blocks().ended.get_mut(count as usize) {
                *ended += 1;
            }
        }
    }

    pub(super) fn read(&self) -> Stats {
        let blocks = self.blocks();
        let mut sums = blocks.ended;
        for block in &blocks.living {
            add(&mut sums, block);
        }
        let of = |count: Count| sums.get(count as usize).copied().unwrap_or(0);
        let denied = [
            Count::Malformed,
            Count::Unrecognized,
            Count::Inactive,
            Count::Revoked,
            Count::Expired,
            Count::WrongEnvironment,
            Count::Unavailable,
        ];
        let answers = denied.into_iter().map(of).sum::<u64>() + of(Count::Accepted);
        Stats {
            accepted: of(Count::Accepted),
            malformed: of(Count::Malformed),
            unrecognized: of(Count::Unrecognized),
            inactive: of(Count::Inactive),
            revoked: of(Count::Revoked),
            expired: of(Count::Expired),
            wrong_environment: of(Count::WrongEnvironment),
            unavailable: of(Count::Unavailable),
            // They are counted by what they are not, which keeps the counting of a hit short.
            hits: answers.saturating_sub(of(Count::Asked)),
            fills: of(Count::Fills),
            fenced_fills: of(Count::FencedFills),
            refreshes: of(Count::Refreshes),
            failed_refreshes: of(Count::FailedRefreshes),
            ..Stats::default()
        }
    }

    /// Puts the block of this thread first. A new one is the occasion to end those whose thread or verifier is gone.
    #[cold]
    fn enter(&self, ours: &mut Vec<(u64, Arc<Block>)>) {
        if let Some(place) = ours.iter().position(|(number, _)| *number == self.number) {
            ours.swap(0, place);
            return;
        }
        let block = Arc::new(Block::default());
        let mut blocks = self.blocks();
        let Blocks { living, ended } = &mut *blocks;
        living.retain(|block| {
            let lives = Arc::strong_count(block) > 1;
            if !lives {
                add(ended, block);
            }
            lives
        });
        living.push(Arc::clone(&block));
        ours.retain(|(_, block)| Arc::strong_count(block) > 1);
        ours.insert(0, (self.number, block));
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(sums: &mut [u64; COUNTS], block: &Block) {
    for (sum, count) in sums.iter_mut().zip(&block.0) {
        *sum += count.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> usize {
        BLOCKS.with_borrow(Vec::len)
    }

    #[test]
    fn a_thread_counts_in_a_block_of_its_own_for_each_verifier() {
        let counters = [Counters::new(), Counters::new()];
        for _ in 0..3 {
            for counters in &counters {
                counters.add(Count::Malformed);
            }
        }
        assert_eq!(own(), 2);
        for counters in &counters {
            let blocks = counters.blocks();
            assert_eq!((blocks.living.len(), blocks.ended), (1, [0; COUNTS]));
            drop(blocks);
            assert_eq!(counters.read().malformed, 3);
        }
    }

    #[test]
    fn what_threads_that_ended_counted_is_added_up_and_their_blocks_go() {
        let counters = Counters::new();
        for _ in 0..100 {
            std::thread::scope(|scope| {
                let ended = scope.spawn(|| counters.add(Count::Fills));
                assert!(ended.join().is_ok());
            });
            assert_eq!(counters.blocks().living.len(), 1);
        }
        assert_eq!(counters.read().fills, 100);
    }

    #[test]
    fn the_blocks_of_verifiers_that_are_gone_go_too() {
        for _ in 0..100 {
            Counters::new().add(Count::Fills);
            assert_eq!(own(), 1);
        }
    }
}
