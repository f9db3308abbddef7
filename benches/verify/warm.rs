//! Verifications that find their key in the cache, on one core.

use std::time::Duration;

use access_keys::clock::TickClock;
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, AgentId};

use crate::Done;
use crate::figure::{at_most, median};
use crate::host::{Host, hash, ready};

const ROUNDS: usize = 101;
const PER_ROUND: u32 = 4_000;

/// One kind of key with the token that is presented.
struct Case {
    name: &'static str,
    goal: f64,
    host: Host,
    token: String,
    agent: AgentId,
    over_hash: Vec<f64>,
}

impl Case {
    fn new(
        name: &'static str,
        goal: f64,
        host: Host,
        agents: usize,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let (issued, agents) = host.issue(agents)?;
        let token = issued.token.expose().to_owned();
        let agent = agents[agents.len() / 2].clone();
        Ok(Self { name, goal, host, token, agent, over_hash: Vec::new() })
    }

    fn round(&mut self, hashing: Duration) -> Duration {
        let took = self.host.verify(PER_ROUND, &self.token, &self.agent);
        self.over_hash.push(took.as_secs_f64() / hashing.as_secs_f64());
        took
    }
}

pub(crate) fn measure() -> Done {
    let builder = || AccessKeys::builder(MemoryStore::new()).prefix("acme");
    let mut warm = Case::new("verify_warm", 2.0, Host::of(builder().build()?)?, 8)?;
    let mut tick = Case::new("verify_warm_tick", 1.6, Host::of(builder().clock(TickClock).build()?)?, 8)?;
    let mut large = Case::new("verify_warm_10k", 2.1, Host::of(builder().build()?)?, 10_000)?;
    let mut older = Case::new("verify_two_secrets", 2.2, Host::of(builder().build()?)?, 8)?;
    let id = older.token[5..21].parse()?;
    let _ = ready(older.host.project.rotate(id, Duration::from_secs(86_400)))?;

    // Refused only at the end of all that is looked at without a hash: the checksum is wrong.
    let other = if warm.token.ends_with('0') { '1' } else { '0' };
    let malformed = format!("{}{other}", &warm.token[..warm.token.len() - 1]);
    let mut refusing = Vec::new();
    for _ in 0..ROUNDS {
        let hashing = hash(PER_ROUND);
        let verifying = warm.round(hashing);
        tick.round(hashing);
        large.round(hashing);
        older.round(hashing);
        let took = warm.host.refuse(PER_ROUND, &malformed);
        refusing.push(took.as_secs_f64() / verifying.as_secs_f64());
    }
    for case in [&warm, &tick, &large, &older] {
        at_most(case.name, median(case.over_hash.clone()), "x_sha256", case.goal);
    }
    at_most("malformed", median(refusing), "x", 0.3);

    let counted = allocation_counter::measure(|| {
        warm.host.verify(100_000, &warm.token, &warm.agent);
    });
    // The use of a key is noted once a second, which takes an allocation when it was written meanwhile.
    at_most("verify_allocations", counted.count_total as f64, "allocations", 0.0);
    Ok(())
}
