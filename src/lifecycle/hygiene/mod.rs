//! Keys that reach more than they need, that nobody uses, or that end soon.
//!
//! [`ProjectKeys::hygiene`](super::ProjectKeys::hygiene) looks at the keys of a project, page by page, and tells of
//! each what the query asks for, in words that a person can act on. It changes nothing.

mod finding;
mod look;
mod query;

pub use finding::{Finding, KeyFindings};
pub use query::HygieneQuery;
