//! In front of routes: requests without a good token are refused, and streams end with their key.
//!
//! [`AccessKeyLayer`] is a layer of `tower` (feature `tower`) for every service that speaks HTTP, among them those of
//! `axum`, `hyper` and `tonic`. What it refuses it answers as [`Refusal`] says. A [`Watch`] ends a response that is
//! still running when its key ends. The feature `axum` adds what handlers ask for: [`Grant`](crate::Grant) as an
//! extractor, `RequireAgent`, `RequirePrompt`, and [`Denial`](crate::Denial) as an answer.
//!
// Its examples need axum: they are tested in the package of the tests of this layer.
#![cfg_attr(not(doctest), doc = include_str!("../docs/http.md"))]

#[cfg(feature = "axum")]
mod axum;
mod body;
mod credential;
mod ending;
mod layer;
mod needs;
mod realm;
mod refusal;
mod service;
mod watch;

#[cfg(feature = "axum")]
pub use axum::{LayerMissing, Rejection, RequireAgent, RequirePrompt};
pub use body::KeyedBody;
pub use ending::Ended;
pub use layer::AccessKeyLayer;
pub use needs::Needs;
pub use refusal::Refusal;
pub use service::{AccessKeyService, ResponseFuture};
pub use watch::Watch;

use realm::Realm;
