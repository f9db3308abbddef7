//! The one who verifies: the answer from the cache, and what a host can ask of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::DateTime;

use super::cache::{Cache, Room, Shelf, is_first_use};
use super::cold::{Locked, Proof};
use super::decide::decide;
use super::freshness::{Core, Face, Row};
use super::near::Seen;
use super::row::{KeyRow, Secret};
use super::scope_uses::{Home, ScopeUses};
use super::stats::{Count, Counters, Stats};
use super::verdict::{Refusal, Verdict};
use super::verification::Verification;
use super::{Denial, Grant, Uses};
use crate::clock::{Clock, Moment};
use crate::domain::{EnvironmentId, KeyId, Resource, time};
use crate::store::{KeyStore, StoreError, StoredKey, Wakeup};
use crate::token::{ForeignTokens, PepperRing, Prefixes, Presented, Signed, Way};

/// By how much the wall time of a glance may be off, in microseconds.
const GLANCE: u64 = 20_000;

/// Verifies presented tokens. Cheap to clone; clones and the [`AccessKeys`](crate::AccessKeys) that it came
/// from are one, and share one cache.
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
    pub(super) inner: Arc<Inner>,
}

/// What a verifier is made of; shared with the management of the same keys.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) prefixes: Prefixes,
    pub(crate) foreign: Vec<ForeignTokens>,
    pub(crate) peppers: PepperRing,
    pub(crate) record_uses: bool,
    /// The limit of this node's own.
    pub(crate) max_staleness: Option<Duration>,
    pub(crate) cache_capacity: usize,
    pub(crate) concurrent_reads: usize,
}

pub(super) struct Inner {
    pub(super) setup: Setup,
    /// Met in place of a key that does not exist.
    dummy: StoredKey,
    cache: Cache,
    locked: Mutex<Locked>,
    uses: Uses,
    scope_uses: ScopeUses,
    /// By which grants find it.
    pub(super) home: Home,
    /// Rung when something may be other than it was known.
    pub(super) learned: Wakeup,
    pub(super) counters: Counters,
}

impl Verifier {
    pub(crate) fn new(setup: Setup) -> Self {
        let core = Core::new(setup.max_staleness, setup.concurrent_reads, setup.clock.glance());
        let home = if setup.record_uses { Home::new() } else { Home::NOWHERE };
        let inner = Inner {
            dummy: StoredKey::dummy(setup.peppers.dummy()),
            cache: Cache::new(Face::BLANK, home),
            locked: Mutex::new(Locked::new(core, Room::new(setup.cache_capacity))),
            uses: Uses::default(),
            scope_uses: ScopeUses::default(),
            home,
            learned: Wakeup::default(),
            counters: Counters::new(),
            setup,
        };
        let inner = Arc::new(inner);
        inner.home.is_of(&inner);
        Self { inner }
    }

