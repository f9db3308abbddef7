//! A host with one key, and tokens of it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore, StoredKey};
use access_keys::{
    AccessKeys, Actor, EnvironmentId, Issued, KeyInfo, Pepper, ProjectId, ProjectKeys, Scope, Verifier,
};
use pollster::block_on;

use crate::Failure;

/// Where the secret stands in a token of the prefix `acme`. The checksum behind it tells of it too.
pub(crate) const SECRET: Range<usize> = 22..54;

const DAY: Duration = Duration::from_secs(86_400);

pub(crate) struct Host {
    store: Arc<MemoryStore>,
    is_peppered: bool,
    project: ProjectKeys<Arc<MemoryStore>>,
    pub(crate) production: EnvironmentId,
    pub(crate) good: Issued,
}

impl Host {
    pub(crate) fn new(is_peppered: bool) -> Result<Self, Failure> {
        let store = Arc::new(MemoryStore::new());
        let project =
            keys(&store, is_peppered, false)?.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        let production = EnvironmentId::new("production")?;
        let info = KeyInfo::new("Mobile app", production.clone())?;
        let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
        let good = block_on(project.generate(review))?;
        Ok(Self { store, is_peppered, project, production, good })
    }

    pub(crate) fn rotate(&self) -> Result<(), Failure> {
        let _ = block_on(self.project.rotate(self.good.key.id, DAY))?;
        Ok(())
    }

    pub(crate) fn revoke(&self) -> Result<(), Failure> {
        block_on(self.project.revoke(self.good.key.id, "lost"))?;
        Ok(())
    }

    /// The record in the store itself, which its copies share.
    pub(crate) fn stored(&self) -> Result<StoredKey, Failure> {
        Ok(block_on(self.store.get(self.good.key.id))?.ok_or("the key is gone")?)
    }

    /// Keys of a node that knows nothing yet.
    pub(crate) fn keys(&self) -> Result<AccessKeys<Arc<MemoryStore>>, Failure> {
        keys(&self.store, self.is_peppered, false)
    }

    /// A new verifier, which knows nothing yet; a cold one reads the store each time.
    pub(crate) fn verifier(&self, is_cold: bool) -> Result<Verifier, Failure> {
        Ok(keys(&self.store, self.is_peppered, is_cold)?.verifier())
    }
}

/// The token with its body edited and a checksum that fits.
pub(crate) fn sealed(issued: &Issued, edit: impl Fn(&mut [u8])) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let token = issued.token.expose();
    let mut body = token.as_bytes()[..token.len() - 6].to_vec();
    edit(&mut body);
    let mut rest = crc32fast::hash(&body);
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    body.extend(digits);
    String::from_utf8(body).expect("a token is ASCII")
}

fn keys(
    store: &Arc<MemoryStore>,
    is_peppered: bool,
    is_cold: bool,
) -> Result<AccessKeys<Arc<MemoryStore>>, Failure> {
    let mut builder = AccessKeys::builder(Arc::clone(store)).prefix("acme");
    if is_peppered {
        builder = builder.pepper(Pepper::new(1, [1; 32])?).pepper(Pepper::new(2, [2; 32])?);
    }
    if is_cold {
        builder = builder.max_staleness(Duration::ZERO);
    }
    Ok(builder.build()?)
}
