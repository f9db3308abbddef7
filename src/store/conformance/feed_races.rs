//! Rules of the change feed among many writers.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::feeding::cursor;
use super::handle::{Handle, open, open_two};
use super::kept::start;
use super::pace::Pace;
use super::ruling::{Ruling, Stop, answered, holds};
use super::samples::{Samples, Write};
use super::threads::at_once;
use super::timer::within;
use super::{Fixture, shown};
use crate::domain::KeyId;
use crate::store::{ChangeCursor, KeyStore, StoredKey};

const WRITERS: usize = 64;
const EACH: usize = 4;
/// How long a fast commit is waited for, that may have to wait for a slow one.
const OVERTAKING: Duration = Duration::from_millis(500);

pub(super) async fn nothing_is_missed_at_64_writers<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    polled(std::slice::from_ref(&store), store.clone(), &samples).await
}

pub(super) async fn nothing_is_missed_by_another_handle<F: Fixture>(fixture: &F) -> Ruling {
    let [store, other] = open_two(fixture).await?;
    polled(&[store.clone(), other.clone()], other, &Samples::new()?).await
}

/// 64 writers, each of some keys, and one that follows them.
async fn polled<S: KeyStore>(stores: &[Handle<S>], follower: Handle<S>, samples: &Samples) -> Ruling {
    let cursor = cursor(&follower, samples).await?;
    let running = Arc::new(AtomicUsize::new(WRITERS));
    let mut calls = vec![Call::Follows(follower, cursor, Arc::clone(&running))];
    for store in stores.iter().cycle().take(WRITERS) {
        let mut writes = Vec::new();
        for _ in 0..EACH {
            writes.push(samples.key()?);
        }
        calls.push(Call::Writes(store.clone(), writes, Arc::clone(&running)));
    }
    let ended = at_once(calls.into_iter().map(Call::run).collect()).await?;
    let (mut written, mut named) = (Vec::new(), None);
    for end in ended {
        match end? {
            End::Wrote(ids) => written.extend(ids),
            End::Named(ids) => named = Some(ids),
        }
    }
    let Some(named) = named else { return Ok(()) };
    let missed = written.iter().filter(|id| !named.contains(id)).count();
    let done = format!("{WRITERS} writers of {EACH} keys each, followed by `changes` until all were done");
    let all = written.len();
    holds(
        missed == 0,
        done,
        "every key is named at least once",
        format_args!("{missed} of {all} keys were never named"),
    )
}

enum Call<S> {
    Writes(Handle<S>, Vec<Write>, Arc<AtomicUsize>),
    Follows(Handle<S>, ChangeCursor, Arc<AtomicUsize>),
}

enum End {
    Wrote(Vec<KeyId>),
    Named(Named),
}

/// Everything that a follower was told.
#[derive(Default)]
struct Named {
    ids: HashSet<KeyId>,
    everything: bool,
}

impl Named {
    fn contains(&self, id: &KeyId) -> bool {
        self.everything || self.ids.contains(id)
    }
}

impl<S: KeyStore> Call<S> {
    async fn run(self) -> Ruling<End> {
        match self {
            Self::Writes(store, writes, running) => {
                let written = write_all(&store, &writes).await;
                running.fetch_sub(1, Ordering::SeqCst);
                written.map(|()| End::Wrote(writes.iter().map(Write::id).collect()))
            }
            Self::Follows(store, mut cursor, running) => {
                let mut named = Named::default();
                loop {
                    let last_turn = running.load(Ordering::SeqCst) == 0;
                    let answer = store.changes(Some(&cursor)).await?;
                    match answer.ids {
                        Some(ids) => named.ids.extend(ids),
                        // Right, and proves nothing: a feed that always says so is useless.
                        None => named.everything = true,
                    }
                    cursor = answer.next;
                    if last_turn {
                        return Ok(End::Named(named));
                    }
                    std::thread::yield_now();
                }
            }
        }
    }
}

async fn write_all<S: KeyStore>(store: &Handle<S>, writes: &[Write]) -> Ruling {
    for write in writes {
        store.put(write).await?;
    }
    Ok(())
}

