//! How PostgreSQL finds what each statement asks for, also within the triggers: as the server itself tells of the
//! statements that the store sends.

use std::fs;
use std::time::{Duration, SystemTime};

use access_keys::store::{Changes, KeyStore, KeyUse, ScopeUse};
use access_keys::{AuditQuery, Edit, KeyQuery, OperationId, Scope};
use postgres_tests::{Server, checkout, generate, keys_of, open, raw, run};

const SETTINGS: &str = "session_preload_libraries = 'auto_explain'\nauto_explain.log_min_duration = 0\n\
    auto_explain.log_nested_statements = on\nautovacuum = off";
/// So many rows that the server would rather look at an index than at all of them.
const FILL: &str = "
    SET search_path = access_keys, pg_temp;
    ALTER TABLE keys DISABLE TRIGGER USER; ALTER TABLE events DISABLE TRIGGER USER;
    INSERT INTO events SELECT 1000 + i, lpad(i::text, 16, 'e'), project, lpad(i::text, 16, 'k'), at + i, actor, action, 1,
        changes, reason, operation FROM events, generate_series(1, 30000) AS i WHERE seq = (SELECT min(seq) FROM events);
    INSERT INTO keys SELECT lpad(i::text, 16, 'k'), project, environment, name, name_search, description, agents, prompts,
        status, expires_at, 1, created_at + i, created_by, updated_at, origin, digest, generation, issued_by,
        older_digest, older_generation, older_issued_by, older_ends_at, lpad(i::text, 16, 'e')
        FROM (SELECT * FROM keys ORDER BY created_at LIMIT 1) AS one, generate_series(1, 30000) AS i;
    INSERT INTO uses SELECT id, 1, created_at FROM keys;
    INSERT INTO scope_uses SELECT id, 'agent:' || i, created_at, created_at FROM keys, generate_series(1, 3) AS i;
    VACUUM ANALYZE keys; VACUUM ANALYZE events; VACUUM ANALYZE uses; VACUUM ANALYZE scope_uses";

/// What the log says of the statements of the store since its first so many bytes.
fn plans(server: &Server, from: usize) -> Vec<String> {
    let log = fs::read_to_string(server.data().join("log")).unwrap();
    let mut plans: Vec<String> = Vec::new();
    for line in log[from..].lines() {
        if line.contains(" LOG:  ") {
            plans.push(String::new());
        }
        if let Some(plan) = plans.last_mut() {
            plan.push_str(line);
            plan.push('\n');
        }
    }
    plans.retain(|plan| plan.contains("plan:"));
    plans
}

fn looks_at_all(plan: &str) -> bool {
    plan.lines().any(|line| {
        let of_table = ["keys", "events", "uses", "scope_uses"]
            .iter()
            .any(|table| line.contains(&format!(" on {table}")));
        line.contains("Seq Scan") && of_table
    })
}

#[test]
fn every_statement_finds_its_rows_by_an_index() {
    let server = Server::start(SETTINGS);
    run(async {
        let store = open(&server, "access_keys").await;
        let keys = keys_of(store.clone());
        let project = checkout(&keys);
        let first = generate(&project, "Mobile app").await.key.id;
        let client = raw(&server.address()).await;
        for sql in FILL.split(';') {
            client.batch_execute(sql).await.unwrap();
        }
        let restore = "SELECT format('ALTER TABLE access_keys.%I ENABLE ALWAYS TRIGGER %I', relname, tgname) \
            FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = 'access_keys'::regnamespace";
        for row in client.query(restore, &[]).await.unwrap() {
            client.batch_execute(row.get(0)).await.unwrap();
        }
        let begin = fs::read_to_string(server.data().join("log")).unwrap().len();

        let store = open(&server, "access_keys").await;
        let keys = keys_of(store.clone());
        let project = checkout(&keys);
        let Changes::Everything { next, .. } = store.changes(None).await.unwrap() else { panic!() };
        let issued = generate(&project, "Web app").await.key.id;
        assert!(matches!(store.changes(Some(&next)).await.unwrap(), Changes::Since { .. }));
        drop(project.edit(first, Edit::new().name("App").unwrap().agents(Scope::All)).await.unwrap());
        drop(store.get(first).await.unwrap());
        store.record_use(&[KeyUse::new(first, 1, SystemTime::now())]).await.unwrap();
        store.last_uses(&[first, issued]).await.unwrap();
        let agent = access_keys::AgentId::new("triage").unwrap();
        let reached = ScopeUse::new(first, agent.clone(), SystemTime::now());
        store.record_scope_uses(&[reached]).await.unwrap();
        assert!(store.scope_uses(&[first, issued]).await.unwrap().is_some());
        assert_eq!(store.get_many(&[first, issued]).await.unwrap().len(), 2);
        let query = KeyQuery::default();
        for query in [query.clone(), query.clone().name("nobody"), query.clone().agent(agent)] {
            let page = project.list(query.clone()).await.unwrap();
            if let Some(next) = page.next {
                project.list(query.after(next)).await.unwrap();
            }
        }
        let query = AuditQuery::default();
        let operation = OperationId::new("none").unwrap();
        for query in [query.clone(), query.clone().key(first), query.operation(operation)] {
            project.history(query).await.unwrap();
        }
        drop(project.revoke(first, "leaked").await.unwrap());
        store.set_max_staleness(Duration::from_secs(2)).await.unwrap();
        store.begin_incarnation().await.unwrap();

        let plans = plans(&server, begin);
        let of_tables =
            |table: &str| plans.iter().filter(|plan| plan.contains(&format!(" on {table}"))).count();
        println!("{} plans, {} of keys, {} of events", plans.len(), of_tables("keys"), of_tables("events"));
        assert!(of_tables("keys") > 10 && of_tables("events") > 8 && of_tables("uses") > 1);
        for index in [
            "keys_pkey",
            "keys_of_project",
            "events_pkey",
            "events_of_id",
            "events_of_project",
            "events_of_key",
            "uses_pkey",
            "scope_uses_pkey",
        ] {
            assert!(plans.iter().any(|plan| plan.contains(index)), "{index} is of no use");
        }
        for plan in &plans {
            let counts = plan.contains("count(*)") && plan.contains("migrations");
            assert!(counts || !looks_at_all(plan), "{plan}");
        }
        // What would not see one would find none.
        client.batch_execute("SELECT FROM access_keys.keys WHERE name = 'x'").await.unwrap();
        assert!(self::plans(&server, begin).iter().any(|plan| looks_at_all(plan)));
    });
}
