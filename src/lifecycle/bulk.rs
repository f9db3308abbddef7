//! Revoking many keys as one operation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Error, ProjectKeys};
use crate::domain::{AccessKey, Cursor, KeyId, OperationId, Status, Which};
use crate::store::{KeyStore, together};

/// How many keys are looked at in one step.
const BATCH: usize = 100;
/// How many of them are being revoked at a time.
const AT_ONCE: usize = 16;

impl<S: KeyStore> ProjectKeys<S> {
    /// Revokes all keys that are meant, whatever their state, as one operation.
    ///
    /// Nothing is done yet: the [`RevokeAll`] that it gives is driven by [`finish`](RevokeAll::finish), or step by step
    /// by [`next`](RevokeAll::next) where someone wants to see it go on.
    ///
    /// Every event carries the same operation, by which the [`history`](Self::history) can be asked for it: that of
    /// [`operation`](Self::operation), or else one that is drawn. The same call once more, after a crash or a failure,
    /// goes on with what is left. Other projects are other calls; one operation id can serve all of them.
    ///
    /// Keys are looked at in batches of 100, and once more from the beginning until a whole walk has revoked none.
    ///
    /// Nothing tells that nothing was meant: of an actor whose name is misspelt, or an agent that no key reaches, 0 keys
    /// are revoked and none failed. Look at the [`list`](Self::list) first, by the same [`Which`], as below.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, AuditQuery, EnvironmentId, KeyInfo, OperationId, ProjectId, Scope};
    /// # use access_keys::store::MemoryStore;
    /// use access_keys::{KeyQuery, domain::Which};
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// # for _ in 0..3 { let _ = project.generate(review.clone()).await?; }
    /// let operation = OperationId::new("incident-12")?;
    /// let adas = Which::created_by(Actor::user("ada")?);
    /// let page = project.list(KeyQuery::default().limit(1_000)).await?; // and on after `page.next`
    /// assert!(page.items.iter().any(|key| adas.includes(key)), "is the name spelt right?");
    ///
    /// let mut revoking = project.operation(operation.clone()).revoke_all(adas, "Ada's laptop was stolen")?;
    /// while let Some(batch) = revoking.next().await? {
    ///     println!("{} more are revoked, {} in all", batch.revoked.len(), revoking.revoked());
    /// }
    /// let done = revoking.finish().await?;
    /// println!("all {} are refused everywhere in {:?}", done.revoked, done.holds_everywhere_in());
    /// assert!(done.failed.is_empty());
    ///
    /// let events = project.history(AuditQuery::default().operation(operation)).await?.items;
    /// assert_eq!(events.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a reason of more than 1,000 characters or with control characters;
    /// [`Error::Randomness`] where an operation had to be drawn.
    pub fn revoke_all(&self, which: Which, reason: impl AsRef<str>) -> Result<RevokeAll<S>, Error> {
        let reason = self.keys.reason(reason.as_ref())?;
        let operation = match &self.operation {
            Some(operation) => operation.clone(),
            None => self.draw_id(|drawn| {
                let drawn = std::str::from_utf8(&drawn).ok()?;
                OperationId::new(format!("revoke-all-{drawn}")).ok()
            })?,
        };
        let project = self.operation(operation.clone());
        Ok(RevokeAll {
            project,
            operation,
            which,
            reason,
            after: None,
            found: false,
            is_over: false,
            revoked: 0,
            failed: BTreeMap::new(),
        })
    }
}

/// A revocation of many keys, to be driven; see [`ProjectKeys::revoke_all`].
///
/// It walks through the keys of the project, newest first, and begins anew until a whole walk has revoked none. So,
/// when it is over:
///
/// - every key that was there, and meant, when the last walk began is revoked, however it was edited, activated or
///   rotated meanwhile, unless it is among those that failed;
/// - so are those that were generated before the last walk began, even after the call. One that is generated, or edited
///   so that it is meant, while the last walk goes on may be left: stop what generates keys first, or call once more.
///
/// A key that cannot be revoked does not stop the others. It is tried again in each walk, and told of at the end. A key
/// that was meant when it was listed is revoked, also if an edit came between.
#[must_use = "nothing is revoked until it is driven"]
pub struct RevokeAll<S = Arc<dyn KeyStore>> {
    project: ProjectKeys<S>,
    operation: OperationId,
    which: Which,
    reason: String,
    /// Where the walk goes on.
    after: Option<Cursor>,
    /// Whether this walk revoked anything.
    found: bool,
    is_over: bool,
    revoked: usize,
    failed: BTreeMap<KeyId, Error>,
}

