//! What a management call gives back.

use std::time::Duration;

use crate::domain::AccessKey;
use crate::token::Token;

/// A change that is acknowledged: it is stored, and holds here from now on.
///
/// ```
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// # let issued = project.generate(review).await?;
/// let change = project.revoke(issued.key.id, "leaked in a public repository").await?;
/// println!("{} is refused on every node in {:?}", change.key().id, change.holds_everywhere_in());
///
/// let again = project.revoke(issued.key.id, "leaked in a public repository").await?;
/// assert!(!again.is_new()); // repeating it succeeds and writes nothing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Change {
    pub(super) key: AccessKey,
    pub(super) is_new: bool,
    pub(super) holds_everywhere_in: Duration,
}

impl Change {
    /// The key as it is after the change.
    #[must_use]
    pub const fn key(&self) -> &AccessKey {
        &self.key
    }

    /// The key as it is after the change.
    #[must_use]
    pub fn into_key(self) -> AccessKey {
        self.key
    }

    /// Whether anything was written; `false` when the key was already as asked, or the operation has done it
    /// before.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// How long, from the return of the call and on the caller's clock, until the change holds on every
    /// node that uses the same store.
    #[must_use]
    pub const fn holds_everywhere_in(&self) -> Duration {
        self.holds_everywhere_in
    }
}

/// A key with a token that was just drawn for it. The token is shown once and kept nowhere.
///
/// Deliberately not `Serialize`: see [`Token`] for how to answer a request with it.
///
/// ```
/// use std::time::Duration;
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// let issued = project.generate(review).await?;
/// assert_eq!(issued.old_secret_ends_in(), None);
///
/// let day = Duration::from_secs(86_400);
/// let rotated = project.rotate(issued.key.id, day).await?;
/// assert_eq!(rotated.key.id, issued.key.id); // the same key, with a new token
/// assert_eq!(rotated.old_secret_ends_in(), Some(day));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "the token cannot be had again"]
#[non_exhaustive]
pub struct Issued {
    /// The key.
    pub key: AccessKey,
    /// Its new token.
    pub token: Token,
    pub(super) holds_everywhere_in: Duration,
    pub(super) old_secret_ends_in: Option<Duration>,
    pub(super) generation: u32,
}

impl Issued {
    /// Which secret of the key this is: 1 for the first, one more with each new one. The one by which
    /// [`last_used`](crate::ProjectKeys::last_used) tells of it.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// How long, from the return of the call and on the caller's clock, until what the call cut off is
    /// refused on every node: the secret before the last one, when a rotation ends its grace early.
    #[must_use]
    pub const fn holds_everywhere_in(&self) -> Duration {
        self.holds_everywhere_in
    }

    /// How long, likewise, until the old secret is refused on every node; `None` for a new key.
    ///
    /// Where the store has a clock, a grace is measured by that one. If the limit of all nodes is raised before the
    /// grace ends, it may take a quarter of the new lease longer.
    #[must_use]
    pub const fn old_secret_ends_in(&self) -> Option<Duration> {
        self.old_secret_ends_in
    }
}
