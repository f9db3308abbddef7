//! `cargo bench -p console`: whether the list, its filters and its search answer at once, however many keys there are.
//!
//! A console over 10 keys and one over 100,000 (or as many as the first argument says), each over a file of SQLite, are
//! asked in turn over connections that stay open. Counted is the time to the first byte; that to the last is told beside
//! it. Pages of as many rows are compared: a page of 10 keys, where the page of 100,000 would have more.

mod client;
mod cores;
mod fill;

use std::time::{Duration, Instant};

use client::{Client, Times};

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

const FEW: usize = 10;
const ROUNDS: usize = 100;
/// A search that looks through all keys takes its time: fewer rounds will do, but no fewer than these.
const LONGEST: Duration = Duration::from_secs(5);
const LEAST: usize = 14;
const GOAL: f64 = 1.5;

/// What is asked for: in words, and as an address.
const CASES: [(&str, &str); 14] = [
    ("the list", "limit=10"),
    ("an older page", "limit=10&after=MIDDLE"),
    ("active", "limit=10&state=active"),
    ("inactive", "limit=10&state=inactive"),
    ("expired", "limit=10&state=expired"),
    ("revoked", "limit=10&state=revoked"),
    ("about to expire", "limit=10&state=soon"),
    ("environment", "limit=10&environment=staging"),
    ("agent of many", "limit=10&agent=triage"),
    ("agent of one", "limit=10&agent=safety-filter"),
    ("search that finds much", "limit=10&q=kiosk"),
    ("search that finds one", "limit=10&q=the+very+first"),
    ("search that finds nothing", "limit=10&q=nobody"),
    ("search and filters", "limit=10&q=kiosk&state=revoked&environment=staging"),
];
/// As people ask for it, for who wants to know.
const BESIDE: [(&str, &str); 2] = [("the list, 25 on a page", ""), ("the list, 100 on a page", "limit=100")];

fn main() -> Done {
    let many = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100_000);
    let apart = cores::be_the_server();
    let folder = tempfile::tempdir()?;
    let few = fill::host(&folder.path().join("few.db"), FEW)?;
    let many = fill::host(&folder.path().join("many.db"), many)?;
    if !(apart && cores::be_the_browser()) {
        println!("who runs on which core is left to the system: the ratios vary with it");
    }
    let mut clients = [Client::of(few.address)?, Client::of(many.address)?];
    println!(
        "{:28} {:>26}   {:>26}   first, last",
        "",
        "10 keys: first, last byte",
        format!("{} keys", many.keys)
    );
    let mut worst: f64 = 0.0;
    for (name, asked) in CASES {
        let middles = [&few.middle, &many.middle];
        let ratio = compare(name, &mut clients, &middles.map(|middle| asked.replace("MIDDLE", middle)))?;
        worst = worst.max(ratio);
    }
    for (name, asked) in BESIDE {
        compare(name, &mut clients, &[asked.to_owned(), asked.to_owned()])?;
    }
    let told = if worst <= GOAL { "met" } else { "missed" };
    println!("figure console_list {worst:.2} x goal <= {GOAL} {told}");
    Ok(())
}

/// How much longer the first byte takes where there are many keys: the median of the rounds.
fn compare(
    name: &str,
    clients: &mut [Client; 2],
    asked: &[String; 2],
) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
    let mut times: [Vec<Times>; 2] = [Vec::new(), Vec::new()];
    let began = Instant::now();
    for round in 0..ROUNDS + 5 {
        if round > LEAST && began.elapsed() > LONGEST {
            break;
        }
        // Each is first in every other round.
        for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let took = clients[place].list(&asked[place])?;
            // The first few find nothing warm.
            if round >= 5 {
                times[place].push(took);
            }
        }
    }
    let of = |times: &[Times], which: fn(&Times) -> f64| median(times.iter().map(which).collect());
    let [few, many] = &times;
    let first = [of(few, |t| t.first), of(many, |t| t.first)];
    let last = [of(few, |t| t.last), of(many, |t| t.last)];
    let [first_ratio, last_ratio] = [first[1] / first[0], last[1] / last[0]];
    println!(
        "{name:28} {:10.3} {:10.3} ms   {:10.3} {:10.3} ms   {first_ratio:5.2} {last_ratio:5.2} x",
        first[0], last[0], first[1], last[1]
    );
    Ok(first_ratio)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
