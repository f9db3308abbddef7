//! The keys of one project.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::commit::{Step, Write};
use super::{AccessKeys, Error};
use crate::domain::{
    AccessKey, Action, Actor, AuditEvent, AuditQuery, Cursor, Draft, Edit, EditForm, EventId, Field,
    FieldChange, Invalid, Invalids, KeyForm, KeyId, KeyQuery, OperationId, Page, ProjectId, Review, Rule,
    Seal, seal::sealed_bytes, time,
};
use crate::store::{KeyStore, KeyUse, StoreError, StoredDigest, StoredKey};

/// The keys of one project, managed on behalf of one actor. Cheap to clone.
///
/// Keys of other projects look as if they did not exist, in every call. Every change is recorded in the
/// [`history`](Self::history) under the actor's name.
///
/// ```
/// use access_keys::{AccessKeys, Actor, AgentId, Edit, EnvironmentId, KeyInfo, ProjectId, Scope};
/// use access_keys::store::MemoryStore;
///
/// # pollster::block_on(async {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
///
/// let review = project.draft()
///     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
///     .agents(Scope::specific([AgentId::new("support-bot")?])?)
///     .prompts(Scope::All)?;
/// let key = project.generate(review).await?.key;
///
/// let seen = project.get(key.id).await?;
/// let edit = Edit::new().name("Mobile")?.if_revision(seen.revision);
/// assert_eq!(project.edit(key.id, edit).await?.key().name, "Mobile");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct ProjectKeys<S = std::sync::Arc<dyn KeyStore>> {
    pub(super) keys: AccessKeys<S>,
    pub(super) project: ProjectId,
    pub(super) actor: Actor,
    pub(super) operation: Option<OperationId>,
}

impl<S: KeyStore> ProjectKeys<S> {
    pub(super) const fn new(keys: AccessKeys<S>, project: ProjectId, actor: Actor) -> Self {
        Self { keys, project, actor, operation: None }
    }

