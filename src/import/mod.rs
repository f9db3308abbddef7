//! Reading the exports of other systems, to [import](crate::ProjectKeys::import) their keys (feature `import`).
//!
//! | from | what is read | `ForeignTokens` |
//! | --- | --- | --- |
//! | [`keypal`] | `{"id", "keyHash", "metadata"}`, the rows of its stores | SHA-256 of the token and the salt |
//! | [`better_auth`] | the rows of its table `apikey` | SHA-256 of the token |
//! | [`unkey`] | `{"hash", "name", …}`, as its migration takes them | SHA-256 of the token |
//! | [`litellm`] | the rows of its table `LiteLLM_VerificationToken` | SHA-256 of the token, which begins with `sk-` |
//! | [`csv`] | a file of one's own with a column `digest` | as the other system did it |
//!
//! The first four read JSON: an array, or one object a line, as `SELECT row_to_json(…)` gives them. Each gives
//! [`ForeignKey`]s, one a row, or the mistake of the row: no mistake hides the others, and none repeats what it found.
//!
//! What a key may reach is the host's to say: the other systems know permissions, models or scopes of their own, which a
//! [`ForeignKey`] lists as its `labels`. A worked example for each stands on its page.
#![doc = include_str!("../docs/migrate.md")]

pub mod better_auth;
pub mod csv;
pub mod keypal;
pub mod litellm;
pub mod unkey;

mod digest;
mod json;
mod time;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::{
    AgentId, Draft, EnvironmentId, Field, Invalid, KeyInfo, KeyState, PromptId, Rule, Scope,
};
use crate::lifecycle::ImportRow;
use crate::token::ForeignDigest;

/// A key as another system exported it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignKey {
    /// The digest of its token.
    pub digest: ForeignDigest,
    /// What stands in its token and names it; only a [`csv`] has that.
    pub identifier: Option<String>,
    /// What it is called there; may be empty.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Whose it is there; may be empty.
    pub owner: String,
    /// When it expires; `None` is never.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it is there: active, inactive or revoked.
    pub state: KeyState,
    /// What it may do there, in that system's words: scopes, permissions, models.
    pub labels: Vec<String>,
    /// Which agents it may call here; only a [`csv`] says that.
    pub agents: Option<Scope<AgentId>>,
    /// Which prompts it may call here; only a [`csv`] says that.
    pub prompts: Option<Scope<PromptId>>,
}

impl ForeignKey {
    fn new(digest: ForeignDigest) -> Self {
        Self {
            digest,
            identifier: None,
            name: String::new(),
            description: String::new(),
            owner: String::new(),
            expires_at: None,
            state: KeyState::Active,
            labels: Vec::new(),
            agents: None,
            prompts: None,
        }
    }

    /// The row to import, through the four steps: with its name, or where it has none with `unnamed`, its description
    /// and its expiry, in this environment and with these scopes. One that is inactive there is inactive here.
    ///
    /// # Errors
    /// [`Invalid`] for whatever breaks a rule of a new key, for one that has expired, and for one that is revoked.
    pub fn row(
        &self,
        draft: Draft,
        environment: EnvironmentId,
        agents: Scope<AgentId>,
        prompts: Scope<PromptId>,
        unnamed: &str,
    ) -> Result<ImportRow, Invalid> {
        if self.state == KeyState::Revoked {
            let problem = "is revoked: it stays where it is";
            return Err(Invalid::new(Field::Status, Rule::Inconsistent { problem }));
        }
        let name = if self.name.is_empty() { unnamed } else { &self.name };
        let mut info = KeyInfo::new(name, environment)?.description(&self.description)?;
        if let Some(expires_at) = self.expires_at {
            info = info.expires_at(expires_at);
        }
        let mut row = ImportRow::new(self.digest.clone(), draft.info(info).agents(agents).prompts(prompts)?);
        if let Some(identifier) = &self.identifier {
            row = row.identifier(identifier);
        }
        Ok(if self.state == KeyState::Inactive { row.inactive() } else { row })
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignKey")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A row, counted from 1, and what stands in it or is wrong with it.
pub type Row = (u64, Result<ForeignKey, Invalid>);

/// The rows of an export, in their order.
pub struct Rows(
    /// Never locked: so it can be shared.
    Mutex<Box<dyn Iterator<Item = Row> + Send>>,
);

impl Rows {
    fn new(rows: impl Iterator<Item = Row> + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(rows)))
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).next()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}

fn unreadable(field: Field, expected: &'static str, given: usize) -> Invalid {
    Invalid::new(field, Rule::Unreadable { expected, given })
}
