//! The values behind the public names: their fields and constructors, how they are written and read back.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use access_keys::domain::{ScopeForm, Which};
use access_keys::lifecycle::history::HistoryChecker;
use access_keys::store::{
    ChangeCursor, Changes, FeedState, KeyStore, KeyUse, MemoryStore, ScopeUse, StoreError,
};
use access_keys::token::{ForeignDigest, ForeignTokens, Prefix};
use access_keys::{
    AccessKey, AccessKeys, Actor, AgentId, AuditEvent, AuditQuery, Cursor, Denial, Edit, EditForm,
    EnvironmentId, Error, FakeClock, Grant, Invalid, Invalids, Issued, KeyForm, KeyId, KeyInfo, KeyQuery,
    KeyState, OperationId, Page, Pepper, ProjectId, ProjectKeys, PromptId, Revision, Scope, Status,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type Outcome<T = ()> = Result<T, Box<dyn StdError>>;

#[test]
fn ids_are_plain_text_everywhere() -> Outcome {
    macro_rules! check {
        ($($id:ident $text:literal,)*) => {$(
            let id = $id::new($text)?;
            assert_eq!((id.as_str(), id.to_string()), ($text, $text.to_owned()));
            assert_eq!($text.parse::<$id>()?, id);
            assert_eq!(round_trip(&id), json!($text));
            assert!($id::new("").is_err() && $id::new("with space").is_err() && "é".parse::<$id>().is_err());
            assert!(serde_json::from_value::<$id>(json!("with space")).is_err());
        )*};
    }
    check! {
        ProjectId "checkout",
        EnvironmentId "production",
        AgentId "support-bot",
        PromptId "greeting",
        OperationId "req-7",
        KeyId "7Hq2LkP9sTz4WcX1",
    }
    let id = KeyId::new("7Hq2LkP9sTz4WcX1")?;
    let copy = id;
    assert_eq!(id, copy);
    Ok(())
}

#[test]
fn records_are_compared_and_read_back_as_they_were_written() -> Outcome {
    let (keys, project, issued) = issued()?;
    let key = &issued.key;
    let written = round_trip(key);
    for field in [
        "id",
        "project",
        "environment",
        "name",
        "description",
        "agents",
        "prompts",
        "status",
        "expires_at",
        "revision",
        "created_at",
        "created_by",
        "origin",
    ] {
        assert!(written.get(field).is_some_and(|value| !value.is_null()), "{field} in {written}");
    }
    assert_eq!((&written["agents"], &written["prompts"]), (&json!("all"), &json!(["greeting"])));
    assert_eq!((&written["expires_at"], &written["status"]), (&json!("never"), &json!("active")));
    let never: Option<DateTime<Utc>> = key.expires_at;
    assert_eq!(never, None);

    let _grant: Grant = pollster::block_on(keys.verify(issued.token.expose(), &key.environment))?;
    pollster::block_on(project.revoke(key.id, "sold"))?;
    let query = AuditQuery::default().limit(1).key(key.id);
    let history: Page<AuditEvent> = pollster::block_on(project.history(query))?;
    round_trip(&history);
    round_trip(&history.items[0]);
    let none: Option<OperationId> = history.items[0].operation.clone();
    assert_eq!((history.items.len(), none), (1, None));
    let cursor: Cursor = history.next.unwrap();
    assert_eq!(cursor, Cursor::of_event(&history.items[0]));
    assert_eq!(cursor.to_string().parse::<Cursor>()?, cursor);
    assert_eq!(round_trip(&cursor), json!(cursor.to_string()));
    assert!("1".parse::<Cursor>().is_err());
    round_trip(&Page::new(vec![key.clone()], Some(Cursor::of_key(key))));
    for text in ["Token(", "token"] {
        assert!(!format!("{issued:?}").replace("Token([redacted])", "").replace("token:", "").contains(text));
    }
    Ok(())
}

#[test]
fn a_grant_is_asked_for_its_scope() -> Outcome {
    let (keys, _, issued) = issued()?;
    let grant = pollster::block_on(keys.verify(issued.token.expose(), &issued.key.environment))?;
    let (agent, greeting, other) =
        (AgentId::new("any")?, PromptId::new("greeting")?, PromptId::new("other")?);
    assert_eq!(grant.key(), &issued.key);
    assert!(grant.allows_agent(&agent) && grant.allows_prompt(&greeting) && !grant.allows_prompt(&other));
    grant.require_agent(&agent)?;
    let denial: Denial = grant.require_prompt(&other).unwrap_err();
    assert!(matches!(denial, Denial::PromptNotInScope { .. }) && denial.status() == 403);
    assert_eq!(grant.sole_agent(), None);
    let _ = grant.clone().good_until();
    assert_eq!(issued.old_secret_ends_in(), None);
    let _: Duration = issued.holds_everywhere_in();
    Ok(())
}

#[test]
fn a_scope_is_all_or_a_set_and_never_absent() -> Outcome {
    let specific: Scope<AgentId> =
        Scope::specific([AgentId::new("b")?, AgentId::new("a")?, AgentId::new("b")?])?;
    assert_eq!(specific, Scope::parse(["a", "b"])?);
    assert_eq!(round_trip(&specific), json!(["a", "b"]));
    assert_eq!(round_trip(&Scope::<PromptId>::All), json!("all"));
    assert_eq!(round_trip(&Scope::<PromptId>::none()), json!([]));
    assert!(matches!(&specific, Scope::Specific(ids) if ids.len() == 2));
    assert!(serde_json::from_value::<Scope<AgentId>>(Value::Null).is_err());
    Ok(())
}

#[test]
fn forms_keep_raw_text_and_tell_all_mistakes_at_once() -> Outcome {
    let (_, project, issued) = issued()?;
    let filled = json!({
        "name": "Web", "description": "", "environment": "production", "expires_at": "never",
        "agents": ["support-bot"], "prompts": "all",
    });
    let form: KeyForm = serde_json::from_value(filled.clone())?;
    assert_eq!(round_trip(&form), filled);
    let review = form.review(SystemTime::now())?;
    let same = project.review(&form)?;
    assert_eq!((review.name(), review.agents()), (same.name(), same.agents()));

    let mut bad = form;
    (bad.name, bad.environment) = (String::new(), "pro duction".to_owned());
    let mistakes: Invalids = project.review(&bad).unwrap_err();
    assert_eq!(mistakes.into_iter().count(), 2);
    let mut unknown = filled;
    unknown["project"] = json!("warehouse");
    assert!(serde_json::from_value::<KeyForm>(unknown).is_err());

    let form = EditForm::of(&issued.key);
    round_trip(&form);
    let edit: Edit = form.edit(&issued.key, SystemTime::now())?;
    let unchanged = pollster::block_on(project.edit(issued.key.id, edit))?;
    assert_eq!(unchanged.into_key(), issued.key);
    Ok(())
}

#[test]
fn an_expiry_is_any_time_and_an_edit_can_take_it_away() -> Outcome {
    let (now, later) = (FakeClock::default(), Duration::from_secs(3_600));
    let wall = access_keys::Clock::wall(&now);
    let production = EnvironmentId::new("production")?;
    let a = KeyInfo::new("A", production.clone())?.expires_at(wall + later);
    let b = KeyInfo::new("A", production)?.expires_at(SystemTime::from(wall + later));
    assert_eq!(a, b);
    let edit: Result<Edit, Invalid> = Edit::new().name("B")?.description("of a host");
    let edit = edit?.expires_at(wall).never_expires().prompts(Scope::none());
    assert_eq!(edit.clone(), edit);
    Ok(())
}

#[test]
fn queries_have_setters_of_the_names_of_their_fields_and_page_for_a_store() -> Outcome {
    let (_, project, issued) = issued()?;
    let cursor = Cursor::of_key(&issued.key);
    let query = KeyQuery::default();
    assert_eq!((query.limit, query.after, query.status, query.environment.clone()), (50, None, None, None));
    let query = query.limit(1).status(Status::Active).environment(EnvironmentId::new("production")?);
    let page: Page<AccessKey> = query.page([&issued.key, &issued.key]);
    assert_eq!((page.items, page.next), (vec![issued.key.clone()], Some(cursor)));
    assert!(query.after(cursor).state(KeyState::Active).page([&issued.key]).items.is_empty());
    let query = AuditQuery::default();
    assert_eq!((query.limit, query.after, query.key), (50, None, None));
    for limit in [0, 1_001] {
        let keys = pollster::block_on(project.list(KeyQuery::default().limit(limit)));
        let events = pollster::block_on(project.history(AuditQuery::default().limit(limit)));
        assert!(matches!((keys, events), (Err(Error::Invalid(_)), Err(Error::Invalid(_)))), "{limit}");
    }
    Ok(())
}

#[test]
fn what_a_store_builds_has_a_constructor() -> Outcome {
    let (limit, drained_in, id) = (Duration::from_secs(5), Duration::ZERO, KeyId::new("7Hq2LkP9sTz4WcX1")?);
    let state = FeedState::new(None, limit, drained_in);
    assert_eq!((state.now, state.limit, state.drained_in), (None, limit, drained_in));
    let next = ChangeCursor::new(b"somewhere");
    assert_eq!(next.as_bytes(), b"somewhere");
    let feed = [
        Changes::NoFeed,
        Changes::Since { ids: vec![id], next: next.clone(), state },
        Changes::Everything { next, state },
    ];
    assert_eq!(feed.len(), 3);
    let used = KeyUse::new(id, 1, DateTime::UNIX_EPOCH);
    assert_eq!((used.key, used.generation, used.at), (id, 1, DateTime::UNIX_EPOCH));
    let reached = ScopeUse::new(id, AgentId::new("triage")?, DateTime::UNIX_EPOCH);
    assert_eq!((reached.key, reached.since, reached.at), (id, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH));
    let written = serde_json::to_value(&reached)?;
    assert_eq!(written["resource"], "agent:triage");
    assert_eq!(serde_json::from_value::<ScopeUse>(written)?, reached);
    Ok(())
}

#[test]
fn a_host_branches_on_errors_and_refusals_by_these_names() -> Outcome {
    let store = StoreError::backend(std::io::Error::other("no disk"));
    assert!(matches!(&store, StoreError::Backend { source } if source.to_string() == "no disk"));
    let unavailable = Denial::from(store);
    assert!(
        matches!(&unavailable, Denial::Unavailable { source: Some(source), .. } if Arc::strong_count(source) == 1)
    );
    assert_eq!((unavailable.key(), unavailable.status()), (None, 503));
    assert_eq!(unavailable.to_string(), "keys cannot be verified now");
    assert_eq!(asked(Error::NotFound { key: KeyId::new("7Hq2LkP9sTz4WcX1")? }), "not found");
    assert_eq!(asked(StoreError::Conflict.into()), "store");
    assert_eq!(refused(&unavailable), "not now");

    let (_, project, issued) = issued()?;
    let id = issued.key.id;
    pollster::block_on(project.revoke(id, ""))?;
    let refusal = pollster::block_on(project.activate(id)).unwrap_err();
    assert!(matches!(&refusal, Error::Refused { key, from: KeyState::Revoked, .. } if *key == id));
    assert_eq!(asked(refusal), "activated");
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "a host is handed the error")]
fn asked(error: Error) -> String {
    match error {
        Error::Invalid(invalid) => invalid.to_string(),
        Error::NotFound { key: KeyId { .. } } => "not found".into(),
        Error::Refused { key: KeyId { .. }, from: _, action } => action.to_string(),
        Error::Conflict { key: KeyId { .. }, expected: Revision { .. } } => "conflict".into(),
        Error::Store(StoreError::AlreadyExists | StoreError::Conflict) => "store".into(),
        Error::Store(StoreError::OutcomeUnknown { source } | StoreError::Backend { source }) => {
            source.to_string()
        }
        Error::Randomness { source } => source.to_string(),
        _ => "something new".into(),
    }
}

