//! Whether what was observed is explained by one order of the calls: that of the revisions.

use access_keys::domain::{Action, Field};
use access_keys::{Denial, Error, KeyState, Status};

use crate::calls::{Call, Observed, Outcome};
use crate::support::State;

/// Fails unless every outcome is that of a state that was current at some moment between the beginning and the
/// end of its call, and every event but the first `given` is that of exactly one acknowledged change.
pub(crate) fn explain(states: &[State], given: usize, observed: &[Observed]) {
    let mut acknowledged = 0;
    for seen in observed {
        let by_actor: Vec<&State> =
            states.iter().filter(|state| state.event.actor.id() == seen.actor).collect();
        let is_new = matches!(seen.outcome, Outcome::Changed { is_new: true, .. });
        assert_eq!(by_actor.len(), usize::from(is_new), "events of {seen:?} in {}", told(states));
        acknowledged += by_actor.len();
        assert!(is_explained(states, seen), "{seen:?} in {}", told(states));
    }
    assert_eq!(states.len(), given + acknowledged, "a change that nobody was told of");
}

/// The history in short, for the message of a failure.
fn told(states: &[State]) -> String {
    let line = |state: &State| format!("\n{} {}", state.key.revision, state.event);
    states.iter().map(line).collect()
}

fn is_explained(states: &[State], seen: &Observed) -> bool {
    let at = |revision: u64| revision.checked_sub(1).and_then(|i| states.get(usize::try_from(i).unwrap()));
    let mut between = (seen.from..=seen.to).map(at);
    match &seen.outcome {
        Outcome::Changed { key, is_new, .. } => {
            let revision = key.revision.get();
            let Some(state) = at(revision) else { return false };
            let in_time = revision <= seen.to && (seen.from + u64::from(*is_new)) <= revision;
            let did = if *is_new { did(seen, state) } else { is_done(states, seen, state) };
            in_time && state.key == *key && did
        }
        Outcome::Failed(Error::Refused { from: KeyState::Revoked, action, .. }) => {
            seen.call.action() == Some(*action) && between.any(|state| is(state, Status::Revoked))
        }
        Outcome::Failed(Error::Conflict { expected, .. }) => {
            matches!(&seen.call, Call::RenameIf(_, revision) if revision == expected)
                && between.any(|state| state.is_some_and(|state| state.key.revision != *expected))
        }
        // An operation names one edit: another one under its name is refused.
        Outcome::Failed(Error::Invalid(invalid)) => {
            invalid.field == Field::Operation
                && states.iter().take_while(|state| state.key.revision.get() <= seen.to).any(|state| {
                    is_of_operation(seen, state)
                        && matches!(&seen.call, Call::Rename(name) if state.key.name != *name)
                })
        }
        Outcome::Failed(_) => false,
        Outcome::Verified(result) => match &**result {
            Ok(grant) => {
                let revision = grant.key().revision.get();
                (seen.from..=seen.to).contains(&revision)
                    && is(at(revision), Status::Active)
                    && at(revision).is_some_and(|state| state.key == *grant.key())
                    && has_secret(states, seen, at(revision))
            }
            Err(Denial::Unrecognized { .. }) => between.any(|state| !has_secret(states, seen, state)),
            Err(Denial::Revoked { .. }) => {
                between.any(|state| is(state, Status::Revoked) && has_secret(states, seen, state))
            }
            Err(Denial::Inactive { .. }) => {
                between.any(|state| is(state, Status::Inactive) && has_secret(states, seen, state))
            }
            Err(_) => false,
        },
    }
}

/// Whether `state` is what the call writes, under its actor and operation.
fn did(seen: &Observed, state: &State) -> bool {
    let (key, event) = (&state.key, &state.event);
    let action = match (&seen.call, seen.operation) {
        // A repeated generate of an operation gives its key a new secret.
        (Call::Generate, Some(_)) if key.revision.get() > 1 => Action::Rotated,
        (call, _) => call.action().unwrap(),
    };
    let named = |name: &String| key.name == *name;
    event.actor.id() == seen.actor
        && event.operation.as_ref().map(|operation| operation.as_str()) == seen.operation
        && event.action == action
        && match &seen.call {
            Call::Rename(name) => named(name),
            Call::RenameIf(name, expected) => named(name) && key.revision == expected.next(),
            _ => true,
        }
}

/// Whether the call had nothing left to do in `state`: it is so already, or its operation did it before.
fn is_done(states: &[State], seen: &Observed, state: &State) -> bool {
    let before = states.iter().take_while(|earlier| earlier.key.revision <= state.key.revision);
    let repeated = before.into_iter().any(|earlier| {
        is_of_operation(seen, earlier)
            && !matches!(&seen.call, Call::Rename(name) if earlier.key.name != *name)
    });
    repeated
        || match &seen.call {
            Call::Rename(name) => state.key.name == *name && state.key.status != Status::Revoked,
            Call::RenameIf(name, expected) => state.key.name == *name && state.key.revision == *expected,
            Call::Deactivate => state.key.status == Status::Inactive,
            Call::Activate => state.key.status == Status::Active,
            Call::Revoke => state.key.status == Status::Revoked,
            Call::Generate | Call::Rotate(_) | Call::Verify(..) | Call::Use(..) => false,
        }
}

/// Whether `state` was made by the same action under the same operation.
fn is_of_operation(seen: &Observed, state: &State) -> bool {
    let operation = state.event.operation.as_ref().map(|operation| operation.as_str());
    seen.operation.is_some() && operation == seen.operation && Some(state.event.action) == seen.call.action()
}

fn is(state: Option<&State>, status: Status) -> bool {
    state.is_some_and(|state| state.key.status == status)
}

/// Whether the token that was presented works in `state`, its status apart.
fn has_secret(states: &[State], seen: &Observed, state: Option<&State>) -> bool {
    let (Call::Verify(_, issued_at) | Call::Use(_, issued_at)) = &seen.call else { return false };
    let generation = states[usize::try_from(issued_at - 1).unwrap()].secrets[0].0;
    state.is_some_and(|state| state.secrets.iter().any(|(works, _)| *works == generation))
}
