//! The keys of a host.

use std::fmt;
use std::sync::Arc;

use super::{Builder, Error, ProjectKeys};
use crate::domain::{Actor, EnvironmentId, Field, Invalid, ProjectId, text};
use crate::store::KeyStore;
use crate::token::{Found, Prefix, Random, find_tokens};
use crate::verify::{Denial, Grant, Verifier};

/// The access keys of a host. Made once; clones are cheap and are one and the same.
///
/// Verify with [`verify`](Self::verify) or a [`Verifier`]; manage through a [`project`](Self::project).
/// [`Builder::build_dyn`] makes one without the type of its store, `AccessKeys` without a parameter.
///
/// ```
/// use access_keys::{AccessKeys, store::MemoryStore};
///
/// struct App { keys: AccessKeys }
///
/// let app = App { keys: AccessKeys::builder(MemoryStore::new()).prefix("acme").build_dyn()? };
/// # let _ = app.keys;
/// # Ok::<(), access_keys::Error>(())
/// ```
pub struct AccessKeys<S = Arc<dyn KeyStore>> {
    pub(super) store: Arc<S>,
    pub(super) verifier: Verifier,
    pub(super) random: Arc<Random>,
}

impl<S: KeyStore> AccessKeys<S> {
    /// Begins to set up keys that live in `store`.
    pub fn builder(store: S) -> Builder<S> {
        Builder::new(store)
    }

    /// The keys of one project, managed on behalf of one actor.
    ///
    /// Who may act for which project is the host's to decide before this call.
    #[must_use]
    pub fn project(&self, project: ProjectId, actor: Actor) -> ProjectKeys<S> {
        ProjectKeys::new(self.clone(), project, actor)
    }

    /// Whether `token` is good in `environment` now; see [`Verifier::verify`].
    ///
    /// # Errors
    /// The [`Denial`] that says why not.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[inline]
    pub fn verify<'a>(
        &'a self,
        token: &'a str,
        environment: &'a EnvironmentId,
    ) -> impl Future<Output = Result<Grant, Denial>> + Send + 'a {
        self.verifier.verify(token, environment)
    }

    /// What verifies, without the right to manage.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// Every token of any prefix of these keys in `text`; see [`token::find_tokens`](crate::token::find_tokens).
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
    /// # let ticket = format!("it says 401 for {}, what now?", issued.token.expose());
    /// for token in keys.find_tokens(&ticket) {
    ///     // One that cannot be revoked must not keep the others.
    ///     match keys.revoke_presented(&ticket[token.range], "in a ticket", Actor::user("bob")?).await {
    ///         Ok(Some(change)) => println!("{} is revoked", change.key().id),
    ///         Ok(None) => println!("{} has another secret", token.key),
    ///         Err(error) => println!("{}: {error}", token.key),
    ///     }
    /// }
    /// # assert!(keys.verify(issued.token.expose(), &EnvironmentId::new("production")?).await.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn find_tokens<'t, T: AsRef<[u8]> + ?Sized>(
        &self,
        text: &'t T,
    ) -> impl Iterator<Item = Found> + use<'t, S, T> {
        let prefixes: Vec<_> = self.verifier.setup().prefixes.all().cloned().collect();
        find_tokens(text, &prefixes)
    }

    /// What is recorded of why a key was revoked. People paste the token there: its secret is left out.
    pub(super) fn reason(&self, given: &str) -> Result<String, Invalid> {
        let mut reason = given.to_owned();
        let found: Vec<_> = self.find_tokens(given).collect();
        for token in found.into_iter().rev() {
            let secret = token.range.end.saturating_sub(Prefix::SECRET_LEN)..token.range.end;
            reason.replace_range(secret, "[redacted]");
        }
        text::paragraph(Field::Reason, &reason)
    }

    /// Writes the uses of keys, and what they were used for, that were gathered since they were last written.
    ///
    /// [`Verifier::follow`] does it every 10 seconds; without it, and at shutdown, it is the host's to do. Between
    /// two writes at most 100,000 secrets are remembered; uses of further ones are lost, and from then on no
    /// operation of this node replaces a value that may have been used.
    ///
    /// # Errors
    /// [`Error::Store`]; what could not be written is kept for the next time.
    ///
    /// # Cancel safety
    /// What was not written is kept.
    pub async fn flush_uses(&self) -> Result<(), Error> {
        Ok(self.verifier.flush_uses().await?)
    }

    /// The store in which the keys live.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }
}

impl<S> Clone for AccessKeys<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            verifier: self.verifier.clone(),
            random: Arc::clone(&self.random),
        }
    }
}

impl<S> fmt::Debug for AccessKeys<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeys").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}
