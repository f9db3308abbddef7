//! A host with a key in every state.

use std::collections::BTreeMap;
use std::time::Duration;

use access_keys::http::AccessKeyLayer;
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AgentId, EnvironmentId, FakeClock, Issued, KeyId, KeyInfo, ProjectId, ProjectKeys,
    Scope,
};
use chrono::TimeDelta;

/// The tokens that are not good, by why not.
pub const CAUSES: [&str; 9] = [
    "malformed",
    "other_prefix",
    "unknown",
    "wrong_secret",
    "retired",
    "inactive",
    "revoked",
    "expired",
    "staging",
];

/// Keys in `store`, each in a state of its own, and their tokens by name: `good`, `other` and `bot` are good in
/// `production`, `staging` is good there, and the others of [`CAUSES`] are good nowhere.
#[derive(Debug)]
pub struct Host<S = MemoryStore> {
    /// The keys.
    pub keys: AccessKeys<S>,
    /// Those of the project that all of them belong to.
    pub project: ProjectKeys<S>,
    /// Its time.
    pub clock: FakeClock,
    tokens: BTreeMap<&'static str, String>,
    ids: BTreeMap<&'static str, KeyId>,
}

impl Host {
    /// A host of its own.
    pub async fn new() -> Self {
        Self::over(MemoryStore::new()).await
    }
}

impl<S: KeyStore> Host<S> {
    /// A host whose keys live in this store.
    ///
    /// # Panics
    /// If the store refuses them.
    pub async fn over(store: S) -> Self {
        let clock = FakeClock::default();
        let keys = AccessKeys::builder(store)
            .prefix("acme")
            .environment_prefix(env("sandbox"), "sand")
            .clock(clock.clone())
            .build()
            .unwrap();
        let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
        let mut host = Self { keys, project, clock, tokens: BTreeMap::new(), ids: BTreeMap::new() };
        host.issue_all().await;
        host
    }

    async fn issue_all(&mut self) {
        for name in ["good", "other", "retired", "inactive", "revoked"] {
            self.issue(name, KeyInfo::new(name, env("production")).unwrap(), Scope::All).await;
        }
        let bot = Scope::specific([AgentId::new("bot").unwrap()]).unwrap();
        self.issue("bot", KeyInfo::new("bot", env("production")).unwrap(), bot).await;
        self.issue("staging", KeyInfo::new("staging", env("staging")).unwrap(), Scope::All).await;
        self.issue("other_prefix", KeyInfo::new("sandbox", env("sandbox")).unwrap(), Scope::All).await;
        let soon = access_keys::Clock::wall(&self.clock) + TimeDelta::seconds(60);
        let expiring = KeyInfo::new("expired", env("production")).unwrap().expires_at(soon);
        self.issue("expired", expiring, Scope::All).await;
        let newest = self.project.rotate(self.id("retired"), Duration::from_secs(60)).await.unwrap();
        self.tokens.insert("rotated", newest.token.expose().to_owned());
        self.clock.advance(Duration::from_secs(61));
        self.project.deactivate(self.id("inactive")).await.unwrap();
        self.project.revoke(self.id("revoked"), "leaked").await.unwrap();
        let (good, secret) = (self.token("good").to_owned(), "x".repeat(32));
        self.tokens.insert("malformed", format!("{good}0"));
        self.tokens.insert("unknown", forged("0123456789012345", &secret));
        self.tokens.insert("wrong_secret", forged(self.id("good").as_str(), &secret));
        self.tokens.insert("cut", good[..good.len() - 1].to_owned());
        self.tokens.insert("percent", good.replace('_', "%5F"));
        self.tokens.insert("lower", good.to_lowercase());
        self.tokens.insert("first_half", good[..20].to_owned());
        self.tokens.insert("second_half", good[20..].to_owned());
    }

    async fn issue(&mut self, name: &'static str, info: KeyInfo, agents: Scope<AgentId>) {
        let review = self.project.draft().info(info).agents(agents).prompts(Scope::All).unwrap();
        let Issued { key, token, .. } = self.project.generate(review).await.unwrap();
        self.ids.insert(name, key.id);
        self.tokens.insert(name, token.expose().to_owned());
    }

    /// The token of this name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn token(&self, name: &str) -> &str {
        self.tokens.get(name).unwrap_or_else(|| panic!("no token {name}"))
    }

    /// Every token, by name.
    pub fn tokens(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.tokens.iter().map(|(name, token)| (*name, token.as_str()))
    }

    /// The id of the key of this name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn id(&self, name: &str) -> KeyId {
        self.ids[name]
    }

    /// The layer that lets in what is good in `production`.
    pub fn layer(&self) -> AccessKeyLayer {
        AccessKeyLayer::new(self.keys.verifier(), env("production"))
    }
}

/// An environment.
///
/// # Panics
/// If it can be none.
#[must_use]
pub fn env(id: &str) -> EnvironmentId {
    EnvironmentId::new(id).unwrap()
}

/// A token that nobody issued, right in every way that can be checked without a look-up.
#[must_use]
pub fn forged(id: &str, secret: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let body = format!("acme_{id}_{secret}");
    let sum = crc32fast::hash(body.as_bytes());
    let digit = |place: u32| char::from(DIGITS[sum as usize / 62_usize.pow(place) % 62]);
    let checksum: String = (0..6).rev().map(digit).collect();
    body + &checksum
}
