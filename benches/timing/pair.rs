//! Two tokens that are refused, and the verifier that refuses them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{AccessKeys, EnvironmentId, Verifier};

use crate::chance::Chance;
use crate::issuer::{Class, HERE, wrong};
use crate::store::{Answer, EvenStore};
use crate::{Failure, ready};

/// Whether the rows of the keys are in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Warm,
    /// Every verification reads the store.
    Cold,
}

/// A wrong secret of an active key and a token of another class, with a verifier that refuses both.
pub(crate) struct Pair {
    verifier: Verifier,
    path: Path,
    here: EnvironmentId,
    /// The wrong secret first.
    pub(crate) tokens: [String; 2],
    _padding: Vec<Vec<u8>>,
}

impl Pair {
    /// Everything is made anew: where in memory a key comes to lie is left to chance.
    pub(crate) fn new(class: Class, path: Path, chance: &mut Chance) -> Result<Self, Failure> {
        let padding = (0..chance.below(16)).map(|_| vec![0; chance.below(2_048)]).collect();
        let store = Arc::new(MemoryStore::new());
        let (good, other) = if chance.flip() {
            let good = Class::AnotherKey.issue(&store)?;
            (good, class.issue(&store)?)
        } else {
            let other = class.issue(&store)?;
            (Class::AnotherKey.issue(&store)?, other)
        };
        let stored = |id| ready(store.get(id))?.ok_or::<Failure>("the key is gone".into());
        let answers = [
            Answer { stored: stored(good.key.id)?, is_there: true },
            match class {
                Class::UnknownId => Answer { stored: stored(good.key.id)?, is_there: false },
                _ => Answer { stored: stored(other.key.id)?, is_there: true },
            },
        ];
        let store = EvenStore::new(Arc::clone(&store), good.key.id, answers);
        let keys = AccessKeys::builder(store).prefix("acme");
        let keys = if path == Path::Cold { keys.max_staleness(Duration::ZERO) } else { keys }.build()?;
        let here = EnvironmentId::new(HERE)?;
        let tokens = [wrong(&good), class.token(&good, &other)];
        Ok(Self { verifier: keys.verifier(), path, here, tokens, _padding: padding })
    }

    #[inline(never)]
    pub(crate) fn refuse(&self, token: &str) {
        assert!(ready(self.verifier.verify(black_box(token), black_box(&self.here))).is_err());
    }

    /// Presents both until nothing is new.
    pub(crate) fn warm(&self, chance: &mut Chance) {
        let [one, other] = if chance.flip() { [0, 1] } else { [1, 0] };
        for _ in 0..8 {
            self.refuse(&self.tokens[one]);
            self.refuse(&self.tokens[other]);
        }
    }

    /// How many were refused as presented on this path, and how many otherwise.
    pub(crate) fn refused(&self) -> [u64; 2] {
        let stats = self.verifier.stats();
        let others = stats.accepted + stats.unavailable + stats.malformed;
        assert_eq!(others, 0, "a token was not refused as unrecognized");
        let (hits, reads) = (stats.hits, stats.unrecognized - stats.hits);
        if self.path == Path::Warm { [hits, reads] } else { [reads, hits] }
    }
}
