//! A presented token, in every environment.
//!
//! The first byte of an input says what the rest is: the whole text, a text that is given its right checksum, or places
//! of an issued token and what stands there instead.

use std::borrow::Cow;
use std::sync::LazyLock;

use access_keys::{Denial, EnvironmentId, Grant};
use pollster::block_on;

use crate::answer::{CANARY, Checked, Target, outcome, quiet, same};
use crate::host::{ENVIRONMENTS, host};
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "token",
    check,
    samples: LazyLock::new(samples),
    words: &["acme_", "acme_live_", "_", "acme", "0000000000000000", CANARY],
    is_json: false,
    mistakes: &[Mistake::ChecksumOfFive, Mistake::AnyEnvironment],
};

/// Compares what the verifier says of a token in each environment.
pub fn check(data: &[u8]) -> Checked {
    let text = presented(data);
    let mut accepted = false;
    for ((name, prefix), environment) in ENVIRONMENTS.into_iter().zip(&host().environments) {
        let expected = expected(&text, name, prefix);
        let verdict = verdict(&text, environment, prefix);
        let word = match &verdict {
            Ok(_) => "accepted",
            Err(denial) => denial.as_str(),
        };
        same(name, &word, &expected)?;
        match verdict {
            Ok(grant) => quiet(grant.key().id)?,
            Err(denial) => quiet(denial)?,
        }
        accepted |= expected != "malformed";
    }
    Ok(outcome(accepted))
}

fn presented(data: &[u8]) -> Cow<'_, str> {
    let Some((how, rest)) = data.split_first() else { return Cow::Borrowed("") };
    match how % 4 {
        0 => String::from_utf8_lossy(rest),
        1 => {
            let body = String::from_utf8_lossy(rest);
            Cow::Owned(format!("{body}{}", naive::checksum(body.as_bytes())))
        }
        _ => {
            let mut token = host().token(how / 4 % 4).as_bytes().to_vec();
            for pair in rest.chunks_exact(2) {
                let place = usize::from(pair[0]) % token.len();
                token[place] = pair[1];
            }
            Cow::Owned(String::from_utf8_lossy(&token).into_owned())
        }
    }
}

fn expected(text: &str, name: &str, prefix: &str) -> &'static str {
    if naive::token(text.as_bytes(), prefix).is_none() {
        return "malformed";
    }
    // The prefix is no part of the secret: whoever has that may be told of the key under any.
    let secret = &text[text.len() - 55..text.len() - 6];
    match host().issued.iter().find(|known| known.token[..known.token.len() - 6].ends_with(secret)) {
        None => "unrecognized",
        Some(known) if known.is_revoked => "revoked",
        Some(known) if known.key.environment.as_str() != name => "wrong_environment",
        Some(_) => "accepted",
    }
}

fn verdict(text: &str, environment: &EnvironmentId, prefix: &str) -> Result<Grant, Denial> {
    let verify = |text: &str, environment| {
        let keys = &host().keys;
        let cached = keys.verifier().verify_cached(text, environment);
        cached.unwrap_or_else(|| block_on(keys.verify(text, environment)))
    };
    let verdict = verify(text, environment);
    match &verdict {
        Err(Denial::Malformed { .. }) if mistake::is(Mistake::ChecksumOfFive) && text.is_ascii() => {
            let body = text.get(..text.len().saturating_sub(6)).unwrap_or_default();
            let whole = format!("{body}{}", naive::checksum(body.as_bytes()));
            let nearly = text.len() > prefix.len() && whole[..whole.len() - 1] == text[..text.len() - 1];
            if nearly { verify(&whole, environment) } else { verdict }
        }
        Err(Denial::WrongEnvironment { .. }) if mistake::is(Mistake::AnyEnvironment) => {
            verify(text, &host().environments[1])
        }
        _ => verdict,
    }
}

fn samples() -> Vec<Vec<u8>> {
    let token = |number| host().token(number);
    let mut samples: Vec<Vec<u8>> = (0..5).map(|number| [b"\0", token(number).as_bytes()].concat()).collect();
    samples.extend((0..5).map(|number| [b"\x01", &token(number).as_bytes()[..token(number).len() - 6]].concat()));
    samples.extend([vec![2], vec![6], vec![10], vec![14], vec![6, 0, b'a'], vec![2, 20, b'_', 60, b'0']]);
    samples
}
