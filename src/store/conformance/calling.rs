//! Rules of every call.

use std::error::Error;
use std::pin::Pin;

use super::Fixture;
use super::handle::Handle;
use super::kept::start;
use super::ruling::{Ruling, Stop, answered, holds, same};
use super::samples::{Samples, Write, valid};
use super::threads::at_once;
use crate::domain::{AgentId, AuditQuery, KeyQuery, Revision};
use crate::store::{KeyStore, KeyUse, ScopeUse, StoreError, StoredKey};

pub(super) async fn calls_about_nothing_end<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    store.record_use(&[]).await?;
    same("`last_uses` of no key", &store.last_uses(&[]).await?, &vec![])?;
    let absent = samples.key_id()?;
    same("`get` of an id that nothing has", &store.get(absent).await?, &None)?;
    same("`last_uses` of an id that nothing has", &store.last_uses(&[absent]).await?, &vec![])?;
    let nothing = AuditQuery::default().key(absent);
    same("`history` of an id that nothing has", &store.events(&samples.project, &nothing).await?, &vec![])?;
    answered("`changes` without a cursor", store.store().changes(None).await).map(|_| ())
}

pub(super) async fn many_calls_at_once_end<F: Fixture>(fixture: &F) -> Ruling {
    const AT_ONCE: usize = 64;
    let (store, samples) = start(fixture).await?;
    let shared = samples.key()?;
    store.put(&shared).await?;
    let mut calls: Vec<Pin<Box<dyn Future<Output = Ruling> + Send>>> = Vec::new();
    for i in 0..AT_ONCE {
        let (store, made, shared) = (store.clone(), samples.key()?, shared.clone());
        let used = KeyUse::new(shared.id(), 1, samples.tick());
        calls.push(Box::pin(async move {
            store.put(&made).await?;
            let project = &made.event.project;
            match i % 4 {
                0 => store.record_use(&[used]).await?,
                1 => store.page(project, &KeyQuery::default()).await.map(|_| ())?,
                2 => store.event_page(project, &AuditQuery::default()).await.map(|_| ())?,
                _ => answered("`changes`", store.store().changes(None).await).map(|_| ())?,
            }
            same("`get` among 64 calls", &store.get(made.id()).await?, &Some(made.key.clone()))?;
            store.last_uses(&[shared.id()]).await.map(|_| ())
        }));
    }
    at_once(calls).await?.into_iter().collect()
}

pub(super) async fn no_error_shows_a_digest<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let late = samples.renamed(&made, "Another name")?;
    let faults = fixture.faults();
    let mut errors = refusals(&store, &made, &late).await;
    if let Some(faults) = &faults {
        faults.begin().await;
        errors.extend(refusals(&store, &samples.key()?, &late).await);
        errors.extend(store.store().get(made.id()).await.err());
        faults.end().await;
    }
    for error in errors {
        for key in [&made.key, &late.key] {
            let shown = format!("{error:?} {error} {}", causes(&error));
            let found = forms(key).into_iter().find(|(_, form)| shown.contains(form.as_str()));
            if let Some((form, _)) = found {
                let done = "a write that was refused: its error, and what caused it";
                return Err(Stop::broken(done, "no digest in it", format!("a digest, as {form}")));
            }
        }
    }
    Ok(())
}

async fn refusals<S: KeyStore>(store: &Handle<S>, made: &Write, late: &Write) -> Vec<StoreError> {
    let answers = [store.try_insert(made).await, store.try_update(late, Revision::FIRST.next()).await];
    answers.into_iter().filter_map(Result::err).collect()
}

fn causes(error: &StoreError) -> String {
    let mut shown = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        shown.push_str(&format!("{error:?} {error} "));
        cause = error.source();
    }
    shown
}

