//! The crate `api-keys-simplified`, as its front page says: a checksum, then Argon2id.
//!
//! It knows no scope and no status, and reads the environment and the expiry from the token; the host must know whose
//! hash to give it.

use std::error::Error;
use std::hint::black_box;

use api_keys_simplified::{ApiKeyManagerV0, Environment, ExposeSecret, KeyStatus, SecureString};
use chrono::{TimeDelta, Utc};

use crate::peer::{Case, Check, Peer};

struct Manager {
    manager: ApiKeyManagerV0,
    hash: String,
}

impl Check for Manager {
    const NAME: &'static str = "api_keys_simplified";
    const PER_ROUND: u32 = 1;
    const EVERY: usize = 25;
    const SCOPED: bool = false;
    type Agent = ();

    fn accepts(&self, token: &str, (): &()) -> bool {
        let token = SecureString::from(token.to_owned());
        matches!(self.manager.verify(&token, black_box(&self.hash)), Ok(KeyStatus::Valid))
    }
}

pub(crate) fn peer() -> Result<Box<dyn Peer>, Box<dyn Error>> {
    let manager = ApiKeyManagerV0::init_default_config("acme")?;
    let issue = || manager.generate_with_expiry(Environment::production(), Utc::now() + TimeDelta::days(30));
    let (key, other) = (issue()?, issue()?);
    let good = key.key().expose_secret().to_owned();
    let bad = [other.key().expose_secret().to_owned(), format!("{good}x")];
    let hash = key.expose_hash().hash().to_owned();
    Ok(Case { check: Manager { manager, hash }, good, agent: () }.proved(&(), &bad))
}
