//! What state a key is in, and which actions lead where.

use super::text::words;
use super::{Action, Field};

words! {
    /// What a key was last set to. It is stored; whether a key has expired is not, see [`KeyState`].
    ///
    /// ```
    /// use access_keys::Status;
    ///
    /// assert_eq!(Status::Inactive.to_string(), "inactive");
    /// assert_eq!("revoked".parse::<Status>()?, Status::Revoked);
    /// # Ok::<(), access_keys::Invalid>(())
    /// ```
    Status (Field::Status, "active, inactive or revoked") {
        /// It may be used.
        Active = "active",
        /// Paused: it is refused until it is activated again.
        Inactive = "inactive",
        /// Refused for ever, and kept for the record.
        Revoked = "revoked",
    }
}

words! {
    /// What a key is at one moment: its [`Status`], or expired.
    ///
    /// A key that is both expired and inactive is `Expired`; one that is revoked is `Revoked`, whatever else.
    ///
    /// ```
    /// use access_keys::{KeyQuery, KeyState};
    ///
    /// let query = KeyQuery::default().state(KeyState::Expired); // of a single key: `key.state(now)`
    /// # let _ = query;
    /// ```
    KeyState (Field::Status, "active, inactive, revoked or expired") {
        /// It may be used.
        Active = "active",
        /// Paused: it is refused until it is activated again.
        Inactive = "inactive",
        /// Refused for ever, and kept for the record.
        Revoked = "revoked",
        /// Its expiry has passed. A later expiry revives it.
        Expired = "expired",
    }
}

impl Status {
    /// The table of transitions: what `action` makes of a key, `None` where it is that already, and what the
    /// key is where that forbids it.
    pub(crate) const fn after(self, action: Action) -> Result<Option<Self>, KeyState> {
        match (self, action) {
            (Self::Revoked, Action::Revoked)
            | (Self::Active, Action::Activated)
            | (Self::Inactive, Action::Deactivated) => Ok(None),
            (Self::Revoked, _) => Err(KeyState::Revoked),
            (Self::Inactive, Action::Activated) => Ok(Some(Self::Active)),
            (Self::Active, Action::Deactivated) => Ok(Some(Self::Inactive)),
            (Self::Active | Self::Inactive, Action::Revoked) => Ok(Some(Self::Revoked)),
            (Self::Active | Self::Inactive, Action::Created | Action::Edited | Action::Rotated) => Ok(None),
        }
    }
}

impl From<Status> for KeyState {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
            Status::Revoked => Self::Revoked,
        }
    }
}
