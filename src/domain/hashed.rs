//! A text that carries its hash, so that looking it up costs none.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

/// Keyed anew in each process: nobody can choose texts that collide.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A text and its hash in this process.
#[derive(Clone)]
pub(super) struct Hashed {
    text: Arc<str>,
    hash: u64,
}

impl Hashed {
    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }
}

impl From<Arc<str>> for Hashed {
    fn from(text: Arc<str>) -> Self {
        let hash = HASHES.hash_one(&*text);
        Self { text, hash }
    }
}

impl AsRef<str> for Hashed {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Hashed {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl Eq for Hashed {}

impl PartialOrd for Hashed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Hashed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Hashed {
    /// As the text: [`Borrow<str>`](std::borrow::Borrow) asks for it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
