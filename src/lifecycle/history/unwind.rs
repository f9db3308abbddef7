//! A key as it was before each of its events.

use crate::domain::{AccessKey, AuditEvent, Field, FieldChange, IdSet, ResourceId, Scope, ScopeChange};

/// What a history makes of a key, going back from the record as it is.
#[derive(Debug)]
pub(super) struct Unwound {
    key: AccessKey,
    generation: u32,
}

impl Unwound {
    pub(super) const fn from(key: AccessKey, generation: u32) -> Self {
        Self { key, generation }
    }

    /// Whether the last change of the record was at the time of this event.
    pub(super) fn was_last_changed_by(&self, event: &AuditEvent) -> bool {
        self.key.updated_at == event.at
    }

    /// Takes back what an event did; the field in which it did not do what the record shows.
    pub(super) fn undo(&mut self, event: &AuditEvent) -> Result<(), Field> {
        event.changes.iter().try_for_each(|change| self.take_back(change))
    }

    fn take_back(&mut self, change: &FieldChange) -> Result<(), Field> {
        let key = &mut self.key;
        match change {
            FieldChange::Key(made) => is_as_made(key, self.generation, made),
            FieldChange::Name { before, after } => swap(&mut key.name, after, before, Field::Name),
            FieldChange::Description { before, after } => {
                swap(&mut key.description, after, before, Field::Description)
            }
            FieldChange::ExpiresAt { before, after } => {
                swap(&mut key.expires_at, after, before, Field::ExpiresAt)
            }
            FieldChange::Status { before, after } => swap(&mut key.status, after, before, Field::Status),
            FieldChange::Agents(change) => undo_scope(&mut key.agents, change, Field::Agents),
            FieldChange::Prompts(change) => undo_scope(&mut key.prompts, change, Field::Prompts),
            FieldChange::Secret { generation, .. } => {
                swap(&mut self.generation, generation, &generation.saturating_sub(1), Field::Generation)
            }
        }
    }
}

/// All that the first event tells, but for the time and the revision, which only the record has since.
fn is_as_made(key: &AccessKey, generation: u32, made: &AccessKey) -> Result<(), Field> {
    let differing = [
        (key.id != made.id, Field::Key),
        (key.project != made.project, Field::Project),
        (key.environment != made.environment, Field::Environment),
        (key.name != made.name, Field::Name),
        (key.description != made.description, Field::Description),
        (key.agents != made.agents, Field::Agents),
        (key.prompts != made.prompts, Field::Prompts),
        (key.status != made.status, Field::Status),
        (key.expires_at != made.expires_at, Field::ExpiresAt),
        (key.created_at != made.created_at, Field::Time),
        (key.created_by != made.created_by, Field::Actor),
        (key.origin != made.origin, Field::Origin),
        (generation != 1, Field::Generation),
    ];
    differing.into_iter().find(|(differs, _)| *differs).map_or(Ok(()), |(_, field)| Err(field))
}

fn swap<T: PartialEq + Clone>(value: &mut T, after: &T, before: &T, field: Field) -> Result<(), Field> {
    if value != after {
        return Err(field);
    }
    value.clone_from(before);
    Ok(())
}

fn undo_scope<T: ResourceId>(
    scope: &mut Scope<T>,
    change: &ScopeChange<T>,
    field: Field,
) -> Result<(), Field> {
    match (change, &mut *scope) {
        (ScopeChange::Whole { before, after }, _) => swap(scope, after, before, field),
        (ScopeChange::Ids { added, removed }, Scope::Specific(ids)) if change_fits(ids, added, removed) => {
            let before = ids.without(added).iter().chain(removed.iter()).cloned().collect::<Vec<_>>();
            *ids = IdSet::new(before).map_err(|_| field)?;
            Ok(())
        }
        (ScopeChange::Ids { .. }, _) => Err(field),
    }
}

fn change_fits<T: ResourceId>(ids: &IdSet<T>, added: &IdSet<T>, removed: &IdSet<T>) -> bool {
    added.without(ids).is_empty() && removed.without(ids) == *removed
}
