//! What keys were used for, and which of them reach more than they need, are used by nobody or end soon.

mod setup;

use std::sync::Arc;
use std::time::Duration;

use access_keys::lifecycle::hygiene::{Finding, HygieneQuery};
use access_keys::store::{KeyStore, MemoryStore, ScopeUse};
use access_keys::{
    AccessKeys, AgentId, AuditQuery, Clock, Cursor, Edit, Error, FakeClock, Grant, Issued, KeyId, ProjectId,
    ProjectKeys, PromptId, Scope,
};
use pollster::block_on;
use setup::altered::Altered;
use setup::faulty::FaultyStore;
use setup::{
    agent, agents, anything, builder, checkout, env, info, keys, keys_in, production, prompt, prompts,
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn issue<S: KeyStore>(
    project: &ProjectKeys<S>,
    name: &str,
    agents: Scope<AgentId>,
    prompts: Scope<PromptId>,
) -> Issued {
    block_on(project.generate(project.draft().info(info(name)).agents(agents).prompts(prompts).unwrap()))
        .unwrap()
}

fn verify<S: KeyStore>(keys: &AccessKeys<S>, issued: &Issued) -> Grant {
    block_on(keys.verify(issued.token.expose(), &production())).unwrap()
}

fn calls<S: KeyStore>(keys: &AccessKeys<S>, issued: &Issued, ids: &[&str]) {
    let grant = verify(keys, issued);
    ids.iter().for_each(|id| grant.require_agent(&agent(id)).unwrap());
}

/// What a key was used for, the latest first.
fn used<S: KeyStore>(project: &ProjectKeys<S>, id: KeyId) -> Vec<String> {
    let used = block_on(project.scope_used(&[id])).unwrap().unwrap();
    used[0].uses.iter().map(|used| used.resource.to_string()).collect()
}

/// Every finding of every page, as it is said, with the name of its key.
fn said<S: KeyStore>(project: &ProjectKeys<S>, query: HygieneQuery) -> Vec<String> {
    let (mut query, mut said) = (query, Vec::new());
    loop {
        let page = block_on(project.hygiene(&query)).unwrap();
        for found in page.items {
            assert!(!found.findings.is_empty());
            said.extend(found.findings.iter().map(|finding| format!("{}: {finding}", found.key.name)));
        }
        let Some(next) = page.next else { return said };
        query = query.after(next);
    }
}

#[test]
fn what_is_required_and_allowed_is_noted_and_nothing_else() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let issued = issue(&project, "x", agents(&["a", "b", "same"]), Scope::All);
    let grant = verify(&keys, &issued);
    assert_eq!(used(&project, issued.key.id), [""; 0]);

    assert!(grant.allows_agent(&agent("a")) && grant.allows_prompt(&prompt("p")));
    assert!(grant.require_agent(&agent("other")).is_err());
    assert_eq!(used(&project, issued.key.id), [""; 0]);

    grant.require_agent(&agent("same")).unwrap();
    assert_eq!(used(&project, issued.key.id), ["agent:same"]);
    grant.require_prompt(&prompt("same")).unwrap();
    assert_eq!(used(&project, issued.key.id), ["agent:same", "prompt:same"]);

    let again = block_on(keys.verifier().recheck(&grant)).unwrap();
    again.require_agent(&agent("b")).unwrap();
    assert_eq!(used(&project, issued.key.id), ["agent:b", "agent:same", "prompt:same"]);
}

#[test]
fn a_use_is_seen_on_its_node_at_once_and_on_others_once_it_is_written() {
    let store = Arc::new(MemoryStore::new());
    let ((one, _), (other, _)) = (keys_in(Arc::clone(&store)), keys_in(store));
    let issued = issue(&checkout(&one), "x", Scope::All, Scope::All);
    calls(&one, &issued, &["a"]);
    assert_eq!(used(&checkout(&one), issued.key.id), ["agent:a"]);
    assert_eq!(used(&checkout(&other), issued.key.id), [""; 0]);

    block_on(one.flush_uses()).unwrap();
    calls(&other, &issued, &["b"]);
    assert_eq!(used(&checkout(&one), issued.key.id), ["agent:a"]);
    assert_eq!(used(&checkout(&other), issued.key.id), ["agent:a", "agent:b"]);
}

