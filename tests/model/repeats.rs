//! Whether a call under an operation repeats what the operation did last.

use crate::reference::{By, Edits, Event, Fields, Model};
use crate::steps::Reach;

impl Model {
    /// What this operation did last to the key, if that was `action`.
    pub(crate) fn done_last(&self, by: &By, key: usize, action: &str) -> Option<&Event> {
        let same = |event: &&Event| event.key == key && event.by.operation == by.operation;
        let last = self.events.iter().rev().find(same).filter(|_| by.operation.is_some());
        last.filter(|event| event.action == action)
    }

    /// Whether an edit asks for what `event` did: field by field the same, and nothing that is not so now.
    pub(crate) fn repeats(&self, event: &Event, edits: &Edits) -> bool {
        let now = &self.keys[event.key].fields;
        let earlier =
            |other: &&Event| other.key == event.key && other.revision.checked_add(1) == Some(event.revision);
        let before = &self.events.iter().find(earlier).expect("an edit is never the first").fields;
        let after = &event.fields;
        agrees(before, after, now, edits, |fields| &fields.name, |edits| edits.name.as_ref())
            && agrees(
                before,
                after,
                now,
                edits,
                |fields| &fields.description,
                |edits| edits.description.as_ref(),
            )
            && agrees(before, after, now, edits, |fields| &fields.expires, |edits| edits.expires.as_ref())
            && reaches([&before.agents, &after.agents, &now.agents], edits.agents.as_ref())
            && reaches([&before.prompts, &after.prompts, &now.prompts], edits.prompts.as_ref())
    }
}

fn agrees<'a, T: PartialEq + 'a>(
    before: &'a Fields,
    after: &'a Fields,
    now: &'a Fields,
    edits: &'a Edits,
    of: impl Fn(&'a Fields) -> &'a T,
    asked: impl Fn(&'a Edits) -> Option<&'a T>,
) -> bool {
    if of(before) == of(after) {
        asked(edits).is_none_or(|asked| asked == of(now))
    } else {
        asked(edits) == Some(of(after))
    }
}

/// The same for a scope, of which the history tells only what came and went.
fn reaches([before, after, now]: [&Reach; 3], asked: Option<&Reach>) -> bool {
    match (before, after, asked) {
        _ if before == after => asked.is_none_or(|asked| asked == now),
        (Reach::Only(old), Reach::Only(new), Some(Reach::Only(asked))) => {
            new.difference(old).all(|id| asked.contains(id))
                && old.difference(new).all(|id| !asked.contains(id))
        }
        _ => asked == Some(after),
    }
}
