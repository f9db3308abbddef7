//! Exports of other systems, as these write them, are read; what cannot be is told row by row.
#![cfg(feature = "import")]

mod support;

use std::time::Duration;

use access_keys::domain::Field;
use access_keys::import::{ForeignKey, Rows, better_auth, csv, keypal, litellm, unkey};
use access_keys::store::MemoryStore;
use access_keys::token::ForeignTokens;
use access_keys::{AccessKeys, Actor, Clock, Denial, FakeClock, Invalid, KeyState, ProjectId, Scope};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pollster::block_on;
use sha2::{Digest, Sha256};
use support::production;

const TOKEN: &str = "sk-Zk3v9QpLw2Xn8TrB5YdM";

fn hex(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(rows: Rows) -> Vec<Result<ForeignKey, Invalid>> {
    let (numbers, rows): (Vec<u64>, Vec<_>) = rows.unzip();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    rows
}

/// Imports what was read, and presents the token.
fn goes_on(rows: Rows, tokens: &ForeignTokens, token: &str) {
    block_on(async {
        let clock = FakeClock::default();
        let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(clock);
        let keys = builder.foreign_tokens(tokens.clone()).build().unwrap();
        let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::system("import").unwrap());
        let mut import = project.import(tokens);
        for (row, key) in rows {
            let read = key
                .and_then(|key| key.row(project.draft(), production(), Scope::All, Scope::none(), "unnamed"));
            import.row(row, read).await.unwrap();
        }
        let report = import.finish();
        assert_eq!((report.new_keys(), report.failed()), (1, 0), "{report}");
        assert!(keys.verify(token, &production()).await.is_ok());
        let other = format!("{}x", &token[..token.len() - 1]);
        assert!(matches!(keys.verify(&other, &production()).await, Err(Denial::Unrecognized { .. })));
    });
}

