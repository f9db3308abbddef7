//! What cannot be decoded is not repeated by the error: a token in any place of any serde form stays unsaid.

mod setup;

use std::any::type_name;
use std::collections::BTreeSet;

use access_keys::domain::{Action, EventId, FieldChange, Origin, ScopeChange, ScopeForm};
use access_keys::store::{KeyUse, ScopeUse, StoredDigest, StoredKey};
use access_keys::{
    AccessKey, Actor, AgentId, AuditEvent, Cursor, EditForm, IdSet, KeyForm, KeyId, KeyState, Page,
    ProjectId, PromptId, Revision, Scope, Status,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use setup::SplitMix;
use setup::leaks::Canary;

const ROTATING: &str = include_str!("fixtures/stored_key_v1_rotating.json");
const EVENTS: &str = include_str!("fixtures/audit_events_v1.json");

/// A token, and what finds it.
fn canary() -> (String, Canary) {
    let mut random = SplitMix(77);
    let token = setup::forged("acme", &random.base62(16), &random.base62(32));
    let canary = Canary::raw(&token);
    (token, canary)
}

/// The pointer of the root and of every value inside it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, child)| places(child, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, child)| places(child, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

/// `good` with the token in every place of it, in every shape.
fn poisoned(good: &Value, token: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    places(good, "", &mut all);
    let texts = [
        token.to_owned(),
        format!("{token} {token}\u{7}"),
        token.repeat(40),
        format!("sha256:{token}"),
        format!("user:{token} "),
    ];
    let mut poisoned = Vec::new();
    for place in &all {
        let mut put = |how: &str, new: Value| {
            let mut changed = good.clone();
            *changed.pointer_mut(place).unwrap() = new;
            poisoned.push((format!("{place} {how}"), changed));
        };
        for text in &texts {
            put("as text", json!(text));
            put("in an array", json!([text]));
            put("in an array of arrays", json!([[text, text], text]));
            put("as the value of a field", json!({"value": text}));
            put("as the name of a field", json!({text: 1}));
            put("as both", json!({text: {text: text}}));
        }
        if let Value::Object(fields) = good.pointer(place).unwrap() {
            for name in fields.keys() {
                let mut renamed = fields.clone();
                let value = renamed.remove(name).unwrap();
                renamed.insert(token.to_owned(), value);
                put(&format!("instead of the name {name}"), Value::Object(renamed));
            }
            let mut more = fields.clone();
            more.insert(token.to_owned(), json!(token));
            put("as one more field", Value::Object(more));
            let values = fields.values().map(|_| json!(token)).collect();
            put("in place of every field", Value::Array(values));
        }
    }
    poisoned
}

/// The places at which the error of decoding a `T` repeats the token.
fn leaks<T: DeserializeOwned>(good: &Value) -> BTreeSet<String> {
    let (token, canary) = canary();
    let control = serde_json::from_value::<T>(good.clone());
    assert!(control.is_ok(), "{} {good}", type_name::<T>());
    let mut leaks = BTreeSet::new();
    let mut refused = 0;
    for (place, value) in poisoned(good, &token) {
        let text = value.to_string();
        let errors = [
            serde_json::from_str::<T>(&text).err(),
            serde_json::from_slice::<T>(text.as_bytes()).err(),
            serde_json::from_reader::<_, T>(text.as_bytes()).err(),
            serde_json::from_value::<T>(value).err(),
        ];
        for error in errors.into_iter().flatten() {
            refused += 1;
            if canary.is_in(&format!("{error} {error:?}")) {
                leaks.insert(format!("{} at {place}", type_name::<T>()));
            }
        }
    }
    assert!(refused > 20, "{} {refused}", type_name::<T>());
    leaks
}

#[track_caller]
fn assert_silent(leaks: impl IntoIterator<Item = BTreeSet<String>>) {
    let leaks: Vec<String> = leaks.into_iter().flatten().collect();
    assert!(leaks.is_empty(), "{} places repeat a token:\n{}", leaks.len(), leaks.join("\n"));
}

fn stored() -> Value {
    serde_json::from_str(ROTATING).unwrap()
}

fn events() -> Vec<Value> {
    serde_json::from_str(EVENTS).unwrap()
}

#[test]
fn a_leak_that_is_planted_is_found() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Talkative {
        #[expect(dead_code, reason = "only decoded")]
        count: u32,
    }
    let found = leaks::<Talkative>(&json!({"count": 1}));
    for place in ["/count as text", " as one more field", " instead of the name count", " as text"] {
        assert!(found.iter().any(|leak| leak.ends_with(place)), "{place}: {found:?}");
    }
}

