//! Issuing a token: its secret is undefined from the moment it is drawn, and so is all that is made of it.

use std::sync::Arc;

use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope};
use pollster::block_on;
use rand_core::{TryCryptoRng, TryRng};

use crate::Failure;
use crate::driver::undefine;

/// Randomness that is undefined where a secret is drawn: 32 bytes at once.
struct Source(u64);

#[derive(Debug)]
struct Defined(String);

impl std::fmt::Display for Defined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Defined {}

impl TryRng for Source {
    type Error = Defined;

    fn try_next_u32(&mut self) -> Result<u32, Defined> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Defined> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Defined> {
        for byte in &mut *bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_be_bytes()[0];
        }
        if bytes.len() == 32 { undefine(bytes).map_err(|error| Defined(error.to_string())) } else { Ok(()) }
    }
}

impl TryCryptoRng for Source {}

/// Generates a key, and verifies the token that it gave.
pub(crate) fn generate() -> Result<(), Failure> {
    let source = Source(0x9E37_79B9_7F4A_7C15);
    let keys = AccessKeys::builder(Arc::new(MemoryStore::new())).prefix("acme").random(source).build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let production = EnvironmentId::new("production")?;
    let info = KeyInfo::new("Mobile app", production.clone())?;
    let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
    let issued = block_on(project.generate(review))?;
    let _ = block_on(keys.verify(issued.token.expose(), &production))?;
    println!("good");
    Ok(())
}
