//! What keys are used for on one node is found by another.

use std::sync::LazyLock;

use access_keys::lifecycle::hygiene::HygieneQuery;
use access_keys::{AgentId, KeyInfo, PromptId, Scope};
use postgres_tests::{Server, checkout, fresh, generate, keys_of, open, production, raw, run};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

#[test]
fn what_a_key_was_used_for_is_seen_by_another_node_and_a_key_that_is_too_wide_is_found() {
    run(async {
        let schema = fresh();
        let (one, other) = (keys_of(open(&SERVER, &schema).await), keys_of(open(&SERVER, &schema).await));
        let project = checkout(&one);
        let info = KeyInfo::new("Wide app", production()).unwrap();
        let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All).unwrap();
        let wide = project.generate(review).await.unwrap();
        let unused = generate(&project, "Plain app").await;
        for (node, agent) in [(&one, "triage"), (&other, "triage"), (&other, "support-bot")] {
            let grant = node.verify(wide.token.expose(), &production()).await.unwrap();
            grant.require_agent(&AgentId::new(agent).unwrap()).unwrap();
            grant.require_prompt(&PromptId::new("greeting").unwrap()).unwrap();
        }
        one.flush_uses().await.unwrap();
        other.flush_uses().await.unwrap();

        let ids = [wide.key.id, unused.key.id];
        let used = project.scope_used(&ids).await.unwrap().unwrap();
        assert_eq!((used[0].agents().count(), used[0].prompts().count(), used[1].uses.len()), (2, 1, 0));
        let query = HygieneQuery::default().never_used().wider_than_used(checkout(&other).now());
        let page = checkout(&other).hygiene(&query).await.unwrap();
        let said: Vec<String> =
            page.items.iter().flat_map(|found| found.findings.iter().map(ToString::to_string)).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("never used since it was made on "), "{said:?}");
        assert_eq!(said[1], "may reach all agents, has used 2: support-bot, triage");
        assert_eq!(said[2], "may reach all prompts, has used 1: greeting");
    });
}

#[test]
fn no_more_than_a_hundred_and_one_of_a_kind_are_stored_whoever_writes_them() {
    run(async {
        let schema = fresh();
        let keys = keys_of(open(&SERVER, &schema).await);
        let issued = generate(&checkout(&keys), "Mobile app").await;
        let client = raw(&SERVER.address()).await;
        let sql = format!(
            "INSERT INTO {schema}.scope_uses SELECT '{}', 'agent:' || i, 0, 0 FROM generate_series(1, 500) AS i",
            issued.key.id
        );
        client.batch_execute(&sql).await.unwrap();
        let count =
            client.query_one(&format!("SELECT count(*) FROM {schema}.scope_uses"), &[]).await.unwrap();
        assert_eq!(count.get::<_, i64>(0), 101);
        let used = checkout(&keys).scope_used(&[issued.key.id]).await.unwrap().unwrap();
        assert_eq!((used[0].agents().count(), used[0].more_agents, used[0].more_prompts), (100, true, false));
    });
}
