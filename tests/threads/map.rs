//! The map of rows, before every step of which the scheduler may let another thread go on.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::Hash;

use papaya::{HashMapRef, LocalGuard};
use shuttle::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct HashMap<K, V> {
    map: papaya::HashMap<K, V>,
    step: AtomicBool,
}

impl<K: Hash + Eq, V> HashMap<K, V> {
    pub(crate) fn new() -> Self {
        Self { map: papaya::HashMap::new(), step: AtomicBool::new(false) }
    }

    pub(crate) fn pin(&self) -> HashMapRef<'_, K, V, RandomState, LocalGuard<'_>> {
        self.step.store(true, Ordering::SeqCst);
        self.map.pin()
    }
}

impl<K, V> fmt::Debug for HashMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashMap")
    }
}
