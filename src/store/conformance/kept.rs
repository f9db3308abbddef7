//! What every rule of keeping asks: what was written comes back as it was.

use super::Fixture;
use super::handle::{Handle, open};
use super::ruling::{Ruling, holds, same};
use super::samples::{Samples, Write};
use crate::domain::{AccessKey, AuditQuery, KeyQuery};
use crate::store::KeyStore;

/// A handle, and samples in a project of their own.
pub(super) async fn start<F: Fixture>(fixture: &F) -> Ruling<(Handle<F::Store>, Samples)> {
    Ok((open(fixture).await, Samples::new()?))
}

/// Stores it and reads it in every way.
pub(super) async fn comes_back<S: KeyStore>(store: &Handle<S>, write: &Write, what: &str) -> Ruling {
    store.put(write).await?;
    let stored = store.get(write.id()).await?;
    same(format!("`get` of a key with {what}"), &stored, &Some(write.key.clone()))?;
    let project = &write.event.project;
    let listed = store.keys(project, &KeyQuery::default()).await?;
    let listed = listed.into_iter().find(|key| key.id == write.id());
    same(format!("`list` of a key with {what}"), &listed.as_ref(), &Some(write.key.key()))?;
    let events = store.events(project, &AuditQuery::default().key(write.id())).await?;
    same(format!("`history` of a key with {what}"), &events.first(), &Some(&write.event))
}

/// Stores a new key that is like this, and reads it in every way.
pub(super) async fn key_comes_back<S: KeyStore>(
    (store, samples): &(Handle<S>, Samples),
    what: &str,
    like: impl FnOnce(&mut AccessKey),
) -> Ruling<Write> {
    let write = samples.key_with(like)?;
    comes_back(store, &write, what).await?;
    Ok(write)
}

/// `came` has the items of `expected` in their order. What is shown is the first that differs.
pub(super) fn same_list<T: PartialEq + std::fmt::Debug>(done: &str, came: &[T], expected: &[T]) -> Ruling {
    for (i, (came, expected)) in came.iter().zip(expected).enumerate() {
        same(format!("{done}: number {}", i + 1), came, expected)?;
    }
    let (had, came) = (expected.len(), came.len());
    holds(had == came, done, format!("{had} of them"), format_args!("{came} of them"))
}
