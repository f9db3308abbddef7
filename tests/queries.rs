//! Questions about keys and about what was done to them: filters, pages, limits.

mod setup;

use std::time::Duration;

use access_keys::domain::{Action, Field, Rule, Unit};
use access_keys::store::MemoryStore;
use access_keys::{
    AccessKey, Actor, AuditQuery, Cursor, Edit, Error, FakeClock, Invalid, KeyId, KeyInfo, KeyQuery,
    KeyState, OperationId, ProjectKeys, Scope, Status,
};
use chrono::{DateTime, TimeDelta};
use pollster::block_on;
use setup::{agent, agents, anything, checkout, env, in_seconds, info, keys, prompt, prompts, review};

#[track_caller]
fn assert_invalid<T>(result: Result<T, Error>, field: Field, rule: &Rule, printed: &str) {
    let Err(Error::Invalid(invalid)) = result else { panic!("should be: {printed}") };
    assert_eq!((invalid.field, &invalid.rule), (field, rule));
    assert_eq!(invalid.to_string(), printed);
}

#[test]
fn a_limit_is_1_to_1000_and_50_unless_set() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    assert_eq!((KeyQuery::default().limit, AuditQuery::default().limit), (50, 50));
    for good in [1, 1_000] {
        block_on(project.list(KeyQuery::default().limit(good))).unwrap();
        block_on(project.history(AuditQuery::default().limit(good))).unwrap();
    }
    for bad in [0, 1_001, usize::MAX] {
        let given = u64::try_from(bad).unwrap();
        let rule = Rule::Range { min: 1, max: 1_000, given };
        let printed = format!("limit must be 1 to 1000, is {given}");
        let listed = block_on(project.list(KeyQuery::default().limit(bad)));
        assert_invalid(listed, Field::Limit, &rule, &printed);
        let told = block_on(project.history(AuditQuery::default().limit(bad)));
        assert_invalid(told, Field::Limit, &rule, &printed);
    }
}

#[test]
fn a_page_has_at_most_50_keys_unless_told_otherwise() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    for _ in 0..51 {
        let _ = block_on(project.generate(anything())).unwrap();
    }
    let page = block_on(project.list(KeyQuery::default())).unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (50, true));
    assert_eq!(block_on(project.history(AuditQuery::default())).unwrap().items.len(), 50);
    let page = block_on(project.list(KeyQuery::default().limit(51))).unwrap();
    assert_eq!((page.items.len(), page.next), (51, None));
}

#[test]
fn the_text_of_a_search_has_at_most_100_characters() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    for good in [String::new(), "\u{1F511}".repeat(100)] {
        block_on(project.list(KeyQuery::default().name(good))).unwrap();
    }
    let listed = block_on(project.list(KeyQuery::default().name("\u{1F511}".repeat(101))));
    let rule = Rule::Length { min: 0, max: 100, unit: Unit::Characters, given: 101 };
    assert_invalid(listed, Field::Name, &rule, "name must have at most 100 characters, has 101");
}

#[test]
fn a_cursor_that_no_page_gave_is_invalid() {
    let id = "7Hq2LkP9sTz4WcX1";
    for good in [format!("k.0.{id}"), format!("e.1893456000000000.{id}"), format!("k.-1.{id}")] {
        let cursor: Cursor = good.parse().unwrap();
        assert_eq!(cursor.to_string(), good);
        assert_eq!(serde_json::from_value::<Cursor>(serde_json::to_value(cursor).unwrap()).unwrap(), cursor);
    }
    for bad in [
        String::new(),
        "page-2".to_owned(),
        "k".to_owned(),
        "k..".to_owned(),
        format!("x.0.{id}"),
        format!("K.0.{id}"),
        format!("k.0.{id}."),
        format!("k.0.{id}.0"),
        format!("k.0.{}", &id[1..]),
        format!("k.0.{id}1"),
        format!("k.+1.{id}"),
        format!("k.01.{id}"),
        format!("k.-0.{id}"),
        format!("k.1e3.{id}"),
        format!("k.9223372036854775807.{id}"),
        format!("k.9223372036854775808.{id}"),
        format!(" k.0.{id}"),
        format!("k.0.{}-", &id[1..]),
        format!("k.0.{}é", &id[2..]),
        "k.0.\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_owned(),
    ] {
        let invalid: Invalid = bad.parse::<Cursor>().unwrap_err();
        let expected = "a cursor of an earlier page";
        assert_eq!(
            (invalid.field, &invalid.rule),
            (Field::Cursor, &Rule::Unreadable { expected, given: bad.len() })
        );
        let printed = format!("cursor must be {expected}, is other text of {} bytes", bad.len());
        assert_eq!(invalid.to_string(), printed);
        let json = serde_json::to_string(&bad).unwrap();
        assert!(serde_json::from_str::<Cursor>(&json).is_err(), "{bad}");
    }
}

