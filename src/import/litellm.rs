//! The rows of the table `LiteLLM_VerificationToken` of [LiteLLM](https://docs.litellm.ai/docs/proxy/virtual_keys).
//!
//! `token` is SHA-256 of the virtual key in hexadecimal digits. Read are also `key_alias`, `user_id` or `team_id`,
//! `expires`, `blocked`, and as labels `models`. Export them with
//! `psql -At -c 'SELECT row_to_json(t) FROM "LiteLLM_VerificationToken" t' > keys.jsonl`.
//!
//! ```
//! # use access_keys::{AccessKeys, Actor, EnvironmentId, ProjectId, Scope, store::MemoryStore};
//! use access_keys::{import::litellm, token::ForeignTokens};
//!
//! # pollster::block_on(async {
//! # let export: &[u8] = br#"{"token":"71d25bd4dfa6b1c6b2c0ec5a79e68d4ec6a54fdbf9a8fc28fd9a9f3d4c5b0d4f","key_alias":"Mobile app","team_id":"support","models":["gpt-4o"],"expires":null,"blocked":null}"#;
//! let tokens = ForeignTokens::new("litellm")?.beginning_with("sk-")?;
//! let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").foreign_tokens(tokens.clone()).build()?;
//! let project = keys.project(ProjectId::new("checkout")?, Actor::system("import")?);
//! let production = EnvironmentId::new("production")?;
//!
//! let mut import = project.import(&tokens);
//! for (row, key) in litellm::read(export) {
//!     let read = key.and_then(|key| {
//!         // A virtual key names models; a key of this library names agents, and the model is the host's. Here a team
//!         // has an agent of its name.
//!         let agents = Scope::parse([&key.owner])?;
//!         key.row(project.draft(), production.clone(), agents, Scope::none(), "virtual key")
//!     });
//!     import.row(row, read).await?;
//! }
//! assert_eq!(import.finish().new_keys(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

use std::io::Read;

use super::json::{self, Object};
use super::{ForeignKey, Rows};
use crate::domain::{Invalid, KeyState};

/// The keys of an export.
pub fn read(source: impl Read + Send + 'static) -> Rows {
    json::rows(source, key)
}

fn key(row: &Object) -> Result<ForeignKey, Invalid> {
    let blocked = row.flag(&["blocked"], false)?;
    Ok(ForeignKey {
        name: row.text(&["key_alias"]),
        owner: row.text(&["team_id", "user_id"]),
        expires_at: row.time(&["expires"])?,
        state: if blocked { KeyState::Inactive } else { KeyState::Active },
        labels: row.texts(&["models"]),
        ..ForeignKey::new(row.digest(&["token"])?)
    })
}
