//! Rules of reading: what was committed, and never less than before.

use std::sync::Arc;

use super::Fixture;
use super::handle::{Handle, open_two};
use super::kept::{same_list, start};
use super::pace::Pace;
use super::ruling::{Ruling, Stop, holds, same};
use super::samples::{Samples, Write};
use super::threads::at_once;
use crate::domain::{AuditQuery, KeyId, KeyQuery, Revision};
use crate::store::KeyStore;

/// How often one key is changed while others look.
const CHANGES: usize = 40;

pub(super) async fn reads_see_what_was_acknowledged<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    sees_each_change(&store, &store, &samples, "the handle that made it").await
}

pub(super) async fn every_handle_sees_what_was_acknowledged<F: Fixture>(fixture: &F) -> Ruling {
    let [store, other] = open_two(fixture).await?;
    sees_each_change(&store, &other, &Samples::new()?, "another handle").await
}

async fn sees_each_change<S: KeyStore>(
    writes: &Handle<S>,
    reads: &Handle<S>,
    samples: &Samples,
    by: &str,
) -> Ruling {
    let mut last = samples.key()?;
    same("`get` of a key that is not there yet", &reads.get(last.id()).await?, &None)?;
    for i in 0..6 {
        writes.put(&last).await?;
        let stored = reads.get(last.id()).await?;
        same(format!("`get`, by {by}, at once after write {}", i + 1), &stored, &Some(last.key.clone()))?;
        let listed = reads.keys(&samples.project, &KeyQuery::default()).await?;
        same(format!("`list`, by {by}, at once after it"), &listed, &vec![last.key.key().clone()])?;
        let newest = reads.events(&samples.project, &AuditQuery::default()).await?.into_iter().next();
        same(format!("`history`, by {by}, at once after it"), &newest, &Some(last.event.clone()))?;
        last = samples.renamed(&last, &format!("Name {i}"))?;
    }
    Ok(())
}

pub(super) async fn reads_never_go_back<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    watched([store.clone(), store.clone(), store], &samples).await
}

pub(super) async fn reads_by_two_handles_never_go_back<F: Fixture>(fixture: &F) -> Ruling {
    let [store, other] = open_two(fixture).await?;
    watched([store.clone(), store, other], &Samples::new()?).await
}

/// One handle writes; two others read in turn, and each sees at least what the one before it saw.
async fn watched<S: KeyStore>([writes, first, second]: [Handle<S>; 3], samples: &Samples) -> Ruling {
    let made = samples.key()?;
    writes.put(&made).await?;
    let (mut last, mut updates) = (made.clone(), Vec::new());
    for i in 0..CHANGES {
        last = samples.renamed(&last, &format!("Name {i}"))?;
        updates.push(last.clone());
    }
    let pace = Arc::new(Pace::default());
    let calls = [
        Watch { pace: Arc::clone(&pace), does: Does::Writes(writes, updates) },
        Watch { pace, does: Does::Reads([first, second], made.id()) },
    ];
    let seen = at_once(calls.into_iter().map(Watch::run).collect()).await?;
    let last_seen = seen.into_iter().collect::<Ruling<Vec<_>>>()?.into_iter().flatten().max();
    same("the last revision that was read", &last_seen, &Some(last.key.revision()))
}

struct Watch<S> {
    pace: Arc<Pace>,
    does: Does<S>,
}

enum Does<S> {
    Writes(Handle<S>, Vec<Write>),
    Reads([Handle<S>; 2], KeyId),
}

impl<S: KeyStore> Watch<S> {
    async fn run(self) -> Ruling<Option<Revision>> {
        match self.does {
            Does::Writes(store, updates) => write_all(&store, &updates, &self.pace).await.map(|()| None),
            Does::Reads(stores, id) => read_in_turn(&stores, id, &self.pace).await.map(Some),
        }
    }
}

