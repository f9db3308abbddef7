//! A signed token whose holder may narrow it: `biscuit-auth` with a public key, one fact for each agent.
//!
//! It asks nothing of a store, and so cannot be revoked, deactivated or edited before it expires, unless the host
//! keeps a list of revoked tokens.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use biscuit_auth::builder::{Term, fact, string};
use biscuit_auth::macros::{authorizer, biscuit};
use biscuit_auth::{AuthorizerLimits, Biscuit, KeyPair, PublicKey, error};

use crate::fixture::{ENVIRONMENT, Fixture, foreign_agent};
use crate::peer::{Case, Check, Peer};

struct Verifier {
    key: PublicKey,
}

impl Verifier {
    fn verify(&self, token: &str, environment: &str, agent: &str) -> Result<usize, error::Token> {
        let token = Biscuit::from_base64(token, self.key)?;
        // The default of 1 ms may end by chance while another program runs.
        let limits = AuthorizerLimits { max_time: Duration::from_secs(10), ..AuthorizerLimits::default() };
        let policy = authorizer!(
            "environment({environment}); allow if agent({agent}), valid_in({environment});",
            environment = environment,
            agent = agent
        );
        black_box(policy.time().set_limits(limits).build(&token)?).authorize()
    }
}

impl Check for Verifier {
    const NAME: &'static str = "biscuit_auth";
    const PER_ROUND: u32 = 4;
    type Agent = String;

    fn accepts(&self, token: &str, agent: &String) -> bool {
        self.verify(token, ENVIRONMENT, agent).is_ok()
    }
}

pub(crate) fn peer(fixture: &Fixture) -> Result<Box<dyn Peer>, error::Token> {
    let issue = |environment: &str, end: SystemTime, root: &KeyPair| {
        let mut builder = biscuit!(
            "valid_in({environment}); check if time($now), $now < {end};",
            environment = environment,
            end = Term::from(end)
        );
        for agent in &fixture.agents {
            builder = builder.fact(fact("agent", &[string(agent)]))?;
        }
        builder.build(root)?.to_base64()
    };
    let (root, hour) = (KeyPair::new(), Duration::from_secs(3_600));
    let now = SystemTime::now();
    let good = issue(ENVIRONMENT, now + hour, &root)?;
    let bad = [
        issue("staging", now + hour, &root)?,
        issue(ENVIRONMENT, now - hour, &root)?,
        issue(ENVIRONMENT, now + hour, &KeyPair::new())?,
        good[1..].to_owned(),
    ];
    let check = Verifier { key: root.public() };
    Ok(Case { check, good, agent: fixture.agents[3].clone() }.proved(&foreign_agent(), &bad))
}