#[test]
fn forms_do_not_repeat_a_token() {
    let form = json!({"name": "x", "description": "", "environment": "p", "expires_at": "never",
        "agents": ["a"], "prompts": "all"});
    let edit = json!({"name": "x", "description": "", "expires_at": "never", "agents": ["a"],
        "prompts": "all", "revision": "1"});
    assert_silent([leaks::<KeyForm>(&form), leaks::<EditForm>(&edit), leaks::<ScopeForm>(&json!(["a"]))]);
}

#[test]
fn single_values_do_not_repeat_a_token() {
    let id = json!("7Hq2LkP9sTz4WcX1");
    assert_silent([
        leaks::<ProjectId>(&json!("checkout")),
        leaks::<AgentId>(&json!("a")),
        leaks::<KeyId>(&id),
        leaks::<EventId>(&id),
        leaks::<Actor>(&json!("user:ada")),
        leaks::<Revision>(&json!(1)),
        leaks::<Status>(&json!("active")),
        leaks::<KeyState>(&json!("expired")),
        leaks::<Action>(&json!("created")),
        leaks::<Origin>(&json!("generated")),
        leaks::<Cursor>(&json!("k.0.7Hq2LkP9sTz4WcX1")),
        leaks::<Scope<AgentId>>(&json!(["a"])),
        leaks::<Scope<PromptId>>(&json!("all")),
        leaks::<IdSet<AgentId>>(&json!(["a"])),
    ]);
}

#[test]
fn stored_keys_do_not_repeat_a_token() {
    let stored = stored();
    assert_silent([
        leaks::<StoredKey>(&stored),
        leaks::<AccessKey>(&stored["key"]),
        leaks::<StoredDigest>(&stored["digests"][0]),
    ]);
}

#[test]
fn uses_do_not_repeat_a_token() {
    let used = json!({"key": "7Hq2LkP9sTz4WcX1", "generation": 1, "at": "2030-01-01T00:00:00Z"});
    let at = "2030-01-01T00:00:00Z";
    let reached = json!({"key": "7Hq2LkP9sTz4WcX1", "resource": "agent:triage", "since": at, "at": at});
    assert_silent([leaks::<KeyUse>(&used), leaks::<ScopeUse>(&reached)]);
}

#[test]
fn audit_events_do_not_repeat_a_token() {
    let events = events();
    let changes = events.iter().flat_map(|event| event["changes"].as_array().unwrap());
    assert_silent(changes.map(leaks::<FieldChange>));
    assert_silent([leaks::<ScopeChange<AgentId>>(&json!({"ids": {"added": ["a"], "removed": []}}))]);
    assert_silent([leaks::<ScopeChange<PromptId>>(&json!({"whole": {"before": "all", "after": []}}))]);
    assert_silent(events.iter().map(leaks::<AuditEvent>));
}

#[test]
fn pages_do_not_repeat_a_token() {
    let next = "k.0.7Hq2LkP9sTz4WcX1";
    assert_silent([
        leaks::<Page<AccessKey>>(&json!({"items": [stored()["key"]], "next": next})),
        leaks::<Page<AuditEvent>>(&json!({"items": [events()[0]], "next": next})),
    ]);
}
