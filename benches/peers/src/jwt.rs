//! A signed token that carries its own claims: `jsonwebtoken` with HS256.
//!
//! It asks nothing of a store, and so cannot be revoked, deactivated or edited before it expires.

use std::hint::black_box;

use chrono::Utc;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode, errors};
use serde::{Deserialize, Serialize};

use crate::fixture::{ENVIRONMENT, Fixture, foreign_agent};
use crate::peer::{Case, Check, Peer};

const SECRET: &[u8; 32] = b"thirty-two bytes of a benchmark.";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    env: String,
    agents: Vec<String>,
}

struct Jwt {
    key: DecodingKey,
    validation: Validation,
}

impl Check for Jwt {
    const NAME: &'static str = "jsonwebtoken_hs256";
    const PER_ROUND: u32 = 100;
    type Agent = String;

    fn accepts(&self, token: &str, agent: &String) -> bool {
        let decoded = decode::<Claims>(token, &self.key, &self.validation);
        decoded.is_ok_and(|decoded| {
            let claims = black_box(&decoded.claims);
            claims.env == ENVIRONMENT && claims.agents.contains(agent)
        })
    }
}

pub(crate) fn peer(fixture: &Fixture) -> Result<Box<dyn Peer>, errors::Error> {
    let issue = |env: &str, seconds, secret| {
        let exp = Utc::now().timestamp() + seconds;
        let claims = Claims { sub: "checkout".into(), exp, env: env.into(), agents: fixture.agents.clone() };
        encode(&Header::default(), &claims, &EncodingKey::from_secret(secret))
    };
    let good = issue(ENVIRONMENT, 3_600, SECRET)?;
    let bad = [
        issue("staging", 3_600, SECRET)?,
        issue(ENVIRONMENT, -3_600, SECRET)?,
        issue(ENVIRONMENT, 3_600, b"the secret of somebody else here")?,
        good.replace('.', "-"),
    ];
    let check = Jwt { key: DecodingKey::from_secret(SECRET), validation: Validation::default() };
    Ok(Case { check, good, agent: fixture.agents[3].clone() }.proved(&foreign_agent(), &bad))
}
