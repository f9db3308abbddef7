//! What checking one presented key costs in other ways, as a ratio to one SHA-256 of 49 bytes.
//!
//! `cargo bench -p peers-bench --bench verify` prints `peer NAME VALUE x_sha256` for each, then how much more two
//! threads do than one with the same key, then the two figures that compare this library with the same job by hand.

use std::hint::black_box;
use std::time::Instant;

use peers_bench::{Peer, hashed, peers, two_over_one};
use sha2::{Digest, Sha256};

/// Short and many: what else the machine does, or its neighbour on the same core, lasts longer than most rounds, and so
/// falls on all peers of a round alike or on few rounds.
const ROUNDS: usize = 1_001;
const HASHES: u32 = 2_000;

struct Hash;

impl Peer for Hash {
    fn name(&self) -> &'static str {
        "sha256"
    }

    fn per_round(&self) -> u32 {
        HASHES
    }

    fn run(&self, times: u32) {
        let hashed = hashed();
        for _ in 0..times {
            black_box(Sha256::digest(black_box(&hashed)));
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peers = peers()?;
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
    let mut over_hash = times.clone();
    for round in 0..ROUNDS {
        // Each begins as often as the others, right after a hash of its own.
        for i in (0..peers.len()).map(|i| (i + round) % peers.len()) {
            if round % peers[i].every() == 0 {
                let hash = each(&Hash);
                let time = each(&*peers[i]);
                times[i].push(time);
                over_hash[i].push(time / hash);
            }
        }
    }
    for (peer, ratios) in peers.iter().zip(over_hash) {
        println!("peer {} {:.2} x_sha256", peer.name(), median(ratios));
    }
    let shared: Vec<&dyn Peer> = peers.iter().map(|peer| &**peer).filter(is_shared).collect();
    for peer in [&[&Hash as &dyn Peer], &shared[..]].concat() {
        print_two_threads(peer);
    }
    let find = |name: &str| peers.iter().position(|peer| peer.name() == name).ok_or("no such peer");
    let ours = &times[find("access_keys")?];
    for (name, goal) in [("dashmap", 0.45), ("dashmap_tuned", 0.95)] {
        let ratios = ours.iter().zip(&times[find(name)?]).map(|(ours, theirs)| ours / theirs);
        figure(name, median(ratios.collect()), goal);
    }
    Ok(())
}

/// Whether it is one of those that two threads are to share.
fn is_shared(peer: &&dyn Peer) -> bool {
    ["access_keys", "dashmap", "dashmap_of_arcs", "dashmap_tuned", "moka"].contains(&peer.name())
}

/// Seconds for each check.
fn each(peer: &dyn Peer) -> f64 {
    // What ran before has left the caches and the branch predictor to itself.
    peer.run(peer.per_round() / 20);
    let start = Instant::now();
    peer.run(peer.per_round());
    start.elapsed().as_secs_f64() / f64::from(peer.per_round())
}

fn print_two_threads(peer: &dyn Peer) {
    let ratios = two_over_one(peer, &Hash);
    let (name, rounds) = (peer.name(), ratios.len());
    if ratios.is_empty() {
        println!("peer {name}_two_threads unknown: in no round had two threads a core each");
    } else {
        println!("peer {name}_two_threads {:.2} x_one_thread in {rounds} rounds", median(ratios));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn figure(name: &str, value: f64, goal: f64) {
    let met = if value <= goal { "met" } else { "missed" };
    println!("figure {name} {value:.2} x goal <= {goal} {met}");
}