/// A digest as it may be written, each with the name of the form.
fn forms(key: &StoredKey) -> Vec<(&'static str, String)> {
    let Some(digest) = key.digests().first() else { return Vec::new() };
    let bytes = digest.digest.bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{bytes:?}");
    let list = list.trim_matches(['[', ']']).to_owned();
    vec![
        ("hexadecimal digits", hex.clone()),
        ("capital digits", hex.to_uppercase()),
        ("a list of bytes", list),
    ]
}

pub(super) async fn a_store_that_fails_tells_the_truth<F: Fixture>(fixture: &F) -> Ruling {
    let Some(faults) = fixture.faults() else { return Err(Stop::not_asked("the fixture makes no faults")) };
    let (store, samples) = start(fixture).await?;
    let [made, kept] = [samples.key()?, samples.key()?];
    store.put(&made).await?;
    store.put(&kept).await?;
    let (inserted, renamed) = (samples.key()?, samples.renamed(&made, "Another name")?);
    faults.begin().await;
    let insert = store.try_insert(&inserted).await;
    let update = store.try_update(&renamed, made.key.revision()).await;
    faults.end().await;
    for (what, answer, write) in [("an insert", insert, &inserted), ("an update", update, &renamed)] {
        let stored = store.get(write.id()).await?.as_ref() == Some(&write.key);
        let told = store.history_of(write).await?.iter().any(|event| event.id == write.event.id);
        let done = format!("{what} while the backend failed, looked at when it worked again");
        same(format!("{done}: its event, beside its key"), &told, &stored)?;
        let (fine, expected) = match &answer {
            Ok(()) => (stored, "what was acknowledged is stored"),
            Err(StoreError::OutcomeUnknown { .. }) => (true, "stored or not"),
            Err(StoreError::Backend { .. }) => (!stored, "after `Backend`, nothing is stored"),
            Err(_) => (false, "`Backend` or `OutcomeUnknown`"),
        };
        let is = if stored { "stored" } else { "not stored" };
        let came = format!("{}, and it is {is}", super::shown::answer(&answer));
        holds(fine, done, expected, format_args!("{came}"))?;
    }
    same("`get` of a key that nobody touched then", &store.get(kept.id()).await?, &Some(kept.key))
}

pub(super) async fn a_failed_read_is_no_answer<F: Fixture>(fixture: &F) -> Ruling {
    let Some(faults) = fixture.faults() else { return Err(Stop::not_asked("the fixture makes no faults")) };
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let used = KeyUse::new(made.id(), 1, samples.tick());
    store.record_use(&[used]).await?;
    let used = ScopeUse::new(made.id(), valid(AgentId::new("bot"))?, samples.tick());
    answered("`record_scope_uses`", store.store().record_scope_uses(&[used]).await)?;
    faults.begin().await;
    let read = reads(&store, &samples, &made).await;
    faults.end().await;
    for (call, came) in
        ["get", "get_many", "list", "history", "last_uses", "scope_uses"].into_iter().zip(read)
    {
        let done = format!("`{call}` of what is stored, while the backend failed");
        holds(
            came.is_none_or(|came| came == 1),
            done,
            "an error, or the one item that is there",
            format_args!("{} items", came.unwrap_or(0)),
        )?;
    }
    same("`get` when the backend worked again", &store.get(made.id()).await?, &Some(made.key))
}

/// How many items each read finds; `None` for an error.
async fn reads<S: KeyStore>(store: &Handle<S>, samples: &Samples, made: &Write) -> [Option<usize>; 6] {
    let raw = store.store();
    [
        raw.get(made.id()).await.ok().map(|found| found.iter().len()),
        raw.get_many(&[made.id()]).await.ok().map(|found| found.len()),
        raw.list(&samples.project, &KeyQuery::default()).await.ok().map(|page| page.items.len()),
        raw.history(&samples.project, &AuditQuery::default()).await.ok().map(|page| page.items.len()),
        raw.last_uses(&[made.id()]).await.ok().map(|uses| uses.len()),
        // A store that keeps none says so at all times.
        raw.scope_uses(&[made.id()]).await.ok().map(|uses| uses.map_or(1, |uses| uses.len())),
    ]
}
