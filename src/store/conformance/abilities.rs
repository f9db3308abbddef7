//! What some stores can do for the kit beyond the contract.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use crate::domain::AuditEvent;
use crate::store::{BoxError, StoreError, StoredKey};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Attempt = Box<dyn Fn(StoredKey) -> Boxed<Result<(), BoxError>> + Send + Sync>;
type Hold = Box<dyn Fn(StoredKey, AuditEvent) -> Boxed<Result<HeldCommit, BoxError>> + Send + Sync>;
type Switch = Box<dyn Fn() -> Boxed<()> + Send + Sync>;

/// Attempts to bring a revoked key back through the interface that the store itself is made of, such as SQL.
///
/// Each is given a key that was revoked through the store. It may fail; what counts is that the key is revoked
/// afterwards, as it was.
///
/// ```
/// use access_keys::store::conformance::RawWrites;
///
/// let raw = RawWrites::new().attempt("UPDATE keys SET status = 'active'", |key| async move {
///     let _id = key.key().id; // the host's own statement, on a connection of its own
///     Ok(())
/// });
/// # let _ = raw;
/// ```
#[derive(Default)]
pub struct RawWrites(Vec<(String, Attempt)>);

impl RawWrites {
    /// No attempt yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more attempt, and what it does, for the report.
    #[must_use]
    pub fn attempt<F, O>(mut self, what: impl Into<String>, attempt: F) -> Self
    where
        F: Fn(StoredKey) -> O + Send + Sync + 'static,
        O: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.0.push((what.into(), Box::new(move |key| Box::pin(attempt(key)))));
        self
    }

    pub(super) fn attempts(&self) -> impl Iterator<Item = (&str, &Attempt)> {
        self.0.iter().map(|(what, attempt)| (what.as_str(), attempt))
    }
}

impl fmt::Debug for RawWrites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.attempts().map(|(what, _)| what)).finish()
    }
}

/// Commits of the store that can be held open: a feed must not lose one that a faster one overtook.
///
/// It is given a new key and its event. It does all that an insert of the store does but its last step, which it
/// leaves to the [`HeldCommit`].
///
/// ```
/// use access_keys::store::conformance::{HeldCommit, SlowCommits};
///
/// let slow = SlowCommits::new(|key, event| async move {
///     // BEGIN; INSERT INTO keys …; INSERT INTO events …;
///     Ok(HeldCommit::new(async move {
///         let _committed = (key, event); // COMMIT;
///         Ok(())
///     }))
/// });
/// # let _ = slow;
/// ```
pub struct SlowCommits(Hold);

impl SlowCommits {
    /// A commit that is begun by `hold`.
    pub fn new<F, O>(hold: F) -> Self
    where
        F: Fn(StoredKey, AuditEvent) -> O + Send + Sync + 'static,
        O: Future<Output = Result<HeldCommit, BoxError>> + Send + 'static,
    {
        Self(Box::new(move |key, event| Box::pin(hold(key, event))))
    }

    pub(super) async fn hold(&self, key: &StoredKey, event: &AuditEvent) -> Result<HeldCommit, BoxError> {
        (self.0)(key.clone(), event.clone()).await
    }
}

impl fmt::Debug for SlowCommits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlowCommits")
    }
}

/// The last step of a commit that is held open.
pub struct HeldCommit(
    /// Never locked: so it can be shared.
    Mutex<Boxed<Result<(), StoreError>>>,
);

impl HeldCommit {
    /// One that `commit` ends.
    pub fn new(commit: impl Future<Output = Result<(), StoreError>> + Send + 'static) -> Self {
        Self(Mutex::new(Box::pin(commit)))
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).await
    }
}

impl fmt::Debug for HeldCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldCommit")
    }
}

/// A backend that fails from one moment on, and works again from another: a full disk, a lost connection.
///
/// While it fails, a call may still succeed, if what it says is true.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use access_keys::store::conformance::Faults;
///
/// let cut = Arc::new(AtomicBool::new(false)); // a switch that the store's connection looks at
/// let mended = Arc::clone(&cut);
/// let faults = Faults::new(
///     move || { cut.store(true, Ordering::SeqCst); std::future::ready(()) },
///     move || { mended.store(false, Ordering::SeqCst); std::future::ready(()) },
/// );
/// # let _ = faults;
/// ```
pub struct Faults {
    begin: Switch,
    end: Switch,
}

impl Faults {
    /// Faults that `begin` makes and `end` takes away.
    pub fn new<B, E, O, P>(begin: B, end: E) -> Self
    where
        B: Fn() -> O + Send + Sync + 'static,
        E: Fn() -> P + Send + Sync + 'static,
        O: Future<Output = ()> + Send + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        Self { begin: Box::new(move || Box::pin(begin())), end: Box::new(move || Box::pin(end())) }
    }

    pub(super) async fn begin(&self) {
        (self.begin)().await;
    }

    pub(super) async fn end(&self) {
        (self.end)().await;
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}
