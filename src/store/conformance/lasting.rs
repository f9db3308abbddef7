//! Rules of what stays.

use super::Fixture;
use super::handle::{open, open_two};
use super::ruling::{Ruling, same};
use super::samples::Samples;
use crate::store::KeyUse;

pub(super) async fn the_past_is_never_changed<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let mut last = samples.key()?;
    store.put(&last).await?;
    let mut events = vec![last.event.clone()];
    for i in 0..40 {
        last = samples.renamed(&last, &format!("Name {i}"))?;
        store.put(&last).await?;
        events.insert(0, last.event.clone());
    }
    let history = store.history_of(&last).await?;
    same("`history` of a key that was changed 40 times", &history, &events)
}

pub(super) async fn what_was_acknowledged_is_there_after_reopening<F: Fixture>(fixture: &F) -> Ruling {
    let samples = Samples::new()?;
    let [store, other] = open_two(fixture).await?;
    let made = samples.key()?;
    let (renamed, kept) = (samples.renamed(&made, "Another name")?, samples.key()?);
    let used = KeyUse::new(made.id(), 1, samples.tick());
    for write in [&made, &kept, &renamed] {
        store.put(write).await?;
    }
    store.record_use(&[used]).await?;
    // No handle is left, as when the host was stopped.
    drop((store, other));
    let store = open(fixture).await;
    for write in [&renamed, &kept] {
        let stored = store.get(write.id()).await?;
        same("`get` after the store was reopened", &stored, &Some(write.key.clone()))?;
    }
    let history = store.history_of(&made).await?;
    same("`history` after the store was reopened", &history, &vec![renamed.event, made.event.clone()])?;
    same("`last_uses` after the store was reopened", &store.last_uses(&[made.id()]).await?, &vec![used])
}
