//! A host with a few keys, the same in every run.

use std::sync::LazyLock;

use access_keys::store::MemoryStore;
use access_keys::{AccessKey, AccessKeys, Actor, Draft, EnvironmentId, FakeClock, KeyInfo, ProjectId, Scope};
use chrono::{DateTime, Utc};
use pollster::block_on;

use crate::random::SplitMix;

/// Each environment with the prefix of its tokens.
pub(crate) const ENVIRONMENTS: [(&str, &str); 3] =
    [("production", "acme_live"), ("staging", "acme"), ("sandbox", "acme")];

pub(crate) struct Host {
    pub(crate) keys: AccessKeys<MemoryStore>,
    /// The ids of [`ENVIRONMENTS`].
    pub(crate) environments: [EnvironmentId; 3],
    pub(crate) issued: Vec<Known>,
    tokens: Vec<String>,
    pub(crate) now: DateTime<Utc>,
}

/// A token that was issued.
pub(crate) struct Known {
    pub(crate) token: String,
    pub(crate) key: AccessKey,
    pub(crate) is_revoked: bool,
}

static HOST: LazyLock<Host> = LazyLock::new(Host::new);

/// The one of this process.
pub(crate) fn host() -> &'static Host {
    &HOST
}

impl Host {
    fn new() -> Self {
        use access_keys::Clock;

        let clock = FakeClock::default();
        let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(clock.clone());
        let builder = builder.environment_prefix(environment("production"), "acme_live").random(SplitMix(5));
        let keys = builder.build().expect("a host");
        let project =
            keys.project(ProjectId::new("checkout").expect("an id"), Actor::user("ada").expect("an id"));
        let issued =
            [("production", false), ("staging", false), ("staging", true)].map(|(name, is_revoked)| {
                let info = KeyInfo::new("Mobile app", environment(name)).expect("a name");
                let info = info.expires_at(clock.wall() + chrono::TimeDelta::days(90));
                let review =
                    Draft::at(clock.wall()).info(info).agents(Scope::All).prompts(Scope::All).expect("a key");
                let issued = block_on(project.generate(review)).expect("a key");
                if is_revoked {
                    block_on(project.revoke(issued.key.id, "leaked")).expect("a change");
                }
                Known { token: issued.token.expose().to_owned(), key: issued.key, is_revoked }
            });
        let tokens = issued.iter().map(|known| known.token.clone());
        let tokens = tokens.chain((issued.len() as u64..TOKENS).map(nobodys)).collect();
        let environments = ENVIRONMENTS.map(|(name, _)| environment(name));
        Self { keys, environments, issued: issued.into(), tokens, now: clock.wall() }
    }

    /// The token with this number: first those of `issued`, then some that nobody issued.
    pub(crate) fn token(&self, number: u8) -> &str {
        &self.tokens[usize::from(number)]
    }
}

/// How many there are.
const TOKENS: u64 = 8;

fn nobodys(number: u64) -> String {
    let mut chance = SplitMix(number);
    let body = format!("acme_{}_{}", chance.base62(16), chance.base62(32));
    format!("{body}{}", crate::naive::checksum(body.as_bytes()))
}

pub(crate) fn environment(name: &str) -> EnvironmentId {
    EnvironmentId::new(name).expect("an id")
}
