//! Secrets show nowhere: not in what is printed, not in an error about them, not in what is recorded.

mod setup;

use std::error::Error as _;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use access_keys::domain::{Action, EventId, Origin, Which};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::token::{Prefix, Scheme, find_tokens};
use access_keys::{
    AccessKeys, Actor, AgentId, AuditQuery, Cursor, Draft, Edit, EditForm, EnvironmentId, Error, FakeClock,
    IdSet, Invalid, Issued, KeyForm, KeyId, KeyInfo, KeyQuery, KeyState, OperationId, Pepper, ProjectId,
    ProjectKeys, PromptId, Revision, Scope, Status,
};
use pollster::block_on;
use setup::faulty::{Fault, FaultyStore};
use setup::leaks::{Canary, base64, written};
use setup::{agents, anything, builder, checkout, forged, hex, in_seconds, info, parts, production};

const PEPPER: &[u8; 32] = b"a canary that sings in the mine.";

/// A host with a key in rotation, and every secret that it has.
struct Mine {
    keys: AccessKeys<MemoryStore>,
    clock: FakeClock,
    project: ProjectKeys<MemoryStore>,
    first: Issued,
    second: Issued,
    canary: Canary,
}

fn mine() -> Mine {
    let clock = FakeClock::default();
    let pepper = Pepper::new(1, PEPPER).unwrap();
    let keys = builder(MemoryStore::new(), &clock).pepper(pepper).build().unwrap();
    let project = checkout(&keys);
    let draft = project.draft().info(info("Mobile app").expires_at(in_seconds(&clock, 1_000)));
    let draft = draft.agents(agents(&["a", "b"])).prompts(Scope::All).unwrap();
    let first = block_on(project.generate(draft)).unwrap();
    let second = block_on(project.rotate(first.key.id, Duration::from_secs(60))).unwrap();
    let mut secrets = vec![PEPPER.to_vec()];
    for token in [first.token.expose(), second.token.expose()] {
        // The secret and its checksum: what stands before them is public.
        secrets.push(token.as_bytes()[token.len() - 38..].to_vec());
    }
    secrets.extend(digests(&keys, first.key.id));
    let canary = Canary::new(secrets.iter().map(Vec::as_slice));
    Mine { keys, clock, project, first, second, canary }
}