fn refused(denial: &Denial) -> &'static str {
    match denial {
        Denial::Malformed { .. } | Denial::Unrecognized { .. } => "unknown",
        Denial::Inactive { .. } | Denial::Revoked { .. } | Denial::Expired { .. } => "not any more",
        Denial::WrongEnvironment { .. } => "not here",
        Denial::AgentNotInScope { .. } | Denial::PromptNotInScope { .. } => "not that",
        Denial::Unavailable { .. } => "not now",
        _ => "something new",
    }
}

#[test]
fn what_is_printed_for_a_log_says_what_it_is_and_nothing_of_a_secret() -> Outcome {
    let (keys, project, issued) = issued()?;
    let pepper = || Pepper::new(3, [7; 32]);
    let foreign = ForeignTokens::new("litellm")?.beginning_with("sk-")?.hmac_sha256("their secret");
    let operation = project.operation(OperationId::new("req-7")?);
    let grant = pollster::block_on(keys.verify(issued.token.expose(), &issued.key.environment))?;
    let stored = pollster::block_on(keys.store().get(issued.key.id))?.ok_or("is stored")?;
    let by_hand = |peppers| AccessKeys::builder(MemoryStore::new()).prefix("acme").pepper(peppers);
    let shown: [(String, &[&str]); 19] = [
        (format!("{keys:?}"), &["AccessKeys {", "Verifier {", "Prefix(acme)", ".. }"]),
        (format!("{:?}", keys.verifier()), &["Verifier {", "Prefix(acme)", "record_uses: true"]),
        (format!("{operation:?}"), &["ProjectKeys {", "checkout", "ada", "req-7", ".. }"]),
        (format!("{:?}", by_hand(pepper()?)), &["Builder {", "Prefix(acme)", "Pepper(3, [redacted])"]),
        (format!("{:?}", pepper()?), &["Pepper(3, [redacted])"]),
        (format!("{:?}", HistoryChecker::new([pepper()?])?), &["HistoryChecker {", "Pepper(3, [redacted])"]),
        (
            format!("{:?}", project.revoke_all(Which::every_key(), "")?),
            &["RevokeAll {", "checkout", "revoked: 0"],
        ),
        (format!("{:?}", project.import(&foreign)), &["Import {", "litellm", "ImportReport {"]),
        (format!("{foreign:?}"), &["ForeignTokens {", "\"litellm\"", "\"sk-\"", "16..=512", ".. }"]),
        (format!("{:?}", ForeignDigest::new([7; 32])), &["ForeignDigest([redacted])"]),
        (format!("{:?}", Prefix::new("acme")?), &["Prefix(acme)"]),
        (format!("{:?}", issued.token), &["Token([redacted])"]),
        (format!("{issued:?}"), &["Issued {", "Mobile app", "Token([redacted])"]),
        (format!("{grant:?}"), &["Grant {", "Mobile app", "good_until: "]),
        (format!("{stored:?}"), &["StoredKey(", "Digest(sha256, [redacted])"]),
        (format!("{:?}", keys.store()), &["MemoryStore"]),
        (format!("{:?}", ScopeForm::Unanswered), &["Unanswered"]),
        (format!("{:?}", ScopeForm::All), &["All"]),
        (format!("{:?}", ScopeForm::from_iter(["a", "b"])), &["Specific(2 texts)"]),
    ];
    for (text, parts) in &shown {
        for part in *parts {
            assert!(text.contains(part), "{part} in {text}");
        }
        for secret in [&issued.token.expose()[30..], "their secret", "7, 7", "07070707"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    Ok(())
}

/// How a value is written; it has to be the same when it is read back.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Value {
    let written = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&written.to_string()).unwrap(), value);
    written
}

fn issued() -> Outcome<(AccessKeys<MemoryStore>, ProjectKeys<MemoryStore>, Issued)> {
    let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?;
    let review = project.draft().info(info).agents(Scope::All).prompts(Scope::parse(["greeting"])?)?;
    let issued = pollster::block_on(project.generate(review))?;
    Ok((keys, project, issued))
}
