//! The rows of [keypal](https://github.com/izadoesdev/keypal)'s stores.
//!
//! Each is `{"id": …, "keyHash": …, "metadata": {"ownerId", "name", "description", "scopes", "resources", "expiresAt",
//! "enabled", "revokedAt"}}`; its Drizzle table has `key_hash`. The hash is SHA-256 in hexadecimal digits of the token
//! followed by the salt, if there is one. Keys hashed with SHA-512 cannot be imported: each is a row that failed.
//!
//! ```
//! # use access_keys::{AccessKeys, Actor, EnvironmentId, ProjectId, Scope, store::MemoryStore};
//! use access_keys::{import::keypal, token::ForeignTokens};
//!
//! # pollster::block_on(async {
//! # let export: &[u8] = br#"{"id":"1","keyHash":"71d25bd4dfa6b1c6b2c0ec5a79e68d4ec6a54fdbf9a8fc28fd9a9f3d4c5b0d4f","metadata":{"ownerId":"u1","name":"Mobile app","scopes":["read"]}}"#;
//! let tokens = ForeignTokens::new("keypal")?.beginning_with("sk_")?; // .digested_between("", salt) with a salt
//! let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").foreign_tokens(tokens.clone()).build()?;
//! let project = keys.project(ProjectId::new("checkout")?, Actor::system("import")?);
//! let production = EnvironmentId::new("production")?;
//!
//! let mut import = project.import(&tokens);
//! for (row, key) in keypal::read(export) {
//!     let agents = Scope::All; // from key.labels: its scopes, and `resource:scope` of its resources
//!     let read = key.and_then(|key| key.row(project.draft(), production.clone(), agents, Scope::none(), "keypal"));
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
    let metadata = row.object(&["metadata"]);
    let mut labels = metadata.texts(&["scopes"]);
    labels.extend(metadata.object(&["resources"]).pairs());
    let state = match metadata.time(&["revokedAt"])? {
        Some(_) => KeyState::Revoked,
        None if metadata.flag(&["enabled"], true)? => KeyState::Active,
        None => KeyState::Inactive,
    };
    Ok(ForeignKey {
        name: metadata.text(&["name"]),
        description: metadata.text(&["description"]),
        owner: metadata.text(&["ownerId"]),
        expires_at: metadata.time(&["expiresAt"])?,
        state,
        labels,
        ..ForeignKey::new(row.digest(&["keyHash", "key_hash"])?)
    })
}
