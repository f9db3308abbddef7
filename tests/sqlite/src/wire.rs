//! A store that another process has: each call is a line of JSON, and so is each answer.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use access_keys::store::{
    ChangeCursor, Changes, FeedState, KeyStore, KeyUse, ScopeUse, SqliteStore, StoreError, StoredKey,
    async_trait,
};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};
use chrono::{DateTime, Utc};
use pollster::block_on;
use serde_json::{Value, json};

/// The store of a process of its own, which ends with this.
#[derive(Debug)]
pub struct Remote {
    process: Child,
    lines: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    /// By which this process learns that something changed.
    here: SqliteStore,
}

impl Remote {
    /// Starts `server`, which opens the file at `path`.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(server: &str, path: &Path) -> Self {
        let mut command = Command::new(server);
        let mut process = command.arg(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let lines = Mutex::new(Some((process.stdin.take().unwrap(), says)));
        Self { process, lines, here: block_on(SqliteStore::open(path)).unwrap() }
    }

    fn ask(&self, call: &Value) -> Result<Value, StoreError> {
        let mut lines = self.lines.lock().unwrap();
        let (input, output) = lines.as_mut().unwrap();
        writeln!(input, "{call}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        let text = answer["text"].as_str().unwrap_or_default().to_owned();
        match answer["error"].as_str() {
            None => Ok(answer["ok"].take()),
            Some("exists") => Err(StoreError::AlreadyExists),
            Some("conflict") => Err(StoreError::Conflict),
            Some("unknown") => Err(StoreError::outcome_unknown(text)),
            Some(_) => Err(StoreError::backend(text)),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        drop(self.lines.lock().unwrap().take());
        drop(self.process.wait());
    }
}

/// Answers one call.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn answer(store: &SqliteStore, line: &str) -> Value {
    let call: Value = serde_json::from_str(line).unwrap();
    let answer = match call["call"].as_str().unwrap() {
        "insert" => block_on(store.insert(&read(&call["key"]), &read(&call["event"]))).map(|()| Value::Null),
        "get" => block_on(store.get(read(&call["id"]))).map(|found| json!(found)),
        "update" => {
            block_on(store.update(&read(&call["key"]), read(&call["expected"]), &read(&call["event"])))
                .map(|()| Value::Null)
        }
        "list" => {
            block_on(store.list(&read(&call["project"]), &key_query(&call["query"]))).map(|page| json!(page))
        }
        "history" => block_on(store.history(&read(&call["project"]), &audit_query(&call["query"])))
            .map(|page| json!(page)),
        "record_use" => block_on(store.record_use(&read::<Vec<KeyUse>>(&call["uses"]))).map(|()| Value::Null),
        "last_uses" => block_on(store.last_uses(&read::<Vec<KeyId>>(&call["ids"]))).map(|uses| json!(uses)),
        "record_scope_uses" => {
            block_on(store.record_scope_uses(&read::<Vec<ScopeUse>>(&call["uses"]))).map(|()| Value::Null)
        }
        "scope_uses" => block_on(store.scope_uses(&read::<Vec<KeyId>>(&call["ids"]))).map(|uses| json!(uses)),
        "changes" => {
            let since = read::<Option<Vec<u8>>>(&call["since"]).map(ChangeCursor::new);
            block_on(store.changes(since.as_ref())).map(|changes| changes_to_json(&changes))
        }
        call => panic!("{call}"),
    };
    match answer {
        Ok(ok) => json!({ "ok": ok }),
        Err(error) => {
            let kind = match error {
                StoreError::AlreadyExists => "exists",
                StoreError::Conflict => "conflict",
                StoreError::OutcomeUnknown { .. } => "unknown",
                _ => "backend",
            };
            json!({ "error": kind, "text": crate::causes(&error) })
        }
    }
}

fn read<T: for<'de> serde::Deserialize<'de>>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn text<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str().map(|text| text.parse().ok().unwrap())
}

