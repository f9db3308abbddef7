//! Verifying many tokens at once.

use super::verification::Verification;
use super::{Denial, Grant, Verifier};
use crate::domain::EnvironmentId;
use crate::store::together;

impl Verifier {
    /// Whether each of `tokens` is good in `environment` now: the answers of [`verify`](Self::verify), in the order of
    /// the tokens.
    ///
    /// Each is verified for itself, by the same rules and as freshly: one that is bad, or whose key cannot be read,
    /// says nothing about the others. Keys that are not in the cache are read at once, a quarter of
    /// [`concurrent_reads`](crate::lifecycle::Builder::concurrent_reads) at a time, so that a batch leaves room for the
    /// requests beside it.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// # let issued = project.generate(review).await?;
    /// let tokens = [issued.token.expose(), "no token at all"];
    /// let answers = keys.verifier().verify_many(&tokens, &EnvironmentId::new("production")?).await;
    /// assert!(answers[0].is_ok() && answers[1].is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn verify_many<'a, T: AsRef<str> + Sync>(
        &'a self,
        tokens: &'a [T],
        environment: &'a EnvironmentId,
    ) -> impl Future<Output = Vec<Result<Grant, Denial>>> + Send + 'a {
        let each = tokens.iter().map(|token| Verification::new(self, token.as_ref(), environment));
        together(each, (self.setup().concurrent_reads / 4).max(1))
    }
}
