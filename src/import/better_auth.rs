//! The rows of the table `apikey` of [better-auth](https://www.better-auth.com/docs/plugins/api-key).
//!
//! `key` is SHA-256 of the token in base64url without padding, as the plugin stores it unless `disableKeyHashing` was
//! set. Read are also `name`, `referenceId` (`userId` before 1.5), `enabled`, `expiresAt` and `permissions`; column names
//! in snake case too.
//!
//! ```
//! # use access_keys::{AccessKeys, Actor, EnvironmentId, ProjectId, Scope, store::MemoryStore};
//! use access_keys::{import::better_auth, token::ForeignTokens};
//!
//! # pollster::block_on(async {
//! # let export: &[u8] = br#"[{"id":"1","key":"cdJb1N-mscaywOxaeeaNTsalT9v5qPwo_ZqfPUxbDU8","name":"CI","userId":"u1","enabled":1,"expiresAt":null,"permissions":"{\"agents\":[\"run\"]}"}]"#;
//! let tokens = ForeignTokens::new("better-auth")?.beginning_with("acme_ci_")?.of_length(72..=72)?;
//! let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").foreign_tokens(tokens.clone()).build()?;
//! let project = keys.project(ProjectId::new("checkout")?, Actor::system("import")?);
//! let production = EnvironmentId::new("production")?;
//!
//! let mut import = project.import(&tokens);
//! for (row, key) in better_auth::read(export) {
//!     let read = key.and_then(|key| {
//!         let may_run = key.labels.iter().any(|label| label == "agents:run");
//!         let agents = if may_run { Scope::All } else { Scope::none() };
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
    let enabled = row.flag(&["enabled"], true)?;
    Ok(ForeignKey {
        name: row.text(&["name"]),
        owner: row.text(&["referenceId", "reference_id", "userId", "user_id"]),
        expires_at: row.time(&["expiresAt", "expires_at"])?,
        state: if enabled { KeyState::Active } else { KeyState::Inactive },
        labels: row.object(&["permissions"]).pairs(),
        ..ForeignKey::new(row.digest(&["key"])?)
    })
}
