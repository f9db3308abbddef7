//! The rules by which cached knowledge of keys is used: events in, decisions out.
//!
//! No I/O, no lock, no clock of its own, nothing asynchronous: what happens is told to a [`Core`], which answers
//! what to do and changes what readers see, a [`Board`].

mod announce;
mod board;
mod clocks;
mod core;
mod reads;
mod revoked;

pub(crate) use announce::{UNKNOWN, WITHOUT_FEED, announced, tolerance};
pub(crate) use board::{Board, Face, Row};
pub(crate) use core::{Answer, Asked, Core, LookUp, Refreshed, Stamp};
