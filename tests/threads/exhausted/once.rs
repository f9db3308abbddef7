//! A cell that is set once, in the terms of loom, which has none.

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};

/// As the standard one, except that what is in it is given away as a copy.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    value: Mutex<Option<T>>,
}

impl<T: Clone> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self { is_set: AtomicBool::new(false), value: Mutex::new(None) }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let mut cell = self.value.lock().unwrap();
        if cell.is_some() {
            return Err(value);
        }
        *cell = Some(value);
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn get(&self) -> Option<T> {
        if self.is_set.load(Ordering::Acquire) { self.value.lock().unwrap().clone() } else { None }
    }
}
