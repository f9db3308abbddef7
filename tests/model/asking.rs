//! The calls that only ask: both sides must give the same pages.

use std::collections::BTreeSet;

use access_keys::domain::Action;
use access_keys::{AgentId, AuditQuery, Cursor, KeyQuery, KeyState, OperationId, Page, PromptId, Status};
use chrono::TimeDelta;
use pollster::block_on;
use serde::Serialize;
use serde_json::{Value, json};

use crate::reference::{Event, Failure, Key};
use crate::steps::{ACTORS, Caller, Filter, RESOURCES, Step};
use crate::world::{World, environment, failure};

const ACTIONS: [Action; 6] = [
    Action::Created,
    Action::Edited,
    Action::Activated,
    Action::Deactivated,
    Action::Rotated,
    Action::Revoked,
];
const STATUSES: [Status; 3] = [Status::Active, Status::Inactive, Status::Revoked];
const STATES: [KeyState; 4] = [KeyState::Active, KeyState::Inactive, KeyState::Revoked, KeyState::Expired];

impl World<'_> {
    /// Takes one step of those that change nothing.
    pub(crate) fn ask(&mut self, step: &Step) {
        match step {
            Step::Get(caller, key) => {
                let key = self.pick(*key);
                let by = self.by(caller, key, "get");
                let got = block_on(self.project(&by).get(self.id(key))).map_err(failure);
                let expected = self.model.find(by.project, key);
                self.note(if got.is_ok() { "get: found" } else { "get: not found" });
                assert_eq!(got.map(|key| json!(key)), expected.map(|key| self.model.key_json(key)));
            }
            Step::List(caller, filter) => self.list(caller, filter),
            Step::History { caller, limit, key, actor, action, operation } => {
                let key = key.map(|key| self.pick(key));
                let by = self.by(caller, key.flatten(), "history");
                let operation = operation.map(|n| format!("rotate-{n}"));
                let mut query = AuditQuery::default()
                    .limit(*limit)
                    .actor(actor.map(|i| ACTORS[i].parse().unwrap()))
                    .action(action.map(|i| ACTIONS[i]))
                    .operation(operation.as_ref().map(|id| OperationId::new(id).unwrap()));
                query.key = key.map(|key| self.id(key));
                let is_meant = |event: &&Event| {
                    event.by.project == by.project
                        && key.is_none_or(|key| key == Some(event.key))
                        && actor.is_none_or(|i| event.by.actor == ACTORS[i])
                        && action.is_none_or(|i| event.action == ACTIONS[i].as_str())
                        && operation.as_ref().is_none_or(|id| event.by.operation.as_ref() == Some(id))
                };
                let expected = self.events(is_meant);
                self.note(if expected.len() > *limit {
                    "history: several pages"
                } else {
                    "history: one page"
                });
                walk(&expected, *limit, |after| {
                    block_on(self.project(&by).history(query.clone().after(after))).unwrap()
                });
            }
            Step::BadQuery(caller, which) => self.bad_query(caller, *which),
            Step::LastUsed(caller, keys) => {
                let picked: Vec<_> = keys.iter().map(|key| self.pick(*key)).collect();
                let by = self.by(caller, picked.first().copied().flatten(), "used");
                let ids: Vec<_> = picked.iter().map(|key| self.id(*key)).collect();
                let found: Result<BTreeSet<usize>, Failure> =
                    picked.iter().map(|key| self.model.find(by.project, *key)).collect();
                let got = block_on(self.project(&by).last_used(&ids)).map_err(failure);
                self.note(match &got {
                    Err(_) => "last used: not found",
                    Ok(uses) if uses.is_empty() => "last used: never",
                    Ok(_) => "last used: used",
                });
                let expected = found.map(|keys| {
                    let of = |key: usize| {
                        let Key { id, uses, .. } = &self.model.keys[key];
                        uses.iter().map(move |(n, at)| (id.clone(), *n, *at))
                    };
                    keys.into_iter().flat_map(of).collect::<BTreeSet<_>>()
                });
                let got = got.map(|uses| {
                    let n = uses.len();
                    let uses =
                        uses.iter().map(|u| (u.key.to_string(), u.generation, u.at.timestamp_micros()));
                    let uses: BTreeSet<_> = uses.collect();
                    assert_eq!(uses.len(), n, "a secret is told of once");
                    uses
                });
                assert_eq!(got, expected);
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn list(&mut self, caller: &Caller, filter: &Filter) {
        let by = self.by(caller, None, "list");
        let before = filter.expiring.map(|(key, nudge)| {
            let end = self.pick(key).and_then(|key| self.model.keys[key].fields.expires);
            end.unwrap_or(self.model.now) + nudge
        });
        let mut query = KeyQuery::default()
            .limit(filter.limit)
            .status(filter.status.map(|i| STATUSES[i]))
            .state(filter.state.map(|i| STATES[i]))
            .environment(filter.environment.map(environment))
            .agent(filter.agent.map(|i| AgentId::new(RESOURCES[i]).unwrap()))
            .prompt(filter.prompt.map(|i| PromptId::new(RESOURCES[i]).unwrap()))
            .expiring_before(before.map(|at| self.now() + TimeDelta::microseconds(at - self.model.now)));
        if let Some(name) = filter.name {
            query = query.name(name);
        }
        let is_meant = |i: &usize| {
            let Key { project, fields, status, .. } = &self.model.keys[*i];
            *project == by.project
                && filter.status.is_none_or(|i| STATUSES[i].as_str() == *status)
                && filter.state.is_none_or(|state| STATES[state].as_str() == self.model.state(*i))
                && filter.environment.is_none_or(|i| i == fields.environment)
                && filter.agent.is_none_or(|i| fields.agents.has(RESOURCES[i]))
                && filter.prompt.is_none_or(|i| fields.prompts.has(RESOURCES[i]))
                && before.is_none_or(|at| fields.expires.is_some_and(|end| end < at))
                && filter.name.is_none_or(|part| fields.name.to_lowercase().contains(&part.to_lowercase()))
        };
        let expected = self.keys(is_meant);
        self.note(if expected.len() > filter.limit { "list: several pages" } else { "list: one page" });
        walk(&expected, filter.limit, |after| {
            block_on(self.project(&by).list(query.clone().after(after))).unwrap()
        });
    }

    fn bad_query(&mut self, caller: &Caller, which: usize) {
        let project = self.project(&self.by(caller, None, "bad"));
        let of_event: Cursor = "e.0.0000000000000000".parse().unwrap();
        let of_key: Cursor = "k.0.0000000000000000".parse().unwrap();
        let keys = |query| block_on(project.list(query)).map(drop).map_err(failure);
        let events = |query| block_on(project.history(query)).map(drop).map_err(failure);
        let (got, field) = match which {
            0 => (keys(KeyQuery::default().limit(0)), "limit"),
            1 => (keys(KeyQuery::default().limit(1_001)), "limit"),
            2 => (keys(KeyQuery::default().after(of_event)), "cursor"),
            3 => (keys(KeyQuery::default().name("ß".repeat(101))), "name"),
            4 => (events(AuditQuery::default().limit(0)), "limit"),
            5 => (events(AuditQuery::default().limit(1_001)), "limit"),
            _ => (events(AuditQuery::default().after(of_key)), "cursor"),
        };
        self.note(format!("query: invalid {field}"));
        assert_eq!(got, Err(Failure::Invalid(vec![field])));
    }

    /// All keys and the whole history of both projects, in pages of every small size.
    pub(crate) fn check_everything(&self) {
        for project in 0..2 {
            let caller = Caller { elsewhere: project == 1, actor: 0, operation: None };
            let asking = self.project(&self.by(&caller, None, ""));
            let keys = self.keys(|i| self.model.keys[*i].project == project);
            let events = self.events(|event| event.by.project == project);
            for limit in [1, 2, 3, 1_000] {
                let query = KeyQuery::default().limit(limit);
                walk(&keys, limit, |after| block_on(asking.list(query.clone().after(after))).unwrap());
                let query = AuditQuery::default().limit(limit);
                walk(&events, limit, |after| block_on(asking.history(query.clone().after(after))).unwrap());
            }
        }
    }

    /// The keys that are meant, newest first.
    fn keys(&self, is_meant: impl Fn(&usize) -> bool) -> Vec<Value> {
        let mut keys: Vec<usize> = (0..self.model.keys.len()).filter(is_meant).collect();
        keys.sort_by_key(|i| (self.model.keys[*i].created_at, &self.model.keys[*i].id));
        keys.into_iter().rev().map(|i| self.model.key_json(i)).collect()
    }

    fn events(&self, is_meant: impl Fn(&&Event) -> bool) -> Vec<Value> {
        let mut events: Vec<&Event> = self.model.events.iter().filter(is_meant).collect();
        events.sort_by_key(|event| (event.at, &event.id));
        events.into_iter().rev().map(|event| self.model.event_json(event)).collect()
    }
}

/// Follows the cursors from the first page to the last.
fn walk<T: Serialize>(expected: &[Value], limit: usize, ask: impl Fn(Option<Cursor>) -> Page<T>) {
    let mut pages = expected.chunks(limit).map(<[Value]>::to_vec).collect::<Vec<_>>();
    if pages.is_empty() {
        pages.push(Vec::new());
    }
    let mut after = None;
    for (i, expected) in pages.iter().enumerate() {
        let page = ask(after);
        assert_eq!(without_seals(json!(page.items)), json!(expected));
        assert_eq!(page.next.is_some(), i + 1 < pages.len(), "whether more follows");
        after = page.next;
    }
}

/// What proves an event is for the tests of histories; every event has it.
fn without_seals(mut items: Value) -> Value {
    for item in items.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let seal = item.remove("seal");
        assert_eq!(seal.is_some(), item.contains_key("action"));
    }
    items
}
