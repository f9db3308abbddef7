//! A host with keys, and what every measurement needs.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AgentId, EnvironmentId, Issued, KeyInfo, ProjectId, ProjectKeys, Scope,
};
use sha2::{Digest, Sha256};

/// Keys of one project with agents whose names have 40 bytes.
pub(crate) struct Host<S: KeyStore = MemoryStore> {
    pub(crate) keys: AccessKeys<S>,
    pub(crate) project: ProjectKeys<S>,
    pub(crate) production: EnvironmentId,
}

impl<S: KeyStore> Host<S> {
    pub(crate) fn of(keys: AccessKeys<S>) -> Result<Self, access_keys::Invalid> {
        let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        Ok(Self { keys, project, production: EnvironmentId::new("production")? })
    }

    /// A new key for so many agents, with the agents.
    pub(crate) fn issue(&self, agents: usize) -> Result<(Issued, Vec<AgentId>), Box<dyn std::error::Error>> {
        let agents: Vec<AgentId> =
            (0..agents).map(|i| AgentId::new(format!("agent-{i:034}"))).collect::<Result<_, _>>()?;
        let info = KeyInfo::new("Mobile app", self.production.clone())?;
        let review =
            self.project.draft().info(info).agents(Scope::specific(agents.clone())?).prompts(Scope::All)?;
        Ok((ready(self.project.generate(review))?, agents))
    }

    /// Verifies a token and asks for an agent, again and again: how long it took.
    pub(crate) fn verify(&self, times: u32, token: &str, agent: &AgentId) -> Duration {
        let start = Instant::now();
        ready(async {
            for _ in 0..times {
                let grant = self.keys.verify(black_box(token), black_box(&self.production)).await;
                assert!(grant.is_ok_and(|grant| grant.require_agent(black_box(agent)).is_ok()));
            }
        });
        start.elapsed()
    }

    /// The same for a token that is refused.
    pub(crate) fn refuse(&self, times: u32, token: &str) -> Duration {
        let start = Instant::now();
        ready(async {
            for _ in 0..times {
                assert!(self.keys.verify(black_box(token), black_box(&self.production)).await.is_err());
            }
        });
        start.elapsed()
    }
}

/// How long one SHA-256 of 49 bytes takes, so many times.
pub(crate) fn hash(times: u32) -> Duration {
    let hashed = [b'x'; 49];
    let start = Instant::now();
    for _ in 0..times {
        black_box(Sha256::digest(black_box(hashed)));
    }
    start.elapsed()
}

/// A token of the prefix `acme` that has the right form.
pub(crate) fn well_formed(id: &str, secret: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut token = format!("acme_{id}_{secret}");
    let mut rest = crc32fast::hash(token.as_bytes());
    let mut digits = ['0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(ALPHABET[(rest % 62) as usize]);
        rest /= 62;
    }
    token.extend(digits);
    token
}

/// The value below which all but `1 - part` of the samples are.
pub(crate) fn percentile(samples: &mut [u64], part: f64) -> f64 {
    samples.sort_unstable();
    samples[((samples.len() - 1) as f64 * part) as usize] as f64
}

/// The result of a future that never waits for long, without the cost of an executor.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        // It may wait for what another thread asks of a store in memory.
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
