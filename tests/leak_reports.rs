//! The reports of secret scanners: read leniently, bounded strictly, settled entry by entry.
#![cfg(feature = "leak")]

mod setup;

use std::sync::Arc;

use access_keys::domain::{Field, Rule, Unit};
use access_keys::leak::{Answer, Label, Outcome, Report};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{AccessKeys, Actor, AuditQuery, FakeClock, Invalid, Issued, Pepper, ProjectKeys, Status};
use pollster::block_on;
use serde_json::{Value, json};
use setup::faulty::{Fault, FaultyStore, poll_at_most};
use setup::leaks::Canary;
use setup::{anything, builder, checkout, forged, hex, parts};
use sha2::{Digest, Sha256};

fn host() -> (AccessKeys<MemoryStore>, ProjectKeys<MemoryStore>) {
    let keys = builder(MemoryStore::new(), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    (keys, project)
}

fn generate<S: KeyStore>(project: &ProjectKeys<S>) -> Issued {
    block_on(project.generate(anything())).unwrap()
}

fn github() -> Actor {
    Actor::system("github").unwrap()
}

fn entry(token: &str) -> Value {
    json!({
        "token": token,
        "type": "acme_access_key",
        "url": "https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt",
        "source": "content",
    })
}

fn report(entries: &[Value]) -> Report {
    Report::parse(&serde_json::to_vec(entries).unwrap()).unwrap()
}

fn settle<'r, S: KeyStore>(report: &'r Report, keys: &AccessKeys<S>) -> Vec<Answer<'r>> {
    let mut answering = report.answer(keys, github());
    let mut answers = Vec::new();
    while let Some(answer) = block_on(answering.next()) {
        answers.push(answer);
        assert_eq!(answering.left(), report.entries().len() - answers.len());
    }
    answers
}

