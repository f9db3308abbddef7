//! Rules of calls that are dropped before they are done.

use super::Fixture;
use super::cut::dropped_after;
use super::handle::Handle;
use super::kept::start;
use super::ruling::{Ruling, Stop, holds, same};
use super::samples::{Samples, Write, at};
use crate::store::{KeyStore, KeyUse};

/// After more polls than this, every call was done or it is not worth waiting for.
const POLLS_MAX: usize = 24;
/// How often a key is read until it stands still.
const READS_MAX: usize = 1_000;

pub(super) async fn a_dropped_insert_is_done_or_not_done<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    for polls in 0..POLLS_MAX {
        let made = samples.key()?;
        let ended = dropped_after(polls, store.try_insert(&made)).await;
        let stored =
            whole(&store, &made, None, &format!("an insert that was dropped after {polls} polls")).await?;
        if let Some(answer) = ended {
            super::ruling::answered("an insert of a new key", answer)?;
            return holds(stored, "`get` after an insert that was done", "the key", "nothing");
        }
    }
    Ok(())
}

pub(super) async fn a_dropped_update_is_done_or_not_done<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    for polls in 0..POLLS_MAX {
        let made = samples.key()?;
        store.put(&made).await?;
        let renamed = samples.renamed(&made, "Another name")?;
        let ended = dropped_after(polls, store.try_update(&renamed, made.key.revision())).await;
        let done = format!("an update that was dropped after {polls} polls");
        let stored = whole(&store, &renamed, Some(&made), &done).await?;
        if let Some(answer) = ended {
            super::ruling::answered("an update at the stored revision", answer)?;
            return holds(stored, "`get` after an update that was done", "the new key", "the old one");
        }
    }
    Ok(())
}

/// Whether a write is stored; that it is half stored is an error.
async fn whole<S: KeyStore>(
    store: &Handle<S>,
    write: &Write,
    before: Option<&Write>,
    done: &str,
) -> Ruling<bool> {
    for _ in 0..READS_MAX {
        let first = store.get(write.id()).await?;
        let history = store.history_of(write).await?;
        let second = store.get(write.id()).await?;
        if first != second {
            // It was done between the two.
            continue;
        }
        let told = history.iter().any(|event| event.id == write.event.id);
        let stored = second.as_ref() == Some(&write.key);
        let untouched = second.as_ref() == before.map(|before| &before.key);
        holds(
            stored || untouched,
            format!("`get` after {done}"),
            "the key as before or as written",
            &second,
        )?;
        if stored != told {
            let came = format!(
                "the key is {}, its event is {}",
                if stored { "stored" } else { "not stored" },
                if told { "stored" } else { "not stored" }
            );
            return Err(Stop::broken(format!("`get` and `history` after {done}"), "both or neither", came));
        }
        let events = history.len();
        let expected = usize::from(before.is_some()) + usize::from(told);
        same(format!("`history` after {done}: how many events"), &events, &expected)?;
        return Ok(stored);
    }
    Err(Stop::broken(format!("`get` after {done}"), "a key that stands still", "it changes and changes"))
}

pub(super) async fn a_dropped_record_use_is_harmless<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let old = [KeyUse::new(made.id(), 1, at(1)), KeyUse::new(made.id(), 2, at(1))];
    store.record_use(&old).await?;
    for polls in 0..POLLS_MAX {
        let later = at(2 + u32::try_from(polls).unwrap_or_default());
        let new = [KeyUse::new(made.id(), 1, later), KeyUse::new(made.id(), 2, later)];
        let ended = dropped_after(polls, store.store().record_use(&new)).await;
        let kept = store.last_uses(&[made.id()]).await?;
        let done = format!("`last_uses` after a `record_use` that was dropped after {polls} polls");
        let fine = kept.len() == 2 && kept.iter().all(|used| used.at >= at(1) && used.at <= later);
        holds(fine, done, "for each secret a time that was recorded", &kept)?;
        same("`get` after that", &store.get(made.id()).await?, &Some(made.key.clone()))?;
        // What was lost can be recorded again.
        store.record_use(&new).await?;
        same(
            "`last_uses` after it was recorded again",
            &store.last_uses(&[made.id()]).await?,
            &new.to_vec(),
        )?;
        if ended.is_some() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn a_dropped_call_blocks_nothing<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut last = samples.key()?;
    store.put(&last).await?;
    for polls in 0..6 {
        drop_each(&store, &samples, &last, polls).await?;
        let made = samples.key()?;
        store.put(&made).await?;
        // What was dropped may have been done.
        let stored = store.get(last.id()).await?;
        holds(stored.is_some(), "`get` after calls were dropped", "the key", &stored)?;
        last = made;
    }
    Ok(())
}

/// Every call of the contract, dropped.
async fn drop_each<S: KeyStore>(store: &Handle<S>, samples: &Samples, last: &Write, polls: usize) -> Ruling {
    let made = samples.key()?;
    let renamed = samples.renamed(last, "Another name")?;
    let used = [KeyUse::new(last.id(), 1, samples.tick())];
    dropped_after(polls, store.try_insert(&made)).await;
    dropped_after(polls, store.try_update(&renamed, last.key.revision())).await;
    dropped_after(polls, store.get(last.id())).await;
    dropped_after(polls, store.page(&samples.project, &Default::default())).await;
    dropped_after(polls, store.event_page(&samples.project, &Default::default())).await;
    dropped_after(polls, store.store().record_use(&used)).await;
    dropped_after(polls, store.last_uses(&[last.id()])).await;
    dropped_after(polls, store.store().changes(None)).await;
    dropped_after(polls.min(1), store.store().changed()).await;
    Ok(())
}