fn time_to_json(time: DateTime<Utc>) -> Value {
    json!([time.timestamp(), time.timestamp_subsec_nanos()])
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    let [seconds, nanos] = read::<Option<[i64; 2]>>(value)?;
    DateTime::from_timestamp(seconds, nanos.try_into().unwrap())
}

fn key_query_to_json(query: &KeyQuery) -> Value {
    json!({
        "limit": query.limit, "after": query.after, "status": query.status, "state": query.state,
        "environment": query.environment, "name": query.name, "agent": query.agent, "prompt": query.prompt,
        "expiring_before": query.expiring_before.map(time_to_json), "now": time_to_json(query.now),
    })
}

fn key_query(value: &Value) -> KeyQuery {
    let mut query = KeyQuery::default()
        .limit(read(&value["limit"]))
        .after(text(&value["after"]))
        .status(text(&value["status"]))
        .state(text(&value["state"]))
        .environment(text(&value["environment"]))
        .agent(text(&value["agent"]))
        .prompt(text(&value["prompt"]))
        .expiring_before(time(&value["expiring_before"]));
    query.name = text(&value["name"]);
    query.now = time(&value["now"]).unwrap();
    query
}

fn audit_query_to_json(query: &AuditQuery) -> Value {
    json!({
        "limit": query.limit, "after": query.after, "key": query.key, "actor": query.actor, "action": query.action,
        "operation": query.operation,
    })
}

fn audit_query(value: &Value) -> AuditQuery {
    AuditQuery::default()
        .limit(read(&value["limit"]))
        .after(text(&value["after"]))
        .key(text(&value["key"]))
        .actor(text(&value["actor"]))
        .action(text(&value["action"]))
        .operation(text(&value["operation"]))
}

fn changes_to_json(changes: &Changes) -> Value {
    let (ids, next, state) = match changes {
        Changes::Since { ids, next, state } => (Some(ids), next, state),
        Changes::Everything { next, state } => (None, next, state),
        other => panic!("{other:?}"),
    };
    json!({
        "ids": ids, "next": next.as_bytes(), "now": state.now.map(time_to_json),
        "limit": micros(state.limit), "drained_in": micros(state.drained_in),
    })
}

fn changes(value: &Value) -> Changes {
    let duration = |name: &str| Duration::from_micros(read(&value[name]));
    let state = FeedState::new(time(&value["now"]), duration("limit"), duration("drained_in"));
    let next = ChangeCursor::new(read::<Vec<u8>>(&value["next"]));
    match read::<Option<Vec<KeyId>>>(&value["ids"]) {
        Some(ids) => Changes::Since { ids, next, state },
        None => Changes::Everything { next, state },
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap()
}

#[async_trait]
impl KeyStore for Remote {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.ask(&json!({ "call": "insert", "key": key, "event": event })).map(drop)
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.ask(&json!({ "call": "get", "id": id })).map(|answer| read(&answer))
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.ask(&json!({ "call": "update", "key": key, "expected": expected, "event": event })).map(drop)
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        let call = json!({ "call": "list", "project": project, "query": key_query_to_json(query) });
        self.ask(&call).map(|answer| read(&answer))
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        let call = json!({ "call": "history", "project": project, "query": audit_query_to_json(query) });
        self.ask(&call).map(|answer| read(&answer))
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.ask(&json!({ "call": "record_use", "uses": uses })).map(drop)
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.ask(&json!({ "call": "last_uses", "ids": ids })).map(|answer| read(&answer))
    }

    async fn record_scope_uses(&self, uses: &[ScopeUse]) -> Result<(), StoreError> {
        self.ask(&json!({ "call": "record_scope_uses", "uses": uses })).map(drop)
    }

    async fn scope_uses(&self, ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        self.ask(&json!({ "call": "scope_uses", "ids": ids })).map(|answer| read(&answer))
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        let since = since.map(ChangeCursor::as_bytes);
        self.ask(&json!({ "call": "changes", "since": since })).map(|answer| changes(&answer))
    }

    async fn changed(&self) {
        self.here.changed().await;
    }
}
