//! Someone writes the file without the triggers in the way: every column that a history proves is noticed.

use std::time::Duration;

use access_keys::store::SqliteStore;
use access_keys::{
    AccessKeys, Actor, AgentId, Edit, KeyId, OperationId, Pepper, ProjectId, ProjectKeys, Scope,
};
use pollster::block_on;
use rusqlite::Connection;
use sqlite_tests::{File, columns, generate, triggers};

fn project(file: &File) -> ProjectKeys<SqliteStore> {
    let pepper = Pepper::new(1, [7; 32]).unwrap();
    let keys = AccessKeys::builder(file.open()).prefix("acme").pepper(pepper).build().unwrap();
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

fn scene(file: &File) -> KeyId {
    let project = project(file);
    let id = generate(&project, "Mobile app").key.id;
    let agents = Scope::specific([AgentId::new("support-bot").unwrap()]).unwrap();
    block_on(async {
        project.edit(id, Edit::new().agents(agents).description("iOS").unwrap()).await.unwrap();
        project.operation(OperationId::new("req-7").unwrap()).deactivate(id).await.unwrap();
        drop(project.rotate(id, Duration::from_secs(60)).await.unwrap());
        project.revoke(id, "leaked").await.unwrap();
    });
    id
}

/// What stands there is exchanged for something that could: `None` for what proves itself or is found otherwise.
fn forged(table: &str, column: &str) -> Option<&'static str> {
    Some(match (table, column) {
        ("keys", "project") | ("events", "project") => "'billing'",
        ("keys", "environment") => "'staging'",
        ("keys", "name") => "'Another'",
        ("keys", "description") => "'Android'",
        ("keys", "agents" | "prompts") => "'[\"triage\"]'",
        ("keys", "status") => "'active'",
        ("keys", "expires_at") => "253402300799999999",
        ("keys" | "events", "revision") => "revision + 1",
        ("keys", "created_at" | "updated_at") => "created_at - 1",
        ("keys", "created_by") => "'user:eve'",
        ("keys", "generation") => "generation + 1",
        ("keys", "last_event") => "'0000000000000001'",
        ("keys", "last_seal") => "(SELECT seal FROM events WHERE revision = 2)",
        ("events", "id") => "substr(id, 2) || '0'",
        ("events", "key") => "'0000000000000001'",
        ("events", "at") => "at - 1",
        ("events", "actor") => "'user:eve'",
        ("events", "action") => "CASE action WHEN 'activated' THEN 'deactivated' ELSE 'activated' END",
        ("events", "changes") => "'[]'",
        ("events", "reason") => "'because:as planned'",
        ("events", "operation") => "'operation:req-9'",
        ("events", "seal") => "'none'",
        // The position in the feed; what is derived; the digests, which a pepper proves; one word that has no other.
        ("events", "seq")
        | ("keys", "id" | "name_search" | "digest" | "issued_by" | "origin")
        | ("keys", "older_digest" | "older_generation" | "older_issued_by" | "older_ends_at") => return None,
        (table, column) => panic!("{table}.{column} is new: what would someone write there?"),
    })
}

#[test]
fn every_column_that_was_forged_is_noticed() {
    let file = File::new();
    let id = scene(&file);
    let mut tried = 0;
    for table in ["keys", "events"] {
        for column in columns(&file.raw(), table) {
            let Some(value) = forged(table, &column) else { continue };
            for revision in 1..=if table == "keys" { 1 } else { 5 } {
                let copy = File::new();
                file.raw().execute("VACUUM INTO ?1", [copy.path().to_str().unwrap()]).unwrap();
                let place =
                    if table == "keys" { "true".to_owned() } else { format!("revision = {revision}") };
                let sql = format!("UPDATE {table} SET {column} = {value} WHERE {place}");
                without_triggers(&copy.raw(), &sql);
                let report = block_on(project(&copy).verify_history(id));
                // What cannot be read at all is an error of the store, and a key elsewhere is not found.
                let noticed = report.as_ref().map_or(true, |report| !report.is_intact());
                assert!(noticed, "{sql}: {}", report.unwrap());
                tried += 1;
            }
        }
    }
    assert!(tried >= 60, "{tried}");
    let report = block_on(project(&file).verify_history(id)).unwrap();
    assert!(report.is_intact(), "{report}");
}

/// Runs a statement as if there were no triggers, and puts them back.
fn without_triggers(file: &Connection, sql: &str) {
    let own = triggers(file);
    let dropped: String = own.iter().map(|(name, _)| format!("DROP TRIGGER {name};")).collect();
    let made: String = own.iter().map(|(_, sql)| format!("{sql};")).collect();
    file.execute_batch(&format!(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN; {dropped} {sql}; {made} COMMIT"
    ))
    .unwrap();
}
