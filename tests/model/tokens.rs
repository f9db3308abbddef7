//! What every token and every grant may do, asked of both sides.

use access_keys::{AgentId, Denial, Grant, PromptId};
use pollster::block_on;
use serde_json::json;

use crate::steps::{ENVIRONMENTS, RESOURCES};
use crate::world::{World, environment};

impl World<'_> {
    /// One request on the node that manages.
    pub(crate) fn use_token(&mut self, token: usize, in_environment: usize) {
        let Some((text, key, generation)) = self.tokens.get(token).or(self.tokens.last()).cloned() else {
            return;
        };
        let expected = self.model.verdict(key, generation, in_environment);
        let verified = block_on(self.keys.verify(&text, &environment(in_environment)));
        self.note(format!("verify: {expected}"));
        assert_eq!(verdict(&verified), expected);
        if let Ok(grant) = verified {
            let now = self.model.now;
            if self.records {
                self.model.keys[key].uses.insert(generation, now);
            }
            self.grants.push((grant, key, generation));
        }
    }

    /// What every token ever issued may do in every environment, and every grant ever given.
    pub(crate) fn check_tokens(&self) {
        for (text, key, generation) in &self.tokens {
            for (i, _) in ENVIRONMENTS.iter().enumerate() {
                let expected = self.model.verdict(*key, *generation, i);
                self.note(format!("verify: {expected}"));
                let verifier = self.checker.verifier();
                if let Some(cached) = verifier.verify_cached(text, &environment(i)) {
                    assert_eq!(verdict(&cached), expected, "cached");
                }
                self.check(&block_on(verifier.verify(text, &environment(i))), *key, expected);
                if let Some(cached) = verifier.verify_cached(text, &environment(i)) {
                    self.check(&cached, *key, expected);
                }
            }
        }
        for (grant, key, generation) in &self.grants {
            let expected = self.model.verdict(*key, *generation, self.model.keys[*key].fields.environment);
            self.note(format!("recheck: {expected}"));
            self.check(&block_on(self.keys.verifier().recheck(grant)), *key, expected);
        }
    }

    fn check(&self, verified: &Result<Grant, Denial>, key: usize, expected: &str) {
        assert_eq!(verdict(verified), expected, "{:?}", self.model.keys[key]);
        let fields = &self.model.keys[key].fields;
        match verified {
            Ok(grant) => {
                assert_eq!(json!(grant.key()), self.model.key_json(key));
                for id in RESOURCES {
                    let agent = grant.require_agent(&AgentId::new(id).unwrap());
                    let prompt = grant.require_prompt(&PromptId::new(id).unwrap());
                    assert_eq!(
                        (agent.is_ok(), prompt.is_ok()),
                        (fields.agents.has(id), fields.prompts.has(id))
                    );
                    for denial in [agent, prompt].into_iter().filter_map(Result::err) {
                        self.note(format!("scope: {}", denial_word(&denial)));
                    }
                }
            }
            Err(denial) => {
                let told = !matches!(expected, "malformed" | "unrecognized");
                assert_eq!(denial.key(), told.then(|| self.id(Some(key))));
                assert_eq!(denial.status(), 401);
            }
        }
    }
}

fn verdict(verified: &Result<Grant, Denial>) -> &'static str {
    verified.as_ref().map_or_else(denial_word, |_| "granted")
}

fn denial_word(denial: &Denial) -> &'static str {
    match denial {
        Denial::Malformed { .. } => "malformed",
        Denial::Unrecognized { .. } => "unrecognized",
        Denial::Revoked { .. } => "revoked",
        Denial::WrongEnvironment { .. } => "wrong environment",
        Denial::Expired { .. } => "expired",
        Denial::Inactive { .. } => "inactive",
        Denial::AgentNotInScope { .. } => "agent",
        Denial::PromptNotInScope { .. } => "prompt",
        _ => "unavailable",
    }
}
