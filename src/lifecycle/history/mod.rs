//! Whether the history of a key is what was written: every event there, unchanged and in its place.
//!
//! Each event is sealed: a MAC under the newest [`Pepper`](crate::Pepper), over the event and the seal of the one
//! before it of the same key. The key itself keeps the seal of its last event. Who can write the database but has not
//! the pepper can make no seal, so [`verify_history`](crate::ProjectKeys::verify_history) finds, of a key
//!
//! - an event that was changed, removed, added or put elsewhere,
//! - a record that is not what its history makes of it, such as a scope that was widened by a statement,
//! - where a [`Checkpoint`] is given that was kept elsewhere, also that the newest events and the key were put back
//!   together to what they were before, or that a key is gone.
//!
//! Not found without a checkpoint: that a whole key was put back to an earlier state with its events, or removed with
//! all of them. Not found at all: what someone did who has the pepper, or that a last use or a digest was changed (a
//! digest proves itself: with a pepper nobody else can make one that works).
//!
//! # Another pepper
//!
//! Old seals stay as they are, so whoever checks them needs the pepper that made them: one that was taken out leaves
//! histories that cannot be checked ([`Cause::PepperLacking`]). Where the old one is still secret, keep it beside the
//! new one, for as long as the histories count.
//!
//! Where it is not, whoever has it and writes the database makes seals too. Then
//! [`retired_pepper`](crate::lifecycle::Builder::retired_pepper) goes on checking by it, as far as a checkpoint reaches:
//! what is sealed under it and held by none is a break ([`Cause::Retired`]). In this order:
//!
//! 1. Bring the new pepper to every node, beside the old one. From then on all is sealed under the new one.
//! 2. Check the histories with the last checkpoint that was kept: what was written since then nothing else can prove.
//! 3. Make a new checkpoint, which is sealed under the new pepper, and keep it elsewhere.
//! 4. Once no digest needs it any more, give the old one as `retired_pepper` instead. Histories are checked with the new
//!    checkpoint from then on.
//!
//! ```
//! # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
//! # use access_keys::store::KeyStore;
//! use access_keys::Pepper;
//!
//! # pollster::block_on(async {
//! # let store: std::sync::Arc<dyn KeyStore> = std::sync::Arc::new(MemoryStore::new());
//! # let (leaked, fresh) = ([7; 32], [8; 32]);
//! # let checkout = ProjectId::new("checkout")?;
//! # let ada = Actor::user("ada")?;
//! # let keys = AccessKeys::builder(store.clone()).prefix("acme").pepper(Pepper::new(1, leaked)?).build()?;
//! # let before = keys.project(checkout.clone(), ada.clone());
//! # let review = before.draft()
//! #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
//! #     .agents(Scope::All)
//! #     .prompts(Scope::All)?;
//! # before.generate(review).await?;
//! let both = AccessKeys::builder(store.clone())
//!     .prefix("acme")
//!     .pepper(Pepper::new(1, leaked)?)
//!     .pepper(Pepper::new(2, fresh)?)
//!     .build()?;
//! let checkpoint = both.project(checkout.clone(), ada.clone()).checkpoint().await?;
//!
//! let keys = AccessKeys::builder(store)
//!     .prefix("acme")
//!     .pepper(Pepper::new(2, fresh)?)
//!     .retired_pepper(Pepper::new(1, leaked)?)
//!     .build()?;
//! let project = keys.project(checkout, ada);
//! assert!(project.verify_histories(Some(&checkpoint)).await?.is_intact());
//! assert!(!project.verify_histories(None).await?.is_intact());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Whoever checks holds the pepper, and could make seals too. Someone who must not be able to is shown the report by
//! whoever runs the keys, not the pepper.
//!
//! # Before 0.9
//!
//! Events of versions before 0.9 have no seal. A key's chain begins with the first event that has one; once begun it
//! never ends, so a seal cannot be taken away unseen.

mod checker;
mod checkpoint;
mod report;
mod unwind;