    /// Whether `token` is good in `environment` now.
    ///
    /// A request that presents no token at all is the host's to answer, with 401.
    ///
    /// # Errors
    /// The [`Denial`] that says why not, for the host; the caller is told its status alone.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: others who waited for the same read begin one of their own.
    #[inline]
    pub fn verify<'a>(
        &'a self,
        token: &'a str,
        environment: &'a EnvironmentId,
    ) -> impl Future<Output = Result<Grant, Denial>> + Send + 'a {
        Verification::new(self, token, environment)
    }

    /// The answer of [`verify`](Self::verify) when it can be given without asking the store; never waits.
    ///
    /// `None` when the store must be asked: the key is not in the cache, or what is known of it is too old.
    #[must_use]
    pub fn verify_cached(&self, token: &str, environment: &EnvironmentId) -> Option<Result<Grant, Denial>> {
        match self.at_once(token, environment).into_result() {
            Ok(grant) => Some(Ok(grant)),
            Err(Refusal::AskStore) => None,
            Err(refusal) => Some(Err(self.denial(refusal, token, environment))),
        }
    }

    /// The grant as of now, without the token: the answer that a new verification would give.
    ///
    /// For work that outlives the check, such as a stream or a long agent run. Before
    /// [`good_until`](Grant::good_until) there is no need for it. It is answered from the cache as a verification
    /// is, records no use of the secret, and the new grant must be asked for its scope again.
    ///
    /// # Errors
    /// The [`Denial`] that the same token would meet now; a secret that was retired since is
    /// [`Denial::Unrecognized`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn recheck(&self, grant: &Grant) -> Result<Grant, Denial> {
        let environment = &grant.key().environment;
        if self.setup().prefixes.of(environment).is_none() {
            self.inner.counters.add(Count::Malformed);
            return Err(Denial::Malformed {});
        }
        let (id, proof) = (grant.seen().id, Proof::Grant(grant));
        match self.inner.look(id, proof, environment).into_result() {
            Ok(grant) => Ok(grant),
            Err(Refusal::AskStore) => Box::pin(self.inner.ask(id, proof, environment)).await,
            Err(refusal) => Err(refusal.denial(id)),
        }
    }

    /// What was counted, and what is in the cache.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let now = self.setup().clock.glance();
        let locked = self.inner.lock();
        let age =
            locked.core.known_since().map(|since| Duration::from_nanos(now.boot().saturating_sub(since)));
        let (keys, bytes) = (locked.room.keys(), locked.room.bytes());
        drop(locked);
        Stats { age, keys, bytes, ..self.inner.counters.read() }
    }

    pub(crate) async fn flush_uses(&self) -> Result<(), StoreError> {
        let uses = self.inner.uses.flush(&self.setup().store).await;
        // One that cannot be written keeps the other from nothing.
        let scope_uses = self.inner.scope_uses.flush(&self.setup().store).await;
        uses.and(scope_uses)
    }

    /// Whether no use that was seen here went unrecorded.
    pub(crate) fn knows_all_uses(&self) -> bool {
        self.setup().record_uses && !self.inner.uses.overflowed()
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.inner.uses
    }

    pub(crate) fn scope_uses(&self) -> &ScopeUses {
        &self.inner.scope_uses
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.inner.setup
    }

    #[inline(never)]
    pub(super) fn at_once(&self, token: &str, environment: &EnvironmentId) -> Verdict {
        let Some(presented) = self.read(token, environment) else {
            return self.foreign_at_once(token, environment);
        };
        self.inner.look(presented.id, Proof::Token(presented.signed), environment)
    }

    #[cold]
    pub(super) fn denial(&self, refusal: Refusal, token: &str, environment: &EnvironmentId) -> Denial {
        if refusal == Refusal::Malformed {
            return Denial::Malformed {};
        }
        if let Some(presented) = self.read(token, environment) {
            return refusal.denial(presented.id);
        }
        let foreign = self.read_foreign(token, environment);
        foreign.map_or(Denial::Malformed {}, |(id, _)| refusal.denial(id))
    }

    /// The answer for a token that is none of this library's.
    #[cold]
    fn foreign_at_once(&self, token: &str, environment: &EnvironmentId) -> Verdict {
        let Some((id, signed)) = self.read_foreign(token, environment) else {
            self.inner.counters.add(Count::Malformed);
            return Verdict::refused(Refusal::Malformed);
        };
        self.inner.look(id, Proof::Token(&signed), environment)
    }

    fn read_foreign(&self, token: &str, environment: &EnvironmentId) -> Option<(KeyId, Signed)> {
        // As for a token of this library's: nothing is good in an environment that has no prefix.
        let known = self.setup().prefixes.of(environment).map(|_| &self.setup().foreign)?;
        known.iter().find_map(|tokens| tokens.read(token.as_bytes()))
    }

    pub(super) async fn ask(&self, token: &str, environment: &EnvironmentId) -> Result<Grant, Denial> {
        if let Some(presented) = self.read(token, environment) {
            return self.inner.ask(presented.id, Proof::Token(presented.signed), environment).await;
        }
        let (id, signed) = self.read_foreign(token, environment).ok_or(Denial::Malformed {})?;
        self.inner.ask(id, Proof::Token(&signed), environment).await
    }

    #[inline(always)]
    fn read<'t>(&self, token: &'t str, environment: &EnvironmentId) -> Option<Presented<'t>> {
        let prefix = self.setup().prefixes.of(environment)?;
        Presented::read(token.as_bytes(), prefix)
    }
}

impl Inner {
    /// The answer from the cache, without a lock. The deadline is read first, then the row is looked up, and the
    /// clock is read last.
    #[inline]
    pub(super) fn look(&self, id: KeyId, proof: Proof<'_>, environment: &EnvironmentId) -> Verdict {
        let (face, generation) = self.cache.line.read();
        let Some(seen) = self.cache.find(id, generation) else { return Verdict::refused(Refusal::AskStore) };
        let clock = &*self.setup.clock;
        let answer = self.judge(seen, proof, environment, &face, || clock.glance());
        if let Some(count) = answer.count() {
            self.counters.add(count);
        }
        answer
    }

