//! The stored form: what was written once decodes for ever, and what is damaged opens nothing.

mod setup;

use access_keys::domain::ResourceId;
use access_keys::store::StoredKey;
use access_keys::token::Scheme;
use access_keys::{AuditEvent, Scope, Status};
use serde_json::{Value, json};

const PLAIN: &str = include_str!("fixtures/stored_key_v1.json");
const PEPPERED: &str = include_str!("fixtures/stored_key_v1_peppered.json");
const ROTATING: &str = include_str!("fixtures/stored_key_v1_rotating.json");
const REVOKED: &str = include_str!("fixtures/stored_key_v1_revoked.json");
const SEALED: &str = include_str!("fixtures/stored_key_v2.json");
const EVENTS: &str = include_str!("fixtures/audit_events_v1.json");

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn decode(value: &Value) -> Result<StoredKey, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}

#[test]
fn every_stored_key_decodes_and_is_written_as_it_was() {
    for text in [PLAIN, PEPPERED, ROTATING, REVOKED, SEALED] {
        let stored: StoredKey = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&stored).unwrap(), value(text));
        assert_eq!(serde_json::from_value::<StoredKey>(value(text)).unwrap(), stored);
        assert_eq!(
            serde_json::from_slice::<StoredKey>(&serde_json::to_vec(&stored).unwrap()).unwrap(),
            stored
        );
    }
}

#[test]
fn a_stored_key_means_what_it_meant() {
    let rotating: StoredKey = serde_json::from_str(ROTATING).unwrap();
    let key = rotating.key();
    assert_eq!((key.name.as_str(), key.status, key.revision.get()), ("Partner 2", Status::Inactive, 5));
    assert_eq!(key.agents, setup::agents(&["support-bot", "triage"]));
    assert!(key.prompts.is_none());
    assert_eq!(key.expires_at, Some("2030-01-31T01:01:00.777777Z".parse().unwrap()));
    let [newer, older] = rotating.digests() else { panic!() };
    assert_eq!((newer.generation(), newer.ends_at()), (2, None));
    assert_eq!(*newer.scheme(), Scheme::HmacSha256 { pepper: 3 });
    assert_eq!(newer.operation().unwrap().as_str(), "req-7");
    assert_eq!((older.generation(), older.operation()), (1, None));
    assert_eq!(older.ends_at(), Some("2030-01-02T01:00:00.777777Z".parse().unwrap()));
    let plain: StoredKey = serde_json::from_str(PLAIN).unwrap();
    assert_eq!((plain.key().expires_at, &plain.key().prompts), (None, &Scope::All));
}

/// What is sealed says so by its version: a seal can neither be left out nor brought into an older form.
#[test]
fn a_seal_belongs_to_version_2() {
    let sealed = value(SEALED);
    assert!(decode(&sealed).unwrap().last_seal().is_some());
    for (version, place) in [(1, "/version"), (3, "/version")] {
        let mut form = sealed.clone();
        *form.pointer_mut(place).unwrap() = json!(version);
        assert!(decode(&form).is_err(), "{version}");
    }
    let mut plain = value(PLAIN);
    plain["version"] = json!(2);
    assert!(decode(&plain).is_err());
}

#[test]
fn every_audit_event_decodes_and_is_written_as_it_was() {
    let events: Vec<AuditEvent> = serde_json::from_str(EVENTS).unwrap();
    assert_eq!(serde_json::to_value(&events).unwrap(), value(EVENTS));
    let lines: Vec<_> = events.iter().rev().map(ToString::to_string).collect();
    assert_eq!(lines[0], "user:ada created the key wngdIyismh1WQ1hd");
    assert_eq!(
        lines[6],
        "system:leak-scanner revoked the key wngdIyismh1WQ1hd: status from active to revoked, \
         because: \"leaked in a public repository\\nfound by a scan\""
    );
}

/// The pointer of every value inside `value`.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, child)| (name.clone(), child)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, child)| (i.to_string(), child)).collect(),
        _ => return,
    };
    for (name, child) in children {
        let place = format!("{at}/{name}");
        found.push(place.clone());
        places(child, &place, found);
    }
}

fn without(root: &Value, place: &str) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let mut damaged = root.clone();
    match damaged.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!("only these have places inside"),
    }
    damaged
}

/// Every way in which `root` is damaged in one place: what was done, and the result.
fn damaged(root: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    places(root, "", &mut all);
    let nonsense = [
        json!(null),
        json!(""),
        json!("no\u{7} such thing"),
        json!("never\u{7}"),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(true),
        json!([]),
        json!({}),
        json!([null]),
        json!([1]),
        json!(["no such thing\u{7}"]),
        json!([["all"]]),
        json!({"all": true}),
    ];
    let mut damaged = Vec::new();
    for place in all {
        damaged.push((format!("{place} removed"), without(root, &place)));
        for wrong in &nonsense {
            let mut changed = root.clone();
            *changed.pointer_mut(&place).unwrap() = wrong.clone();
            if changed != *root {
                damaged.push((format!("{place} {wrong}"), changed));
            }
        }
        let doubled = json!([root.pointer(&place).unwrap(), root.pointer(&place).unwrap()]);
        if !place.contains("/agents") && !place.contains("/prompts") {
            let mut changed = root.clone();
            *changed.pointer_mut(&place).unwrap() = doubled;
            damaged.push((format!("{place} doubled"), changed));
        }
    }
    damaged
}

fn is_wider_scope<T: ResourceId>(after: &Scope<T>, before: &Scope<T>) -> bool {
    match (after, before) {
        (_, Scope::All) => false,
        (Scope::All, Scope::Specific(_)) => true,
        (Scope::Specific(after), Scope::Specific(before)) => after.iter().any(|id| !before.contains(id)),
    }
}

