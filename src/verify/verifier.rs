//! The one who asks the store and decides.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::decide::decide;
use super::race::either;
use super::{Denial, Grant, Uses};
use crate::clock::{Clock, Deadline};
use crate::domain::{EnvironmentId, KeyId, time};
use crate::store::{KeyStore, StoreError, StoredDigest, StoredKey};
use crate::token::{PepperRing, Prefixes, Presented, Scheme};

/// How often [`Verifier::follow`] writes uses.
const WRITE_USES_EVERY: Duration = Duration::from_secs(10);
/// How often [`Verifier::ended`] looks, when no hint wakes it sooner.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Verifies presented tokens. Cheap to clone; clones and the [`AccessKeys`](crate::AccessKeys) that it came
/// from are one.
///
/// It cannot manage keys and is not generic, so it is what a request handler or a middleware holds.
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
/// let verifier = keys.verifier();
/// let production = EnvironmentId::new("production")?;
/// let grant = verifier.verify(issued.token.expose(), &production).await?;
/// assert_eq!(grant.key().id, issued.key.id);
///
/// project.deactivate(issued.key.id).await?;
/// assert!(verifier.recheck(&grant).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Verifier {
    inner: Arc<Inner>,
}

/// What a verifier is made of; shared with the management of the same keys.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) prefixes: Prefixes,
    pub(crate) peppers: PepperRing,
    pub(crate) record_uses: bool,
}

struct Inner {
    setup: Setup,
    dummy: StoredDigest,
    uses: Uses,
}

impl Verifier {
    pub(crate) fn new(setup: Setup) -> Self {
        let dummy = StoredDigest::new(setup.peppers.dummy(), 1, None);
        Self { inner: Arc::new(Inner { setup, dummy, uses: Uses::default() }) }
    }

    /// Whether `token` is good in `environment` now.
    ///
    /// A request that presents no token at all is the host's to answer, with 401.
    ///
    /// # Errors
    /// The [`Denial`] that says why not, for the host; the caller is told its status alone.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn verify(&self, token: &str, environment: &EnvironmentId) -> Result<Grant, Denial> {
        let setup = self.setup();
        let presented = self.read(token, environment)?;
        let good_until = Deadline::at(setup.clock.boot());
        let stored = self.get(presented.id).await?;

