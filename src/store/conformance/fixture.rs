//! What the kit is given: a store that it can open.

use super::{Faults, RawWrites, SlowCommits};
use crate::store::KeyStore;

/// Opens the store that is to be proved, and says what else can be done with it.
///
/// Each [`open`](Self::open) gives another handle on the *same* data, as a second process or a second node has
/// one. So the kit can reopen the store and look at it from two nodes.
///
/// A closure that gives a future of a store is a fixture too, of a store of its own each time. What needs two
/// handles on the same data is then not asked, and the report says so.
///
/// What a store can do beyond the contract, the kit asks for by type; each such method answers `None` unless it
/// is written.
///
/// ```
/// use std::sync::Arc;
/// use access_keys::store::{MemoryStore, conformance::{self, Fixture}};
///
/// struct Shared(Arc<MemoryStore>);
///
/// impl Fixture for Shared {
///     type Store = Arc<MemoryStore>;
///
///     async fn open(&self) -> Arc<MemoryStore> {
///         Arc::clone(&self.0)
///     }
/// }
///
/// # pollster::block_on(async {
/// let report = conformance::run(Shared(Arc::new(MemoryStore::new()))).await;
/// assert!(report.failures().is_empty(), "{report}");
/// # });
/// ```
pub trait Fixture: Send + Sync {
    /// The store, however it is wrapped.
    type Store: KeyStore;

    /// Another handle on the data. May panic when that fails: there is nothing to be proved then.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// What two calls of [`open`](Self::open) share.
    fn opens(&self) -> Opens {
        Opens::SameData
    }

    /// Writes past the library, through the interface that the store itself is made of.
    fn raw_writes(&self) -> Option<RawWrites> {
        None
    }

    /// Commits that can be held open while others overtake them.
    fn slow_commits(&self) -> Option<SlowCommits> {
        None
    }

    /// A backend that can be made to fail, and to work again.
    fn faults(&self) -> Option<Faults> {
        None
    }
}

/// What two calls of [`Fixture::open`] share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opens {
    /// All of it: they are two handles on the same data.
    SameData,
    /// Nothing: each is a store of its own.
    OwnData,
}

impl<F, O> Fixture for F
where
    F: Fn() -> O + Send + Sync,
    O: Future<Output: KeyStore> + Send,
{
    type Store = O::Output;

    fn open(&self) -> impl Future<Output = Self::Store> + Send {
        self()
    }

    fn opens(&self) -> Opens {
        Opens::OwnData
    }
}
