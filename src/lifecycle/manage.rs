//! Editing, pausing and revoking: changes of a key that issue no token.

use chrono::{DateTime, Utc};

use super::commit::{Attempts, Outcome};
use super::{Change, Error, ProjectKeys};
use crate::domain::{AccessKey, Action, Applied, Edit, Field, FieldChange, KeyId, Rejection, text};
use crate::store::{KeyStore, StoredKey};

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
        self.change(id, Action::Edited, Some(&edit), None).await
    }

    /// Pauses a key until it is activated again. A key that is paused already stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] for a revoked key; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn deactivate(&self, id: KeyId) -> Result<Change, Error> {
        self.change(id, Action::Deactivated, None, None).await
    }

    /// Ends the pause of a key. A key that is active already stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] for a revoked key; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn activate(&self, id: KeyId) -> Result<Change, Error> {
        self.change(id, Action::Activated, None, None).await
    }

    /// Ends a key for ever. It stays for the record. A key that is revoked already stays as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a reason of more than 1,000 characters or with control characters;
    /// [`Error::NotFound`]; [`Error::Store`].
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn revoke(&self, id: KeyId, reason: impl AsRef<str> + Send) -> Result<Change, Error> {
        let reason = text::paragraph(Field::Reason, reason.as_ref())?;
        self.change(id, Action::Revoked, None, Some(reason)).await
    }

    async fn change(
        &self,
        id: KeyId,
        action: Action,
        edit: Option<&Edit>,
        reason: Option<String>,
    ) -> Result<Change, Error> {
        let mut attempts = Attempts::default();
        loop {
            let stored = self.load(id).await?;
            attempts.at(stored.revision())?;
            if self.is_repeat(id, action).await? {
                return Ok(self.changed(stored.key().clone(), false));
            }
            let applied = match edit {
                Some(edit) => apply_edit(&stored, edit, self.now())?,
                None => apply_status(stored.key(), action)?,
            };
            let Some(Applied { key, changes }) = applied else {
                return Ok(self.changed(stored.key().clone(), false));
            };
            let mut write = self.write(&stored, key, action, changes, stored.digests().to_vec())?;
            write.event.reason.clone_from(&reason);
            match write.update(self.store(), stored.revision()).await? {
                Outcome::Done => return Ok(self.changed(write.key.key().clone(), true)),
                Outcome::Overtaken => {
                    if let Some(expected) = edit.and_then(Edit::revision) {
                        // Revoked meanwhile is said as such, by the next round's rules.
                        let now = self.load(id).await?;
                        apply_edit(&now, &Edit::new().if_revision(now.revision()), self.now())?;
                        return Err(Error::Conflict { key: id, expected });
                    }
                }
            }
        }
    }

    fn changed(&self, key: AccessKey, is_new: bool) -> Change {
        Change { key, is_new, holds_everywhere_in: self.keys.verifier.announced() }
    }
}

fn apply_edit(stored: &StoredKey, edit: &Edit, now: DateTime<Utc>) -> Result<Option<Applied>, Error> {
    let key = stored.key();
    let applied = edit.apply(key, now);
    if let Err(Rejection::State(from)) = applied {
        return Err(Error::Refused { key: key.id, from, action: Action::Edited });
    }
    match edit.revision() {
        Some(expected) if expected != key.revision => Err(Error::Conflict { key: key.id, expected }),
        _ => applied.map_err(|rejection| refused(key, Action::Edited, rejection)),
    }
}

fn apply_status(key: &AccessKey, action: Action) -> Result<Option<Applied>, Error> {
    let after = key.status.after(action).map_err(|rejection| refused(key, action, rejection))?;
    Ok(after.map(|after| Applied {
        changes: vec![FieldChange::Status { before: key.status, after }],
        key: AccessKey { status: after, ..key.clone() },
    }))
}

fn refused(key: &AccessKey, action: Action, rejection: Rejection) -> Error {
    match rejection {
        Rejection::Invalid(invalid) => invalid.into(),
        Rejection::State(from) => Error::Refused { key: key.id, from, action },
    }
}
