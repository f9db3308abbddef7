//! How the cost grows: with the keys in the cache, with the ids of a scope, and with how the keys are used.

use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, AgentId};

use crate::Done;
use crate::figure::median;
use crate::host::{Host, hash};

const ROUNDS: usize = 15;
const PER_ROUND: u32 = 20_000;

/// One key and the agent to ask for.
type Good = (String, AgentId);

pub(crate) fn measure() -> Done {
    println!("ids in the scope   x_sha256");
    for ids in [1, 8, 1_000, 10_000] {
        let host = Host::of(AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?)?;
        let good = issue(&host, 1, ids)?;
        println!("{ids:>16}   {:.2}", cost(&host, &good, |_, _| 0));
    }
    println!("keys in the cache   one hot key   Zipf   uniform   (x_sha256)");
    for keys in [1, 1_000, 1_000_000] {
        let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme").cache_capacity(keys);
        let host = Host::of(builder.build()?)?;
        let good = issue(&host, keys, 8)?;
        for (token, agent) in &good {
            host.verify(1, token, agent);
        }
        let hot = cost(&host, &good, |_, _| 0);
        // The inverse of the distribution function of 1/x, which is Zipf's law with exponent 1.
        let zipf = cost(&host, &good, |random, keys| ((keys as f64).powf(random) - 1.0) as usize);
        let uniform = cost(&host, &good, |random, keys| (random * keys as f64) as usize);
        println!("{keys:>17}   {hot:>11.2}   {zipf:.2}   {uniform:>7.2}");
    }
    Ok(())
}

fn issue(host: &Host, keys: usize, ids: usize) -> Result<Vec<Good>, Box<dyn std::error::Error>> {
    let good = |_| {
        let (issued, agents) = host.issue(ids)?;
        Ok((issued.token.expose().to_owned(), agents[agents.len() / 2].clone()))
    };
    (0..keys).map(good).collect()
}

/// The median cost of a verification of keys that are chosen by a random number from 0 to 1.
fn cost(host: &Host, good: &[Good], choose: impl Fn(f64, usize) -> usize) -> f64 {
    let mut state = 1_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let chosen: Vec<&Good> =
        (0..PER_ROUND).map(|_| &good[choose(random(), good.len()).min(good.len() - 1)]).collect();
    let round = |_| {
        let hashing = hash(PER_ROUND);
        let start = std::time::Instant::now();
        for (token, agent) in &chosen {
            host.verify(1, token, agent);
        }
        start.elapsed().as_secs_f64() / hashing.as_secs_f64()
    };
    round(0);
    median((0..ROUNDS).map(round).collect())
}
