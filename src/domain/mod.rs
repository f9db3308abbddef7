//! What keys are and the rules they obey, as plain values and pure functions.
//!
//! Nothing here awaits, draws randomness, computes a digest or reads a clock: the current time is always
//! an argument. Whatever breaks a rule is an [`Invalid`], which names the field, the limit and how much
//! was given, never the text itself.
//!
//! | what | type |
//! | --- | --- |
//! | identifiers | [`KeyId`], [`ProjectId`], [`EnvironmentId`], [`AgentId`], [`PromptId`], [`OperationId`], [`EventId`] |
//! | the record | [`AccessKey`], its [`Scope`]s, [`Status`], [`Revision`] |
//! | making one | [`Draft`], [`KeyInfo`], [`KeyForm`], [`Review`] |
//! | changing one | [`Edit`], [`EditForm`], [`Preview`] |
//! | finding them | [`KeyQuery`], [`AuditQuery`], [`Page`], [`Cursor`] |
//! | what one was used for | [`Resource`] |
//! | what happened | [`AuditEvent`], [`Action`], [`FieldChange`], [`Seal`] |
//! | in words | [`from_now`], and `Display` of [`Review`], [`Preview`] and [`AuditEvent`] |

mod actor;
mod audit;
mod draft;
mod edit;
mod form;
mod hashed;
pub(crate) mod hex;
pub(crate) mod id;
mod invalid;
mod key;
mod page;
mod preview;
mod query;
pub(crate) mod quiet;
mod resource;
mod review;
mod scope;
mod scope_form;
pub(crate) mod seal;
mod status;
pub(crate) mod text;
pub(crate) mod time;
mod which;

pub use actor::Actor;
pub use audit::{Action, AuditEvent, FieldChange, ScopeChange};
pub use draft::{Draft, KeyInfo, NeedsAgents, NeedsInfo, NeedsPrompts};
pub use edit::Edit;
pub use form::{EditForm, KeyForm};
pub use id::{AgentId, EnvironmentId, EventId, KeyId, OperationId, ProjectId, PromptId};
pub use invalid::{Field, Invalid, Invalids, Rule, Unit};
pub use key::{AccessKey, Origin, Revision};
pub use page::{Cursor, Page};
pub use preview::Preview;
pub use query::{AuditQuery, KeyQuery};
pub use resource::Resource;
pub use review::Review;
pub use scope::{IdSet, ResourceId, Scope};
pub use scope_form::ScopeForm;
pub use seal::Seal;
pub use status::{KeyState, Status};
pub use time::from_now;
pub use which::Which;

pub(crate) use edit::{Applied, Rejection};