    /// The answer by this row and this face, which must have been read before the row was found.
    /// [`Refusal::AskStore`] when they are too old by the time at which the decision falls.
    #[inline]
    pub(super) fn judge(
        &self,
        seen: Arc<Seen>,
        proof: Proof<'_>,
        environment: &EnvironmentId,
        face: &Face,
        clock: impl Fn() -> Moment,
    ) -> Verdict {
        let row = &seen.row;
        let secret = match proof {
            Proof::Token(signed) => row.matches(signed, &self.setup.peppers),
            Proof::Grant(grant) => row.place_of(&grant.seen().row, grant.secret()),
        };
        // What needs no clock is found out while the hash is still being computed.
        let elsewhere = secret.is_some() && !row.packed.is_in(environment);
        let ends = secret.map_or(i64::MAX, |secret| row.expires_at().min(row.ends_at(secret)));
        let now = clock();
        if !face.allows(row.until(), now) {
            return Verdict::refused(Refusal::AskStore);
        }
        let wall = self.time(face, now, ends);
        let Some(secret) = secret else {
            // It cannot be told from one that this node lacks the means to check.
            let lacks = row.lacks_way(wall);
            return Verdict::refused(if lacks { Refusal::Lacking } else { Refusal::Unrecognized });
        };
        if matches!(proof, Proof::Grant(_)) && !row.way(secret).is_known() {
            let lacks = row.way(secret) == Way::LACKING;
            return Verdict::refused(if lacks { Refusal::Lacking } else { Refusal::Unrecognized });
        }
        if let Err(refusal) = decide(row, secret, elsewhere, wall) {
            return Verdict::refused(refusal);
        }
        if matches!(proof, Proof::Token(_)) && is_first_use(&seen, secret, wall) {
            self.note_use(&seen, secret, wall);
        }
        let mut good_until = face.good_until.min(row.until());
        if ends != i64::MAX {
            let left = ends.abs_diff(wall).saturating_mul(1_000);
            good_until = good_until.min(now.boot().saturating_add(left));
        }
        Verdict::granted(seen, secret, good_until)
    }

    /// The time by which expiry and grace are judged, in microseconds since 1970, for a secret that ends then.
    #[inline]
    fn time(&self, face: &Face, now: Moment, ends: i64) -> i64 {
        match face.store_offset {
            Some(offset) => now.after(offset),
            // A glance may be too short to tell.
            None if ends.abs_diff(now.wall()) <= GLANCE => self.setup.clock.wall().timestamp_micros(),
            None => now.wall(),
        }
    }

    /// Once a second for each secret, by each thread that has it near.
    #[cold]
    fn note_use(&self, seen: &Seen, secret: Secret, now: i64) {
        self.cache.note(seen.id, secret, now);
        let at =
            DateTime::from_timestamp_micros(now).unwrap_or_else(|| time::micros(self.setup.clock.wall()));
        if self.setup.record_uses {
            self.uses.record(seen.id, seen.row.generation(secret), at);
        }
    }

    /// About once in 18 minutes for each key and what it is used for. `false` where there was no room for it.
    #[cold]
    pub(super) fn note_scope_use(&self, id: KeyId, resource: Resource) -> bool {
        let (face, _) = self.cache.line.read();
        let now = self.time(&face, self.setup.clock.glance(), i64::MAX);
        DateTime::from_timestamp_micros(now).is_none_or(|now| self.scope_uses.record(id, resource, now))
    }

    /// What the store answered for an id, as the cache keeps it. `None` for another key than was asked for.
    pub(super) fn row_of(&self, id: KeyId, stored: Option<&StoredKey>) -> Option<KeyRow> {
        let dummy = &self.dummy;
        // Compared for a key that does not exist too: the same work.
        let (met, asked, is_there) =
            stored.map_or((dummy, dummy.key().id, false), |stored| (stored, id, true));
        (met.key().id.halves() == asked.halves()).then(|| KeyRow::of(met, is_there, &self.setup.peppers))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Locked> {
        // Nothing is left half done where the core could panic.
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the core something, and what readers see with it.
    pub(super) fn with_core<T>(&self, tell: impl FnOnce(&mut Core, &mut Shelf<'_>) -> T) -> T {
        let mut locked = self.lock();
        self.tell(&mut locked, tell)
    }

    pub(super) fn tell<T>(
        &self,
        locked: &mut Locked,
        tell: impl FnOnce(&mut Core, &mut Shelf<'_>) -> T,
    ) -> T {
        let mut shelf = Shelf { cache: &self.cache, room: &mut locked.room };
        tell(&mut locked.core, &mut shelf)
    }

    /// Both clocks, read exactly and at one moment.
    pub(super) fn now(&self) -> Moment {
        /// A thread that was interrupted for longer between its two readings reads again.
        const APART: Duration = Duration::from_millis(1);
        let clock = &*self.setup.clock;
        let mut boot = clock.boot();
        for _ in 0..3 {
            let wall = clock.wall();
            let after = clock.boot();
            if after.saturating_sub(boot) <= APART {
                return Moment::new(boot, wall);
            }
            boot = after;
        }
        Moment::new(boot, clock.wall())
    }
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