#[test]
fn a_use_within_the_hour_is_not_written_again_and_a_later_one_is() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let issued = issue(&project, "x", Scope::All, Scope::All);
    let start = clock.wall();
    let last = || {
        block_on(keys.flush_uses()).unwrap();
        let uses = block_on(keys.store().scope_uses(&[issued.key.id])).unwrap().unwrap();
        let [used] = uses.as_slice() else { panic!("{uses:?}") };
        assert_eq!(used.since, start);
        used.at - start
    };
    for minutes in 0..240 {
        calls(&keys, &issued, &["a"]);
        let passed = chrono::TimeDelta::minutes(minutes);
        let behind = passed - last();
        assert!(behind <= chrono::TimeDelta::minutes(79), "{minutes} minutes in, {behind} behind");
        assert!(minutes == 0 || minutes >= 60 || behind == passed, "written again after {minutes} minutes");
        clock.advance(Duration::from_secs(60));
    }
}

#[test]
fn a_key_of_another_project_looks_as_if_it_did_not_exist() {
    let (keys, _) = keys();
    let issued = issue(&checkout(&keys), "x", Scope::All, Scope::All);
    calls(&keys, &issued, &["a"]);
    let other = keys.project(ProjectId::new("other").unwrap(), access_keys::Actor::user("eve").unwrap());
    let answer = block_on(other.scope_used(&[issued.key.id]));
    assert!(matches!(answer, Err(Error::NotFound { key }) if key == issued.key.id), "{answer:?}");
    assert_eq!(said(&other, HygieneQuery::default().never_used()), [""; 0]);
}

#[test]
fn a_hundred_of_a_kind_are_kept_and_that_there_were_more() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let issued = issue(&project, "x", Scope::All, Scope::All);
    let id = issued.key.id;
    let grant = verify(&keys, &issued);
    for i in 0..100 {
        grant.require_agent(&agent(&format!("agent-{i}"))).unwrap();
    }
    let look = || block_on(project.scope_used(&[id])).unwrap().unwrap().remove(0);
    assert_eq!((look().agents().count(), look().more_agents), (100, false));
    clock.advance(2 * DAY);
    let wide = || said(&project, HygieneQuery::default().wider_than_used(clock.wall() - DAY));
    calls(&keys, &issued, &["agent-7"]);
    assert_eq!(wide(), ["x: may reach all agents, has used 1: agent-7"]);

    for i in 100..5_000 {
        verify(&keys, &issued).require_agent(&agent(&format!("agent-{i}"))).unwrap();
        if i % 1_000 == 0 {
            block_on(keys.flush_uses()).unwrap();
        }
    }
    grant.require_prompt(&prompt("p")).unwrap();
    for _ in 0..2 {
        assert_eq!((look().agents().count(), look().more_agents), (100, true));
        assert_eq!((look().prompts().count(), look().more_prompts), (1, false));
        assert!(
            look().agents().all(|(id, _)| id.as_str().len() <= "agent-99".len()),
            "the first ones are kept"
        );
        block_on(keys.flush_uses()).unwrap();
    }
    let stored = block_on(keys.store().scope_uses(&[id])).unwrap().unwrap().len();
    assert!((101..=103).contains(&stored), "{stored} are stored");
    // Which of all it was not used for, nobody can say.
    assert_eq!(wide(), [""; 0]);
}

#[test]
fn uses_that_are_not_recorded_are_not_said_to_be_none() {
    let everything = |clock: &FakeClock| {
        HygieneQuery::default().never_used().idle_since(clock.wall()).wider_than_used(clock.wall())
    };
    let clock = FakeClock::default();
    let keys = builder(MemoryStore::new(), &clock).record_uses(false).build().unwrap();
    let project = checkout(&keys);
    let issued = issue(&project, "x", Scope::All, Scope::All);
    calls(&keys, &issued, &["a"]);
    clock.advance(DAY);
    assert_eq!(used(&project, issued.key.id), [""; 0]);
    assert_eq!(said(&project, everything(&clock)), [""; 0]);

    // A store that keeps none of agents and prompts still keeps the uses of secrets.
    let (keys, clock) = keys_in(Arc::new(Altered::default()));
    let project = checkout(&keys);
    let issued = issue(&project, "y", Scope::All, Scope::All);
    calls(&keys, &issued, &["a"]);
    clock.advance(DAY);
    calls(&keys, &issued, &["a"]);
    block_on(keys.flush_uses()).unwrap();
    assert_eq!(block_on(project.scope_used(&[issued.key.id])).unwrap(), None);
    let told = said(&project, everything(&clock).idle_since(clock.wall() + HOUR));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("y: last used on "), "{told:?}");
}

