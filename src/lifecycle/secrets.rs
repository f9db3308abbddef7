//! What a page may know of the secrets of a key.

use chrono::{DateTime, Utc};

use super::{Error, ProjectKeys};
use crate::domain::{Action, AuditQuery, FieldChange, KeyId};
use crate::store::KeyStore;

/// How many rotations are looked through for when a secret was issued. Two are enough, unless an operation was repeated.
const ROTATIONS: usize = 20;

/// What is known of one secret of a key. Holds nothing secret: it is for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretInfo {
    /// Which one: 1 for the first of the key, one more with each new one.
    pub generation: u32,
    /// When it was issued; `None` if that is not known.
    pub since: Option<DateTime<Utc>>,
    /// The first moment at which it is refused: the end of a rotation's grace, which may be past. `None` for the current
    /// one, which ends with its key.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was last used, as far as that was written and as this node has seen.
    pub last_used: Option<DateTime<Utc>>,
}

impl<S: KeyStore> ProjectKeys<S> {
    /// The secrets of a key, newest first: the current one and, after a rotation, the one before it. So that a page can
    /// say who still uses the old token before it ends.
    ///
    /// Whether the key itself is active is not looked at.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use std::time::Duration;
    /// use access_keys::domain::from_now;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let production = EnvironmentId::new("production")?;
    /// # let info = KeyInfo::new("Mobile app", production.clone())?;
    /// # let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
    /// # let old = project.generate(review).await?;
    /// # let id = old.key.id;
    /// project.rotate(id, Duration::from_secs(2 * 3_600)).await?;
    /// # drop(keys.verify(old.token.expose(), &production).await?);
    /// let secrets = project.secrets(id).await?;
    /// let [current, old] = secrets.as_slice() else { panic!("a rotation leaves two") };
    /// assert_eq!((current.generation, current.last_used), (2, None));
    /// assert!(old.last_used.is_some()); // a client has not changed over yet
    /// let left = old.ends_at.map(|end| from_now(end, project.now()));
    /// assert_eq!(left.as_deref(), Some("in 2 hours"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn secrets(&self, id: KeyId) -> Result<Vec<SecretInfo>, Error> {
        let stored = self.load(id).await?;
        let uses = self.last_used(&[id]).await?;
        let rotations = AuditQuery::default().key(id).action(Action::Rotated).limit(ROTATIONS);
        let rotations = if stored.digests().iter().any(|secret| secret.generation() > 1) {
            self.history(rotations).await?.items
        } else {
            Vec::new()
        };
        let issued = |generation: u32| {
            // Whoever generates a key issues its first secret with it; a key of another origin came with its own.
            let first = (generation == 1).then_some(stored.key().created_at);
            first.or_else(|| {
                let is_of = |change: &FieldChange| matches!(change, FieldChange::Secret { generation: new, .. } if *new == generation);
                rotations.iter().find(|event| event.changes.iter().any(is_of)).map(|event| event.at)
            })
        };
        let secrets = stored.digests().iter().map(|secret| SecretInfo {
            generation: secret.generation(),
            since: issued(secret.generation()),
            ends_at: secret.ends_at(),
            last_used: uses.iter().find(|used| used.generation == secret.generation()).map(|used| used.at),
        });
        Ok(secrets.collect())
    }
}