#[test]
fn a_cursor_of_the_other_list_is_invalid() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let key = block_on(project.generate(anything())).unwrap().key;
    let event = block_on(project.history(AuditQuery::default())).unwrap().items.remove(0);
    let (of_key, of_event) = (Cursor::of_key(&key), Cursor::of_event(&event));
    let problem = "is of a history, must be of a list of keys";
    let listed = block_on(project.list(KeyQuery::default().after(of_event)));
    let printed = format!("cursor {problem}");
    assert_invalid(listed, Field::Cursor, &Rule::Inconsistent { problem }, &printed);
    let problem = "is of a list of keys, must be of a history";
    let told = block_on(project.history(AuditQuery::default().after(of_key)));
    let printed = format!("cursor {problem}");
    assert_invalid(told, Field::Cursor, &Rule::Inconsistent { problem }, &printed);
    block_on(project.list(KeyQuery::default().after(of_key))).unwrap();
    block_on(project.history(AuditQuery::default().after(of_event))).unwrap();
}

/// Keys whose names tell what they are, on a clock that has passed the expiry of the expired ones.
fn population() -> (ProjectKeys<MemoryStore>, FakeClock) {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let end = in_seconds(&clock, 10);
    let later = in_seconds(&clock, 1_000);
    for (name, expires_at, status) in [
        ("active", None, Status::Active),
        ("active-until", Some(later), Status::Active),
        ("paused", None, Status::Inactive),
        ("expired", Some(end), Status::Active),
        ("expired-paused", Some(end), Status::Inactive),
        ("revoked", None, Status::Revoked),
        ("expired-revoked", Some(end), Status::Revoked),
    ] {
        let info = expires_at.into_iter().fold(info(name), KeyInfo::expires_at);
        let id = block_on(project.generate(review(info))).unwrap().key.id;
        match status {
            Status::Inactive => drop(block_on(project.deactivate(id)).unwrap()),
            Status::Revoked => drop(block_on(project.revoke(id, "")).unwrap()),
            _ => {}
        }
    }
    clock.advance(Duration::from_secs(10));
    (project, clock)
}

fn names(project: &ProjectKeys<MemoryStore>, query: KeyQuery) -> Vec<String> {
    let mut names: Vec<_> =
        block_on(project.list(query)).unwrap().items.into_iter().map(|key| key.name).collect();
    names.sort();
    names
}

#[test]
fn keys_are_found_by_what_they_were_set_to() {
    let (project, _) = population();
    let of = |status| names(&project, KeyQuery::default().status(status));
    assert_eq!(of(Status::Active), ["active", "active-until", "expired"]);
    assert_eq!(of(Status::Inactive), ["expired-paused", "paused"]);
    assert_eq!(of(Status::Revoked), ["expired-revoked", "revoked"]);
}

#[test]
fn keys_are_found_by_what_they_are_at_the_time_of_the_query() {
    let (project, clock) = population();
    let of = |state| names(&project, KeyQuery::default().state(state));
    assert_eq!(of(KeyState::Active), ["active", "active-until"]);
    assert_eq!(of(KeyState::Inactive), ["paused"]);
    assert_eq!(of(KeyState::Expired), ["expired", "expired-paused"]);
    assert_eq!(of(KeyState::Revoked), ["expired-revoked", "revoked"]);
    clock.advance(Duration::from_micros(989_999_999));
    assert_eq!(of(KeyState::Active), ["active", "active-until"]);
    clock.advance(Duration::from_micros(1));
    assert_eq!(of(KeyState::Active), ["active"]);
    // The library's clock counts, not what the caller wrote into the query.
    let mut query = KeyQuery::default().state(KeyState::Active);
    query.now = DateTime::UNIX_EPOCH;
    assert_eq!(names(&project, query), ["active"]);
}

