//! The crate `prefixed-api-key`, as its front page says: the hash is looked up by the short token and compared.
//!
//! It knows no environment, expiry, status or scope, and its tokens have no checksum: what is stored beside the hash
//! is the host's to check.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;

use prefixed_api_key::rand::rngs::OsRng;
use prefixed_api_key::sha2::Sha256;
use prefixed_api_key::{PrefixedApiKey, PrefixedApiKeyController};

use crate::peer::{Case, Check, Peer};

struct Hashes {
    controller: PrefixedApiKeyController<OsRng, Sha256>,
    by_short_token: HashMap<String, String>,
}

impl Check for Hashes {
    const NAME: &'static str = "prefixed_api_key";
    const PER_ROUND: u32 = 1_000;
    const SCOPED: bool = false;
    type Agent = ();

    fn accepts(&self, token: &str, (): &()) -> bool {
        let Ok(key) = PrefixedApiKey::from_string(token) else { return false };
        let hash = self.by_short_token.get(black_box(&key).short_token());
        hash.is_some_and(|hash| self.controller.check_hash(&key, hash))
    }
}

pub(crate) fn peer() -> Result<Box<dyn Peer>, Box<dyn Error>> {
    let controller =
        PrefixedApiKeyController::configure().prefix("acme".to_owned()).seam_defaults().finalize()?;
    let mut by_short_token = HashMap::new();
    let mut good = String::new();
    for _ in 0..1_000 {
        let (key, hash) = controller.try_generate_key_and_hash()?;
        by_short_token.insert(key.short_token().to_owned(), hash);
        good = key.to_string();
    }
    let unknown = controller.try_generate_key()?.to_string();
    let bad = [format!("{good}x"), unknown, good.replace('_', "-")];
    Ok(Case { check: Hashes { controller, by_short_token }, good, agent: () }.proved(&(), &bad))
}
