//! Editing, pausing and revoking: changes of a key that issue no token.

use chrono::{DateTime, Utc};

use super::commit::{Attempts, Outcome, Step};
use super::{Change, Error, ProjectKeys};
use crate::domain::{
    AccessKey, Action, Applied, AuditEvent, AuditQuery, Edit, Field, FieldChange, Invalid, KeyId, Rejection,
    Rule,
};
use crate::store::KeyStore;
use crate::verify::Announced;

/// The key as it is after a change, and whether anything was written.
type Changed = Result<(AccessKey, bool), Error>;

impl<S: KeyStore> ProjectKeys<S> {
    /// Changes a key's name, description, expiry or scope.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an expiry that is not later than now or scopes that leave nothing to reach;
    /// [`Error::NotFound`]; [`Error::Refused`] for a revoked key; [`Error::Conflict`] when the edit was for
    /// another revision; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves the edit done or not done.
    pub async fn edit(&self, id: KeyId, edit: Edit) -> Result<Change, Error> {
        let same = |event: &AuditEvent, key: &AccessKey| edit.repeats(&event.changes, key);
        let apply = |key: &AccessKey, now| apply_edit(key, &edit, now);
        self.announce(self.change(id, Action::Edited, None, apply, same)).await
    }

    /// Pauses a key until it is activated again. A key that is paused already stays so.
    ///
    /// It needs no clock of the store: where that cannot be read, the event has the time of this node.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] for a revoked key; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn deactivate(&self, id: KeyId) -> Result<Change, Error> {
        self.set_status(id, Action::Deactivated).await
    }

    /// Ends the pause of a key. A key that is active already stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] for a revoked key; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn activate(&self, id: KeyId) -> Result<Change, Error> {
        self.set_status(id, Action::Activated).await
    }

    /// Ends a key for ever. It stays for the record. A key that is revoked already stays as it is.
    ///
    /// Where a token of these keys stands in the reason, its secret is not recorded. It needs no clock of the store:
    /// where that cannot be read, the event has the time of this node.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a reason of more than 1,000 characters or with control characters;
    /// [`Error::NotFound`]; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn revoke(&self, id: KeyId, reason: impl AsRef<str> + Send) -> Result<Change, Error> {
        let reason = self.keys.reason(reason.as_ref())?;
        self.announce(self.revoke_for(id, reason)).await
    }

    /// Revokes for a reason that was checked, and leaves to the caller when to ask how long until it holds everywhere.
    pub(super) async fn revoke_for(&self, id: KeyId, reason: String) -> Changed {
        let action = Action::Revoked;
        let apply = |key: &AccessKey, _| apply_status(key, action);
        let revoked = self.change(id, action, Some(reason), apply, |_, _| true).await?;
        self.keys.verifier.seen_revoked(id);
        Ok(revoked)
    }

    async fn set_status(&self, id: KeyId, action: Action) -> Result<Change, Error> {
        let apply = |key: &AccessKey, _| apply_status(key, action);
        self.announce(self.change(id, action, None, apply, |_, _| true)).await
    }

    /// Applies a rule to the key as it is, again and again until nothing comes between reading and writing.
    ///
    /// A caller who pinned a revision is refused by the rule itself when it is applied to a later one. What an
    /// operation has done already is not done again over what came later, if it `repeats` what was done.
    async fn change(
        &self,
        id: KeyId,
        action: Action,
        reason: Option<String>,
        apply: impl Fn(&AccessKey, DateTime<Utc>) -> Result<Option<Applied>, Error>,
        repeats: impl Fn(&AuditEvent, &AccessKey) -> bool,
    ) -> Changed {
        // Told when this call ends in whatever way: also a change that wrote nothing relies on what is stored.
        let _changing = self.keys.verifier.changing(id);
        let mut attempts = Attempts::default();
        loop {
            let stored = self.load(id).await?;
            attempts.at(stored.revision())?;
            let now = match self.stamp().await {
                Ok(now) => now,
                // What cuts off must not fail for want of a clock: nothing is judged by this time.
                Err(_) if matches!(action, Action::Revoked | Action::Deactivated) => self.now(),
                Err(error) => return Err(error.into()),
            };
            let earlier = AuditQuery::default().key(id).action(action);
            let done = match action {
                // Nothing comes after it, so that the key itself shows whether it was done.
                Action::Revoked => None,
                _ => self.event_of_operation(earlier).await?,
            };
            if let Some(done) = done {
                // Read again: what was read before may be older than the event.
                let key = self.get(id).await?;
                let rule = Invalid::new(Field::Operation, Rule::Repeated);
                return if repeats(&done, &key) { Ok((key, false)) } else { Err(rule.into()) };
            }
            let Some(Applied { key, changes }) = apply(stored.key(), now)? else {
                return Ok((stored.key().clone(), false));
            };
            let digests = stored.digests().to_vec();
            let step = Step { key, digests, action, changes, reason: reason.clone() };
            let write = self.write(now, &stored, step)?;
            if write.update(self.store(), stored.revision()).await? == Outcome::Done {
                return Ok((write.key.key().clone(), true));
            }
        }
    }

    /// Asks, after a change, how long until it holds everywhere.
    async fn announce(&self, changed: impl Future<Output = Changed>) -> Result<Change, Error> {
        let (key, is_new) = changed.await?;
        let Announced { holds_everywhere_in, .. } = self.keys.verifier.announced().await;
        Ok(Change { key, is_new, holds_everywhere_in })
    }
}

/// A revoked key is told as such, and a revision that is not the caller's before any other mistake.
fn apply_edit(key: &AccessKey, edit: &Edit, now: DateTime<Utc>) -> Result<Option<Applied>, Error> {
    match (edit.apply(key, now), edit.revision()) {
        (Err(Rejection::State(from)), _) => Err(Error::Refused { key: key.id, from, action: Action::Edited }),
        (_, Some(expected)) if expected != key.revision => Err(Error::Conflict { key: key.id, expected }),
        (Err(Rejection::Invalid(invalid)), _) => Err(invalid.into()),
        (Ok(applied), _) => Ok(applied),
    }
}

fn apply_status(key: &AccessKey, action: Action) -> Result<Option<Applied>, Error> {
    let after = key.status.after(action).map_err(|from| Error::Refused { key: key.id, from, action })?;
    Ok(after.map(|after| Applied {
        changes: vec![FieldChange::Status { before: key.status, after }],
        key: AccessKey { status: after, ..key.clone() },
    }))
}
