//! Revoking the key of a token that was found.

use constant_time_eq::constant_time_eq;

use super::{AccessKeys, Change, Error};
use crate::domain::Actor;
use crate::store::KeyStore;
use crate::token::Prefix;
use crate::verify::Identified;

/// The shortest token that a [`ForeignTokens`](crate::token::ForeignTokens) takes.
const SECRET_MIN: usize = 8;

impl<S: KeyStore> AccessKeys<S> {
    /// Revokes the key of a token that was found where it should not be, on behalf of whoever found it.
    ///
    /// `None` when the token opens no key here: it is none, there is no such key, its secret is another, or was retired
    /// by a rotation whose grace is over. Which of them is not told, and takes as long for an id that nobody has as
    /// for a wrong secret. A retired secret counts for nothing, so that nobody who kept one can end the key.
    ///
    /// Otherwise the key is revoked within its own project, and the history tells of it under the name of `actor`: in
    /// whatever environment and with whatever prefix, paused or expired too. A key that was revoked already stays as it
    /// is ([`is_new`](Change::is_new) tells). Where the secret stands in `reason`, other text is recorded in its place.
    ///
    /// The key is read from the store, beside the cache, as one of the
    /// [`concurrent_reads`](crate::lifecycle::Builder::concurrent_reads). It is no use of the key.
    ///
    /// Whoever may call this can end every key whose token they hold, which is what holding it means; a host can open it
    /// to anyone, if it limits how often they call.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::Actor;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// # let issued = project.generate(review).await?;
    /// # let found = issued.token.expose();
    /// match keys.revoke_presented(found, "posted in a forum", Actor::user("bob")?).await? {
    ///     Some(change) => println!("{} is refused everywhere in {:?}", change.key().id, change.holds_everywhere_in()),
    ///     None => println!("it is none of ours"),
    /// }
    /// # assert!(keys.verify(found, &EnvironmentId::new("production")?).await.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a reason of more than 1,000 characters or with control characters, whatever the token.
    /// [`Error::Store`] when it cannot be known whether the token is good, or whether its key was revoked: also when
    /// too many keys are being read. [`Error::PepperLacking`] when this node lacks the pepper or the scheme of the key.
    ///
    /// # Cancel safety
    /// A dropped future leaves it done or not done.
    pub async fn revoke_presented(
        &self,
        token: &str,
        reason: impl AsRef<str> + Send,
        actor: Actor,
    ) -> Result<Option<Change>, Error> {
        let reason = self.reason(&without(reason.as_ref(), token))?;
        let stored = match self.verifier.identify(token).await? {
            Identified::Key(stored) => stored,
            Identified::Nothing => return Ok(None),
            Identified::Lacking(key) => return Err(Error::PepperLacking { key }),
        };
        let key = stored.key();
        self.project(key.project.clone(), actor).revoke(key.id, reason).await.map(Some)
    }
}

/// `text` with other text in every place where the secret of a token stands, whatever stands before it.
///
/// Each place is compared as a whole: a search would take steps that depend on the secret.
pub(super) fn without(text: &str, token: &str) -> String {
    // A token of another system may be shorter, and is no word that a reason would have by chance.
    let length = Prefix::SECRET_LEN.min(token.len());
    let Some(secret) = token.as_bytes().get(token.len() - length..).filter(|_| length >= SECRET_MIN) else {
        return text.to_owned();
    };
    let (mut kept, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, others)) = rest.split_first() {
        match rest.split_at_checked(length) {
            Some((place, behind)) if constant_time_eq(place, secret) => {
                kept.extend_from_slice(b"[redacted]");
                rest = behind;
            }
            _ => {
                kept.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}