fn soon() -> String {
    let clock = FakeClock::default();
    (clock.wall() + Duration::from_secs(3_600)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[test]
fn keypal_is_read() {
    let rows = format!(
        r#"{{"id":"k1","keyHash":"{}","metadata":{{"ownerId":"u1","name":"Mobile app","description":"iOS","scopes":["read","write"],"resources":{{"site:1":["read"]}},"expiresAt":"{}","enabled":true,"revokedAt":null,"createdAt":"2026-01-01T00:00:00.000Z"}}}}
{{"id":"k2","key_hash":"{}","metadata":"{{\"ownerId\":\"u2\",\"enabled\":false}}"}}
{{"id":"k3","keyHash":"{}","metadata":{{"ownerId":"u3","revokedAt":"2026-01-01T00:00:00.000Z"}}}}
{{"id":"k4","keyHash":"{}","metadata":{{"ownerId":"u4"}}}}
"#,
        hex(TOKEN),
        soon(),
        hex("two"),
        hex("three"),
        "ab".repeat(64),
    );
    let found = read(keypal::read(std::io::Cursor::new(rows.clone())));
    let first = found[0].as_ref().unwrap();
    assert_eq!(
        (first.name.as_str(), first.description.as_str(), first.owner.as_str()),
        ("Mobile app", "iOS", "u1")
    );
    assert_eq!(first.labels, ["read", "write", "site:1:read"]);
    assert!(first.expires_at.is_some());
    assert_eq!(found[1].as_ref().unwrap().state, KeyState::Inactive);
    let revoked = found[2].as_ref().unwrap();
    let row = revoked.row(
        access_keys::Draft::at(FakeClock::default().wall()),
        production(),
        Scope::All,
        Scope::All,
        "x",
    );
    assert_eq!(row.unwrap_err().field, Field::Status);
    // SHA-512 is none of ours.
    assert_eq!(found[3].as_ref().unwrap_err().field, Field::Digest);
    let first = rows.lines().next().unwrap().to_owned();
    let tokens = ForeignTokens::new("keypal").unwrap().beginning_with("sk-").unwrap();
    goes_on(keypal::read(std::io::Cursor::new(first)), &tokens, TOKEN);
}

#[test]
fn better_auth_is_read() {
    let key = URL_SAFE_NO_PAD.encode(Sha256::digest(TOKEN));
    let rows = format!(
        r#"[{{"id":"1","configId":"default","name":"CI","start":"sk-Zk3","referenceId":"u1","prefix":"sk-","key":"{key}","enabled":true,"expiresAt":"{}","permissions":"{{\"files\":[\"read\",\"write\"]}}","requestCount":7}}]"#,
        soon()
    );
    let found = read(better_auth::read(std::io::Cursor::new(rows.clone())));
    let first = found[0].as_ref().unwrap();
    assert_eq!(first.labels, ["files:read", "files:write"]);
    assert_eq!((first.owner.as_str(), first.state), ("u1", KeyState::Active));
    let tokens = ForeignTokens::new("better-auth").unwrap().beginning_with("sk-").unwrap();
    goes_on(better_auth::read(std::io::Cursor::new(rows)), &tokens, TOKEN);
    // As SQLite prints it: numbers for words, milliseconds for times, and names in snake case.
    let rows = format!(
        r#"{{"key":"{key}","user_id":"u2","enabled":0,"expires_at":4102444800000,"permissions":null}}"#
    );
    let found = read(better_auth::read(std::io::Cursor::new(rows)));
    let first = found[0].as_ref().unwrap();
    assert_eq!((first.owner.as_str(), first.state), ("u2", KeyState::Inactive));
    assert_eq!(first.expires_at.unwrap().to_rfc3339(), "2100-01-01T00:00:00+00:00");
}

#[test]
fn unkey_is_read() {
    let hash = STANDARD.encode(Sha256::digest(TOKEN));
    let rows = format!(
        r#"{{"hash":"{hash}","name":"CI","externalId":"u1","meta":{{"plan":"pro"}},"roles":["support"],"permissions":["documents.read"],"expires":4102444800000,"enabled":true,"credits":{{"remaining":7}}}}"#
    );
    let found = read(unkey::read(std::io::Cursor::new(rows.clone())));
    let first = found[0].as_ref().unwrap();
    assert_eq!(first.labels, ["support", "documents.read"]);
    let tokens = ForeignTokens::new("unkey").unwrap().beginning_with("sk-").unwrap();
    goes_on(unkey::read(std::io::Cursor::new(rows)), &tokens, TOKEN);
}

#[test]
fn litellm_is_read() {
    let rows = format!(
        r#"{{"token":"{}","key_name":"sk-...5YdM","key_alias":"Mobile app","spend":0.5,"expires":"2100-01-01T00:00:00","models":["gpt-4o"],"user_id":"u1","team_id":null,"blocked":null,"metadata":{{}}}}
{{"token":"{}","key_name":null,"key_alias":null,"expires":"2100-01-01 00:00:00+00","models":[],"team_id":"support","blocked":true}}
{{"token":"sk-plain","models":[]}}
"#,
        hex(TOKEN),
        hex("two"),
    );
    let found = read(litellm::read(std::io::Cursor::new(rows.clone())));
    let [first, second] = [&found[0], &found[1]].map(|row| row.as_ref().unwrap());
    assert_eq!((first.name.as_str(), first.owner.as_str()), ("Mobile app", "u1"));
    assert_eq!(first.labels, ["gpt-4o"]);
    assert_eq!(
        (second.name.as_str(), second.owner.as_str(), second.state),
        ("", "support", KeyState::Inactive)
    );
    assert_eq!(first.expires_at, second.expires_at);
    let error = found[2].as_ref().unwrap_err();
    assert!(error.field == Field::Digest && !error.to_string().contains("plain"), "{error}");
    let first = rows.lines().next().unwrap().to_owned();
    let tokens = ForeignTokens::new("litellm").unwrap().beginning_with("sk-").unwrap();
    goes_on(litellm::read(std::io::Cursor::new(first)), &tokens, TOKEN);
}

#[test]
fn csv_is_read() {
    let file = format!(
        "digest,identifier,name,expires_at,state,labels,agents,prompts\n\
         {},k1,\"Mobile, app\",2100-01-01T00:00:00Z,active,a b,support-bot triage,all\n\
         {},k2,CI,never,inactive,,none,greeting\n\
         {},k3,CI,,active,,all,all\n\
         {},k4,CI,never,paused,,all,all\n\
         short,k5,CI,never,active,,all,all\n\
         {},k6,CI\n",
        hex("1"),
        STANDARD.encode(Sha256::digest("2")),
        hex("3"),
        hex("4"),
        hex("6"),
    );
    let found = read(csv::read(std::io::Cursor::new(file)));
    let first = found[0].as_ref().unwrap();
    assert_eq!((first.name.as_str(), first.identifier.as_deref()), ("Mobile, app", Some("k1")));
    assert_eq!(first.agents, Some(Scope::parse(["support-bot", "triage"]).unwrap()));
    assert_eq!(first.prompts, Some(Scope::All));
    let second = found[1].as_ref().unwrap();
    assert_eq!((second.state, second.expires_at), (KeyState::Inactive, None));
    assert!(second.agents.as_ref().unwrap().is_none());
    let fields: Vec<Field> = found[2..].iter().map(|row| row.as_ref().unwrap_err().field).collect();
    assert_eq!(fields, [Field::ExpiresAt, Field::Status, Field::Digest, Field::Key]);
    let unknown = read(csv::read(std::io::Cursor::new("digest,scope\nx,all\n")));
    assert_eq!(unknown[0].as_ref().unwrap_err().field, Field::Key);
}

/// Whatever stands in a file: an error of its row, without a word of it, and the rows around it are read.
#[test]
fn what_is_no_export_is_told_and_not_repeated() {
    let good = format!(r#"{{"token":"{}","models":[]}}"#, hex(TOKEN));
    for bad in [
        "{",
        "[]",
        "null",
        "\"sk-secret\"",
        "{\"token\": sk-secret}",
        "{\"token\":null}",
        "{\"token\":7}",
        "{\"token\":\"sk-secret\"}",
        "\u{0}",
    ] {
        let file = format!("{good}\n{bad}\n\n{good}\n");
        let found = read(litellm::read(std::io::Cursor::new(file)));
        assert_eq!(found.len(), 3, "{bad}");
        assert!(found[0].is_ok() && found[2].is_ok(), "{bad}");
        let said = found[1].as_ref().unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
    }
    for (field, value) in
        [("blocked", "\"no\""), ("expires", "true"), ("expires", "\"soon\""), ("expires", "1.5")]
    {
        let row = format!(r#"{{"token":"{}","{field}":{value}}}"#, hex(TOKEN));
        assert!(read(litellm::read(std::io::Cursor::new(row)))[0].is_err(), "{field}: {value}");
    }
    assert_eq!(read(litellm::read(std::io::Cursor::new("[{\"token\""))).len(), 1);
    assert!(read(litellm::read(std::io::Cursor::new(" \n \n"))).is_empty());
    // A line without an end does not fill the memory.
    let endless = std::io::Read::take(std::io::repeat(b'x'), 3 << 20);
    assert_eq!(read(litellm::read(endless)).len(), 1);
}

/// Which of two columns of one name is meant cannot be told, so neither is taken.
#[test]
fn a_column_that_is_there_twice_is_the_mistake_of_every_row() {
    let file = format!("digest,agents,agents\n{},none,all\n{},all,all\n", hex("1"), hex("2"));
    let found = read(csv::read(std::io::Cursor::new(file)));
    assert!(found.len() == 2 && found.iter().all(Result::is_err), "{found:?}");
}