/// The bytes of the stored digests of a key.
fn digests(keys: &AccessKeys<MemoryStore>, id: KeyId) -> Vec<Vec<u8>> {
    let stored = block_on(keys.store().get(id)).unwrap().unwrap();
    let json = serde_json::to_value(&stored).unwrap();
    let texts = json["digests"].as_array().unwrap().iter().map(|digest| digest["digest"].as_str().unwrap());
    let bytes = |text: &str| {
        let (_, hex) = text.split_once(':').unwrap();
        (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    texts.map(bytes).collect()
}

#[test]
fn a_leak_that_is_planted_is_found() {
    assert_eq!(base64(b"foobar", false), "Zm9vYmFy");
    assert_eq!(base64(b"fooba", false), "Zm9vYmE");
    assert_eq!(base64(&[0xFB, 0xFF], true), "-_8");
    let mine = mine();
    let token = mine.first.token.expose();
    let (_, secret, _) = parts(token);
    for hidden in [secret.as_bytes(), PEPPER, &digests(&mine.keys, mine.first.key.id)[1]] {
        for way in [
            hex(hidden),
            hex(hidden).to_uppercase(),
            base64(hidden, false),
            base64(hidden, true),
            base64(&[b"x", hidden].concat(), false),
            base64(&[b"xy", hidden].concat(), true),
            format!("{hidden:?}"),
            format!("{hidden:#?}"),
            format!("{hidden:#04x?}"),
        ] {
            assert!(mine.canary.is_in(&format!("some {way} text")), "{way}");
            let half: String = way.chars().take(way.chars().count() / 2).collect();
            assert!(mine.canary.is_in(&half), "{half}");
        }
    }
    assert!(mine.canary.is_in(token));
    assert!(mine.canary.is_in(&format!("{:?}", Some(token))));
    assert!(mine.canary.is_in(&secret[7..22]));
    assert!(!mine.canary.is_in(&token[..token.len() - 38]));
    assert!(!mine.canary.is_in(&forged("acme", "0123456789012345", &"x".repeat(32))));
    assert!(written(b"123456789012").len() >= 10);
}

#[test]
fn nothing_that_can_be_printed_shows_a_secret() {
    let mine = mine();
    let seen = |what: &str, value: &dyn Debug| mine.canary.assert_not_in_debug(what, value);
    let token = mine.second.token.expose();
    let id = mine.first.key.id;
    let grant = block_on(mine.keys.verify(token, &production())).unwrap();
    let stored = block_on(mine.keys.store().get(id)).unwrap().unwrap();
    let pepper = || Pepper::new(2, PEPPER).unwrap();
    seen("Issued", &mine.second);
    seen("Token", &mine.second.token);
    seen("AccessKeys", &mine.keys);
    seen(
        "AccessKeys without its store's type",
        &AccessKeys::builder(MemoryStore::new()).prefix("acme").pepper(pepper()).build_dyn().unwrap(),
    );
    seen("Verifier", &mine.keys.verifier());
    seen("ProjectKeys", &mine.project);
    seen("ProjectKeys of an operation", &mine.project.operation(OperationId::new("req-7").unwrap()));
    seen("Builder", &AccessKeys::builder(MemoryStore::new()).prefix("acme").pepper(pepper()));
    seen("Pepper", &pepper());
    seen("Grant", &grant);
    seen("good_until", &grant.good_until());
    seen("AccessKey", grant.key());
    seen("StoredKey", &stored);
    seen("StoredDigest", &stored.digests());
    seen("Scheme", stored.digests()[0].scheme());
    seen("MemoryStore", mine.keys.store());
    seen("Draft", &mine.project.draft());
    seen("Draft", &mine.project.draft().info(info("x")));
    seen("Draft", &mine.project.draft().info(info("x")).agents(Scope::All));
    seen("Review", &anything());
    seen("Edit", &Edit::new().name("x").unwrap());
    seen("EditForm", &EditForm::of(grant.key()));
    seen("Found", &Prefix::new("acme").unwrap().scan(token).collect::<Vec<_>>());
    seen("Clock", &mine.clock);
    block_on(mine.keys.flush_uses()).unwrap();
    seen("KeyUse", &block_on(mine.project.last_used(&[id])).unwrap());
    seen("Change", &block_on(mine.project.edit(id, Edit::new().name("x").unwrap())).unwrap());
    seen("Page", &block_on(mine.project.list(KeyQuery::default())).unwrap());
    let history = block_on(mine.project.history(AuditQuery::default())).unwrap();
    seen("AuditEvent", &history);
    for event in &history.items {
        mine.canary.assert_not_in_display("AuditEvent", event);
        event.changes.iter().for_each(|change| mine.canary.assert_not_in_display("FieldChange", change));
    }
    mine.canary.assert_not_in_display("Review", &anything());
}

#[test]
fn nothing_that_can_be_sent_shows_a_secret() {
    let mine = mine();
    let sent = |what: &str, json: serde_json::Result<String>| mine.canary.assert_not_in(what, &json.unwrap());
    let id = mine.first.key.id;
    sent("AccessKey", serde_json::to_string(&mine.second.key));
    sent("Page", serde_json::to_string(&block_on(mine.project.list(KeyQuery::default())).unwrap()));
    sent("history", serde_json::to_string(&block_on(mine.project.history(AuditQuery::default())).unwrap()));
    let _ = block_on(mine.keys.verify(mine.second.token.expose(), &production())).unwrap();
    sent("KeyUse", serde_json::to_string(&block_on(mine.project.last_used(&[id])).unwrap()));
    // The stored form holds the digests, which is what it is for, and nothing else.
    let stored = block_on(mine.keys.store().get(id)).unwrap().unwrap();
    let secrets =
        [mine.first.token.expose(), mine.second.token.expose()].map(|token| parts(token).1.as_bytes());
    let canary = Canary::new(secrets.into_iter().chain([PEPPER.as_slice()]));
    canary.assert_not_in("StoredKey", &serde_json::to_string(&stored).unwrap());
}

/// A token as people paste it: whole, in part, with something around it, in ways that break every rule.
fn pasted(token: &str) -> Vec<String> {
    let (_, secret, _) = parts(token);
    let mut all = Vec::new();
    for text in [token, secret] {
        let half = text.len() / 2;
        all.extend([
            text.to_owned(),
            format!("{text} {text}"),
            format!(" {text}\n"),
            format!("Bearer {text}"),
            format!("{text}\u{202E}"),
            format!("{text}é"),
            format!("{text}\0"),
            format!("\u{200B}{text}\u{7}"),
            format!("{}\t{}", &text[..half], &text[half..]),
            text.repeat(20),
            format!("user:{text} "),
            format!("robot:{text}"),
            format!("operation:{text} "),
            format!("k.0.{text}"),
            format!("e.{text}.{text}"),
            format!("sha256:{text}"),
            format!("hmac-sha256/{text}"),
            format!("hmac-sha256/1:{text}"),
            format!("{text}:{}", "0".repeat(64)),
            format!("2030-01-01T00:00:00Z{text}"),
            format!("all {text}"),
        ]);
    }
    all
}

#[test]
fn no_error_repeats_what_was_pasted_into_a_field() {
    let mine = mine();
    let mut refused = 0;
    for text in &pasted(mine.second.token.expose()) {
        let results: Vec<(&str, Result<(), Invalid>)> = vec![
            ("ProjectId", ProjectId::new(text).map(drop)),
            ("EnvironmentId", text.parse::<EnvironmentId>().map(drop)),
            ("AgentId", AgentId::new(text).map(drop)),
            ("PromptId", PromptId::new(text).map(drop)),
            ("OperationId", OperationId::new(text).map(drop)),
            ("KeyId", KeyId::new(text).map(drop)),
            ("EventId", text.parse::<EventId>().map(drop)),
            ("user", Actor::user(text).map(drop)),
            ("system", Actor::system(text).map(drop)),
            ("Actor", text.parse::<Actor>().map(drop)),
            ("Revision", text.parse::<Revision>().map(drop)),
            ("Status", text.parse::<Status>().map(drop)),
            ("KeyState", text.parse::<KeyState>().map(drop)),
            ("Action", text.parse::<Action>().map(drop)),
            ("Origin", text.parse::<Origin>().map(drop)),
            ("Cursor", text.parse::<Cursor>().map(drop)),
            ("Scheme", text.parse::<Scheme>().map(drop)),
            ("Prefix", Prefix::new(text).map(drop)),
            ("Pepper", Pepper::new(1, text.get(..20).unwrap_or_default()).map(drop)),
            ("name", KeyInfo::new(text, production()).map(drop)),
            ("description", info("x").description(text).map(drop)),
            ("name of an edit", Edit::new().name(text).map(drop)),
            ("description of an edit", Edit::new().description(text).map(drop)),
            ("agents", Scope::<AgentId>::parse([text]).map(drop)),
            ("prompts", Scope::<PromptId>::parse(["p", text]).map(drop)),
            ("ids", text.parse::<AgentId>().and_then(|id| IdSet::new([id])).map(drop)),
        ];
        for (what, result) in results {
            if let Err(invalid) = result {
                refused += 1;
                mine.canary.assert_not_in_error(what, &invalid);
            }
        }
    }
    assert!(refused > 600, "{refused}");
}

#[test]
fn no_error_of_a_call_repeats_what_was_pasted_into_it() {
    let mine = mine();
    let (id, verifier) = (mine.first.key.id, mine.keys.verifier());
    for text in &pasted(mine.second.token.expose()) {
        let results: Vec<(&str, Result<(), Error>)> = vec![
            ("prefix", builder(MemoryStore::new(), &mine.clock).prefix(text).build().map(drop)),
            ("search", block_on(mine.project.list(KeyQuery::default().name(text.repeat(4)))).map(drop)),
            ("reason", block_on(mine.project.revoke(id, format!("{text}\u{7}"))).map(drop)),
            (
                "environment prefix",
                builder(MemoryStore::new(), &mine.clock)
                    .environment_prefix(production(), text)
                    .build()
                    .map(drop),
            ),
        ];
        for (what, result) in results {
            mine.canary.assert_not_in_error(what, &result.expect_err(what));
        }
        if let Err(denial) = block_on(verifier.verify(text, &production())) {
            mine.canary.assert_not_in_error("verify", &denial);
        }
        if let Some(Err(denial)) = verifier.verify_cached(text, &production()) {
            mine.canary.assert_not_in_error("verify_cached", &denial);
        }
    }
    // None of it was recorded either.
    mine.canary.assert_not_in_debug("the store", mine.keys.store());
    let events = block_on(mine.project.history(AuditQuery::default())).unwrap();
    assert_eq!(events.items.len(), 2);
    mine.canary.assert_not_in("events", &serde_json::to_string(&events).unwrap());
}

#[test]
fn no_mistake_of_a_form_repeats_what_was_pasted_into_it() {
    let mine = mine();
    let mut found = 0;
    for text in &pasted(mine.second.token.expose()) {
        let mut form = KeyForm::default();
        for field in [&mut form.name, &mut form.description, &mut form.environment, &mut form.expires_at] {
            field.clone_from(text);
        }
        form.agents = [text.as_str(), "a"].into_iter().collect();
        form.prompts = [text.as_str()].into_iter().collect();
        let mut edit = EditForm::of(&mine.first.key);
        for field in [&mut edit.name, &mut edit.description, &mut edit.expires_at, &mut edit.revision] {
            field.clone_from(text);
        }
        (edit.agents, edit.prompts) = (form.agents.clone(), form.prompts.clone());
        let mistakes = [
            mine.project.review(&form).unwrap_err(),
            edit.edit(&mine.first.key, in_seconds(&mine.clock, 0)).unwrap_err(),
        ];
        for mistakes in mistakes {
            mine.canary.assert_not_in_error("Invalids", &mistakes);
            found += mistakes.iter().count();
            mistakes.iter().for_each(|invalid| mine.canary.assert_not_in_error("Invalid", invalid));
        }
    }
    assert!(found > 200, "{found}");
}

#[test]
fn no_error_and_no_denial_shows_a_secret() {
    let mine = mine();
    let id = mine.first.key.id;
    let (old, new) = (mine.first.token.expose(), mine.second.token.expose());
    let staging = setup::env("staging");
    let verify = |token: &str, environment: &EnvironmentId| block_on(mine.keys.verify(token, environment));
    let denied = |token: &str, environment: &EnvironmentId| {
        let denial = verify(token, environment).unwrap_err();
        mine.canary.assert_not_in_error("Denial", &denial);
    };
    let grant = verify(new, &production()).unwrap();
    mine.canary.assert_not_in_error("scope", &grant.require_agent(&AgentId::new("c").unwrap()).unwrap_err());
    denied(new, &staging);
    denied(&forged("acme", id.as_str(), &"x".repeat(32)), &production());
    mine.clock.advance(Duration::from_secs(60));
    denied(old, &production());
    block_on(mine.project.deactivate(id)).unwrap();
    denied(new, &production());
    let stale = Edit::new().if_revision(Revision::FIRST);
    let nowhere = KeyId::new("0123456789012345").unwrap();
    for error in [
        block_on(mine.project.edit(id, stale)).unwrap_err(),
        block_on(mine.project.get(nowhere)).unwrap_err(),
        block_on(mine.project.rotate(id, Duration::MAX)).unwrap_err(),
    ] {
        mine.canary.assert_not_in_error("Error", &error);
        assert!(error.source().is_none());
    }
    mine.clock.advance(Duration::from_secs(1_000));
    denied(new, &production());
    mine.canary.assert_not_in_error("Error", &block_on(mine.project.rotate(id, Duration::ZERO)).unwrap_err());
    block_on(mine.project.revoke(id, "")).unwrap();
    denied(new, &production());
    mine.canary.assert_not_in_error("Error", &block_on(mine.project.activate(id)).unwrap_err());
    mine.canary.assert_not_in_error("recheck", &block_on(mine.keys.verifier().recheck(&grant)).unwrap_err());
}

#[test]
fn the_panic_of_a_careless_host_shows_no_secret() {
    let mine = mine();
    let token = mine.second.token.expose();
    let careless: [&dyn Fn(); 6] = [
        &|| drop(block_on(mine.keys.verify(&token[1..], &production())).unwrap()),
        &|| drop(block_on(mine.keys.verify(token, &production())).unwrap_err()),
        &|| drop(block_on(mine.project.generate(anything())).unwrap_err()),
        &|| drop(AgentId::new(format!("{token} ")).unwrap()),
        &|| drop(Prefix::new(token).unwrap()),
        &|| {
            drop(
                Draft::at(in_seconds(&mine.clock, 0))
                    .info(KeyInfo::new(format!("{token}\0"), production()).unwrap()),
            )
        },
    ];
    for (i, careless) in careless.iter().enumerate() {
        let panic = catch_unwind(AssertUnwindSafe(careless)).unwrap_err();
        let message = panic.downcast_ref::<String>().expect("a message");
        mine.canary.assert_not_in(&format!("panic {i}"), message);
    }
}

#[test]
fn nothing_that_answers_a_leak_shows_a_secret() {
    let mine = mine();
    let finder = || Actor::user("bob").unwrap();
    let token = mine.second.token.expose();
    let (_, secret, sum) = parts(token);
    let prefixes = [Prefix::new("acme").unwrap()];
    let text = format!("{token} {} {secret}", mine.first.token.expose());
    let found: Vec<_> = find_tokens(&text, &prefixes).collect();
    assert_eq!(found.len(), 2);
    mine.canary.assert_not_in_debug("Found", &found);
    let many = block_on(mine.keys.verifier().verify_many(&[token, secret], &production()));
    mine.canary.assert_not_in_debug("answers", &many);

    for text in &pasted(token) {
        let refused = mine.keys.revoke_presented(text, format!("{text}\u{7}"), finder());
        mine.canary.assert_not_in_error("reason", &block_on(refused).unwrap_err());
        let refused = mine.project.revoke_all(Which::every_key(), format!("{text}\u{7}")).unwrap_err();
        mine.canary.assert_not_in_error("reason", &refused);
    }
    let busy = builder(FaultyStore::new(), &mine.clock).build().unwrap();
    busy.store().plan(|_| Fault::Fails);
    let error = block_on(busy.revoke_presented(token, "", finder())).unwrap_err();
    mine.canary.assert_not_in_error("Error", &error);

    let reason = format!("{token}, or its end {secret}{sum}, was found");
    let change = block_on(mine.keys.revoke_presented(token, reason, finder())).unwrap();
    mine.canary.assert_not_in_debug("Change", &change);
    let mut revoking = mine.project.revoke_all(Which::every_key(), "over").unwrap();
    mine.canary.assert_not_in_debug("Batch", &block_on(revoking.next()));
    mine.canary.assert_not_in_debug("RevokeAll", &revoking);
    mine.canary.assert_not_in_debug("RevokedAll", &block_on(revoking.finish()).unwrap());
    let events = block_on(mine.project.history(AuditQuery::default())).unwrap();
    mine.canary.assert_not_in_debug("AuditEvent", &events);
    mine.canary.assert_not_in("events", &serde_json::to_string(&events).unwrap());
}