#[test]
fn a_key_is_wider_than_used_only_where_that_is_known() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let all = issue(&project, "all", Scope::All, Scope::All);
    clock.advance(Duration::from_secs(1));
    let some = issue(&project, "some", agents(&["a", "b", "c"]), prompts(&["p", "q"]));
    let start = clock.wall();
    let exact = issue(&project, "exact", agents(&["a"]), prompts(&["p"]));
    let wide = |since| said(&project, HygieneQuery::default().wider_than_used(since));
    assert_eq!(wide(start), [""; 0], "nothing is recorded of them");

    for issued in [&all, &some, &exact] {
        calls(&keys, issued, &["a"]);
    }
    verify(&keys, &some).require_prompt(&prompt("q")).unwrap();
    assert_eq!(
        wide(start),
        [
            "some: may reach 3 agents, has used 1: a",
            "some: may reach 2 prompts, has used 1: q",
            // Of prompts it is not known whether the host requires them.
            "all: may reach all agents, has used 1: a",
        ]
    );
    assert_eq!(wide(start - HOUR), [""; 0], "it is not known what they were used for before");

    clock.advance(10 * DAY);
    calls(&keys, &some, &["b"]);
    let lately = clock.wall() - 5 * DAY;
    assert_eq!(wide(lately), ["some: may reach 3 agents, has used 1: b"]);
    block_on(project.edit(some.key.id, Edit::new().agents(agents(&["b"])))).unwrap();
    assert_eq!(wide(lately), [""; 0]);
    block_on(project.edit(some.key.id, Edit::new().agents(agents(&["c", "d"])))).unwrap();
    assert_eq!(wide(lately), ["some: may reach 2 agents, has used none of them"]);
    block_on(project.edit(some.key.id, Edit::new().agents(agents(&["c"])))).unwrap();
    assert_eq!(wide(lately), ["some: may reach 1 agent, has not used it"]);
}

#[test]
fn a_finding_says_in_words_what_it_is() {
    let clock = FakeClock::new("2030-01-31T12:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    let keys = builder(MemoryStore::new(), &clock).build().unwrap();
    let project = checkout(&keys);
    let ending = info("ending").expires_at(clock.wall() + 30 * DAY);
    let review = project.draft().info(ending).agents(agents(&["a", "gone", "lost"])).prompts(prompts(&["q"]));
    let ending = block_on(project.generate(review.unwrap())).unwrap();
    clock.advance(Duration::from_secs(1));
    let _ = issue(&project, "never", Scope::All, Scope::All);
    calls(&keys, &ending, &["a"]);
    clock.advance(20 * DAY);
    let query = HygieneQuery::default()
        .never_used()
        .idle_since(clock.wall() - 7 * DAY)
        .expiring_before(clock.wall() + 14 * DAY)
        .agents_known([agent("a"), agent("b")])
        .prompts_known([prompt("p")]);
    assert_eq!(
        said(&project, query.clone()),
        [
            "never: never used since it was made on 2030-01-31",
            "ending: last used on 2030-01-31",
            "ending: expires 2030-03-02 12:00 UTC (in 10 days)",
            "ending: names 2 agents that no longer exist: gone, lost",
            "ending: names 1 prompt that no longer exists: q",
        ]
    );
    let idle = HygieneQuery::default().idle_since(clock.wall() - 7 * DAY);
    assert_eq!(
        said(&project, idle),
        ["never: never used since it was made on 2030-01-31", "ending: last used on 2030-01-31"]
    );
    assert_eq!(said(&project, HygieneQuery::default()), [""; 0], "nothing is looked for");
    calls(&keys, &ending, &["a"]);
    let found = block_on(project.hygiene(&query)).unwrap().items.pop().unwrap();
    assert!(!found.findings.iter().any(|finding| matches!(finding, Finding::Idle { .. })), "{found:?}");
}

#[test]
fn a_key_is_idle_or_ends_before_a_time_and_not_at_it() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let made = clock.wall();
    let review =
        project.draft().info(info("x").expires_at(made + DAY)).agents(Scope::All).prompts(Scope::All);
    let _ = block_on(project.generate(review.unwrap())).unwrap();
    let microsecond = Duration::from_micros(1);
    let found = |query| said(&project, query).len();
    let query = HygieneQuery::default;
    assert_eq!((found(query().idle_since(made)), found(query().idle_since(made + microsecond))), (0, 1));
    let end = made + DAY;
    let ending = [end, end + microsecond].map(|time| found(query().expiring_before(time)));
    assert_eq!(ending, [0, 1]);
}

