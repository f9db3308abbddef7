//! Rules of keeping events.

use super::Fixture;
use super::kept::{comes_back, start};
use super::ruling::{Ruling, same};
use super::samples::{at, valid};
use crate::domain::{Action, Actor, AuditQuery, FieldChange, OperationId, Scope, ScopeChange, Status};

pub(super) async fn the_changes_of_an_event_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let [one, other] = [valid(Scope::parse(["a", "b"]))?, valid(Scope::parse(["b", "c"]))?];
    let [some, none] = [valid(Scope::parse(["p"]))?, Scope::none()];
    let changes = [
        FieldChange::Name { before: "\u{1D11E}".repeat(100), after: "'; --".to_owned() },
        FieldChange::Description { before: String::new(), after: "one\ntwo".to_owned() },
        FieldChange::ExpiresAt { before: None, after: Some(at(1)) },
        FieldChange::ExpiresAt { before: Some(at(1)), after: None },
        FieldChange::Status { before: Status::Active, after: Status::Inactive },
        FieldChange::Secret { generation: u32::MAX, old_secret_ends_at: at(2) },
    ];
    let agents = ScopeChange::between(&one, &other).map(FieldChange::Agents);
    let to_all = ScopeChange::between(&one, &Scope::All).map(FieldChange::Agents);
    let prompts = ScopeChange::between(&Scope::All, &none).map(FieldChange::Prompts);
    let added = ScopeChange::between(&none, &some).map(FieldChange::Prompts);
    let changes = changes.into_iter().chain([agents, to_all, prompts, added].into_iter().flatten());
    let edited = samples.changed(&made, Action::Edited, changes.collect(), |_| {})?;
    comes_back(&store, &edited, "every kind of change").await?;
    let unchanged = samples.changed(&edited, Action::Edited, vec![], |_| {})?;
    comes_back(&store, &unchanged, "an event without a change").await
}

pub(super) async fn an_empty_reason_is_not_an_absent_one<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    for reason in [None, Some(String::new()), Some("one\ntwo".to_owned()), Some("\u{1D11E}".repeat(1_000))] {
        let made = samples.key()?;
        store.put(&made).await?;
        let mut revoked = samples.set(&made, Status::Revoked)?;
        let what = match &reason {
            None => "no reason".to_owned(),
            Some(reason) => format!("a reason of {} characters", reason.chars().count()),
        };
        revoked.event.reason = reason;
        comes_back(&store, &revoked, &what).await?;
    }
    Ok(())
}

pub(super) async fn the_operation_of_an_event_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    for text in ["req-7".to_owned(), "~".repeat(128)] {
        let operation = valid(OperationId::new(text))?;
        let mut made = samples.key()?;
        made.event.operation = Some(operation.clone());
        comes_back(&store, &made, &format!("the operation {operation}")).await?;
        let mut edited = samples.renamed(&made, "Another name")?;
        comes_back(&store, &edited, "no operation").await?;
        edited = samples.renamed(&edited, "A third name")?;
        edited.event.operation = Some(operation);
        comes_back(&store, &edited, "the same operation once more").await?;
    }
    Ok(())
}

pub(super) async fn the_seal_of_an_event_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut last = samples.key()?;
    comes_back(&store, &last, "a seal").await?;
    for name in ["Another name", "A third name"] {
        last = samples.renamed(&last, name)?;
        comes_back(&store, &last, "a seal of its own for each event").await?;
    }
    Ok(())
}

pub(super) async fn the_absence_of_a_seal_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let unsealed = samples.unsealed(samples.key()?);
    comes_back(&store, &unsealed, "no seal").await
}

pub(super) async fn the_actor_of_an_event_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut last = samples.key()?;
    store.put(&last).await?;
    for actor in [Actor::user("bob"), Actor::system("bob"), Actor::system("~".repeat(128))] {
        let actor = valid(actor)?;
        last = samples.renamed(&last, actor.id().get(..3).unwrap_or("x"))?;
        last.event.actor = actor.clone();
        comes_back(&store, &last, &format!("the actor {actor}, who did not make the key")).await?;
    }
    Ok(())
}

pub(super) async fn every_action_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut last = samples.key()?;
    store.put(&last).await?;
    let mut expected = vec![last.event.clone()];
    for action in [
        Action::Edited,
        Action::Rotated,
        Action::Deactivated,
        Action::Activated,
        Action::Edited,
        Action::Revoked,
    ] {
        let status = match action {
            Action::Deactivated => Status::Inactive,
            Action::Revoked => Status::Revoked,
            _ => Status::Active,
        };
        last = samples.changed(&last, action, vec![], |key| key.status = status)?;
        store.put(&last).await?;
        expected.insert(0, last.event.clone());
    }
    let events = store.events(&samples.project, &AuditQuery::default()).await?;
    same("`history` of a key to which everything was done", &events, &expected)
}
