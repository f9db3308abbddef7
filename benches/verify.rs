//! What a verification costs, as a ratio to the one SHA-256 that it cannot avoid.
//!
//! `cargo bench --bench verify` prints one line for each figure:
//! `figure NAME VALUE UNIT goal OP GOAL met|missed`.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, AgentId, EnvironmentId, KeyInfo, ProjectId, Scope};
use sha2::{Digest, Sha256};

const ROUNDS: usize = 41;
const PER_ROUND: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let production = EnvironmentId::new("production")?;
    let agents: Vec<AgentId> =
        (0..8).map(|i| AgentId::new(format!("agent-{i:034}"))).collect::<Result<_, _>>()?;
    let info = KeyInfo::new("Mobile app", production.clone())?;
    let review = project.draft().info(info).agents(Scope::specific(agents.clone())?).prompts(Scope::All)?;
    let issued = ready(project.generate(review))?;
    let token = issued.token.expose();
    let malformed = format!("{}0", &token[..token.len() - 1]);
    let malformed = if malformed == token { format!("{}1", &token[..token.len() - 1]) } else { malformed };

    let hashed: &[u8; 49] = token.as_bytes()[5..54].try_into()?;
    let hash = || {
        black_box(Sha256::digest(black_box(hashed)));
    };
    let verify = || {
        let grant = ready(keys.verify(black_box(token), black_box(&production)));
        assert!(grant.is_ok_and(|grant| grant.require_agent(black_box(&agents[3])).is_ok()));
    };
    let refuse = || assert!(ready(keys.verify(black_box(&malformed), black_box(&production))).is_err());

    let mut over_hash = Vec::new();
    let mut over_verify = Vec::new();
    for _ in 0..ROUNDS {
        let (sha, good, bad) = (time(hash), time(verify), time(refuse));
        over_hash.push(good.as_secs_f64() / sha.as_secs_f64());
        over_verify.push(bad.as_secs_f64() / good.as_secs_f64());
    }
    figure("verify_memory", median(over_hash), "x_sha256", 20.0);
    figure("malformed", median(over_verify), "x", 0.3);
    Ok(())
}

fn time(work: impl Fn()) -> Duration {
    let start = Instant::now();
    (0..PER_ROUND).for_each(|_| work());
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn figure(name: &str, value: f64, unit: &str, goal: f64) {
    let met = if value <= goal { "met" } else { "missed" };
    println!("figure {name} {value:.2} {unit} goal <= {goal} {met}");
}

/// The result of a future that never waits, without the cost of an executor.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a store in memory does not wait"),
    }
}