async fn write_all<S: KeyStore>(store: &Handle<S>, updates: &[Write], pace: &Pace) -> Ruling {
    let _end = pace.writer();
    for update in updates {
        let reads = pace.reads();
        store.put(update).await?;
        pace.wait_for_reads(1, reads);
    }
    Ok(())
}

async fn read_in_turn<S: KeyStore>(stores: &[Handle<S>], id: KeyId, pace: &Pace) -> Ruling<Revision> {
    let _end = pace.reader();
    let mut seen = Revision::FIRST;
    loop {
        let last_turn = pace.is_written();
        for store in stores {
            let Some(stored) = store.get(id).await? else {
                return Err(Stop::broken("`get` of a key while it is changed", "the key", "nothing"));
            };
            pace.note_a_read();
            let expected = format!("revision {seen} or a later one");
            let came = stored.revision();
            holds(came >= seen, "`get` after `get`, while the key is changed", expected, came.get())?;
            seen = came;
        }
        if last_turn {
            return Ok(seen);
        }
    }
}

pub(super) async fn get_finds_a_key_of_any_project<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut writes = Vec::new();
    for _ in 0..5 {
        let project = samples.other_project()?;
        let write = samples.key_with(|key| key.project = project)?;
        store.put(&write).await?;
        writes.push(write);
    }
    for write in &writes {
        same(
            "`get` of a key, one of five projects",
            &store.get(write.id()).await?,
            &Some(write.key.clone()),
        )?;
    }
    same("`get` of an id that nothing has", &store.get(samples.key_id()?).await?, &None)
}

pub(super) async fn get_many_finds_what_get_finds<F: Fixture>(fixture: &F) -> Ruling {
    const KEYS: usize = 100;
    let (store, samples) = start(fixture).await?;
    let mut expected = Vec::new();
    for i in 0..KEYS {
        let project = if i % 10 == 0 { samples.other_project()? } else { samples.project.clone() };
        let made = samples.key_with(|key| key.project = project)?;
        store.put(&made).await?;
        expected.push(made.key);
    }
    // Which nobody asks for.
    store.put(&samples.key()?).await?;
    let ids: Vec<_> = expected.iter().map(|stored| stored.key().id).collect();
    expected.sort_by_key(|stored| stored.key().id);
    let found = store.get_many(&ids).await?;
    same_list("`get_many` of 100 keys, ten of them of other projects", &found, &expected)?;
    let [absent, other] = [samples.key_id()?, samples.key_id()?];
    let mut asked = vec![absent];
    for id in ids.iter().rev() {
        asked.extend([*id, other, *id]);
    }
    let found = store.get_many(&asked).await?;
    same_list("`get_many` of ids that are named twice, among some that nothing has", &found, &expected)?;
    same_list("`get_many` of ids that nothing has", &store.get_many(&[absent, other]).await?, &[])?;
    same_list("`get_many` of no id", &store.get_many(&[]).await?, &[])
}

pub(super) async fn get_many_sees_what_was_acknowledged<F: Fixture>(fixture: &F) -> Ruling {
    let (store, other) = match open_two(fixture).await {
        Ok([store, other]) => (store, other),
        // A store for one process has one handle.
        Err(_) => {
            let (store, _) = start(fixture).await?;
            (store.clone(), store)
        }
    };
    let samples = Samples::new()?;
    let (first, mut last) = (samples.key()?, samples.key()?);
    let ids = [first.id(), last.id()];
    same_list("`get_many` of keys that are not there yet", &other.get_many(&ids).await?, &[])?;
    store.put(&first).await?;
    for i in 0..6 {
        store.put(&last).await?;
        let mut expected = [first.key.clone(), last.key.clone()];
        expected.sort_by_key(|stored| stored.key().id);
        let done = format!("`get_many`, at once after write {}", i + 1);
        same_list(&done, &other.get_many(&ids).await?, &expected)?;
        last = samples.renamed(&last, &format!("Name {i}"))?;
    }
    Ok(())
}
