//! A file of comma-separated values, for what no other reader knows.
//!
//! The first line names the columns. `digest` must be there: 32 bytes in hexadecimal digits or base64. These may be:
//! `identifier`, `name`, `description`, `owner`, `expires_at` (RFC 3339, or `never`), `state` (`active`, `inactive`,
//! `revoked`), `labels`, and `agents` and `prompts`: `all`, `none`, or ids with spaces between. An empty cell is as if
//! the column were not there, but for `expires_at` and `state`, which are errors when they are there and empty.
//!
//! ```
//! # use access_keys::{AccessKeys, Actor, EnvironmentId, ProjectId, Scope, store::MemoryStore};
//! use access_keys::{import::csv, token::ForeignTokens};
//!
//! # pollster::block_on(async {
//! let file = "\
//! digest,name,agents,prompts,expires_at
//! 71d25bd4dfa6b1c6b2c0ec5a79e68d4ec6a54fdbf9a8fc28fd9a9f3d4c5b0d4f,Mobile app,support-bot triage,all,never
//! ";
//! let tokens = ForeignTokens::new("own")?.beginning_with("own_")?;
//! let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").foreign_tokens(tokens.clone()).build()?;
//! let project = keys.project(ProjectId::new("checkout")?, Actor::system("import")?);
//! let production = EnvironmentId::new("production")?;
//!
//! let mut import = project.import(&tokens);
//! for (row, key) in csv::read(file.as_bytes()) {
//!     let read = key.and_then(|key| {
//!         let (agents, prompts) = (key.agents.clone(), key.prompts.clone());
//!         let (agents, prompts) = (agents.unwrap_or(Scope::none()), prompts.unwrap_or(Scope::none()));
//!         key.row(project.draft(), production.clone(), agents, prompts, "unnamed")
//!     });
//!     import.row(row, read).await?;
//! }
//! assert_eq!(import.finish().new_keys(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

use std::io::Read;

use ::csv::{ReaderBuilder, StringRecord};

use super::{ForeignKey, Rows, digest, time, unreadable};
use crate::domain::{Field, Invalid, KeyState, ResourceId, Scope};

const COLUMNS: [&str; 10] = [
    "digest",
    "identifier",
    "name",
    "description",
    "owner",
    "expires_at",
    "state",
    "labels",
    "agents",
    "prompts",
];

/// The keys of a file. A column that is not known is the mistake of every row: it could mean something. So is one that
/// is there twice: either could be meant.
pub fn read(source: impl Read + Send + 'static) -> Rows {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(source);
    let columns = reader.headers().cloned().unwrap_or_default();
    let known = columns.iter().zip(1..).all(|(column, after)| {
        COLUMNS.contains(&column) && columns.iter().skip(after).all(|other| other != column)
    });
    let rows = reader.into_records().map(move |record| {
        let record = record.map_err(|_| unreadable(Field::Key, "a line of comma-separated values", 0))?;
        if !known || record.len() != columns.len() {
            return Err(unreadable(
                Field::Key,
                "one value for each of the known columns, none of them twice",
                record.len(),
            ));
        }
        Cells { columns: &columns, record: &record }.key()
    });
    Rows::new((1..).zip(rows))
}

struct Cells<'r> {
    columns: &'r StringRecord,
    record: &'r StringRecord,
}

impl Cells<'_> {
    fn key(&self) -> Result<ForeignKey, Invalid> {
        let text = |column| self.cell(column).unwrap_or_default().to_owned();
        let expires_at = match self.cell("expires_at") {
            None | Some("never") => None,
            Some(time) => Some(time::of_text(time)?),
        };
        let state = match self.cell("state") {
            None | Some("active") => KeyState::Active,
            Some("inactive") => KeyState::Inactive,
            Some("revoked") => KeyState::Revoked,
            Some(other) => {
                return Err(unreadable(Field::Status, "active, inactive or revoked", other.len()));
            }
        };
        Ok(ForeignKey {
            identifier: self.cell("identifier").filter(|text| !text.is_empty()).map(str::to_owned),
            name: text("name"),
            description: text("description"),
            owner: text("owner"),
            expires_at,
            state,
            labels: text("labels").split_ascii_whitespace().map(str::to_owned).collect(),
            agents: self.scope("agents")?,
            prompts: self.scope("prompts")?,
            ..ForeignKey::new(digest::of_text(self.cell("digest").unwrap_or_default())?)
        })
    }

    fn cell(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        self.record.get(place).map(str::trim)
    }

    fn scope<T: ResourceId>(&self, column: &str) -> Result<Option<Scope<T>>, Invalid> {
        match self.cell(column) {
            None | Some("") => Ok(None),
            Some("all") => Ok(Some(Scope::All)),
            Some("none") => Ok(Some(Scope::none())),
            Some(ids) => Scope::parse(ids.split_ascii_whitespace()).map(Some),
        }
    }
}
