//! Rules of writes at the same time.

use super::Fixture;
use super::handle::open;
use super::ruling::{Ruling, Stop, conflicts, exists_already, holds, same};
use super::samples::{Samples, on_top};
use super::threads::at_once;
use crate::domain::Action;

pub(super) async fn one_update_of_many_at_once_wins<F: Fixture>(fixture: &F) -> Ruling {
    const AT_ONCE: u32 = 16;
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let mut last = samples.key()?;
    store.put(&last).await?;
    for _ in 0..4 {
        let mut updates = Vec::new();
        for i in 0..AT_ONCE {
            updates.push(samples.renamed(&last, &format!("Number {i}"))?);
        }
        let tries = updates.iter().cloned().map(|write| {
            let (store, expected) = (store.clone(), last.key.revision());
            async move { store.try_update(&write, expected).await }
        });
        let done = format!("{AT_ONCE} updates at the same time that expect one revision");
        let mut won = Vec::new();
        for (answer, write) in at_once(tries.collect()).await?.into_iter().zip(updates) {
            match answer {
                Ok(()) => won.push(write),
                refused => conflicts(format!("one of {done}"), refused)?,
            }
        }
        let [winner] = won.as_slice() else {
            return holds(false, done, "exactly one succeeds", format!("{} succeeded", won.len()));
        };
        same(format!("`get` after {done}"), &store.get(last.id()).await?, &Some(winner.key.clone()))?;
        let newest = store.history_of(winner).await?.into_iter().next();
        same(format!("the newest event after {done}"), &newest, &Some(winner.event.clone()))?;
        last = winner.clone();
    }
    let events = store.history_of(&last).await?.len();
    same("`history` after 4 rounds of updates at the same time: how many events", &events, &5)
}

pub(super) async fn updates_at_once_lose_none<F: Fixture>(fixture: &F) -> Ruling {
    const AT_ONCE: u64 = 8;
    const EACH: u64 = 5;
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let made = samples.key()?;
    store.put(&made).await?;
    let mut writers = Vec::new();
    for writer in 0..AT_ONCE {
        // What the writers store is made before: only the revision and the times are of the moment.
        let mut ids = Vec::new();
        for _ in 0..EACH {
            ids.push(samples.event_id()?);
        }
        let (store, first) = (store.clone(), made.clone());
        writers.push(async move {
            for id in ids {
                loop {
                    let stored = store.get(first.id()).await?;
                    let current = stored.ok_or_else(|| {
                        Stop::broken("`get` while a key is being updated", "the key", "nothing")
                    })?;
                    let next =
                        on_top(&current, id, Action::Edited, |key| key.name = format!("Writer {writer}"));
                    match store.try_update(&next, current.revision()).await {
                        Ok(()) => break,
                        refused => conflicts("an update among others", refused)?,
                    }
                }
            }
            Ok(())
        });
    }
    at_once(writers).await?.into_iter().collect::<Ruling>()?;
    let done = format!("{AT_ONCE} writers that each updated one key {EACH} times");
    let revision = store.get(made.id()).await?.map(|stored| stored.revision().get());
    same(format!("{done}: the revision"), &revision, &Some(1 + AT_ONCE * EACH))?;
    let revisions: Vec<u64> =
        store.history_of(&made).await?.iter().map(|event| event.revision.get()).collect();
    let expected: Vec<u64> = (1..=1 + AT_ONCE * EACH).rev().collect();
    same(format!("{done}: the revisions of the events"), &revisions, &expected)
}

pub(super) async fn one_insert_of_many_at_once_wins<F: Fixture>(fixture: &F) -> Ruling {
    const AT_ONCE: usize = 16;
    let (store, samples) = (open(fixture).await, Samples::new()?);
    for _ in 0..4 {
        let id = samples.key_id()?;
        let mut inserts = Vec::new();
        for _ in 0..AT_ONCE {
            inserts.push(samples.key_with(|key| key.id = id)?);
        }
        let tries = inserts.iter().cloned().map(|write| {
            let store = store.clone();
            async move { store.try_insert(&write).await }
        });
        let done = format!("{AT_ONCE} inserts of one id at the same time");
        let mut won = Vec::new();
        for (answer, write) in at_once(tries.collect()).await?.into_iter().zip(inserts) {
            match answer {
                Ok(()) => won.push(write),
                refused => exists_already(format!("one of {done}"), refused)?,
            }
        }
        let [winner] = won.as_slice() else {
            return holds(false, done, "exactly one succeeds", format!("{} succeeded", won.len()));
        };
        same(format!("`get` after {done}"), &store.get(id).await?, &Some(winner.key.clone()))?;
        let history = store.history_of(winner).await?;
        same(format!("`history` after {done}"), &history, &vec![winner.event.clone()])?;
    }
    Ok(())
}
