//! Who did it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::id::host_id;
use super::text::serde_as_text;
use super::{Field, Invalid, Rule};

/// Who does a management action: a user or a system component of the host.
///
/// Written as `user:ada` or `system:billing`, in audit events as in logs.
///
/// ```
/// use access_keys::Actor;
///
/// let ada = Actor::user("ada")?;
/// assert_eq!(ada.to_string(), "user:ada");
/// assert_eq!("user:ada".parse::<Actor>()?, ada);
/// assert_ne!(Actor::system("ada")?, ada);
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    is_user: bool,
    id: Arc<str>,
}

impl Actor {
    /// A person, by the host's id of them.
    ///
    /// # Errors
    /// [`Invalid`] unless `id` is 1 to 128 bytes of visible ASCII without spaces.
    pub fn user(id: impl AsRef<str>) -> Result<Self, Invalid> {
        Ok(Self { is_user: true, id: host_id(Field::Actor, id.as_ref())? })
    }

    /// A component of the host that acts by itself.
    ///
    /// # Errors
    /// [`Invalid`] unless `id` is 1 to 128 bytes of visible ASCII without spaces.
    pub fn system(id: impl AsRef<str>) -> Result<Self, Invalid> {
        Ok(Self { is_user: false, id: host_id(Field::Actor, id.as_ref())? })
    }

    /// The actor with this id, which was checked before.
    pub(crate) fn of_checked(id: &str, is_user: bool) -> Self {
        Self { is_user, id: id.into() }
    }

    /// Whether it is a person.
    #[must_use]
    pub const fn is_user(&self) -> bool {
        self.is_user
    }

    /// The id, without its kind.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actor({self})")
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_user { "user" } else { "system" };
        write!(f, "{kind}:{}", self.id)
    }
}

impl FromStr for Actor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some(("user", id)) => Self::user(id),
            Some(("system", id)) => Self::system(id),
            _ => {
                let rule = Rule::Unreadable { expected: "user:… or system:…", given: text.len() };
                Err(Invalid::new(Field::Actor, rule))
            }
        }
    }
}

serde_as_text!(Actor);
