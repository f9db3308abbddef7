//! What the tests of the layer share: a host with keys in every state, servers, and clients that send what they are
//! told to.

mod answer;
mod cases;
#[path = "../../sqlite/src/chance.rs"]
mod chance;
mod events;
mod host;
mod served;
mod wire;

pub use answer::{Answer, refused};
pub use cases::{Case, Expected, Way, cases};
pub use chance::Chance;
pub use events::Events;
pub use host::{CAUSES, Host, env, forged};
pub use served::{Seen, Served, serve, witness};
pub use wire::{Lines, Unsendable, collect, http1, http2, oneshot, raw};

/// The guide of the layer, whose examples need axum.
#[cfg(doctest)]
#[doc = include_str!("../../../src/docs/http.md")]
struct Guide;
