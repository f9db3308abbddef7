//! Connections that read, shared by all threads.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::connect_to_read;
use super::problem::Result;

/// A few connections. Each is lent to one thread at a time, for as long as one read takes.
#[derive(Debug)]
pub(super) struct Readers {
    connections: Box<[Mutex<Connection>]>,
    turn: AtomicUsize,
}

impl Readers {
    pub(super) fn connect(path: &Path, count: usize, time_limit: Duration) -> Result<Self> {
        let connections: Result<Box<[_]>> =
            (0..count.max(1)).map(|_| Ok(Mutex::new(connect_to_read(path, time_limit)?))).collect();
        Ok(Self { connections: connections?, turn: AtomicUsize::new(0) })
    }

    /// The first that is free, whose memory is the warmest; else one whose turn it is.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let free = self.connections.iter().find_map(|connection| match connection.try_lock() {
            Ok(connection) => Some(connection),
            Err(TryLockError::Poisoned(connection)) => Some(connection.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let connection = free.or_else(|| self.wait());
        match connection {
            Some(mut connection) => read(&mut connection),
            None => Err("there is no connection".into()),
        }
    }

    fn wait(&self) -> Option<MutexGuard<'_, Connection>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len().max(1);
        let connection = self.connections.get(turn)?;
        Some(connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
