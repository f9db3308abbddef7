//! A map that forgets: what is too old, and the oldest when there is too much.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Values by name, each kept for a while after it was last put in.
pub(crate) struct Kept<V> {
    age: Duration,
    most: usize,
    values: Mutex<HashMap<String, (Instant, V)>>,
}

impl<V: Clone> Kept<V> {
    pub(crate) fn new(seconds: u64, most: usize) -> Self {
        Self { age: Duration::from_secs(seconds), most, values: Mutex::default() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<V> {
        let values = self.lock();
        values.get(name).filter(|(at, _)| at.elapsed() < self.age).map(|(_, value)| value.clone())
    }

    /// The value of this name, or a new one.
    pub(crate) fn get_or(&self, name: &str, make: impl FnOnce() -> V) -> V {
        let mut values = self.lock();
        if let Some((at, value)) = values.get(name)
            && at.elapsed() < self.age
        {
            return value.clone();
        }
        let value = make();
        self.make_room(&mut values);
        values.insert(name.to_owned(), (Instant::now(), value.clone()));
        value
    }

    pub(crate) fn put(&self, name: &str, value: V) {
        let mut values = self.lock();
        self.make_room(&mut values);
        values.insert(name.to_owned(), (Instant::now(), value));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    fn make_room(&self, values: &mut HashMap<String, (Instant, V)>) {
        if values.len() < self.most {
            return;
        }
        values.retain(|_, (at, _)| at.elapsed() < self.age);
        if values.len() >= self.most
            && let Some(oldest) = values.iter().min_by_key(|(_, (at, _))| *at).map(|(name, _)| name.clone())
        {
            values.remove(&oldest);
        }
    }

    /// A panic elsewhere leaves every value whole, since each is put in by one step.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, V)>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells nothing of the values: some are values of keys.
impl<V> fmt::Debug for Kept<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("age", &self.age).field("most", &self.most).finish_non_exhaustive()
    }
}
