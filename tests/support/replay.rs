//! The states that an audit history tells of, to be compared with what is stored.

use access_keys::domain::{Action, FieldChange, ScopeChange};
use access_keys::store::KeyStore;
use access_keys::{
    AccessKey, AgentId, AuditEvent, AuditQuery, IdSet, KeyId, KeyQuery, ProjectId, PromptId, Scope, Status,
};
use chrono::{DateTime, Utc};

/// A key after one of its events.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) key: AccessKey,
    pub(crate) event: AuditEvent,
    /// The secrets that work, newest first, and when they end.
    pub(crate) secrets: Vec<(u32, Option<DateTime<Utc>>)>,
}

/// Every event of a key, oldest first.
pub(crate) fn events_of(store: &impl KeyStore, project: &ProjectId, key: KeyId) -> Vec<AuditEvent> {
    let mut query = AuditQuery::default().key(key).limit(1_000);
    let mut events = Vec::new();
    loop {
        let page = pollster::block_on(store.history(project, &query)).unwrap();
        events.extend(page.items);
        let Some(next) = page.next else { break };
        query = query.after(next);
    }
    events.reverse();
    events
}

/// The state after each event. Fails unless revisions have no gap, times rise, no event follows a revocation,
/// and every event begins where the one before it ended.
pub(crate) fn replay(events: &[AuditEvent]) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    for event in events {
        let state = match states.last() {
            None => first(event),
            Some(last) => next(last, event, repeats(event, events)),
        };
        states.push(state);
    }
    states
}

/// The same for a stored key, which must be what its history ends with.
pub(crate) fn verified_replay(store: &impl KeyStore, project: &ProjectId, key: KeyId) -> Vec<State> {
    let stored = pollster::block_on(store.get(key)).unwrap().expect("a key with a history is stored");
    let states = replay(&events_of(store, project, key));
    let last = states.last().expect("a stored key has a history");
    assert_eq!(*stored.key(), last.key, "the audit does not tell what is stored");
    assert_eq!(stored.last_event(), last.event.id);
    let works = |end: &Option<DateTime<Utc>>| end.is_none_or(|end| end > last.event.at);
    let secrets = stored.digests().iter().map(|digest| (digest.generation(), digest.ends_at()));
    let secrets: Vec<_> = secrets.filter(|(_, end)| works(end)).collect();
    assert_eq!(secrets, last.secrets, "the audit tells of other secrets than are stored");
    states
}

/// The same for every key of a project, which together must have all of its events.
pub(crate) fn verified_replays(store: &impl KeyStore, project: &ProjectId) -> Vec<Vec<State>> {
    let keys = pollster::block_on(store.list(project, &KeyQuery::default().limit(1_000))).unwrap();
    let events = pollster::block_on(store.history(project, &AuditQuery::default().limit(1_000))).unwrap();
    assert!(keys.next.is_none() && events.next.is_none(), "more than fits one page");
    let replays: Vec<_> = keys.items.iter().map(|key| verified_replay(store, project, key.id)).collect();
    assert_eq!(replays.iter().map(Vec::len).sum::<usize>(), events.items.len(), "an event without its key");
    replays
}

fn first(event: &AuditEvent) -> State {
    assert_eq!((event.action, event.revision.get()), (Action::Created, 1));
    let [FieldChange::Key(key)] = &event.changes[..] else { panic!("{:?}", event.changes) };
    assert_eq!((key.id, key.revision, key.created_at), (event.key, event.revision, event.at));
    assert_eq!((key.updated_at, &key.created_by), (event.at, &event.actor));
    State { key: (**key).clone(), event: event.clone(), secrets: vec![(1, None)] }
}

/// Whether an earlier event issued a secret in the same operation, so that this one replaces it.
fn repeats(event: &AuditEvent, events: &[AuditEvent]) -> bool {
    let issues = |earlier: &&AuditEvent| matches!(earlier.action, Action::Created | Action::Rotated);
    let mut earlier = events.iter().take_while(|earlier| earlier.revision < event.revision).filter(issues);
    event.operation.is_some() && earlier.any(|earlier| earlier.operation == event.operation)
}

fn next(last: &State, event: &AuditEvent, replaces: bool) -> State {
    let mut key = last.key.clone();
    assert_ne!(key.status, Status::Revoked, "something was done to a revoked key");
    assert_eq!((event.key, &event.project), (key.id, &key.project));
    assert_eq!(event.revision.get(), key.revision.get() + 1, "a revision is missing or repeated");
    assert!(event.at > last.event.at, "an event is not later than the one before");
    assert!(!event.changes.is_empty(), "an event that changes nothing");
    assert_eq!(event.reason.is_some(), event.action == Action::Revoked);
    key.revision = event.revision;
    key.updated_at = event.at;
    let mut secrets = last.secrets.clone();
    for change in &event.changes {
        match (event.action, change) {
            (Action::Edited, FieldChange::Name { before, after, .. }) => {
                replace(&mut key.name, before, after)
            }
            (Action::Edited, FieldChange::Description { before, after, .. }) => {
                replace(&mut key.description, before, after);
            }
            (Action::Edited, FieldChange::ExpiresAt { before, after, .. }) => {
                replace(&mut key.expires_at, before, after);
            }
            (Action::Edited, FieldChange::Agents(change)) => key.agents = agents(&key.agents, change),
            (Action::Edited, FieldChange::Prompts(change)) => key.prompts = prompts(&key.prompts, change),
            (
                Action::Activated | Action::Deactivated | Action::Revoked,
                FieldChange::Status { before, after, .. },
            ) => {
                let expected = match event.action {
                    Action::Activated => Status::Active,
                    Action::Deactivated => Status::Inactive,
                    _ => Status::Revoked,
                };
                assert_eq!(*after, expected);
                replace(&mut key.status, before, after);
            }
            (Action::Rotated, FieldChange::Secret { generation, old_secret_ends_at, .. }) => {
                assert_eq!(*generation, secrets[0].0 + 1, "a secret is missing or repeated");
                if replaces {
                    secrets.remove(0);
                } else {
                    secrets.truncate(1);
                    secrets[0].1 = Some(*old_secret_ends_at);
                }
                secrets.insert(0, (*generation, None));
            }
            other => panic!("this action does not change this: {other:?}"),
        }
    }
    secrets.retain(|(_, end)| end.is_none_or(|end| end > event.at));
    State { key, event: event.clone(), secrets }
}

fn replace<T: Clone + PartialEq + std::fmt::Debug>(field: &mut T, before: &T, after: &T) {
    assert_eq!(field, before, "an event begins elsewhere than the one before it ended");
    assert_ne!(before, after, "a change that changes nothing");
    field.clone_from(after);
}

macro_rules! scope {
    ($name:ident, $id:ty) => {
        fn $name(scope: &Scope<$id>, change: &ScopeChange<$id>) -> Scope<$id> {
            match (scope, change) {
                (Scope::Specific(ids), ScopeChange::Ids { added, removed, .. }) => {
                    assert!(
                        added.iter().all(|id| !ids.contains(id)) && removed.iter().all(|id| ids.contains(id))
                    );
                    assert!(!added.is_empty() || !removed.is_empty());
                    let kept = ids.iter().filter(|id| !removed.contains(id));
                    Scope::Specific(IdSet::new(kept.chain(added).cloned()).unwrap())
                }
                (scope, ScopeChange::Whole { before, after, .. }) => {
                    let mut scope = scope.clone();
                    replace(&mut scope, before, after);
                    scope
                }
                other => panic!("{other:?}"),
            }
        }
    };
}

scope!(agents, AgentId);
scope!(prompts, PromptId);
