#![doc = include_str!("docs/front.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::exhaustive_enums,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc
)]

pub mod clock;
pub mod domain;
pub mod lifecycle;
pub mod store;
pub mod token;
pub mod verify;

pub use clock::{Clock, FakeClock};
pub use domain::{
    AccessKey, Actor, AgentId, AuditEvent, AuditQuery, Cursor, Draft, Edit, EditForm, EnvironmentId, IdSet,
    Invalid, Invalids, KeyForm, KeyId, KeyInfo, KeyQuery, KeyState, OperationId, Page, ProjectId, PromptId,
    Review, Revision, Scope, Status,
};
pub use lifecycle::{AccessKeys, Change, Error, Issued, ProjectKeys};
pub use token::{Pepper, Token};
pub use verify::{Denial, Grant, Verifier};