fn told(answers: &[Answer<'_>]) -> Vec<&'static str> {
    let told = |answer: &Answer<'_>| match &answer.outcome {
        Outcome::Revoked(change) if change.is_new() => "revoked",
        Outcome::Revoked(_) => "was revoked",
        Outcome::NotOurs => "not ours",
        Outcome::Undecidable { .. } => "undecidable",
        Outcome::Unreadable => "unreadable",
        Outcome::Failed(_) => "failed",
        _ => "something else",
    };
    answers.iter().map(told).collect()
}

fn refused(body: &[u8]) -> Invalid {
    let invalid = Report::parse(body).unwrap_err();
    assert_eq!(invalid.field, Field::Report);
    invalid
}

#[test]
fn a_report_is_settled_in_order_and_answered_in_the_form_that_github_takes() {
    let (keys, project) = host();
    let (first, second) = (generate(&project), generate(&project));
    let unknown = forged("acme", "0123456789012345", &"x".repeat(32));
    let report = report(&[
        entry(first.token.expose()),
        entry(&unknown),
        entry(second.token.expose()),
        entry("NMIfyYncKcRALEXAMPLE"),
        entry(first.token.expose()),
    ]);
    assert!(report.entries()[1].may_be_ours() && !report.entries()[3].may_be_ours());
    let answers = settle(&report, &keys);
    assert_eq!(told(&answers), ["revoked", "not ours", "revoked", "not ours", "was revoked"]);
    let feedback: Vec<_> = answers.iter().filter_map(Answer::feedback).collect();
    let hash = |text: &str| hex(&Sha256::digest(text));
    let expected = |text: &str, label: &str| json!({"token_hash": hash(text), "token_type": "acme_access_key", "label": label});
    assert_eq!(
        serde_json::to_value(&feedback).unwrap(),
        json!([
            expected(first.token.expose(), "true_positive"),
            expected(&unknown, "false_positive"),
            expected(second.token.expose(), "true_positive"),
            expected("NMIfyYncKcRALEXAMPLE", "false_positive"),
            expected(first.token.expose(), "true_positive"),
        ])
    );
    let event = block_on(project.history(AuditQuery::default().key(first.key.id))).unwrap().items.remove(0);
    assert_eq!(event.actor, github());
    assert_eq!(
        event.reason.as_deref(),
        Some(
            "reported by a secret scanner, found in content at https://github.com/octocat/Hello-World/blob/\
             12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt"
        )
    );
}

#[test]
fn the_example_of_githubs_page_is_read() {
    let body = br#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#;
    let report = Report::parse(body).unwrap();
    let entry = &report.entries()[0];
    assert_eq!(
        (entry.token_type(), entry.url(), entry.source()),
        (Some("some_type"), Some("https://example.com/base-repo-url/"), Some("commit"))
    );
}

#[test]
fn the_same_report_once_more_changes_nothing_and_says_the_same() {
    let (keys, project) = host();
    let issued = generate(&project);
    let report = report(&[entry(issued.token.expose()), entry("none of ours")]);
    let first: Vec<_> = settle(&report, &keys).iter().map(Answer::feedback).collect();
    let events = || block_on(project.history(AuditQuery::default())).unwrap().items.len();
    let before = events();
    let again = settle(&report, &keys);
    assert_eq!(told(&again), ["was revoked", "not ours"]);
    assert_eq!(again.iter().map(Answer::feedback).collect::<Vec<_>>(), first);
    assert_eq!(events(), before);
}

#[test]
fn an_entry_that_cannot_be_read_harms_none_of_the_others() {
    let (keys, project) = host();
    let good = generate(&project);
    let bad = [
        json!(null),
        json!(7),
        json!(-7),
        json!(0.5),
        json!(true),
        json!("a text"),
        json!(["token", "x"]),
        json!({}),
        json!({"token": null}),
        json!({"token": 7, "type": "x"}),
        json!({"token": ["x"], "type": "x"}),
        json!({"token": {"token": "x"}}),
        json!({"Token": good.token.expose()}),
    ];
    let mut entries = bad.to_vec();
    entries.push(entry(good.token.expose()));
    let report = report(&entries);
    let answers = settle(&report, &keys);
    let (last, others) = told(&answers).split_last().map(|(last, others)| (*last, others.to_vec())).unwrap();
    assert_eq!((last, others), ("revoked", vec!["unreadable"; bad.len()]));
    assert!(answers[..bad.len()].iter().all(|answer| answer.feedback().is_none()));
}

/// Half a character and a number beyond all are JSON, though no text and no number that could be kept.
#[test]
fn what_no_text_can_hold_harms_no_other_field_and_no_other_entry() {
    let (keys, project) = host();
    for odd in ["\"\\ud800\"", "1e999", "[1e999]", "{\"\\udc00\": 1}"] {
        let issued = generate(&project);
        let token = issued.token.expose();
        let body = format!(
            r#"[{{"token": {odd}, "type": "t"}}, {{"token": "{token}", "type": "t", "url": {odd}, "more": {odd}}}, {odd}]"#
        );
        let report = Report::parse(body.as_bytes()).unwrap();
        let answers = settle(&report, &keys);
        assert_eq!(told(&answers), ["unreadable", "revoked", "unreadable"], "{odd}");
        assert_eq!((answers[1].entry.token_type(), answers[1].entry.url()), (Some("t"), None));
    }
}

#[test]
fn what_is_not_known_is_skipped_and_what_is_missing_hinders_no_revocation() {
    let (keys, project) = host();
    let issued: Vec<Issued> = (0..6).map(|_| generate(&project)).collect();
    let token = |i: usize| issued[i].token.expose();
    let entries = [
        json!({"token": token(0)}),
        json!({"token": token(1), "type": 7, "url": null, "source": ["x"]}),
        json!({"token": token(2), "type": "t", "url": "", "source": "", "new": {"deep": [1, {"a": null}]}}),
        json!({"token": token(3), "type": "x".repeat(3_000), "url": "https://e/".repeat(1_000), "source": "é"}),
        json!({"token": format!("\"{}\",\n", token(4)), "type": "t", "url": "a b\u{7}"}),
        json!({"token": token(5), "type": "t", "url": "x".repeat(1_500)}),
    ];
    let report = report(&entries);
    let answers = settle(&report, &keys);
    assert_eq!(told(&answers), ["revoked"; 6]);
    let types: Vec<_> = answers.iter().map(|answer| answer.feedback().map(|told| told.token_type)).collect();
    assert_eq!(
        types,
        [None, None, Some("t"), None, Some("t"), Some("t")].map(|told| told.map(str::to_owned))
    );
    let sent = answers[4].feedback().unwrap().token_hash;
    assert_eq!(sent, hex(&Sha256::digest(format!("\"{}\",\n", token(4)))), "of what was sent");
    let events = block_on(project.history(AuditQuery::default())).unwrap().items;
    let reasons = events.iter().filter_map(|event| event.reason.as_deref());
    assert!(reasons.clone().all(|reason| reason == "reported by a secret scanner"));
    assert_eq!(reasons.count(), 6);
}

#[test]
fn a_report_is_bounded_in_bytes_and_in_entries() {
    let full = vec![json!({"token": "x"}); 10_000];
    assert_eq!(report(&full).entries().len(), 10_000);
    for given in [10_001, 10_003] {
        let more = vec![json!({"token": "x"}); given];
        let rule = Rule::Length { min: 0, max: 10_000, unit: Unit::Entries, given };
        let invalid = refused(&serde_json::to_vec(&more).unwrap());
        assert_eq!(invalid.rule, rule);
        assert_eq!(invalid.to_string(), format!("report must have at most 10000 entries, has {given}"));
    }
    let mut body = b"[]".to_vec();
    body.resize(4 << 20, b' ');
    assert!(Report::parse(&body).unwrap().entries().is_empty());
    body.push(b' ');
    assert_eq!(refused(&body).to_string(), "report must have at most 4194304 bytes, has 4194305");
}

#[test]
fn what_is_no_array_is_refused_and_not_repeated() {
    let (_, project) = host();
    let issued = generate(&project);
    let token = issued.token.expose();
    let canary = Canary::new([&token.as_bytes()[token.len() - 38..]]);
    for body in [
        String::new(),
        token.to_owned(),
        format!("\"{token}\""),
        format!("{{\"token\": \"{token}\"}}"),
        format!("[{{\"token\": \"{token}\"}}"),
        format!("[{{\"token\": \"{token}\"}}] {token}"),
        format!("[{{\"token\": \"{token}\", {token}}}]"),
        format!("[{token}]"),
        format!("[\"{token}\" \"{token}\"]"),
    ] {
        let invalid = refused(body.as_bytes());
        assert_eq!(invalid.rule, Rule::Unreadable { expected: "a JSON array", given: body.len() });
        canary.assert_not_in_error("Invalid", &invalid);
    }
    assert!(Report::parse(&[b'[', 0xFF, b']']).is_err());
    // However deep: it takes no room to skip.
    let deep = format!("{}\"{token}\"{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(!Report::parse(deep.as_bytes()).unwrap().entries()[0].may_be_ours());
}

#[test]
fn a_store_in_trouble_fails_one_entry_which_is_not_said_to_be_false() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let issued = [generate(&project), generate(&project), generate(&project)];
    let report = report(&issued.each_ref().map(|issued| entry(issued.token.expose())));
    // The first settles with four calls: two reads, a write, and the question how long it takes to hold.
    store.plan(|call| if call == 5 { Fault::Fails } else { Fault::Works });
    let answers = settle(&report, &keys);
    assert_eq!(told(&answers), ["revoked", "failed", "revoked"]);
    assert!(answers[1].feedback().is_none());
    store.heal();
    assert_eq!(told(&settle(&report, &keys)), ["was revoked", "revoked", "was revoked"]);
}

/// A report about a token whose pepper was taken out can be answered, though that one is left open.
#[test]
fn a_token_whose_pepper_is_lacking_is_neither_a_failure_nor_said_to_be_false() {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let with = |version| {
        let pepper = Pepper::new(version, [u8::try_from(version).unwrap(); 32]).unwrap();
        builder(Arc::clone(&store), &clock).pepper(pepper).build().unwrap()
    };
    let (before, after) = (with(1), with(2));
    let (old, new) = (generate(&checkout(&before)), generate(&checkout(&after)));
    let report = report(&[&old, &new].map(|issued| entry(issued.token.expose())));
    let answers = settle(&report, &after);
    assert_eq!(told(&answers), ["undecidable", "revoked"]);
    assert!(matches!(answers[0].outcome, Outcome::Undecidable { key, .. } if key == old.key.id));
    assert!(answers[0].feedback().is_none());
}

#[test]
fn an_answer_that_was_dropped_is_given_again() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let issued = [generate(&project), generate(&project)];
    let report = report(&issued.each_ref().map(|issued| entry(issued.token.expose())));
    let mut answering = report.answer(&keys, github());
    store.plan(|call| if call == 2 { Fault::Hangs } else { Fault::Works });
    assert!(poll_at_most(5, answering.next()).is_none());
    assert_eq!(answering.left(), 2);
    store.heal();
    assert_eq!(told(&block_on(answering.finish())), ["revoked", "revoked"]);
    for issued in &issued {
        assert_eq!(block_on(project.get(issued.key.id)).unwrap().status, Status::Revoked);
    }
}

