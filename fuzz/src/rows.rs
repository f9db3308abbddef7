//! What other systems export, in JSON, by each of the readers.

use std::io;
use std::sync::LazyLock;

use access_keys::import::{Rows, better_auth, keypal, litellm, unkey};
use serde_json::{Map, Value, json};

use crate::answer::{CANARY, Checked, Target, outcome};
use crate::foreign_keys::{self, Expected, Shown, Time, compare, taken};
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "rows",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: true,
    mistakes: &[Mistake::LosesRows, Mistake::BitsLeftOver, Mistake::RepeatsRow, Mistake::PausedIsActive],
};

const BASE64: &str = "cdJb1N+mscaywOxaeeaNTsalT9v5qPwo/ZqfPUxbDU8=";
/// The same with bits that do not fit into 32 bytes.
const LEFT_OVER: &str = "cdJb1N+mscaywOxaeeaNTsalT9v5qPwo/ZqfPUxbDU9=";

const WORDS: &[&str] = &[
    "token", "key", "hash", "keyHash", "key_hash", "metadata", "key_alias", "team_id", "user_id", "expires", "blocked",
    "models", "referenceId", "reference_id", "userId", "expiresAt", "expires_at", "permissions", "enabled", "ownerId",
    "owner_id", "externalId", "roles", "deletedAt", "deleted_at_m", "revokedAt", "scopes", "resources", "name",
    "description", BASE64, LEFT_OVER, "cdJb1N-mscaywOxaeeaNTsalT9v5qPwo_ZqfPUxbDU8",
    "cdJb1N-mscaywOxaeeaNTsalT9v5qPwo/ZqfPUxbDU8", "71D25BD4DFA6B1C6B2C0EC5A79E68D4EC6A54FDBF9A8FC28FD9A9F3D4C5B0D4F",
    "2030-01-31T12:00:00Z", "2030-01-31 12:00:00.5+00", "2030-01-31 12:00:00", "9999-12-31T23:59:59-01:00",
    "{\"agents\":[\"run\"]}", "[]", CANARY,
];

type Object = Map<String, Value>;

struct Reader {
    name: &'static str,
    /// Where its digests stand.
    digest: &'static str,
    read: fn(io::Cursor<Vec<u8>>) -> Rows,
    expected: fn(&Object) -> Option<Expected>,
}

const READERS: [Reader; 4] = [
    Reader { name: "litellm", digest: "\"token\"", read: litellm::read, expected: of_litellm },
    Reader { name: "better_auth", digest: "\"key\"", read: better_auth::read, expected: of_better_auth },
    Reader { name: "keypal", digest: "\"keyHash\"", read: keypal::read, expected: of_keypal },
    Reader { name: "unkey", digest: "\"hash\"", read: unkey::read, expected: of_unkey },
];

/// Compares every row by the readers that find a digest, and sometimes by all.
pub fn check(data: &[u8]) -> Checked {
    let objects = objects(data);
    let mut accepted = false;
    let text = String::from_utf8_lossy(data);
    let all = data.len().is_multiple_of(32);
    for reader in READERS.iter().filter(|reader| all || text.contains(reader.digest)) {
        let mut given = data.to_vec();
        if mistake::is(Mistake::BitsLeftOver) {
            given = text.replace(LEFT_OVER, BASE64).into_bytes();
        }
        let read = taken((reader.read)(io::Cursor::new(given)), data)?;
        let expected: Vec<_> =
            objects.iter().map(|object| object.as_ref().and_then(reader.expected)).collect();
        accepted |= compare(&read, &expected).map_err(|difference| difference.within(reader.name))?;
    }
    Ok(outcome(accepted))
}

/// The rows, and which of them are objects.
fn objects(data: &[u8]) -> Vec<Option<Object>> {
    let read = |line: &[u8]| serde_json::from_slice(line).ok();
    if data.trim_ascii_start().starts_with(b"[") {
        let Ok(values) = serde_json::from_slice::<Vec<Value>>(data) else { return vec![None] };
        let object = |value| if let Value::Object(object) = value { Some(object) } else { None };
        return values.into_iter().map(object).collect();
    }
    let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(read).collect()
}

fn of_litellm(row: &Object) -> Option<Expected> {
    let blocked = flag(one(row, &["blocked"]), false)?;
    expected(one(row, &["token"]), time(one(row, &["expires"]))?, None, !blocked, [
        text(one(row, &["key_alias"])),
        String::new(),
        text(one(row, &["team_id", "user_id"])),
    ], texts(one(row, &["models"])))
}

fn of_better_auth(row: &Object) -> Option<Expected> {
    let enabled = flag(one(row, &["enabled"]), true)?;
    let owner = one(row, &["referenceId", "reference_id", "userId", "user_id"]);
    expected(one(row, &["key"]), time(one(row, &["expiresAt", "expires_at"]))?, None, enabled, [
        text(one(row, &["name"])),
        String::new(),
        text(owner),
    ], pairs(one(row, &["permissions"])))
}

