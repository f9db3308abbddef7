//! How soon other processes refuse a key that was revoked, how long they accept one when they cannot learn of it, and
//! how soon they accept again.
//!
//! `cargo bench --bench revocation --features postgres` starts a throwaway server and three processes that verify all
//! the time, and prints one line for each figure: `figure NAME VALUE UNIT goal OP GOAL met|missed`. It revokes 200 keys
//! while the processes hear of it, or as many as `ACCESS_KEYS_REVOCATIONS` says.

#[path = "../shared/figure.rs"]
#[allow(dead_code, reason = "other figures have other goals")]
mod figure;
mod host;
mod late;
mod node;
mod nodes;
mod outages;
mod relay;
mod revocations;
#[path = "../../tests/postgres/src/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests have it public, and use all of it")]
mod server;

use std::time::Duration;

use figure::at_most;
use host::Host;
use late::{Late, milliseconds};
use nodes::Nodes;

type Done = Result<(), Box<dyn std::error::Error>>;

/// The limit under which nothing is heard, or nothing is answered.
const LIMIT: Duration = Duration::from_secs(1);
/// How many keys are revoked of which nothing is heard, in each of two ways.
const UNHEARD: usize = 20;
const OUTAGES: u32 = 6;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, address, channel] = &arguments[..]
        && word == nodes::WORD
    {
        return node::run(address, channel);
    }
    let count = std::env::var("ACCESS_KEYS_REVOCATIONS").map_or(Ok(200), |count| count.parse::<usize>())?;
    let mut host = Host::start()?;

    println!("the last accept after a revocation was acknowledged, in ms:");
    Late::print_head();
    let nodes = Nodes::start(&host.address(), Some(&host.address()))?;
    let heard = revocations::measure(&host, nodes, count.max(1))?;
    heard.print("all is heard");
    host.lower_limit(LIMIT)?;
    let (whole, cut) = revocations::measure_cut(&host, UNHEARD)?;
    whole.print("heard through a relay");
    cut.print("the relay cut");
    let alone = revocations::measure(&host, Nodes::start(&host.address(), None)?, UNHEARD)?;
    alone.print("no process follows");

    println!("\nthe last accept after the server was stopped, and the first after it was back, in ms:");
    let nodes = Nodes::start(&host.address(), Some(&host.address()))?;
    let (last, first) = outages::measure(&mut host, nodes, OUTAGES)?;

    println!();
    let announced = milliseconds(cut.announced.min(alone.announced));
    let worst = cut.percentile(100).max(alone.percentile(100));
    at_most("revocation_median", heard.median(), "ms", 10.0);
    at_most("revocation_p99", heard.percentile(99), "ms", 250.0);
    at_most("revocation_worst_cut", worst, "ms", announced);
    at_most("outage_last_accept", milliseconds(last), "ms", announced);
    at_most("recovery", milliseconds(first), "ms", 1_000.0);
    Ok(())
}
