//! Setting up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rand_core::TryCryptoRng;

use super::{AccessKeys, Error};
use crate::clock::{Clock, SystemClock};
use crate::domain::{EnvironmentId, Field, Invalid, Rule};
use crate::store::KeyStore;
use crate::token::{ForeignTokens, Pepper, PepperRing, Prefix, Prefixes, Random};
use crate::verify::{Setup, Verifier};

/// More than this and a change would take too long to hold to be called one.
const MAX_STALENESS_MAX: Duration = Duration::from_secs(60);

const CACHE_CAPACITY: usize = 100_000;
const CONCURRENT_READS: usize = 256;

/// Sets up an [`AccessKeys`]. A prefix is needed; everything else has a default.
///
/// A value that breaks a rule is kept until [`build`](Self::build), which tells of the first one.
///
/// ```
/// use access_keys::{AccessKeys, EnvironmentId, Pepper, store::MemoryStore};
///
/// # let secret_from_the_vault = [7; 32];
/// let keys = AccessKeys::builder(MemoryStore::new())
///     .prefix("acme")
///     .environment_prefix(EnvironmentId::new("production")?, "acme_live")
///     .pepper(Pepper::new(1, secret_from_the_vault)?)
///     .build()?;
/// # let _ = keys;
/// # Ok::<(), access_keys::Error>(())
/// ```
#[must_use = "nothing is set up until it is built"]
pub struct Builder<S> {
    store: S,
    clock: Arc<dyn Clock>,
    random: Random,
    prefixes: Prefixes,
    peppers: Vec<Pepper>,
    retired_peppers: Vec<Pepper>,
    accept_unpeppered: bool,
    foreign: Vec<ForeignTokens>,
    record_uses: bool,
    max_staleness: Option<Duration>,
    cache_capacity: usize,
    concurrent_reads: usize,
    /// The first value that broke a rule.
    mistake: Option<Invalid>,
}

