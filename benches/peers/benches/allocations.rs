//! How often checking one presented key allocates memory.
//!
//! `cargo bench -p peers-bench --bench allocations` prints `peer NAME VALUE allocations` for each. It is a program
//! of its own because counting slows down whoever allocates.

use std::alloc::System;

use peers_bench::peers;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counted in this many rounds, for those that allocate only now and then.
const ROUNDS: u32 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for peer in peers()? {
        peer.run(peer.per_round());
        let region = Region::new(COUNTED);
        peer.run(ROUNDS * peer.per_round());
        let change = region.change();
        let made = change.allocations + change.reallocations;
        let each = made as f64 / f64::from(ROUNDS * peer.per_round());
        println!("peer {}_allocations {each:.2} a_check", peer.name());
    }
    Ok(())
}