    /// The same calls, each safe to repeat when its answer was lost.
    ///
    /// - A repeated `generate` ends with one key: its id is derived from project and operation. Before its
    ///   value was used, a repeat gives a fresh value for the same key, and the lost one stops working. A
    ///   value that was used is not replaced: [`Error::Refused`]. So is a review that differs:
    ///   [`Error::Invalid`]. The history tells of a fresh value as of a rotation.
    /// - A repeated `rotate` replaces the newest secret, if it was not used, and leaves the grace of the older
    ///   one as it is.
    /// - Any other change that the operation did to the key is not done again over what came later: an
    ///   operation does each kind of action at most once to a key. A different edit under the same operation is
    ///   [`Error::Invalid`], and so is a rotation under the operation that generated the key. A change that had
    ///   nothing to do leaves no trace, and is done by a later repeat if there is something to do by then.
    ///
    /// Whether a value was used is known from the uses that were written and from those that this node has
    /// gathered: a use on another node counts once that node has written it. Where uses are not recorded, no
    /// value is replaced.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::OperationId;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// let operation = project.operation(OperationId::new("req-7")?);
    /// let lost = operation.generate(review.clone()).await?;
    /// let found = operation.generate(review).await?;
    /// assert_eq!(found.key.id, lost.key.id);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn operation(&self, operation: OperationId) -> Self {
        Self { operation: Some(operation), ..self.clone() }
    }

    /// Begins the four steps in which a key is made.
    pub fn draft(&self) -> Draft {
        Draft::at(self.now())
    }

    /// Checks a whole form by the rules of the steps, by the clock and the environments of the builder.
    ///
    /// # Errors
    /// [`Invalids`]: every mistake in every field, an environment without a prefix included.
    pub fn review(&self, form: &KeyForm) -> Result<Review, Invalids> {
        let prefixes = &self.keys.verifier.setup().prefixes;
        form.review_where(self.now(), |environment| prefixes.require(environment).map(drop))
    }

    /// Checks a whole form by the rules of an edit of `key`, by the clock of the builder.
    ///
    /// # Errors
    /// [`Invalids`]: every mistake in every field.
    pub fn review_edit(&self, form: &EditForm, key: &AccessKey) -> Result<Edit, Invalids> {
        form.edit(key, self.now())
    }

    /// The key with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn get(&self, id: KeyId) -> Result<AccessKey, Error> {
        Ok(self.load(id).await?.key().clone())
    }

    /// The keys that the query asks for, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of range, a name of more than 100 characters, or a cursor of a
    /// history; [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn list(&self, mut query: KeyQuery) -> Result<Page<AccessKey>, Error> {
        query.check()?;
        query.now = self.now();
        query.expiring_before = query.expiring_before.map(time::micros);
        let mut page = self.store().list(&self.project, &query).await?;
        // A store that filters badly shows too little, never too much.
        page.items.retain(|key| {
            key.project == self.project
                && query.matches(key)
                && query.after.is_none_or(|after| Cursor::of_key(key) < after)
        });
        page.next = forward(page.next, query.after);
        Ok(page)
    }

    /// What was done, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of range or a cursor of a list of keys; [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn history(&self, query: AuditQuery) -> Result<Page<AuditEvent>, Error> {
        query.check()?;
        let mut page = self.store().history(&self.project, &query).await?;
        page.items.retain(|event| {
            event.project == self.project
                && query.matches(event)
                && query.after.is_none_or(|after| Cursor::of_event(event) < after)
        });
        page.next = forward(page.next, query.after);
        Ok(page)
    }

    /// When each secret of these keys was last used, as far as it was written and as this node has seen.
    ///
    /// A secret that was never used is absent. For a key in rotation, the older secret has the lower
    /// generation.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the first of `ids` that is not a key of this project: they are read to know that, in
    /// one call of the store. [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn last_used(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, Error> {
        let ids = self.check_ours(ids).await?;
        self.uses_of(&ids).await
    }

    /// These ids in order and each once, which are all of this project's keys.
    pub(super) async fn check_ours(&self, ids: &[KeyId]) -> Result<BTreeSet<KeyId>, Error> {
        let order = ids;
        let ids = BTreeSet::from_iter(order.iter().copied());
        let asked: Vec<KeyId> = ids.iter().copied().collect();
        let found = self.store().get_many(&asked).await?;
        if found.iter().any(|stored| !ids.contains(&stored.key().id)) {
            return Err(another_key());
        }
        let ours = found.iter().map(StoredKey::key).filter(|key| key.project == self.project);
        let ours = BTreeSet::from_iter(ours.map(|key| key.id));
        match order.iter().find(|id| !ours.contains(id)) {
            Some(key) => Err(Error::NotFound { key: *key }),
            None => Ok(ids),
        }
    }

    /// When each secret was last used of keys that are known to be this project's.
    pub(super) async fn uses_of(&self, ids: &BTreeSet<KeyId>) -> Result<Vec<KeyUse>, Error> {
        let asked: Vec<KeyId> = ids.iter().copied().collect();
        let gathered = asked.iter().flat_map(|id| self.keys.verifier.uses().of(*id));
        let mut uses: Vec<KeyUse> = gathered.collect();
        uses.extend(self.store().last_uses(&asked).await?.into_iter().filter(|used| ids.contains(&used.key)));
        uses.sort_by_key(|used| (used.key, used.generation, std::cmp::Reverse(used.at)));
        uses.dedup_by_key(|used| (used.key, used.generation));
        Ok(uses)
    }

    /// What becomes of a key, as of `now`, with the event that tells of it.
    pub(super) fn write(&self, now: DateTime<Utc>, stored: &StoredKey, step: Step) -> Result<Write, Error> {
        let Step { mut key, digests, action, changes, reason } = step;
        // Later than the event before, even if this node's clock is behind that of another.
        key.updated_at = now.max(time::after(stored.key().updated_at, Duration::from_micros(1)));
        key.revision = stored.revision().next();
        if key.revision == stored.revision() {
            let rule = Rule::Inconsistent { problem: "cannot rise any further" };
            return Err(Invalid::new(Field::Revision, rule).into());
        }
        let event = AuditEvent { reason, ..self.event(&key, action, changes)? };
        Ok(self.sealed(key, digests, event, stored.last_seal()))
    }

    /// A key with the event of what made it as it is now, sealed after the event that has the seal `before`.
    pub(super) fn sealed(
        &self,
        key: AccessKey,
        digests: Vec<StoredDigest>,
        event: AuditEvent,
        before: Option<Seal>,
    ) -> Write {
        let seal = self.keys.verifier.setup().peppers.seal(&sealed_bytes(&event, before.as_ref()));
        let event = AuditEvent { seal: Some(seal), ..event };
        Write { key: StoredKey::told_by(key, digests, &event), event }
    }

    /// The event of what makes `key` as it is now, not yet sealed.
    pub(super) fn event(
        &self,
        key: &AccessKey,
        action: Action,
        changes: Vec<FieldChange>,
    ) -> Result<AuditEvent, Error> {
        time::check_writable(key.updated_at)?;
        Ok(AuditEvent {
            id: self.draw_id(EventId::from_base62)?,
            project: self.project.clone(),
            key: key.id,
            at: key.updated_at,
            actor: self.actor.clone(),
            action,
            revision: key.revision,
            changes,
            reason: None,
            operation: self.operation.clone(),
            seal: None,
        })
    }

    pub(super) fn draw_id<T>(&self, id: impl Fn([u8; 16]) -> Option<T>) -> Result<T, Error> {
        let drawn = self.keys.random.draw::<16>().map_err(Error::randomness)?;
        id(*drawn).ok_or_else(|| Error::randomness("no id could be drawn".into()))
    }

    /// The key with this id, if it is this project's.
    pub(super) async fn load(&self, id: KeyId) -> Result<StoredKey, Error> {
        let stored = self.store().get(id).await?;
        if stored.as_ref().is_some_and(|stored| stored.key().id != id) {
            return Err(another_key());
        }
        let ours = |stored: &StoredKey| stored.key().project == self.project;
        stored.filter(ours).ok_or(Error::NotFound { key: id })
    }

    /// The newest event of this operation that the query asks for.
    pub(super) async fn event_of_operation(&self, query: AuditQuery) -> Result<Option<AuditEvent>, Error> {
        let Some(operation) = &self.operation else { return Ok(None) };
        let mut query = query.limit(1).operation(operation.clone());
        loop {
            let page = self.history(query.clone()).await?;
            match (page.items.into_iter().next(), page.next) {
                (Some(event), _) => return Ok(Some(event)),
                // A page may be empty and have a next one.
                (None, Some(next)) => query = query.after(next),
                (None, None) => return Ok(None),
            }
        }
    }

    pub(super) fn store(&self) -> &S {
        self.keys.store()
    }

    /// The time to judge by what a person enters and what a page shows: that of the store, as far as this node has
    /// learned it, or else the clock of the builder.
    ///
    /// Whether a key has expired and how long it has left belong to this time, not to the clock of the host, which may
    /// be another.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use std::time::Duration;
    /// use access_keys::{FakeClock, KeyState, domain::from_now};
    ///
    /// # pollster::block_on(async {
    /// let clock = FakeClock::default();
    /// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(clock.clone()).build()?;
    /// let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// let in_90_days = project.now() + Duration::from_secs(90 * 86_400);
    /// # let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?.expires_at(in_90_days);
    /// # let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
    /// let key = project.generate(review).await?.key;
    /// assert_eq!(from_now(in_90_days, project.now()), "in 90 days");
    /// clock.advance(Duration::from_secs(90 * 86_400));
    /// assert_eq!(key.state(project.now()), KeyState::Expired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.keys.verifier.roughly_now()
    }

    /// The time to stamp what is written, and to judge by what is stored.
    pub(super) async fn stamp(&self) -> Result<DateTime<Utc>, StoreError> {
        self.keys.verifier.stamp().await
    }
}

fn another_key() -> Error {
    StoreError::backend("the store answered with another key").into()
}

/// `next`, unless it leads back: then a list would never end.
fn forward(next: Option<Cursor>, after: Option<Cursor>) -> Option<Cursor> {
    next.filter(|next| after.is_none_or(|after| *next < after))
}

impl<S> Clone for ProjectKeys<S> {
    fn clone(&self) -> Self {
        Self {
            keys: self.keys.clone(),
            project: self.project.clone(),
            actor: self.actor.clone(),
            operation: self.operation.clone(),
        }
    }
}

impl<S> fmt::Debug for ProjectKeys<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectKeys")
            .field("project", &self.project)
            .field("actor", &self.actor)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