#[test]
fn keys_are_found_by_an_expiry_before_a_time() {
    let (project, clock) = population();
    let before = |time| names(&project, KeyQuery::default().expiring_before(time));
    let expired = ["expired", "expired-paused", "expired-revoked"];
    assert_eq!(before(in_seconds(&clock, 0)), [""; 0]);
    assert_eq!(before(in_seconds(&clock, 0) + TimeDelta::microseconds(1)), expired);
    assert_eq!(before(in_seconds(&clock, 990)), expired);
    let all = before(in_seconds(&clock, 990) + TimeDelta::microseconds(1));
    assert_eq!(all, ["active-until", "expired", "expired-paused", "expired-revoked"]);
}

#[test]
fn keys_are_found_by_environment_and_by_all_filters_at_once() {
    let (project, _) = population();
    let staging = KeyInfo::new("active in staging", env("staging")).unwrap();
    let _ = block_on(project.generate(review(staging))).unwrap();
    assert_eq!(names(&project, KeyQuery::default().environment(env("staging"))), ["active in staging"]);
    assert_eq!(names(&project, KeyQuery::default().environment(env("Staging"))), [""; 0]);
    let both = KeyQuery::default().state(KeyState::Active).name("ACTIVE").environment(env("production"));
    assert_eq!(names(&project, both.clone()), ["active", "active-until"]);
    assert_eq!(names(&project, both.clone().environment(None)).len(), 3);
    assert_eq!(names(&project, both.status(Status::Inactive)), [""; 0]);
}

#[test]
fn keys_are_found_by_the_agents_and_prompts_that_they_reach() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    for (name, agents, prompts) in [
        ("all", Scope::All, Scope::All),
        ("a and b", agents(&["a", "b"]), Scope::none()),
        ("b and p", agents(&["b"]), prompts(&["p"])),
        ("p", Scope::none(), prompts(&["p"])),
        ("prefix", agents(&["aa"]), prompts(&["pp"])),
    ] {
        let draft = project.draft().info(info(name)).agents(agents).prompts(prompts).unwrap();
        let _ = block_on(project.generate(draft)).unwrap();
    }
    assert_eq!(names(&project, KeyQuery::default().agent(agent("a"))), ["a and b", "all"]);
    assert_eq!(names(&project, KeyQuery::default().agent(agent("made-later"))), ["all"]);
    assert_eq!(names(&project, KeyQuery::default().prompt(prompt("p"))), ["all", "b and p", "p"]);
    let both = KeyQuery::default().agent(agent("b")).prompt(prompt("p"));
    assert_eq!(names(&project, both), ["all", "b and p"]);
}

#[test]
fn a_name_is_found_by_a_part_of_it_whatever_its_case() {
    for (name, text, found) in [
        ("Mobile App", "bile a", true),
        ("Mobile App", "MOBILE", true),
        ("Mobile App", "mobile  app", false),
        ("Mobile App", "", true),
        ("a%b_c\\d", "%B_C\\", true),
        ("abc", "a%c", false),
        ("abc", "a_c", false),
        ("a*b", "A*", true),
        // U+0130 becomes two characters, an i and a dot above.
        ("İstanbul", "i\u{307}stanbul", true),
        ("İstanbul", "İST", true),
        ("İstanbul", "istanbul", false),
        ("İstanbul", "i", true),
        ("ışık", "IŞIK", false),
        // The capital sharp s has a small one, which is not two.
        ("STRAẞE", "straße", true),
        ("Straße", "STRASSE", false),
        ("ÉCLAIR", "éclair", true),
        ("E\u{301}CLAIR", "éclair", false),
        ("ПРИВЕТ", "привет", true),
        // A sigma at the end of a word has a form of its own.
        ("ΟΔΟΣ", "οδος", true),
        ("ΟΔΟΣ", "οδοσ", false),
        ("ΟΔΟΣΑ", "ΟΔΟΣ", false),
        ("ＡＢＣ", "ａｂｃ", true),
        ("ab\u{200B}c", "abc", false),
    ] {
        let (keys, _) = keys();
        let project = checkout(&keys);
        let key = block_on(project.generate(review(info(name)))).unwrap().key;
        let query = KeyQuery::default().name(text);
        assert_eq!(query.matches(&key), found, "{text:?} in {name:?}");
        assert_eq!(names(&project, query.clone()).len(), usize::from(found), "{text:?} in {name:?}");
        assert_eq!(query.page([&key]).items.len(), usize::from(found));
    }
}

