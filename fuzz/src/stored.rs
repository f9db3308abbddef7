//! A key as a store keeps it, read from JSON.

use std::sync::LazyLock;

use access_keys::store::StoredKey;
use serde_json::{Value, json};

use crate::answer::{CANARY, Checked, Difference, Target, outcome, quiet, same};
use crate::json::Tree;
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "stored",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: true,
    mistakes: &[Mistake::NoExpiryIsNever, Mistake::TwiceIsOnce, Mistake::RepeatsText, Mistake::ThreeSecrets],
};

const KEY_FIELDS: [&str; 14] = [
    "id", "project", "environment", "name", "description", "agents", "prompts", "status", "expires_at", "revision",
    "created_at", "created_by", "updated_at", "origin",
];
const STATUSES: [&str; 3] = ["active", "inactive", "revoked"];
const ORIGINS: [&str; 2] = ["generated", "imported"];
const SECRETS: usize = 2;

const WORDS: &[&str] = &[
    "all", "never", "active", "inactive", "revoked", "generated", "imported", "call", "operation:", "operation:req-7", "user:", "user:ada",
    "system:billing", "sha256:", "hmac-sha256/3:", "hmac-sha256/", "hmac-sha256", "sha256", "blake3:", "expires_at", "agents",
    "prompts", "status", "version", "key", "digests", "last_event", "last_seal", "ends_at", "2030-01-31T01:01:00.777777Z",
    "2030-01-31t01:01:00z", "2030-01-31 01:01:00+05:30", "9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00+00:01",
    "2016-12-31T23:59:60Z", "\u{34f}", "\u{3164}", CANARY,
];

/// Compares whether it decodes, to what, and how that is written again.
pub fn check(data: &[u8]) -> Checked {
    let expected = Tree::read(data).and_then(|tree| stored_key(&tree));
    let decoded = decode(data);
    let written = decoded.as_ref().ok().map(serde_json::to_value);
    same("the stored key", &written.transpose().ok().flatten(), &expected)?;
    match decoded {
        Ok(stored) => once_more(&stored)?,
        Err(told) => quiet(told)?,
    }
    Ok(outcome(expected.is_some()))
}

fn decode(data: &[u8]) -> Result<StoredKey, String> {
    let decode = |data: &[u8]| serde_json::from_slice(data).map_err(|error| error.to_string());
    let decoded = decode(data);
    let Err(told) = &decoded else { return decoded };
    if mistake::is(Mistake::RepeatsText) && told.contains("text of") {
        return Err(format!("{told}: {}", String::from_utf8_lossy(data)));
    }
    let planted = [Mistake::TwiceIsOnce, Mistake::NoExpiryIsNever, Mistake::ThreeSecrets];
    if !planted.into_iter().any(mistake::is) {
        return decoded;
    }
    // A value keeps the last of two fields; and as a reader would that takes a default, or less than there is.
    let Ok(mut read) = serde_json::from_slice::<Value>(data) else { return decoded };
    let key = read.get_mut("key").and_then(Value::as_object_mut).filter(|_| mistake::is(Mistake::NoExpiryIsNever));
    if let Some(key) = key {
        key.entry("expires_at").or_insert(json!("never"));
    }
    let digests = read.get_mut("digests").and_then(Value::as_array_mut);
    if let Some(digests) = digests.filter(|_| mistake::is(Mistake::ThreeSecrets)) {
        digests.truncate(SECRETS);
    }
    decode(read.to_string().as_bytes())
}

/// What was read can be written, read again, and printed without its digests.
fn once_more(stored: &StoredKey) -> Result<(), Difference> {
    let text = serde_json::to_string(stored).unwrap_or_default();
    same("read again", &serde_json::from_str::<StoredKey>(&text).ok().as_ref(), &Some(stored))?;
    if text.len().is_multiple_of(16) {
        let shown = format!("{stored:?}");
        let written: Value = serde_json::from_str(&text).unwrap_or_default();
        let digests = written["digests"].as_array().into_iter().flatten();
        let digests = digests.filter_map(|digest| Some(digest["digest"].as_str()?.rsplit_once(':')?.1));
        // The same text may stand in a field that is shown, such as the environment.
        let mut digests = digests.filter(|digest| text.matches(digest).count() == 1);
        same("whether a digest is shown", &digests.any(|digest| shown.contains(digest)), &false)?;
    }
    Ok(())
}

/// The key in its canonical form, if it is one.
fn stored_key(tree: &Tree) -> Option<Value> {
    let [version, key, digests, last_event, last_seal] =
        tree.fields(["version", "key", "digests", "last_event", "last_seal"])?;
    let (version, digests) = (version?.number()?, digests?);
    let read: Vec<Value> = digests.array()?.iter().map(digest).collect::<Option<_>>()?;
    let ends = |value: &Value| value["ends_at"] != "never";
    let consistent = match read.as_slice() {
        [newest] => !ends(newest),
        [newest, older] => {
            !ends(newest) && ends(older) && newest["generation"].as_u64() > older["generation"].as_u64()
        }
        _ => false,
    };
    let last_event = last_event?.text().filter(|id| naive::is_random_id(id))?;
    let key = access_key(key?)?;
    let mut stored = json!({"version": version, "key": key, "digests": read, "last_event": last_event});
    let whole = match last_seal {
        None => version == 1,
        Some(seal) => {
            stored["last_seal"] = json!(seal.text().filter(|text| is_seal(text))?);
            version == 2
        }
    };
    (whole && consistent).then_some(stored)
}

