//! What keys are used for outlives the process, and is found by another.

use access_keys::lifecycle::hygiene::HygieneQuery;
use access_keys::{AgentId, EnvironmentId, KeyInfo, PromptId, Scope};
use pollster::block_on;
use sqlite_tests::{File, checkout, generate, production};

#[test]
fn what_a_key_was_used_for_is_there_after_reopening_and_a_key_that_is_too_wide_is_found() {
    let file = File::new();
    let keys = file.keys();
    let project = checkout(&keys);
    let info = KeyInfo::new("Wide app", EnvironmentId::new("production").unwrap()).unwrap();
    let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All).unwrap();
    let wide = block_on(project.generate(review)).unwrap();
    let grant = block_on(keys.verify(wide.token.expose(), &production())).unwrap();
    for agent in ["triage", "support-bot"] {
        grant.require_agent(&AgentId::new(agent).unwrap()).unwrap();
    }
    grant.require_prompt(&PromptId::new("greeting").unwrap()).unwrap();
    let unused = generate(&project, "Plain app");
    let before = block_on(project.scope_used(&[wide.key.id, unused.key.id])).unwrap().unwrap();
    block_on(keys.flush_uses()).unwrap();
    drop((project, keys));

    let keys = file.keys();
    let project = checkout(&keys);
    let after = block_on(project.scope_used(&[wide.key.id, unused.key.id])).unwrap().unwrap();
    assert_eq!(after, before);
    assert_eq!((after[0].agents().count(), after[0].prompts().count(), after[1].uses.len()), (2, 1, 0));
    let query = HygieneQuery::default().never_used().wider_than_used(project.now());
    let page = block_on(project.hygiene(&query)).unwrap();
    let said: Vec<String> =
        page.items.iter().flat_map(|found| found.findings.iter().map(ToString::to_string)).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("never used since it was made on "), "{said:?}");
    assert_eq!(said[1], "may reach all agents, has used 2: support-bot, triage");
    assert_eq!(said[2], "may reach all prompts, has used 1: greeting");
}

#[test]
fn no_more_than_a_hundred_and_one_of_a_kind_are_stored_whoever_writes_them() {
    let file = File::new();
    let keys = file.keys();
    let issued = generate(&checkout(&keys), "Mobile app");
    let sql = format!(
        "WITH RECURSIVE number (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM number WHERE i < 500) \
         INSERT INTO scope_uses SELECT '{}', 'agent:' || i, 0, 0 FROM number",
        issued.key.id
    );
    file.raw().execute_batch(&sql).unwrap();
    let count = |kind: &str| {
        let sql = format!("SELECT count(*) FROM scope_uses WHERE resource GLOB '{kind}:*'");
        file.raw().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((count("agent"), count("prompt")), (101, 0));
    let used = block_on(checkout(&keys).scope_used(&[issued.key.id])).unwrap().unwrap();
    assert_eq!((used[0].agents().count(), used[0].more_agents, used[0].more_prompts), (100, true, false));
}