#[test]
fn nothing_is_read_that_is_not_looked_for() {
    let store = FaultyStore::new();
    let keys = builder(Arc::clone(&store), &FakeClock::default()).build().unwrap();
    let project = checkout(&keys);
    let _ = issue(&project, "x", Scope::All, Scope::All);
    let query = HygieneQuery::default;
    // The keys, and of their uses what is asked for.
    for (query, calls) in [
        (query(), 1),
        (query().never_used(), 2),
        (query().wider_than_used(FakeClock::default().wall()), 2),
        (query().never_used().wider_than_used(FakeClock::default().wall()), 3),
    ] {
        store.heal();
        let _ = block_on(project.hygiene(&query)).unwrap();
        assert_eq!(store.calls(), calls, "{query:?}");
    }
}

#[test]
fn keys_that_reach_nothing_are_passed_over_and_pages_have_each_other_once() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    for i in 0..25 {
        let _ = issue(&project, &format!("key {i}"), Scope::All, Scope::All);
        clock.advance(Duration::from_secs(1));
    }
    let all = block_on(project.list(access_keys::KeyQuery::default())).unwrap().items;
    for key in &all[..10] {
        block_on(project.revoke(key.id, "")).unwrap();
    }
    block_on(project.edit(all[10].id, Edit::new().expires_at(clock.wall() + HOUR))).unwrap();
    block_on(project.deactivate(all[11].id)).unwrap();
    clock.advance(2 * HOUR);
    let query = HygieneQuery::default().never_used();
    let expected: Vec<&str> = all[11..].iter().map(|key| key.name.as_str()).collect();
    for limit in [1, 3, 25, 1_000] {
        let said = said(&project, query.clone().limit(limit));
        let names: Vec<&str> = said.iter().map(|said| said.split_once(':').unwrap().0).collect();
        assert_eq!(names, expected, "pages of {limit}");
    }
    let first = block_on(project.hygiene(&query.clone().limit(5))).unwrap();
    assert!(first.items.is_empty() && first.next.is_some(), "an empty page goes on");
    assert_eq!(said(&project, query.clone().environment(env("staging"))), [""; 0]);
    assert_eq!(said(&project, query.clone().environment(production())).len(), expected.len());
    for limit in [0, 1_001] {
        let answer = block_on(project.hygiene(&query.clone().limit(limit)));
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
    let event = block_on(project.history(AuditQuery::default())).unwrap().items.remove(0);
    let answer = block_on(project.hygiene(&query.after(Cursor::of_event(&event))));
    assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
}

#[test]
fn a_grant_that_outlives_its_verifier_notes_nothing_and_does_no_harm() {
    let (keys, _) = keys();
    let issued = block_on(checkout(&keys).generate(anything())).unwrap();
    let grant = verify(&keys, &issued);
    drop(keys);
    grant.require_agent(&agent("a")).unwrap();
}

#[test]
fn what_a_store_tells_of_other_keys_is_not_believed() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let [one, other] = ["one", "other"].map(|name| issue(&project, name, Scope::All, Scope::All));
    let uses = [&one, &other].map(|issued| ScopeUse::new(issued.key.id, agent("a"), clock.wall()));
    block_on(keys.store().record_scope_uses(&uses)).unwrap();
    let asked = [other.key.id, one.key.id, other.key.id];
    let used = block_on(project.scope_used(&asked)).unwrap().unwrap();
    assert_eq!(used.iter().map(|used| used.key).collect::<Vec<_>>(), asked);
    assert!(used.iter().all(|used| used.uses.len() == 1));
    assert_eq!(block_on(project.scope_used(&[])).unwrap(), Some(vec![]));
}
