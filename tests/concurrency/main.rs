//! Calls that race: whatever the order, the outcome is that of some order, and the audit tells which.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod crowds;
mod explain;
mod interleavings;
mod schedule;
mod threads;
