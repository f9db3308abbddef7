//! Rules of keys that were revoked.

use super::Fixture;
use super::handle::{Handle, open};
use super::ruling::{Ruling, Stop, conflicts, same};
use super::samples::{Samples, on_top};
use super::threads::at_once;
use crate::domain::{Action, EventId, KeyId, Status};
use crate::store::KeyStore;

pub(super) async fn revoked_is_final<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    for first in [Status::Active, Status::Inactive] {
        let mut before = samples.key()?;
        store.put(&before).await?;
        if first == Status::Inactive {
            before = samples.set(&before, first)?;
            store.put(&before).await?;
        }
        let revoked = samples.set(&before, Status::Revoked)?;
        let prepared = samples.renamed(&before, "Prepared before it was revoked")?;
        store.put(&revoked).await?;
        let late = store.try_update(&prepared, before.key.revision()).await;
        conflicts("an update that was prepared before the key was revoked", late)?;
        for revived in [
            samples.set(&revoked, Status::Active)?,
            samples.set(&revoked, Status::Inactive)?,
            samples.renamed(&revoked, "Renamed and still revoked")?,
        ] {
            let answer = store.try_update(&revived, revoked.key.revision()).await;
            conflicts("an update of a revoked key that expects its own revision", answer)?;
            let stored = store.get(revoked.id()).await?;
            same("`get` of a revoked key after that", &stored, &Some(revoked.key.clone()))?;
        }
    }
    Ok(())
}

pub(super) async fn revoked_is_final_among_others<F: Fixture>(fixture: &F) -> Ruling {
    const EDITORS: usize = 7;
    const EDITS: usize = 6;
    let (store, samples) = (open(fixture).await, Samples::new()?);
    for _ in 0..4 {
        let made = samples.key()?;
        store.put(&made).await?;
        let mut calls = Vec::new();
        for _ in 0..EDITORS {
            let events = (0..EDITS).map(|_| samples.event_id()).collect::<Ruling<_>>()?;
            calls.push(Call { store: store.clone(), id: made.id(), events, revokes: false });
        }
        let events = vec![samples.event_id()?];
        calls.push(Call { store: store.clone(), id: made.id(), events, revokes: true });
        let ended = at_once(calls.into_iter().map(Call::run).collect()).await?;
        let revoked = ended.into_iter().collect::<Ruling<Vec<_>>>()?.into_iter().flatten().next();
        let stored = store.get(made.id()).await?;
        let came = stored.map(|stored| (stored.key().status, stored.revision().get()));
        let done = "a revocation among the edits of 7 writers: status and revision afterwards";
        same(done, &came, &revoked.map(|revision| (Status::Revoked, revision)))?;
    }
    Ok(())
}

/// One of many who write one key at the same time.
struct Call<S> {
    store: Handle<S>,
    id: KeyId,
    events: Vec<EventId>,
    revokes: bool,
}

impl<S: KeyStore> Call<S> {
    /// The revision at which it revoked the key.
    async fn run(self) -> Ruling<Option<u64>> {
        for event in &self.events {
            let revoked = if self.revokes { self.revoke(*event).await? } else { self.edit(*event).await? };
            if revoked.is_some() {
                return Ok(revoked);
            }
        }
        Ok(None)
    }

    async fn revoke(&self, event: EventId) -> Ruling<Option<u64>> {
        loop {
            let Some(current) = self.store.get(self.id).await? else { return Err(lost()) };
            let write = on_top(&current, event, Action::Revoked, |key| key.status = Status::Revoked);
            match self.store.try_update(&write, current.revision()).await {
                Ok(()) => return Ok(Some(write.key.revision().get())),
                refused => conflicts("a revocation among edits", refused)?,
            }
        }
    }

    /// Built on what was read, as every edit is: on a revoked key, one that would revive it.
    async fn edit(&self, event: EventId) -> Ruling<Option<u64>> {
        let Some(current) = self.store.get(self.id).await? else { return Err(lost()) };
        let write = on_top(&current, event, Action::Edited, |key| key.status = Status::Active);
        let answer = self.store.try_update(&write, current.revision()).await;
        match answer {
            Ok(()) if current.key().status != Status::Revoked => {}
            answer => conflicts("an update among others, of a key that is revoked or was changed", answer)?,
        }
        Ok(None)
    }
}

fn lost() -> Stop {
    Stop::broken("`get` of a key while it is being updated", "the key", "nothing")
}

pub(super) async fn revoked_is_final_for_raw_writes<F: Fixture>(fixture: &F) -> Ruling {
    let Some(raw) = fixture.raw_writes() else {
        return Err(Stop::not_asked("the fixture has no raw writes"));
    };
    let (store, samples) = (open(fixture).await, Samples::new()?);
    for (what, attempt) in raw.attempts() {
        let made = samples.key()?;
        let revoked = samples.set(&made, Status::Revoked)?;
        store.put(&made).await?;
        store.put(&revoked).await?;
        // Refused or without effect: both are fine.
        let _ = attempt(revoked.key.clone()).await;
        let stored = store.get(made.id()).await?;
        same(format!("`get` of a revoked key after the raw write `{what}`"), &stored, &Some(revoked.key))?;
    }
    Ok(())
}
