//! The core once for each wrong reading, as the build script wrote it.

include!(concat!(env!("OUT_DIR"), "/variants.rs"));