fn is_wider(after: &StoredKey, before: &StoredKey) -> bool {
    let freedom = |status| match status {
        Status::Revoked => 0,
        Status::Inactive => 1,
        _ => 2,
    };
    let (new, old) = (after.key(), before.key());
    is_wider_scope(&new.agents, &old.agents)
        || is_wider_scope(&new.prompts, &old.prompts)
        || freedom(new.status) > freedom(old.status)
        || old.expires_at.is_some_and(|end| new.expires_at.is_none_or(|new| new > end))
        || (&new.id, &new.project, &new.environment) != (&old.id, &old.project, &old.environment)
        || after.digests().iter().any(|digest| !before.digests().contains(digest))
}

#[test]
fn a_stored_key_that_is_damaged_in_any_place_is_an_error_or_no_wider() {
    for (text, harmless) in [
        (
            PLAIN,
            [
                "/key/agents []",
                "/key/agents/0 removed",
                "/key/agents/1 removed",
                "/key/description \"\"",
                "/key/prompts []",
            ]
            .as_slice(),
        ),
        (PEPPERED, &["/key/agents []", "/key/prompts []", "/key/prompts/0 removed"]),
        (
            ROTATING,
            &[
                "/digests/1 removed",
                "/key/agents/0 removed",
                "/key/agents/1 removed",
                "/key/description \"\"",
            ],
        ),
        (
            REVOKED,
            &[
                "/digests/1 removed",
                "/key/agents/0 removed",
                "/key/agents/1 removed",
                "/key/description \"\"",
            ],
        ),
    ] {
        let (root, whole) = (value(text), serde_json::from_str::<StoredKey>(text).unwrap());
        let damaged = damaged(&root);
        assert!(damaged.len() > 300);
        let mut decoded = Vec::new();
        for (what, value) in damaged {
            if let Ok(stored) = decode(&value) {
                assert!(!is_wider(&stored, &whole), "{what}");
                decoded.push(what);
            }
        }
        decoded.sort();
        assert_eq!(decoded, harmless);
    }
}

#[test]
fn an_audit_event_that_is_damaged_never_tells_of_another_deed() {
    for root in value(EVENTS).as_array().unwrap() {
        let whole: AuditEvent = serde_json::from_value(root.clone()).unwrap();
        for (what, value) in damaged(root) {
            if let Ok(event) = serde_json::from_value::<AuditEvent>(value) {
                let deed = |event: &AuditEvent| {
                    let AuditEvent { id, project, key, at, actor, action, revision, .. } = event.clone();
                    (id, project, key, at, actor, action, revision)
                };
                assert_eq!(deed(&event), deed(&whole), "{what}");
            }
        }
    }
}

#[test]
fn an_unknown_field_is_an_error_wherever_it_stands() {
    let inside = |root: &Value, place: &str| {
        let mut more = root.clone();
        let fields = more.pointer_mut(place).and_then(Value::as_object_mut)?;
        fields.insert("not_after".to_owned(), json!("2030-01-01T00:00:00Z"));
        Some(more)
    };
    for text in [PLAIN, PEPPERED, ROTATING, REVOKED, SEALED] {
        let mut all = vec![String::new()];
        places(&value(text), "", &mut all);
        let more: Vec<_> = all.iter().filter_map(|place| inside(&value(text), place)).collect();
        assert!(more.len() >= 3);
        assert!(more.iter().all(|value| decode(value).is_err()));
    }
    for event in value(EVENTS).as_array().unwrap() {
        // An event itself may come to tell more; what it says was changed may not.
        let mut all = Vec::new();
        places(event, "", &mut all);
        let more: Vec<_> = all.iter().filter_map(|place| inside(event, place)).collect();
        assert!(more.len() >= 2);
        assert!(more.into_iter().all(|value| serde_json::from_value::<AuditEvent>(value).is_err()));
    }
}

#[test]
fn a_field_that_is_given_twice_is_an_error() {
    for field in
        ["\"status\": \"revoked\"", "\"expires_at\": \"never\"", "\"agents\": \"all\"", "\"version\": 1"]
    {
        let name = field.split(':').next().unwrap();
        let twice = PLAIN.replacen(name, &format!("{field}, {name}"), 1);
        assert_ne!(twice, PLAIN);
        assert!(serde_json::from_str::<StoredKey>(&twice).is_err(), "{field}");
    }
}

type Damage<'f> = &'f dyn Fn(&mut Vec<Value>);

#[test]
fn only_the_current_digest_never_ends_and_at_most_one_other_does() {
    let ended = json!("2030-01-02T01:00:00.777777Z");
    let with = |change: Damage| {
        let mut stored = value(ROTATING);
        change(stored["digests"].as_array_mut().unwrap());
        decode(&stored)
    };
    assert!(with(&|_| {}).is_ok());
    let refused: [Damage; 8] = [
        &|digests| digests.reverse(),
        &|digests| digests[0]["ends_at"] = ended.clone(),
        &|digests| digests[1]["ends_at"] = json!("never"),
        &|digests| digests[1]["generation"] = json!(2),
        &|digests| digests[1]["generation"] = json!(3),
        &|digests| digests.push(digests[1].clone()),
        &|digests| drop(digests.remove(0)),
        &|digests| digests.clear(),
    ];
    for (i, change) in refused.iter().enumerate() {
        assert!(with(change).is_err(), "change {i}");
    }
}

#[test]
fn another_version_is_an_error() {
    for other in [json!(2), json!(0), json!("1"), json!(1.0), json!(null), json!([1])] {
        let mut stored = value(PLAIN);
        stored["version"] = other.clone();
        assert!(decode(&stored).is_err(), "{other}");
    }
}
