//! An exhaustive search of what two nodes and a store can do under the rules of freshness.
//!
//! The core is the very source of the library, compiled once more here, and once for each wrong reading of its
//! rules, whose text the build script changes. [`configurations()`] lists what is explored, [`readings()`] the wrong
//! readings and where each is caught.

mod configuration;
mod configurations;
mod fingerprint;
#[expect(dead_code, reason = "the model uses what decides, not what stamps")]
#[expect(unused_imports, reason = "the model uses what decides, not what stamps")]
#[path = "../../../src/verify/freshness/mod.rs"]
mod freshness;
mod readings;
mod search;
mod variants;
mod witness;
mod world;

use access_keys::{clock, domain, store};

pub use configuration::{Change, Configuration, Judged, Node, Wrong};
pub use configurations::configurations;
pub use readings::{Reading, readings};
pub use search::Outcome;
pub use witness::Witness;

impl Configuration {
    /// Explores every state within the bounds, or up to the first broken promise.
    #[must_use]
    pub fn explore(&self, variant: &str) -> Outcome {
        variants::explore(variant, self)
    }
}