/// A follower keeps a copy of a key as a node does: read anew whenever the feed names it, and at no other time.
pub(super) async fn a_copy_follows<S: KeyStore>(stores: &[Handle<S>], samples: &Samples) -> Ruling {
    const CHANGES: u64 = 60;
    let (Some(writer), Some(follower)) = (stores.first(), stores.last()) else { return Ok(()) };
    let cursor = cursor(follower, samples).await?;
    let mut last = samples.key()?;
    let (id, mut writes) = (last.id(), vec![last.clone()]);
    for i in 1..CHANGES {
        last = samples.renamed(&last, &format!("Name {i}"))?;
        writes.push(last.clone());
    }
    let (pace, acknowledged) = (Arc::new(Pace::default()), Arc::new(AtomicU64::new(0)));
    let calls = [
        Copying {
            does: Copies::Writes(writer.clone(), writes),
            pace: pace.clone(),
            acknowledged: acknowledged.clone(),
        },
        Copying { does: Copies::Follows(follower.clone(), cursor, id), pace, acknowledged },
    ];
    let ended = at_once(calls.into_iter().map(Copying::run).collect()).await?;
    ended.into_iter().collect()
}

struct Copying<S> {
    does: Copies<S>,
    pace: Arc<Pace>,
    /// The last revision of which the writer knows that it is stored.
    acknowledged: Arc<AtomicU64>,
}

enum Copies<S> {
    Writes(Handle<S>, Vec<Write>),
    Follows(Handle<S>, ChangeCursor, KeyId),
}

impl<S: KeyStore> Copying<S> {
    async fn run(self) -> Ruling {
        let (pace, acknowledged) = (&*self.pace, &*self.acknowledged);
        match self.does {
            Copies::Writes(store, writes) => {
                let _end = pace.writer();
                for write in writes {
                    store.put(&write).await?;
                    acknowledged.store(write.key.revision().get(), Ordering::SeqCst);
                    // One turn may have begun before.
                    pace.wait_for_reads(2, pace.reads());
                }
                Ok(())
            }
            Copies::Follows(store, mut cursor, id) => {
                let _end = pace.reader();
                let mut copy = None;
                loop {
                    let last_turn = pace.is_written();
                    let expected = acknowledged.load(Ordering::SeqCst);
                    let answer = store.changes(Some(&cursor)).await?;
                    if answer.names(id) {
                        copy = store.get(id).await?;
                    }
                    let came = copy.as_ref().map_or(0, |copy: &StoredKey| copy.revision().get());
                    holds(
                        came >= expected,
                        "a copy of a key, read anew whenever `changes` named it while it was changed",
                        format!("revision {expected}, which was acknowledged before, or a later one"),
                        came,
                    )?;
                    cursor = answer.next;
                    pace.note_a_read();
                    if last_turn {
                        return Ok(());
                    }
                }
            }
        }
    }
}

pub(super) async fn an_overtaken_commit_is_named<F: Fixture>(fixture: &F) -> Ruling {
    let Some(slow) = fixture.slow_commits() else {
        return Err(Stop::not_asked("the fixture cannot hold a commit open"));
    };
    let (store, samples) = start(fixture).await?;
    let reader = open(fixture).await;
    for _ in 0..3 {
        let [held, fast] = [samples.key()?, samples.key()?];
        let first = cursor(&reader, &samples).await?;
        let commit = slow
            .hold(&held.key, &held.event)
            .await
            .map_err(|error| Stop::not_asked(format!("the fixture could not hold a commit open: {error}")))?;
        let mut overtaking = Box::pin(store.put(&fast));
        let overtook = match within(OVERTAKING, overtaking.as_mut()).await {
            Some(ended) => ended.map(|()| true)?,
            None => false,
        };
        let between = reader.changes(Some(&first)).await?;
        if overtook {
            let done = "`changes` after a fast commit, while a slow one is open";
            holds(between.names(fast.id()), done, "the key of the fast one", &between.ids)?;
        }
        let committed = commit.commit().await;
        answered("the last step of a commit that was held open", committed)?;
        if !overtook {
            // This store lets one commit wait for another. Then the second comes now.
            overtaking.await?;
        }
        let last = reader.changes(Some(&between.next)).await?;
        let is = between.ids.as_ref().is_some_and(|ids| ids.contains(&held.id())) || last.names(held.id());
        let done =
            "`changes` after a slow commit that a fast one overtook, since a cursor from between the two";
        holds(is, done, "the key of the slow one", shown::cut(&format!("{:?}", last.ids)))?;
    }
    Ok(())
}