        // A key that does not exist is met with a digest that nothing has, and so is a second secret.
        let dummy = &self.inner.dummy;
        let digests = stored.as_ref().map_or(std::slice::from_ref(dummy), StoredKey::digests);
        let at = |i: usize| &digests.get(i).unwrap_or(dummy).digest;
        let compared = setup.peppers.compare(presented.signed, [at(0), at(1)]);
        let now = time::micros(setup.clock.wall());
        let lives = |stored: &&StoredDigest| stored.ends_at().is_none_or(|end| end > now);
        let place = match compared {
            [true, _] => 0,
            [_, true] => 1,
            _ => return Err(self.unmatched(digests.iter().filter(lives))),
        };
        let grant = grant(stored, place, environment, now, good_until)?;
        if let Some(digest) = grant.digest().filter(|_| setup.record_uses) {
            self.inner.uses.record(grant.key().id, digest.generation(), now);
        }
        Ok(grant)
    }

    /// The answer of [`verify`](Self::verify) when it can be given without asking the store; never waits.
    ///
    /// `None` when the store must be asked, which is so for everything but a malformed token.
    #[must_use]
    pub fn verify_cached(&self, token: &str, environment: &EnvironmentId) -> Option<Result<Grant, Denial>> {
        self.read(token, environment).err().map(Err)
    }

    /// The grant as of now, without the token: the answer that a new verification would give.
    ///
    /// For work that outlives the check, such as a stream or a long agent run. It records no use, and the
    /// new grant must be asked for its scope again.
    ///
    /// # Errors
    /// The [`Denial`] that the same token would meet now; a secret that was retired since is
    /// [`Denial::Unrecognized`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn recheck(&self, grant: &Grant) -> Result<Grant, Denial> {
        let setup = self.setup();
        let good_until = Deadline::at(setup.clock.boot());
        let environment = &grant.key().environment;
        setup.prefixes.of(environment).map_err(|_| Denial::Malformed {})?;
        let stored = self.get(grant.key().id).await?;
        let presented = grant.digest().ok_or(Denial::Unrecognized {})?;
        let same = |stored: &StoredDigest| {
            stored.generation() == presented.generation() && stored.digest.same(&presented.digest)
        };
        let place = stored.as_ref().and_then(|stored| stored.digests().iter().position(same));
        let place = place.ok_or(Denial::Unrecognized {})?;
        if setup.peppers.lacks(presented.scheme()) {
            return Err(Denial::Unavailable { source: None });
        }
        if *presented.scheme() == Scheme::Sha256 && !setup.peppers.takes_unpeppered() {
            return Err(Denial::Unrecognized {});
        }
        let now = time::micros(setup.clock.wall());
        self::grant(stored, place, environment, now, good_until)
    }

    /// Waits until `grant` no longer holds, and says why: the end of a stream.
    ///
    /// Reads the key once a second, and at once when the store tells of a change. A store that cannot be asked
    /// ends it too, as [`Denial::Unavailable`]. A narrower scope does not: for that,
    /// [`recheck`](Self::recheck) from time to time and require the agent of the new grant. `sleep` is the
    /// host's timer, for example `tokio::time::sleep`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ended<S, F>(&self, grant: &Grant, sleep: S) -> Denial
    where
        S: Fn(Duration) -> F + Send,
        F: Future + Send,
    {
        loop {
            let mut change = pin!(self.setup().store.changed());
            // Listens before it looks, so that no change in between goes unheard.
            let heard = poll_fn(|context| Poll::Ready(change.as_mut().poll(context).is_ready())).await;
            match self.recheck(grant).await {
                Err(denial) => return denial,
                // A store that tells of changes without a pause is not asked without one.
                Ok(_) if heard => drop(sleep(PAUSE).await),
                Ok(now) => either(change, sleep(LOOK_EVERY.min(self.ends_in(&now)))).await,
            }
        }
    }

    /// Writes the uses of keys every 10 seconds, for as long as any other handle of this verifier is there.
    ///
    /// To be spawned once: `sleep` is the host's timer, the library has no runtime of its own. What cannot be
    /// written is kept and tried again. It ends within 10 seconds of the last other handle, without writing:
    /// [`flush_uses`](crate::AccessKeys::flush_uses) is the host's last call.
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
        drop(self);
        async move {
            while let Some(verifier) = Self::upgrade(&inner) {
                // What could not be written is kept and tried again.
                let _ = verifier.flush_uses().await;
                drop(verifier);
                sleep(WRITE_USES_EVERY).await;
            }
        }
    }

    pub(crate) async fn flush_uses(&self) -> Result<(), StoreError> {
        self.inner.uses.flush(&self.setup().store).await
    }

    /// Whether no use that was seen here went unrecorded.
    pub(crate) fn knows_all_uses(&self) -> bool {
        self.setup().record_uses && !self.inner.uses.overflowed()
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.inner.uses
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.inner.setup
    }

    /// How long until a change that was just acknowledged holds on every node.
    pub(crate) const fn announced(&self) -> Duration {
        // Every verification on every node begins with a read of the store.
        Duration::ZERO
    }

    fn upgrade(inner: &Weak<Inner>) -> Option<Self> {
        inner.upgrade().map(|inner| Self { inner })
    }

    fn read<'t>(&self, token: &'t str, environment: &EnvironmentId) -> Result<Presented<'t>, Denial> {
        let prefix = self.setup().prefixes.of(environment).ok();
        prefix.and_then(|prefix| Presented::read(token.as_bytes(), prefix)).ok_or(Denial::Malformed {})
    }

    /// What a secret gets that is none of those that live: it cannot be told from one that this node lacks the
    /// means to check.
    fn unmatched<'d>(&self, mut living: impl Iterator<Item = &'d StoredDigest>) -> Denial {
        if living.any(|stored| self.setup().peppers.lacks(stored.scheme())) {
            return Denial::Unavailable { source: None };
        }
        Denial::Unrecognized {}
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, Denial> {
        match self.setup().store.get(id).await? {
            Some(other) if other.key().id != id => {
                Err(StoreError::backend("the store answered with another key").into())
            }
            stored => Ok(stored),
        }
    }

    /// How long until time alone ends `grant`.
    fn ends_in(&self, grant: &Grant) -> Duration {
        let now = self.setup().clock.wall();
        let ends = [grant.key().expires_at, grant.digest().and_then(StoredDigest::ends_at)];
        ends.into_iter().flatten().map(|end| time::until(end, now)).min().unwrap_or(Duration::MAX)
    }
}

/// The grant for the holder of the secret in this place, if the key is good.
fn grant(
    stored: Option<StoredKey>,
    place: usize,
    environment: &EnvironmentId,
    now: DateTime<Utc>,
    good_until: Deadline,
) -> Result<Grant, Denial> {
    // Without a record the secret matched nothing but the digest that nothing has.
    let stored = stored.ok_or(Denial::Unrecognized {})?;
    let digest = stored.digests().get(place).ok_or(Denial::Unrecognized {})?;
    decide(stored.key(), digest, environment, now)?;
    Ok(Grant::new(stored, place, good_until))
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setup { prefixes, peppers, record_uses, .. } = self.setup();
        f.debug_struct("Verifier")
            .field("prefixes", prefixes)
            .field("peppers", peppers)
            .field("record_uses", record_uses)
            .finish_non_exhaustive()
    }
}
