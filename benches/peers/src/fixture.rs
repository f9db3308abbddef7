//! The keys that the peers of the same token form share.

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, AgentId, EnvironmentId, KeyInfo, ProjectId, Scope};
use chrono::{DateTime, TimeDelta, Utc};

use crate::access_keys::{Keys, ready};

type Failure = Box<dyn std::error::Error>;

pub(crate) const PREFIX: &str = "acme";
pub(crate) const PROJECT: &str = "checkout";
pub(crate) const ENVIRONMENT: &str = "production";
/// How many good keys there are beside the one that is presented.
const OTHERS: usize = 1_000;
const AGENTS: usize = 8;

/// A key as a host with a table of its own would know it.
pub(crate) struct Key {
    pub(crate) token: String,
    pub(crate) environment: &'static str,
    pub(crate) active: bool,
    pub(crate) expires_at: DateTime<Utc>,
}

pub(crate) struct Fixture {
    pub(crate) library: Keys,
    /// All keys; the first is the one that is presented.
    pub(crate) keys: Vec<Key>,
    /// The scope of every key: eight names of 40 bytes.
    pub(crate) agents: Vec<String>,
    /// Tokens that `library` and the tables made from `keys` must refuse.
    pub(crate) bad: Vec<String>,
    /// One that is past its expiry in a table made from `keys`.
    pub(crate) expired: String,
}

impl Fixture {
    pub(crate) fn new() -> Result<Self, Failure> {
        Self::with_clock(SystemClock)
    }

    pub(crate) fn with_clock(clock: impl Clock) -> Result<Self, Failure> {
        let library = AccessKeys::builder(MemoryStore::new()).prefix(PREFIX).clock(clock).build()?;
        let agents: Vec<String> = (0..AGENTS).map(|i| format!("agent-{i:034}")).collect();
        let in_a_month = Utc::now() + TimeDelta::days(30);
        let mut keys = Vec::new();
        for _ in 0..=OTHERS {
            keys.push(issue(&library, &agents, ENVIRONMENT, in_a_month)?);
        }
        let elsewhere = issue(&library, &agents, "staging", in_a_month)?;
        let mut inactive = issue(&library, &agents, ENVIRONMENT, in_a_month)?;
        let id = inactive.token[5..21].parse()?;
        ready(library.project(ProjectId::new(PROJECT)?, Actor::user("ada")?).deactivate(id))?;
        inactive.active = false;
        let mut expired = issue(&library, &agents, ENVIRONMENT, in_a_month)?;
        expired.expires_at = Utc::now() - TimeDelta::seconds(1);

        let good = keys[0].token.clone();
        let edited = |at: usize| {
            let mut text = good.clone().into_bytes();
            text[at] = if text[at] == b'x' { b'y' } else { b'x' };
            String::from_utf8(text).expect("a token is ASCII")
        };
        let mut bad = vec![elsewhere.token.clone(), inactive.token.clone()];
        // A wrong secret, an unknown id, a wrong checksum, a wrong prefix, a wrong length, a wrong character.
        bad.extend([sealed(&edited(30)), sealed(&edited(10)), edited(30), sealed(&edited(0))]);
        bad.extend([good[1..].to_owned(), good.replace('_', "-"), String::new(), "é".repeat(30)]);
        let expired_token = expired.token.clone();
        keys.extend([elsewhere, inactive, expired]);
        Ok(Self { library, keys, agents, bad, expired: expired_token })
    }

    pub(crate) fn good(&self) -> String {
        self.keys[0].token.clone()
    }

    /// What a table made from `keys` must refuse.
    pub(crate) fn bad_in_a_table(&self) -> Vec<String> {
        let mut bad = self.bad.clone();
        bad.push(self.expired.clone());
        bad
    }
}

/// The name of an agent that no key may call.
pub(crate) fn foreign_agent() -> String {
    format!("agent-{AGENTS:034}")
}

fn issue(
    library: &Keys,
    agents: &[String],
    environment: &'static str,
    expires_at: DateTime<Utc>,
) -> Result<Key, Failure> {
    let project = library.project(ProjectId::new(PROJECT)?, Actor::user("ada")?);
    let info = KeyInfo::new("Mobile app", EnvironmentId::new(environment)?)?.expires_at(expires_at);
    let agents = agents.iter().map(AgentId::new).collect::<Result<Vec<_>, _>>()?;
    let review = project.draft().info(info).agents(Scope::specific(agents)?).prompts(Scope::All)?;
    let issued = ready(project.generate(review))?;
    Ok(Key { token: issued.token.expose().to_owned(), environment, active: true, expires_at })
}

/// `token` with a checksum that fits.
fn sealed(token: &str) -> String {
    let body = &token[..token.len() - 6];
    let sum = crate::dashmap::base62(crc32fast::hash(body.as_bytes()));
    format!("{body}{}", String::from_utf8_lossy(&sum))
}
