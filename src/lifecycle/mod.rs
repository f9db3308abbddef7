//! The life of a key: generated, edited, paused, rotated, revoked, and every step of it recorded.
//!
//! [`AccessKeys`] is made once by its [`Builder`]. [`ProjectKeys`] manages the keys of one project on behalf
//! of one actor; a key of another project looks to it as if it did not exist. Whatever it does is stored
//! together with the audit event that tells of it, or not at all.
//!
//! A change is a compare-and-swap: read, apply a pure rule, write if nothing came between. Where the caller
//! pinned no revision it is repeated until it wins or the store fails. Where the store cannot say whether a
//! write was done, the library tries the same write again, and where that is refused looks for its event.
#![doc = include_str!("../docs/cookbook.md")]
//!
#![doc = include_str!("../docs/runbook.md")]
//!
// The runbook is read without the feature too, where there is no such page.
#![cfg_attr(feature = "sqlite-system", doc = "[`SqliteStore`]: crate::store::SqliteStore#backup-and-restore")]
#![cfg_attr(not(feature = "sqlite-system"), doc = "[`SqliteStore`]: crate::store")]
//!
#![doc = include_str!("../docs/page.md")]
//!
// Its pictures, which no page of documentation could load from elsewhere. A command takes them: `tests/chromium.rs` of
// the console tells.
#![doc = include_str!("../docs/page_pictures.md")]

mod access_keys;
mod builder;
mod bulk;
mod change;
mod commit;
mod error;
pub mod history;
pub mod hygiene;
mod import;
mod issue;
#[cfg(feature = "leak")]
#[cfg_attr(docsrs, doc(cfg(feature = "leak")))]
pub mod leak;
mod manage;
mod presented;
mod project;
mod scope_used;
mod secrets;

pub use access_keys::AccessKeys;
pub use builder::Builder;
pub use bulk::{Batch, RevokeAll, RevokedAll};
pub use change::{Change, Issued};
pub use error::Error;
pub use import::{Import, ImportReport, ImportRow, Imported, RowError};
pub use project::ProjectKeys;
pub use scope_used::ScopeUsed;
pub use secrets::SecretInfo;