/// Every page of a query, one after the other, with something done in between.
fn pages(
    project: &ProjectKeys<MemoryStore>,
    mut query: KeyQuery,
    mut between: impl FnMut(),
) -> Vec<Vec<AccessKey>> {
    let mut pages = Vec::new();
    loop {
        let page = block_on(project.list(query.clone())).unwrap();
        pages.push(page.items);
        match page.next {
            None => return pages,
            // As it comes back from a web page.
            Some(next) => query = query.after(next.to_string().parse::<Cursor>().unwrap()),
        }
        between();
    }
}

#[test]
fn pages_stay_stable_while_keys_come_and_change() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let mut made = Vec::new();
    for i in 0..9 {
        made.push(block_on(project.generate(anything())).unwrap().key.id);
        // Three keys to a moment, told apart by their ids.
        clock.advance(Duration::from_micros(u64::from(i % 3 == 2)));
    }
    let found = pages(&project, KeyQuery::default().limit(2), || {
        clock.advance(Duration::from_micros(1));
        let newer = block_on(project.generate(anything())).unwrap().key.id;
        block_on(project.edit(newer, Edit::new().name("newer").unwrap())).unwrap();
        block_on(project.edit(made[0], Edit::new().description(newer).unwrap())).unwrap();
    });
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 2, 1]);
    let found: Vec<_> = found.iter().flatten().collect();
    let order = |key: &&AccessKey| std::cmp::Reverse((key.created_at, key.id));
    assert!(found.is_sorted_by_key(order));
    let mut ids: Vec<KeyId> = found.iter().map(|key| key.id).collect();
    ids.sort();
    made.sort();
    assert_eq!(ids, made);
}

#[test]
fn there_is_no_next_after_the_last_page() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    assert_eq!(pages(&project, KeyQuery::default().limit(2), || {}), [[]]);
    let fill = |n: usize| (0..n).for_each(|_| drop(block_on(project.generate(anything())).unwrap()));
    fill(4);
    let lens = |limit| {
        pages(&project, KeyQuery::default().limit(limit), || {}).iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!((lens(1), lens(2), lens(3), lens(4)), (vec![1; 4], vec![2, 2], vec![3, 1], vec![4]));
    assert_eq!(lens(1_000), [4]);
}

#[test]
fn a_history_is_found_by_key_actor_action_and_operation() {
    let (keys, _) = keys();
    let ada = checkout(&keys);
    let bob = keys.project("checkout".parse().unwrap(), Actor::system("bob").unwrap());
    let first = block_on(ada.generate(anything())).unwrap().key.id;
    let operation = OperationId::new("req-7").unwrap();
    let second = block_on(bob.operation(operation.clone()).generate(anything())).unwrap().key.id;
    block_on(bob.deactivate(first)).unwrap();
    block_on(ada.revoke(first, "gone")).unwrap();
    let told = |query| {
        let items = block_on(ada.history(query)).unwrap().items;
        items.iter().map(|event| (event.key, event.action)).collect::<Vec<_>>()
    };
    use Action::{Activated, Created, Deactivated, Revoked};
    let all = || AuditQuery::default();
    assert_eq!(told(all()).len(), 4);
    assert_eq!(told(all().key(first)), [(first, Revoked), (first, Deactivated), (first, Created)]);
    assert_eq!(told(all().actor(Actor::user("bob").unwrap())), []);
    assert_eq!(told(all().actor(Actor::system("bob").unwrap()).key(first)), [(first, Deactivated)]);
    assert_eq!(told(all().action(Activated)), []);
    assert_eq!(told(all().action(Created)).len(), 2);
    assert_eq!(told(all().operation(operation)), [(second, Created)]);
}
