//! Issuing tokens: for a new key, in a rotation, and again when the answer was lost.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::commit::{Attempts, Outcome, Step};
use super::{Error, Issued, ProjectKeys};
use crate::domain::{
    AccessKey, Action, AuditQuery, EnvironmentId, Field, FieldChange, Invalid, KeyId, KeyState, Origin,
    Review, Revision, Rule, Status, time,
};
use crate::store::{KeyStore, StoreError, StoredDigest, StoredKey};
use crate::token::{Token, id_of_operation};

/// The longest that a rotation may let the old secret live.
const GRACE_MAX: Duration = Duration::from_secs(90 * 86_400);
/// How often an id is drawn anew because it was taken.
const IDS_MAX: u32 = 16;

impl<S: KeyStore> ProjectKeys<S> {
    /// The end of the four steps: makes the key and shows its token, once.
    ///
    /// A review can be cloned first, so that a store that failed does not lose it. A generate whose answer
    /// may be lost belongs into an [`operation`](Self::operation).
    ///
    /// # Errors
    /// [`Error::Invalid`] when the expiry has passed since the review, and for an environment without a
    /// prefix; [`Error::Store`]; [`Error::Randomness`]. Within an operation, also [`Error::Refused`] when
    /// the value of an earlier call was used, or the key revoked or expired.
    ///
    /// # Cancel safety
    /// A dropped future may leave a key of which nobody knows the token; an operation finds it again.
    pub async fn generate(&self, review: Review) -> Result<Issued, Error> {
        let Some(operation) = &self.operation else {
            for _ in 0..IDS_MAX {
                let id = self.draw_id(KeyId::from_base62)?;
                if let Some(issued) = self.insert(id, &review).await? {
                    return Ok(issued);
                }
            }
            return Err(Error::randomness("every id that was drawn is taken".into()));
        };
        let id = id_of_operation(&self.project, operation)
            .ok_or_else(|| Error::randomness("no id could be derived".into()))?;
        for _ in 0..IDS_MAX {
            match self.load(id).await {
                Ok(_) => return self.generate_again(id, &review).await,
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            if let Some(issued) = self.insert(id, &review).await? {
                return Ok(issued);
            }
        }
        Err(StoreError::AlreadyExists.into())
    }

    /// Gives a key a new secret; the old one goes on working for `grace`, 0 to 90 days.
    ///
    /// A second rotation ends the grace of the first at once: no key has more than two secrets.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a grace of more than 90 days; [`Error::NotFound`]; [`Error::Refused`] for a key
    /// that is revoked or expired, and within an operation also when the value of an earlier call was used
    /// or replaced; [`Error::Store`]; [`Error::Randomness`].
    ///
    /// # Cancel safety
    /// A dropped future may leave a secret of which nobody knows the token, while the old one ends with its
    /// grace; an operation, or another rotation, mends it.
    pub async fn rotate(&self, id: KeyId, grace: Duration) -> Result<Issued, Error> {
        if grace > GRACE_MAX {
            return Err(Invalid::new(Field::Grace, Rule::Span { max: GRACE_MAX, given: grace }).into());
        }
        let _changing = self.keys.verifier.changing(id);
        let mut attempts = Attempts::default();
        loop {
            let stored = self.load(id).await?;
            attempts.at(stored.revision())?;
            let now = self.stamp().await?;
            check_usable(stored.key(), Action::Rotated, now)?;
            let issued = if self.is_repeated_rotation(id).await? {
                // Read again: what was read before may be older than the rotation.
                let stored = self.load(id).await?;
                check_usable(stored.key(), Action::Rotated, now)?;
                self.check_replaceable(now, &stored, Action::Rotated).await?;
                self.replace(now, &stored, Some(now)).await?
            } else {
                let ends_at = time::after(now, grace);
                let kept = newest(&stored)?.ending(ends_at);
                let kept = (ends_at > now).then_some(kept);
                self.update_secret(now, &stored, kept, ends_at, Some(ends_at)).await?
            };
            if let Some(issued) = issued {
                return Ok(issued);
            }
        }
    }

    /// Stores a new key; `None` when the id is taken.
    async fn insert(&self, id: KeyId, review: &Review) -> Result<Option<Issued>, Error> {
        let _changing = self.keys.verifier.changing(id);
        let now = self.stamp().await?;
        review.check_expiry(now)?;
        let (token, digest) = self.draw_token(id, review.environment(), 1)?;
        let key = self.new_key(id, review, Status::Active, Origin::Generated, now);
        let event = self.event(&key, Action::Created, vec![FieldChange::Key(Box::new(key.clone()))])?;
        let write = self.sealed(key.clone(), vec![digest], event, None);
        Ok(match write.insert(self.store()).await? {
            // Nothing that was good before is cut off by a new key.
            Outcome::Done => Some(Issued {
                key,
                token,
                holds_everywhere_in: Duration::ZERO,
                old_secret_ends_in: None,
                generation: 1,
            }),
            Outcome::Overtaken => None,
        })
    }

    /// A key as it is first stored.
    pub(super) fn new_key(
        &self,
        id: KeyId,
        review: &Review,
        status: Status,
        origin: Origin,
        now: DateTime<Utc>,
    ) -> AccessKey {
        AccessKey {
            id,
            project: self.project.clone(),
            environment: review.environment().clone(),
            name: review.name().to_owned(),
            description: review.description().to_owned(),
            agents: review.agents().clone(),
            prompts: review.prompts().clone(),
            status,
            expires_at: review.expires_at(),
            revision: Revision::FIRST,
            created_at: now,
            created_by: self.actor.clone(),
            updated_at: now,
            origin,
        }
    }

    /// A repeated generate of an operation whose key is there.
    async fn generate_again(&self, id: KeyId, review: &Review) -> Result<Issued, Error> {
        let _changing = self.keys.verifier.changing(id);
        let mut attempts = Attempts::default();
        loop {
            let stored = self.load(id).await?;
            attempts.at(stored.revision())?;
            let now = self.stamp().await?;
            self.check_same_review(id, review).await?;
            check_usable(stored.key(), Action::Created, now)?;
            self.check_replaceable(now, &stored, Action::Created).await?;
            if let Some(issued) = self.replace(now, &stored, None).await? {
                return Ok(issued);
            }
        }
    }

    /// An operation names one intention: refuses the same one with another review.
    async fn check_same_review(&self, id: KeyId, review: &Review) -> Result<(), Error> {
        let event = self.event_of_operation(AuditQuery::default().key(id).action(Action::Created)).await?;
        let made = event.iter().flat_map(|event| &event.changes).find_map(|change| match change {
            FieldChange::Key(key) => Some(key),
            _ => None,
        });
        let same = made.is_some_and(|key| {
            key.name == review.name()
                && key.description == review.description()
                && key.environment == *review.environment()
                && key.expires_at == review.expires_at()
                && key.agents == *review.agents()
                && key.prompts == *review.prompts()
        });
        if same { Ok(()) } else { Err(Invalid::new(Field::Operation, Rule::Repeated).into()) }
    }

    /// Whether this operation has rotated the key before. One that generated the key may have replaced its first
    /// secret since, which looks the same, so it is refused.
    async fn is_repeated_rotation(&self, id: KeyId) -> Result<bool, Error> {
        let of = |action| self.event_of_operation(AuditQuery::default().key(id).action(action));
        if of(Action::Created).await?.is_some() {
            return Err(Invalid::new(Field::Operation, Rule::Repeated).into());
        }
        Ok(of(Action::Rotated).await?.is_some())
    }

    /// Refuses unless the newest secret is this operation's and was never used.
    async fn check_replaceable(
        &self,
        now: DateTime<Utc>,
        stored: &StoredKey,
        action: Action,
    ) -> Result<(), Error> {
        let (key, newest) = (stored.key(), newest(stored)?);
        let ours = newest.operation().is_some() && newest.operation() == self.operation.as_ref();
        let uses = self.last_used(&[key.id]).await?;
        let used = uses.iter().any(|used| used.generation == newest.generation());
        // Where uses are not recorded, or not all, every value may have been used.
        if ours && !used && self.keys.verifier.knows_all_uses() {
            return Ok(());
        }
        Err(Error::Refused { key: key.id, from: key.state(now), action })
    }

    /// Replaces the newest secret at once and keeps the older one. What is told is the end of that, or else `end`.
    async fn replace(
        &self,
        now: DateTime<Utc>,
        stored: &StoredKey,
        end: Option<DateTime<Utc>>,
    ) -> Result<Option<Issued>, Error> {
        let older = stored.digests().get(1).cloned();
        let told = older.as_ref().and_then(StoredDigest::ends_at).or(end);
        self.update_secret(now, stored, older, now, told).await
    }

    /// Writes a new secret beside `kept`; `None` when another change came first.
    async fn update_secret(
        &self,
        now: DateTime<Utc>,
        stored: &StoredKey,
        kept: Option<StoredDigest>,
        old_secret_ends_at: DateTime<Utc>,
        told: Option<DateTime<Utc>>,
    ) -> Result<Option<Issued>, Error> {
        let generation = newest(stored)?.generation().checked_add(1).ok_or_else(|| {
            let rule = Rule::Inconsistent { problem: "cannot rise any further" };
            Invalid::new(Field::Generation, rule)
        })?;
        let key = stored.key().clone();
        let (token, digest) = self.draw_token(key.id, &key.environment, generation)?;
        let digests = std::iter::once(digest).chain(kept).collect();
        let changes = vec![FieldChange::Secret { generation, old_secret_ends_at }];
        let step = Step { key, digests, action: Action::Rotated, changes, reason: None };
        let write = self.write(now, stored, step)?;
        Ok(match write.update(self.store(), stored.revision()).await? {
            Outcome::Done => Some(self.issued(write.key.key().clone(), token, generation, now, told).await),
            Outcome::Overtaken => None,
        })
    }

    fn draw_token(
        &self,
        id: KeyId,
        environment: &EnvironmentId,
        generation: u32,
    ) -> Result<(Token, StoredDigest), Error> {
        let setup = self.keys.verifier.setup();
        let token = Token::draw(setup.prefixes.require(environment)?, id, &self.keys.random);
        let token = token.map_err(Error::randomness)?;
        let signed = token.signed().ok_or_else(|| Error::randomness("no token could be drawn".into()))?;
        let digest = StoredDigest::new(setup.peppers.digest(signed), generation, self.operation.clone());
        Ok((token, digest))
    }

    /// What is given back for a secret that was stored at `now`, where an older one ends then.
    async fn issued(
        &self,
        key: AccessKey,
        token: Token,
        generation: u32,
        now: DateTime<Utc>,
        old_secret_ends_at: Option<DateTime<Utc>>,
    ) -> Issued {
        let announced = self.keys.verifier.announced().await;
        let old_secret_ends_in = old_secret_ends_at.map(|ends_at| announced.secret_ends_in(ends_at, now));
        let holds_everywhere_in = announced.holds_everywhere_in;
        Issued { key, token, holds_everywhere_in, old_secret_ends_in, generation }
    }
}

/// Refuses a key that is revoked or expired: a new secret of it would be good for nothing.
fn check_usable(key: &AccessKey, action: Action, now: DateTime<Utc>) -> Result<(), Error> {
    match key.state(now) {
        from @ (KeyState::Revoked | KeyState::Expired) => Err(Error::Refused { key: key.id, from, action }),
        KeyState::Active | KeyState::Inactive => Ok(()),
    }
}

/// The current secret. A stored key always has one; a store of the host's own may still have lost it.
fn newest(stored: &StoredKey) -> Result<&StoredDigest, Error> {
    stored.digests().first().ok_or_else(|| StoreError::backend("a stored key has no digest").into())
}
