//! Rules of updating.

use super::Fixture;
use super::handle::open;
use super::ruling::{Ruling, answered, conflicts, same};
use super::samples::{Samples, on_top};
use crate::domain::{Action, AuditQuery, KeyQuery, Revision, Status};

pub(super) async fn update_replaces_the_key<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let made = samples.key()?;
    store.put(&made).await?;
    let renamed = samples.renamed(&made, "Another name")?;
    store.put(&renamed).await?;
    same("`get` of a key that was updated", &store.get(made.id()).await?, &Some(renamed.key.clone()))?;
    let paused = samples.set(&renamed, Status::Inactive)?;
    store.put(&paused).await?;
    same("`get` of a key that was updated twice", &store.get(made.id()).await?, &Some(paused.key))
}

pub(super) async fn update_stores_the_event<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let made = samples.key()?;
    let renamed = samples.renamed(&made, "Another name")?;
    let revoked = samples.set(&renamed, Status::Revoked)?;
    for write in [&made, &renamed, &revoked] {
        store.put(write).await?;
    }
    let history = store.history_of(&made).await?;
    let expected = vec![revoked.event, renamed.event, made.event];
    same("`history` of a key that was made, renamed and revoked", &history, &expected)
}

pub(super) async fn update_of_an_absent_key_conflicts<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let absent = samples.renamed(&samples.key()?, "Another name")?;
    for expected in [Revision::FIRST, absent.key.revision()] {
        let answer = store.try_update(&absent, expected).await;
        conflicts("an update of a key that nobody inserted", answer)?;
    }
    same("`get` after that", &store.get(absent.id()).await?, &None)?;
    same("`history` after that", &store.history_of(&absent).await?, &vec![])
}

pub(super) async fn update_at_another_revision_conflicts<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let made = samples.key()?;
    let renamed = samples.renamed(&made, "Another name")?;
    store.put(&made).await?;
    let ahead = samples.renamed(&renamed, "From the future")?;
    let answer = store.try_update(&ahead, renamed.key.revision()).await;
    conflicts("an update that expects the revision after the stored one", answer)?;
    store.put(&renamed).await?;
    let late = samples.renamed(&made, "Too late")?;
    let answer = store.try_update(&late, made.key.revision()).await;
    conflicts("an update that expects the revision before the stored one", answer)?;
    same("`get` after that", &store.get(made.id()).await?, &Some(renamed.key))
}

pub(super) async fn a_refused_update_stores_nothing<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let made = samples.key()?;
    let renamed = samples.renamed(&made, "Another name")?;
    let revoked = samples.set(&renamed, Status::Revoked)?;
    let late = samples.renamed(&made, "Too late")?;
    let revived = samples.set(&revoked, Status::Active)?;
    let before = vec![revoked.event.clone(), renamed.event.clone(), made.event.clone()];
    for write in [&made, &renamed, &revoked] {
        store.put(write).await?;
    }
    conflicts("an update at an old revision", store.try_update(&late, Revision::FIRST).await)?;
    conflicts("an update of a revoked key", store.try_update(&revived, revoked.key.revision()).await)?;
    same("`get` after two refused updates", &store.get(made.id()).await?, &Some(revoked.key))?;
    let events = store.events(&samples.project, &AuditQuery::default()).await?;
    same("`history` after two refused updates", &events, &before)
}

pub(super) async fn the_loser_of_a_conflict_can_try_again<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let made = samples.key()?;
    let renamed = samples.renamed(&made, "Another name")?;
    let late = samples.renamed(&made, "Too late")?;
    store.put(&made).await?;
    store.put(&renamed).await?;
    conflicts("an update at an old revision", store.try_update(&late, Revision::FIRST).await)?;
    // The same event, on top of what is there now.
    let again = on_top(&renamed.key, late.event.id, Action::Edited, |key| key.name = "Again".to_owned());
    answered("a second try of it", store.try_update(&again, renamed.key.revision()).await)?;
    same("`get` after a second try", &store.get(made.id()).await?, &Some(again.key.clone()))?;
    let newest = store.history_of(&again).await?.into_iter().next();
    same("the newest event after a second try", &newest, &Some(again.event))
}

pub(super) async fn a_change_touches_no_other_key<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let project = samples.other_project()?;
    let neighbours = [
        samples.key()?,
        samples.key_with(|key| key.name = "Of the same project".to_owned())?,
        samples.key_with(|key| key.project = project.clone())?,
    ];
    for neighbour in &neighbours {
        store.put(neighbour).await?;
    }
    let made = samples.key()?;
    let renamed = samples.renamed(&made, "Another name")?;
    let revoked = samples.set(&renamed, Status::Revoked)?;
    for write in [&made, &renamed, &revoked] {
        store.put(write).await?;
        for neighbour in &neighbours {
            let stored = store.get(neighbour.id()).await?;
            same("`get` of a key after another was written", &stored, &Some(neighbour.key.clone()))?;
        }
    }
    let listed = store.keys(&project, &KeyQuery::default()).await?;
    let [_, _, elsewhere] = &neighbours;
    same("`list` of another project after a key was written", &listed, &vec![elsewhere.key.key().clone()])
}