#[test]
fn several_at_a_time_give_the_answers_of_one_after_the_other() {
    for reads in [1, 8, 256] {
        let store = FaultyStore::new();
        let keys =
            builder(Arc::clone(&store), &FakeClock::default()).concurrent_reads(reads).build().unwrap();
        let project = checkout(&keys);
        let issued: Vec<Issued> = (0..40).map(|_| generate(&project)).collect();
        let mut entries: Vec<Value> = issued.iter().map(|issued| entry(issued.token.expose())).collect();
        (0..40).for_each(|i| entries.insert(2 * i, entry(&format!("none of ours {i}"))));
        let report = report(&entries);
        store.plan(|_| Fault::Yields);
        let answers = block_on(report.answer(&keys, github()).finish());
        let expected: Vec<&str> = (0..80).map(|i| if i % 2 == 0 { "not ours" } else { "revoked" }).collect();
        assert_eq!(told(&answers), expected);
        for (answer, issued) in answers.iter().skip(1).step_by(2).zip(&issued) {
            assert!(matches!(&answer.outcome, Outcome::Revoked(change) if change.key().id == issued.key.id));
            assert_eq!(answer.feedback().unwrap().label, Label::TruePositive);
        }
    }
}

#[test]
fn a_report_takes_a_quarter_of_the_reads_and_no_more_than_a_few() {
    for (reads, at_once) in [(1, 1), (7, 1), (8, 2), (256, 16)] {
        let store = FaultyStore::new();
        let keys =
            builder(Arc::clone(&store), &FakeClock::default()).concurrent_reads(reads).build().unwrap();
        let project = checkout(&keys);
        let entries: Vec<Value> = (0..40).map(|_| entry(generate(&project).token.expose())).collect();
        let report = report(&entries);
        store.plan(|_| Fault::Hangs);
        assert!(poll_at_most(1, report.answer(&keys, github()).finish()).is_none());
        assert_eq!(store.calls(), at_once, "of {reads}");
    }
}

