//! The library with the locks, atomics and thread locals of a scheduler, and with mistakes to be made on demand.

mod map;
pub mod mistake;

pub use mistake::Mistake;

include!(concat!(env!("OUT_DIR"), "/library/lib.rs"));
