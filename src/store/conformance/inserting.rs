//! Rules of inserting.

use super::Fixture;
use super::handle::open;
use super::ruling::{Ruling, exists_already, same};
use super::samples::Samples;
use crate::domain::{AuditQuery, KeyQuery, Status};

pub(super) async fn insert_stores_the_key<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let write = samples.key()?;
    same("`get` of an id that nothing has", &store.get(write.id()).await?, &None)?;
    store.put(&write).await?;
    same("`get` of a key that was inserted", &store.get(write.id()).await?, &Some(write.key))
}

pub(super) async fn insert_stores_the_event<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let write = samples.key()?;
    store.put(&write).await?;
    let history = store.history_of(&write).await?;
    same("`history` of a key that was inserted", &history, &vec![write.event])
}

pub(super) async fn insert_is_never_an_update<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let write = samples.key()?;
    store.put(&write).await?;
    let same_id = samples.key_with(|key| {
        key.id = write.id();
        key.name = "Another".to_owned();
    })?;
    exists_already("an insert of an id that is stored", store.try_insert(&same_id).await)?;
    exists_already("an insert of a key that is stored", store.try_insert(&write).await)?;
    let revoked = samples.set(&write, Status::Revoked)?;
    store.put(&revoked).await?;
    exists_already("an insert of the id of a revoked key", store.try_insert(&same_id).await)?;
    same("`get` after three refused inserts", &store.get(write.id()).await?, &Some(revoked.key))
}

pub(super) async fn an_id_is_taken_in_every_project<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let (write, other) = (samples.key()?, samples.other_project()?);
    store.put(&write).await?;
    let elsewhere = samples.key_with(|key| {
        key.id = write.id();
        key.project = other.clone();
    })?;
    let answer = store.try_insert(&elsewhere).await;
    exists_already("an insert, in another project, of an id that is stored", answer)?;
    same("`get` after that", &store.get(write.id()).await?, &Some(write.key))?;
    let listed = store.keys(&other, &KeyQuery::default()).await?;
    same("`list` of the other project after that", &listed, &vec![])
}

pub(super) async fn a_refused_insert_stores_no_event<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = (open(fixture).await, Samples::new()?);
    let (write, other) = (samples.key()?, samples.other_project()?);
    store.put(&write).await?;
    let here = samples.key_with(|key| key.id = write.id())?;
    let elsewhere = samples.key_with(|key| {
        key.id = write.id();
        key.project = other.clone();
    })?;
    for refused in [&here, &elsewhere] {
        exists_already("an insert of an id that is stored", store.try_insert(refused).await)?;
    }
    let events = store.events(&samples.project, &AuditQuery::default()).await?;
    same("`history` of the project after a refused insert", &events, &vec![write.event])?;
    let events = store.events(&other, &AuditQuery::default()).await?;
    same("`history` of the other project after a refused insert", &events, &vec![])
}