impl<S: KeyStore> RevokeAll<S> {
    /// Looks at the next keys, and revokes those that are meant. `None` when it is over.
    ///
    /// # Errors
    /// [`Error::Store`] when the keys could not be listed: another call goes on from there.
    ///
    /// # Cancel safety
    /// A dropped future leaves each key revoked or not; the next call looks at the same ones again.
    pub async fn next(&mut self) -> Result<Option<Batch>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let page = self.project.list(self.which.query().limit(BATCH).after(self.after)).await?;
        let seen = page.items.len();
        // What was revoked since, by whomever, has not failed any more: a later walk has come past it.
        let is_revoked = |key: &&AccessKey| key.status == Status::Revoked;
        page.items.iter().filter(is_revoked).for_each(|key| drop(self.failed.remove(&key.id)));
        let is_meant = |key: &AccessKey| key.status != Status::Revoked && self.which.includes(key);
        let meant = page.items.into_iter().filter(is_meant);
        let revoking: Vec<_> = meant.map(|key| Box::pin(self.revoke(key.id))).collect();
        let mut batch = Batch { seen, revoked: Vec::new(), failed: Vec::new() };
        for (id, outcome) in together(revoking, AT_ONCE).await {
            match outcome {
                Ok((key, is_new)) => {
                    self.revoked += usize::from(is_new);
                    self.found |= is_new;
                    batch.revoked.extend(is_new.then_some(key));
                }
                Err(error) => {
                    self.failed.insert(id, error);
                    batch.failed.push(id);
                }
            }
        }
        self.after = page.next;
        if self.after.is_none() {
            self.is_over = !std::mem::take(&mut self.found);
        }
        Ok(Some(batch))
    }

    /// Goes on to the end, and asks then, once, how long it takes until all of it holds everywhere.
    ///
    /// # Errors
    /// [`Error::Store`] when the keys could not be listed. What was revoked stays so; the whole call, under the same
    /// [`operation`](Self::operation), goes on with what is left.
    ///
    /// # Cancel safety
    /// A dropped future leaves each key revoked or not.
    pub async fn finish(mut self) -> Result<RevokedAll, Error> {
        while self.next().await?.is_some() {}
        let announced = self.project.keys.verifier.announced().await;
        Ok(RevokedAll {
            operation: self.operation,
            revoked: self.revoked,
            failed: self.failed.into_iter().collect(),
            holds_everywhere_in: announced.holds_everywhere_in,
        })
    }

    /// The operation that every event carries.
    #[must_use]
    pub const fn operation(&self) -> &OperationId {
        &self.operation
    }

    /// How many keys were revoked so far by this call: those that an earlier one revoked are not counted.
    #[must_use]
    pub const fn revoked(&self) -> usize {
        self.revoked
    }

    async fn revoke(&self, id: KeyId) -> (KeyId, Result<(AccessKey, bool), Error>) {
        (id, self.project.revoke_for(id, self.reason.clone()).await)
    }
}

impl<S> fmt::Debug for RevokeAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevokeAll")
            .field("project", &self.project)
            .field("which", &self.which)
            .field("revoked", &self.revoked)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// What one step of a [`RevokeAll`] did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// How many keys were looked at.
    pub seen: usize,
    /// The keys that were revoked, as they are now.
    pub revoked: Vec<AccessKey>,
    /// Those that could not be revoked, and are tried again in the next walk.
    pub failed: Vec<KeyId>,
}

/// What a [`RevokeAll`] did in all.
#[derive(Debug)]
#[must_use = "some keys may not be revoked"]
#[non_exhaustive]
pub struct RevokedAll {
    /// The operation that every event carries.
    pub operation: OperationId,
    /// How many keys were revoked; those that were revoked before the call are not counted.
    pub revoked: usize,
    /// The keys that could not be revoked, each with what was the matter last.
    pub failed: Vec<(KeyId, Error)>,
    holds_everywhere_in: Duration,
}

impl RevokedAll {
    /// How long, from the return of the call and on the caller's clock, until every key that is revoked is refused
    /// on every node that uses the same store.
    #[must_use]
    pub const fn holds_everywhere_in(&self) -> Duration {
        self.holds_everywhere_in
    }
}
