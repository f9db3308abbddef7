//! Keys of another system, brought here with the tokens that their clients hold.

use std::fmt;

use super::commit::Outcome;
use super::{Error, ProjectKeys};
use crate::domain::{AccessKey, Action, Field, FieldChange, Invalid, Origin, Review, Rule, Status};
use crate::store::{KeyStore, StoreError, StoredDigest, StoredKey};
use crate::token::{ForeignDigest, ForeignTokens};

/// How many rows that failed are told of one by one.
const ERRORS_MAX: usize = 1_000;

/// A key of another system: the digest that this kept, and what the key is to be here.
#[derive(Clone, Debug)]
pub struct ImportRow {
    digest: ForeignDigest,
    identifier: Option<String>,
    review: Review,
    is_active: bool,
}

impl ImportRow {
    /// An active key with this digest. What it is to be is said as for a new key: by the steps or by a form.
    #[must_use]
    pub const fn new(digest: ForeignDigest, review: Review) -> Self {
        Self { digest, identifier: None, review, is_active: true }
    }

    /// The identifier in its token, where tokens of the system have one.
    #[must_use]
    pub fn identifier(self, identifier: impl Into<String>) -> Self {
        Self { identifier: Some(identifier.into()), ..self }
    }

    /// A key that is paused.
    #[must_use]
    pub fn inactive(self) -> Self {
        Self { is_active: false, ..self }
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// The key is stored; in a dry run, would be.
    New(AccessKey),
    /// The key is here already, from an earlier run, as it was then or changed since.
    Already(AccessKey),
}

/// How far an import has come, and which rows it could not take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ImportReport {
    is_dry: bool,
    new: u64,
    already: u64,
    failed: u64,
    errors: Vec<RowError>,
}

impl ImportReport {
    /// How many keys were stored; in a dry run, would be.
    #[must_use]
    pub const fn new_keys(&self) -> u64 {
        self.new
    }

    /// How many were here already.
    #[must_use]
    pub const fn already(&self) -> u64 {
        self.already
    }

    /// How many rows could not be taken.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// The first 1,000 of those, and what is wrong with each.
    #[must_use]
    pub fn errors(&self) -> &[RowError] {
        &self.errors
    }
}

/// One line for all, and one for each row that could not be taken.
impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_dry { "would be imported" } else { "imported" };
        write!(f, "{} {verb}, {} here already, {} failed", self.new, self.already, self.failed)?;
        for error in &self.errors {
            write!(f, "\n{error}")?;
        }
        Ok(())
    }
}

/// A row that could not be taken. It repeats nothing of what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowError {
    /// The number of the row, as the host counts; a reader of this crate counts from 1.
    pub row: u64,
    /// What is wrong with it.
    pub problem: Invalid,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}: {}", self.row, self.problem)
    }
}

impl std::error::Error for RowError {}

/// An import under way; see [`ProjectKeys::import`].
#[must_use = "nothing is imported until a row is given"]
pub struct Import<'p, S> {
    project: &'p ProjectKeys<S>,
    tokens: &'p ForeignTokens,
    report: ImportReport,
}

impl<S: KeyStore> ProjectKeys<S> {
    /// Begins to import keys of another system into this project.
    ///
    /// The clients go on using the tokens that they hold, on every node whose builder was given the same
    /// [`ForeignTokens`]. Each key has scope, environment and expiry like any other, is marked by its
    /// [`origin`](AccessKey::origin), and moves to a token of this library with its next rotation: during the grace both
    /// work.
    ///
    /// Its id is derived from the digest, or from the identifier in the token, so that an import can be run again:
    /// after a failure it goes on where it ended, and what is here already stays as it is.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::{lifecycle::ImportRow, token::{ForeignDigest, ForeignTokens}};
    ///
    /// # pollster::block_on(async {
    /// let litellm = ForeignTokens::new("litellm")?.beginning_with("sk-")?;
    /// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").foreign_tokens(litellm.clone()).build()?;
    /// # let production = EnvironmentId::new("production")?;
    /// let project = keys.project(ProjectId::new("checkout")?, Actor::system("import")?);
    ///
    /// let mut import = project.import(&litellm);
    /// // `SELECT token, key_alias FROM "LiteLLM_VerificationToken"`
    /// for (row, digest, name) in [(1, "c4a93d5ef63a6b70a3fb4ba9e47b82a4c7f8ce0e4b4ee7a35af4bb54d6b15a3c", "Mobile app")] {
    ///     let review = project.draft()
    ///         .info(KeyInfo::new(name, production.clone())?)
    ///         .agents(Scope::All)
    ///         .prompts(Scope::none())?;
    ///     import.row(row, Ok(ImportRow::new(ForeignDigest::of_hex(digest)?, review))).await?;
    /// }
    /// assert_eq!(import.finish().to_string(), "1 imported, 0 here already, 0 failed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn import<'p>(&'p self, tokens: &'p ForeignTokens) -> Import<'p, S> {
        Import { project: self, tokens, report: ImportReport::default() }
    }
}