use super::{Error, ProjectKeys};
use crate::domain::{AuditQuery, KeyId, KeyQuery};
use crate::store::{KeyStore, StoredKey};
use crate::token::PepperRing;
use checker::Chains;

pub use checker::HistoryChecker;
pub use checkpoint::{Checkpoint, Head};
pub use report::{Break, Cause, HistoryReport};

/// How many are asked for at once.
const PAGE: usize = 1_000;

impl<S: KeyStore> ProjectKeys<S> {
    /// Whether the history of a key is what was written, and the key what its history makes of it.
    ///
    /// Reads all events of the key: a job for now and then, not for a page. The [`history`](crate::lifecycle::history)
    /// page tells what is found and what is not.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, Pepper, ProjectId, Scope, store::MemoryStore};
    /// # pollster::block_on(async {
    /// # let secret_from_the_vault = [7; 32];
    /// let keys = AccessKeys::builder(MemoryStore::new())
    ///     .prefix("acme")
    ///     .pepper(Pepper::new(1, secret_from_the_vault)?)
    ///     .build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// let key = project.generate(review).await?.key;
    /// project.deactivate(key.id).await?;
    ///
    /// let report = project.verify_history(key.id).await?;
    /// assert!(report.is_intact(), "{report}");
    /// assert_eq!(report.events(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Store`], also for an event that cannot be read at all.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn verify_history(&self, id: KeyId) -> Result<HistoryReport, Error> {
        let mut chains = Chains::default();
        self.check_key(&mut chains, self.load(id).await?).await?;
        Ok(chains.finish(self.ring()))
    }

    /// The same of every key of the project, and that nothing is gone of what a checkpoint holds.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is not one of this project or that was changed;
    /// [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn verify_histories(&self, since: Option<&Checkpoint>) -> Result<HistoryReport, Error> {
        let mut chains = Chains::default();
        if let Some(checkpoint) = since {
            checkpoint.check(&self.project, self.ring())?;
            chains.expect(checkpoint);
        }
        let mut query = KeyQuery::default().limit(PAGE);
        loop {
            let page = self.list(query.clone()).await?;
            for key in page.items {
                self.check_key(&mut chains, self.load(key.id).await?).await?;
            }
            match page.next {
                None => return Ok(chains.finish(self.ring())),
                Some(next) => query = query.after(next),
            }
        }
    }

    /// Where the history of every key of the project ends now, to be kept where the database's writers cannot reach it.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// # use access_keys::lifecycle::history::Checkpoint;
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// # let key = project.generate(review).await?.key;
    /// let kept = serde_json::to_string(&project.checkpoint().await?)?; // to another system than the database
    ///
    /// project.revoke(key.id, "no longer sold").await?;
    /// let checkpoint: Checkpoint = serde_json::from_str(&kept)?;
    /// assert!(project.verify_histories(Some(&checkpoint)).await?.is_intact());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let at = self.stamp().await?;
        let mut heads = Vec::new();
        let mut query = KeyQuery::default().limit(PAGE);
        loop {
            let page = self.list(query.clone()).await?;
            for key in page.items {
                heads.push(Head::of(&self.load(key.id).await?));
            }
            match page.next {
                None => break,
                Some(next) => query = query.after(next),
            }
        }
        Ok(Checkpoint::new(self.project.clone(), at, heads, self.ring()))
    }

    fn ring(&self) -> &PepperRing {
        &self.keys.verifier.setup().peppers
    }

    async fn check_key(&self, chains: &mut Chains, stored: StoredKey) -> Result<(), Error> {
        let id = stored.key().id;
        chains.key(&stored);
        let mut query = AuditQuery::default().limit(PAGE).key(id);
        loop {
            let page = self.history(query.clone()).await?;
            // What was done since the key was read is for the next time.
            for event in page.items.iter().filter(|event| event.revision <= stored.revision()) {
                chains.event(self.ring(), event);
            }
            match page.next {
                None => break,
                Some(next) => query = query.after(next),
            }
        }
        chains.finish_key(self.ring(), id);
        Ok(())
    }
}
