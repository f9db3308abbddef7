//! Keys as [Unkey](https://www.unkey.com/docs)'s own migration takes them, which is what its table `keys` holds.
//!
//! `hash` is SHA-256 of the token in base64. Read are also `name`, `externalId` (or `ownerId`), `expires` in
//! milliseconds since 1970, `enabled`, `roles` and `permissions`; column names in snake case too.
//!
//! ```
//! # use access_keys::{AccessKeys, Actor, EnvironmentId, ProjectId, Scope, store::MemoryStore};
//! use access_keys::{AgentId, import::unkey, token::ForeignTokens};
//!
//! # pollster::block_on(async {
//! # let export: &[u8] = br#"{"hash":"cdJb1N+mscaywOxaeeaNTsalT9v5qPwo/ZqfPUxbDU8=","name":"CI","externalId":"u1","enabled":true,"roles":["support"]}"#;
//! let tokens = ForeignTokens::new("unkey")?.beginning_with("acme_uk_")?;
//! let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").foreign_tokens(tokens.clone()).build()?;
//! let project = keys.project(ProjectId::new("checkout")?, Actor::system("import")?);
//! let production = EnvironmentId::new("production")?;
//!
//! let mut import = project.import(&tokens);
//! for (row, key) in unkey::read(export) {
//!     let read = key.and_then(|key| {
//!         // One agent for each role of that name; a role of none is the mistake of its row.
//!         let agents = Scope::parse(&key.labels)?;
//!         key.row(project.draft(), production.clone(), agents, Scope::none(), "unnamed")
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
    let mut labels = row.texts(&["roles"]);
    labels.extend(row.texts(&["permissions"]));
    let state = match row.time(&["deletedAt", "deletedAtM", "deleted_at", "deleted_at_m"])? {
        Some(_) => KeyState::Revoked,
        None if row.flag(&["enabled"], true)? => KeyState::Active,
        None => KeyState::Inactive,
    };
    Ok(ForeignKey {
        name: row.text(&["name"]),
        owner: row.text(&["externalId", "external_id", "ownerId", "owner_id"]),
        expires_at: row.time(&["expires"])?,
        state,
        labels,
        ..ForeignKey::new(row.digest(&["hash"])?)
    })
}