impl<S: KeyStore> Import<'_, S> {
    /// Checks every row and stores nothing.
    pub const fn dry_run(mut self) -> Self {
        self.report.is_dry = true;
        self
    }

    /// Takes a row, or the mistake that was found in reading it. What is wrong with a row is kept for the report and
    /// stops nothing.
    ///
    /// # Errors
    /// [`Error::Store`]: the rows so far are stored, this one perhaps. Run the import again.
    ///
    /// # Cancel safety
    /// A dropped future leaves the row imported or not.
    pub async fn row(
        &mut self,
        row: u64,
        read: Result<ImportRow, Invalid>,
    ) -> Result<Option<Imported>, Error> {
        let taken = match read {
            Ok(read) => self.take(&read).await,
            Err(invalid) => Err(invalid.into()),
        };
        match taken {
            Ok(imported) => {
                let count = match imported {
                    Imported::New(_) => &mut self.report.new,
                    Imported::Already(_) => &mut self.report.already,
                };
                *count += 1;
                Ok(Some(imported))
            }
            Err(Error::Invalid(problem)) => {
                self.report.failed += 1;
                if self.report.errors.len() < ERRORS_MAX {
                    self.report.errors.push(RowError { row, problem });
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// How far it has come.
    pub const fn report(&self) -> &ImportReport {
        &self.report
    }

    /// Ends it.
    pub fn finish(self) -> ImportReport {
        self.report
    }

    async fn take(&self, row: &ImportRow) -> Result<Imported, Error> {
        let identifier = row.identifier.as_deref();
        if identifier.is_some() != self.tokens.has_identifiers() {
            let problem = "must be given where tokens have one, and nowhere else";
            return Err(Invalid::new(Field::ForeignTokens, Rule::Inconsistent { problem }).into());
        }
        let id = self.tokens.id(identifier.map(str::as_bytes), &row.digest);
        let id = id.ok_or_else(|| Error::randomness("no id could be derived".into()))?;
        if let Some(stored) = self.project.store().get(id).await? {
            return self.already(&stored);
        }
        let project = self.project;
        let setup = project.keys.verifier.setup();
        setup.prefixes.require(row.review.environment())?;
        let now = project.stamp().await?;
        row.review.check_expiry(now)?;
        let status = if row.is_active { Status::Active } else { Status::Inactive };
        let key = project.new_key(id, &row.review, status, Origin::Imported, now);
        if self.report.is_dry {
            return Ok(Imported::New(key));
        }
        let _changing = project.keys.verifier.changing(id);
        let digest = setup.peppers.digest(&row.digest.signed(id));
        let digest = StoredDigest::new(digest, 1, project.operation.clone());
        let event = project.event(&key, Action::Created, vec![FieldChange::Key(Box::new(key.clone()))])?;
        match project.sealed(key.clone(), vec![digest], event, None).insert(project.store()).await? {
            Outcome::Done => Ok(Imported::New(key)),
            // By another run at the same time.
            Outcome::Overtaken => match project.store().get(id).await? {
                Some(stored) => self.already(&stored),
                None => Err(StoreError::AlreadyExists.into()),
            },
        }
    }

    /// What is here stays as it is: the id says that it is of the same digest, or of the same identifier.
    fn already(&self, stored: &StoredKey) -> Result<Imported, Error> {
        let key = stored.key();
        if key.project == self.project.project && key.origin == Origin::Imported {
            return Ok(Imported::Already(key.clone()));
        }
        let problem = "is that of a key that was imported elsewhere";
        Err(Invalid::new(Field::Digest, Rule::Inconsistent { problem }).into())
    }
}

impl<S> fmt::Debug for Import<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("tokens", self.tokens)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