/// A hash, or a MAC under the pepper of a version.
fn is_seal(text: &str) -> bool {
    let Some((scheme, hex)) = text.split_once(':') else { return false };
    let version = scheme.strip_prefix("hmac-sha256/");
    let known = version.is_some_and(|version| version.parse::<u32>().is_ok_and(|read| read.to_string() == version));
    (known || scheme == "sha256") && is_digest(hex)
}

fn is_digest(hex: &str) -> bool {
    hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn access_key(tree: &Tree) -> Option<Value> {
    let values = tree.all(KEY_FIELDS)?;
    let [id, project, environment, name, description, agents, prompts, ..] = values;
    let [.., status, expires_at, revision, created_at, created_by, updated_at, origin] = values;
    let (agents, prompts) = (scope(agents)?, scope(prompts)?);
    if agents == json!([]) && prompts == json!([]) {
        return None;
    }
    let host_id = |tree: &Tree| tree.text().filter(|id| naive::is_host_id(id)).map(str::to_owned);
    let time = |tree: &Tree| naive::time(tree.text()?).map(naive::written);
    let actor = created_by.text()?;
    actor.strip_prefix("user:").or(actor.strip_prefix("system:")).filter(|id| naive::is_host_id(id))?;
    Some(json!({
        "id": id.text().filter(|id| naive::is_random_id(id))?,
        "project": host_id(project)?,
        "environment": host_id(environment)?,
        "name": naive::name(name.text()?)?,
        "description": naive::description(description.text()?)?,
        "agents": agents,
        "prompts": prompts,
        "status": status.text().filter(|word| STATUSES.contains(word))?,
        "expires_at": expiry(expires_at)?,
        "revision": revision.number().filter(|number| (1..1 << 63).contains(number))?,
        "created_at": time(created_at)?,
        "created_by": actor,
        "updated_at": time(updated_at)?,
        "origin": origin.text().filter(|word| ORIGINS.contains(word))?,
    }))
}

fn scope(tree: &Tree) -> Option<Value> {
    if tree.text() == Some("all") {
        return Some(json!("all"));
    }
    let mut ids: Vec<&str> = tree.array()?.iter().map(Tree::text).collect::<Option<_>>()?;
    ids.sort_unstable();
    ids.dedup();
    (ids.len() <= 10_000 && ids.iter().all(|id| naive::is_host_id(id))).then(|| json!(ids))
}

fn expiry(tree: &Tree) -> Option<String> {
    match tree.text()? {
        "never" => Some("never".to_owned()),
        time => naive::time(time).map(naive::written),
    }
}

fn digest(tree: &Tree) -> Option<Value> {
    let [digest, generation, ends_at, issued_by] = tree.all(["digest", "generation", "ends_at", "issued_by"])?;
    let (scheme, hex) = digest.text()?.split_once(':')?;
    let known = match scheme.split_once('/') {
        Some(("hmac-sha256", version)) => version.parse::<u32>().is_ok_and(|number| number.to_string() == version),
        _ if scheme == "hmac-sha256" => false,
        _ => (1..=64).contains(&scheme.len()) && scheme.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '/')),
    };
    let generation = generation.number().filter(|number| (1..1 << 32).contains(number))?;
    let issuer = issued_by.text()?;
    let issued = issuer == "call" || issuer.strip_prefix("operation:").is_some_and(naive::is_host_id);
    (known && is_digest(hex) && issued).then_some(json!({
        "digest": digest.text()?,
        "generation": generation,
        "ends_at": expiry(ends_at)?,
        "issued_by": issuer,
    }))
}

fn samples() -> Vec<Vec<u8>> {
    let fixtures = [
        include_str!("../../tests/fixtures/stored_key_v1.json"),
        include_str!("../../tests/fixtures/stored_key_v1_peppered.json"),
        include_str!("../../tests/fixtures/stored_key_v1_revoked.json"),
        include_str!("../../tests/fixtures/stored_key_v1_rotating.json"),
    ];
    let sealed = fixtures.iter().map(|text| {
        let seal = format!("\"version\": 2, \"last_seal\": \"hmac-sha256/7:{}\"", "0a".repeat(32));
        text.replace("\"version\": 1", &seal).replace("\"generated\"", "\"imported\"")
    });
    let plain = fixtures.iter().map(|text| (*text).to_owned());
    plain.chain(sealed.take(2)).map(String::into_bytes).collect()
}