fn of_keypal(row: &Object) -> Option<Expected> {
    let metadata = &object(one(row, &["metadata"]));
    let revoked_at = time(one(metadata, &["revokedAt"]))?;
    let enabled = revoked_at == Time::Never && flag(one(metadata, &["enabled"]), true)?;
    let labels = [texts(one(metadata, &["scopes"])), pairs(one(metadata, &["resources"]))].concat();
    let about = ["name", "description", "ownerId"].map(|field| text(one(metadata, &[field])));
    let expires_at = time(one(metadata, &["expiresAt"]))?;
    expected(one(row, &["keyHash", "key_hash"]), expires_at, Some(revoked_at), enabled, about, labels)
}

fn of_unkey(row: &Object) -> Option<Expected> {
    let revoked_at = time(one(row, &["deletedAt", "deletedAtM", "deleted_at", "deleted_at_m"]))?;
    let enabled = revoked_at == Time::Never && flag(one(row, &["enabled"]), true)?;
    let labels = [texts(one(row, &["roles"])), texts(one(row, &["permissions"]))].concat();
    let owner = one(row, &["externalId", "external_id", "ownerId", "owner_id"]);
    let about = [text(one(row, &["name"])), String::new(), text(owner)];
    expected(one(row, &["hash"]), time(one(row, &["expires"]))?, Some(revoked_at), enabled, about, labels)
}

fn expected(
    digest: &Value,
    expires_at: Time,
    revoked_at: Option<Time>,
    enabled: bool,
    [name, description, owner]: [String; 3],
    labels: Vec<String>,
) -> Option<Expected> {
    let revoked_at = revoked_at.unwrap_or(Time::Never);
    let state = match (revoked_at, enabled) {
        (Time::Never, true) => "active",
        (Time::Never, false) => "inactive",
        _ => "revoked",
    };
    let rest = Shown { identifier: None, name, description, owner, state, labels, agents: None, prompts: None };
    Some(Expected { digest: foreign_keys::digest(digest.as_str()?)?, expires_at, revoked_at, rest })
}

/// What stands under the first of these names that has something.
fn one<'o>(object: &'o Object, names: &[&str]) -> &'o Value {
    let mut found = names.iter().filter_map(|name| object.get(*name));
    found.find(|value| !value.is_null()).unwrap_or(&Value::Null)
}

fn flag(value: &Value, otherwise: bool) -> Option<bool> {
    match value {
        Value::Null => Some(otherwise),
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn time(value: &Value) -> Option<Time> {
    match value {
        Value::Null => Some(Time::Never),
        Value::String(text) => Some(foreign_keys::time(text)),
        Value::Number(number) => {
            let micros = number.as_i64()?.checked_mul(1_000)?;
            naive::is_writable(micros).then_some(Time::At(micros))
        }
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    let Value::Array(items) = value else { return Vec::new() };
    items.iter().filter(|item| item.is_string()).map(text).collect()
}

fn object(value: &Value) -> Object {
    match value {
        Value::Object(object) => object.clone(),
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => Object::new(),
    }
}

fn pairs(value: &Value) -> Vec<String> {
    let object = object(value);
    let named = |(name, value): (&String, &Value)| texts(value).iter().map(|text| format!("{name}:{text}")).collect();
    object.iter().map(named).collect::<Vec<Vec<_>>>().concat()
}

fn samples() -> Vec<Vec<u8>> {
    let hex = "71d25bd4dfa6b1c6b2c0ec5a79e68d4ec6a54fdbf9a8fc28fd9a9f3d4c5b0d4f";
    let url_safe = BASE64.replace('+', "-").replace('/', "_").replace('=', "");
    let rows = [
        json!({"token": hex, "key_alias": "Mobile app", "team_id": "support", "models": ["gpt-4o", "o3"],
            "expires": "2030-01-31T12:00:00+00:00", "blocked": null, "user_id": CANARY}),
        json!({"id": "1", "key": url_safe, "name": "CI", "userId": "u1", "enabled": 1, "expiresAt": null,
            "permissions": "{\"agents\":[\"run\"],\"prompts\":[\"read\",\"c4nary\"]}"}),
        json!({"id": "1", "keyHash": hex, "metadata": {"ownerId": "u1", "name": "Mobile app", "description": "iOS",
            "scopes": ["read"], "resources": {"site:1": ["write"]}, "expiresAt": "2030-01-31T12:00:00.000Z",
            "enabled": true, "revokedAt": null}}),
        json!({"hash": BASE64, "name": "CI", "externalId": "u1", "enabled": false, "roles": ["support"],
            "permissions": ["documents.read"], "expires": 1_893_456_000_000_i64}),
        json!({"hash": LEFT_OVER, "name": CANARY, "deletedAtM": 1_893_456_000_000_i64}),
    ];
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let mut samples: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
    samples.push(lines.join("\n").into_bytes());
    samples.push(json!(rows).to_string().into_bytes());
    samples
}