#[test]
fn nothing_of_a_report_shows_a_token() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let issued = [generate(&project), generate(&project)];
    let secrets = issued.each_ref().map(|issued| parts(issued.token.expose()).1.as_bytes());
    let canary = Canary::new(secrets);
    let token = issued[0].token.expose();
    let report = report(&[
        json!({
            "token": token,
            "type": format!("type {token}"),
            "url": format!("https://example.com/?key={token}"),
            "source": format!("source:{}", &token[token.len() - 38..]),
        }),
        entry(issued[1].token.expose()),
    ]);
    canary.assert_not_in_debug("Report", &report);
    let mut answering = report.answer(&keys, github());
    canary.assert_not_in_debug("Answering", &answering);
    assert_eq!(format!("{answering:?}"), "Answering { left: 2, .. }");
    assert_eq!(format!("{:?}", report.entries()[0]), "Entry { may_be_ours: true, .. }");
    let first = block_on(answering.next()).unwrap();
    store.plan(|_| Fault::Fails);
    let second = block_on(answering.next()).unwrap();
    store.heal();
    for answer in [&first, &second] {
        canary.assert_not_in_debug("Answer", answer);
        let texts = [answer.entry.url(), answer.entry.token_type(), answer.entry.source()];
        texts.into_iter().flatten().for_each(|text| canary.assert_not_in("Entry", text));
        let feedback = answer.feedback();
        canary.assert_not_in_debug("Feedback", &feedback);
        canary.assert_not_in("Feedback", &serde_json::to_string(&feedback).unwrap());
    }
    let Outcome::Failed(error) = &second.outcome else { panic!("{second:?}") };
    canary.assert_not_in_error("Failed", error);
    let events = block_on(project.history(AuditQuery::default())).unwrap();
    canary.assert_not_in("events", &serde_json::to_string(&events).unwrap());
    let reason = events.items[0].reason.as_deref().unwrap();
    let id = issued[0].key.id;
    assert!(reason.ends_with(&format!("at https://example.com/?key=acme_{id}_[redacted]")), "{reason}");
}