impl<S: KeyStore> Builder<S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            random: Random::system(),
            prefixes: Prefixes::default(),
            peppers: Vec::new(),
            retired_peppers: Vec::new(),
            accept_unpeppered: false,
            foreign: Vec::new(),
            record_uses: true,
            max_staleness: None,
            cache_capacity: CACHE_CAPACITY,
            concurrent_reads: CONCURRENT_READS,
            mistake: None,
        }
    }

    /// The prefix of tokens in every environment that has none of its own; see [`Prefix`].
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefixes.fallback = self.check(Prefix::new(prefix));
        self
    }

    /// The prefix of tokens in one environment. A token with another environment's prefix is refused
    /// without a look-up.
    pub fn environment_prefix(mut self, environment: EnvironmentId, prefix: impl AsRef<str>) -> Self {
        if let Some(prefix) = self.check(Prefix::new(prefix)) {
            self.prefixes.set(environment, prefix);
        }
        self
    }

    /// Keeps digests under a secret that is held outside the database. May be given several times: the one
    /// with the highest version makes new digests, and all go on verifying theirs.
    ///
    /// With a pepper, keys stored without one are no longer recognized.
    pub fn pepper(mut self, pepper: Pepper) -> Self {
        self.peppers.push(pepper);
        self
    }

    /// Checks by a pepper that is not secret any more what it sealed in histories, as far as a checkpoint holds it: see
    /// [`history`](super::history). It makes no digest and recognizes none.
    pub fn retired_pepper(mut self, pepper: Pepper) -> Self {
        self.retired_peppers.push(pepper);
        self
    }

    /// Goes on recognizing keys that were stored without a pepper, for the time of a migration.
    ///
    /// Until it is removed again, whoever can write the database can plant a key.
    pub const fn accept_unpeppered(mut self) -> Self {
        self.accept_unpeppered = true;
        self
    }

    /// Takes the tokens of another system, whose keys were [imported](super::ProjectKeys::import). May be given for
    /// several systems, of whose tokens none may look like those of another.
    pub fn foreign_tokens(mut self, tokens: ForeignTokens) -> Self {
        if self.foreign.iter().any(|other| other.overlaps(&tokens)) {
            let problem = "can be mistaken for those of another system";
            self.check::<()>(Err(Invalid::new(Field::ForeignTokens, Rule::Inconsistent { problem })));
        }
        self.foreign.push(tokens);
        self
    }

    /// Where the time comes from; [`SystemClock`] unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where randomness comes from; the operating system unless set.
    ///
    /// Every secret depends on it: set it in tests alone.
    pub fn random<R>(mut self, source: R) -> Self
    where
        R: TryCryptoRng + Send + 'static,
        R::Error: Send + Sync + 'static,
    {
        self.random = Random::new(source);
        self
    }

    /// The longest that this node may go on using what it knew of a key, at most 60 seconds.
    ///
    /// Unless set it is the limit that lives with the data, 5 seconds unless that was changed; set, it is the
    /// smaller of both. At zero every verification of this node reads the store, and so it is for anything under
    /// 10 milliseconds. What a change announces is the shared limit, whatever this one is: other nodes may have
    /// none of their own.
    pub fn max_staleness(mut self, limit: Duration) -> Self {
        let rule = Rule::Span { max: MAX_STALENESS_MAX, given: limit };
        let fits = limit <= MAX_STALENESS_MAX;
        self.max_staleness =
            self.check(if fits { Ok(limit) } else { Err(Invalid::new(Field::MaxStaleness, rule)) });
        self
    }

    /// The most keys that a verifier keeps, at least 1; 100,000 unless set. They take no more than 1 KiB of memory
    /// each on average: where scopes are so large that they would, fewer are kept. Beside them, each thread puts up
    /// to 256 of the keys aside that it verified last, and up to 10,000 ids of keys that do not exist are remembered.
    pub fn cache_capacity(mut self, keys: usize) -> Self {
        self.check(at_least_one(Field::CacheCapacity, keys));
        self.cache_capacity = keys;
        self
    }

    /// The most store reads that a verifier makes at once, at least 1; 256 unless set. A verification that would
    /// need one more is [`Denial::Unavailable`](crate::Denial::Unavailable), so that a flood of tokens that nobody
    /// has cannot become a flood of queries.
    pub fn concurrent_reads(mut self, reads: usize) -> Self {
        self.check(at_least_one(Field::ConcurrentReads, reads));
        self.concurrent_reads = reads;
        self
    }

    /// Whether the last use of each secret is recorded, and for which agents and prompts keys are used; they are unless
    /// set.
    pub const fn record_uses(mut self, record: bool) -> Self {
        self.record_uses = record;
        self
    }

    /// Sets up.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the first value that broke a rule, two peppers of one version, or no prefix at all.
    pub fn build(self) -> Result<AccessKeys<S>, Error> {
        if let Some(mistake) = self.mistake {
            return Err(mistake.into());
        }
        if self.prefixes.is_empty() {
            let expected = "one for all environments, or one per environment";
            return Err(Invalid::new(Field::Prefix, Rule::Missing { expected }).into());
        }
        let store = Arc::new(self.store);
        let verifier = Verifier::new(Setup {
            store: Arc::clone(&store) as Arc<dyn KeyStore>,
            clock: self.clock,
            prefixes: self.prefixes,
            foreign: self.foreign,
            peppers: PepperRing::new(self.peppers, self.accept_unpeppered)?
                .with_retired(self.retired_peppers)?,
            record_uses: self.record_uses,
            max_staleness: self.max_staleness,
            cache_capacity: self.cache_capacity,
            concurrent_reads: self.concurrent_reads,
        });
        Ok(AccessKeys { store, verifier, random: Arc::new(self.random) })
    }

    /// Sets up, and forgets the type of the store.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_dyn(self) -> Result<AccessKeys, Error> {
        let AccessKeys { store, verifier, random } = self.build()?;
        let store: Arc<dyn KeyStore> = store;
        Ok(AccessKeys { store: Arc::new(store), verifier, random })
    }

    fn check<T>(&mut self, checked: Result<T, Invalid>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.mistake.get_or_insert(invalid);
                None
            }
        }
    }
}

const fn at_least_one(field: Field, given: usize) -> Result<(), Invalid> {
    if given == 0 {
        return Err(Invalid::new(field, Rule::Range { min: 1, max: u64::MAX, given: 0 }));
    }
    Ok(())
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("prefixes", &self.prefixes)
            .field("peppers", &self.peppers)
            .finish_non_exhaustive()
    }
}
