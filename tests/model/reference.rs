//! The rules of keys once more, over plain values: what every call must answer and every token may do.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::steps::{ENVIRONMENTS, PROJECTS, Reach};

pub(crate) const GRACE_MAX: u64 = 90 * 86_400 * 1_000_000;
/// 9999-12-31T23:59:59.999999Z
const LAST: i64 = 253_402_300_799_999_999;

/// Why a call must fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Any of these fields.
    Invalid(Vec<&'static str>),
    NotFound,
    Refused {
        from: &'static str,
        action: &'static str,
    },
    Conflict(u64),
}

/// What a call must do: to which key, and whether anything is written.
pub(crate) type Answer = Result<(usize, bool), Failure>;

/// On whose behalf, where and within which operation.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) project: usize,
    pub(crate) actor: String,
    pub(crate) operation: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) environment: usize,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) expires: Option<i64>,
    pub(crate) agents: Reach,
    pub(crate) prompts: Reach,
}

/// A change of fields; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) expires: Option<Option<i64>>,
    pub(crate) agents: Option<Reach>,
    pub(crate) prompts: Option<Reach>,
    pub(crate) revision: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) project: usize,
    pub(crate) fields: Fields,
    pub(crate) status: &'static str,
    pub(crate) revision: u64,
    pub(crate) created_at: i64,
    created_by: String,
    updated_at: i64,
    /// Newest first: number, end and operation.
    pub(crate) secrets: Vec<(u32, Option<i64>, Option<String>)>,
    pub(crate) uses: BTreeMap<u32, i64>,
    operation: Option<String>,
    reviewed: Fields,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) key: usize,
    pub(crate) at: i64,
    pub(crate) by: By,
    pub(crate) action: &'static str,
    pub(crate) revision: u64,
    /// The fields since then.
    pub(crate) fields: Fields,
    changes: Vec<Value>,
    reason: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) now: i64,
    /// Whether uses are recorded: where they are not, every secret may have been used.
    pub(crate) records: bool,
    pub(crate) keys: Vec<Key>,
    pub(crate) events: Vec<Event>,
}

impl Model {
    pub(crate) fn find(&self, project: usize, key: Option<usize>) -> Result<usize, Failure> {
        key.filter(|key| self.keys[*key].project == project).ok_or(Failure::NotFound)
    }

    pub(crate) fn state(&self, key: usize) -> &'static str {
        let Key { status, fields, .. } = &self.keys[key];
        match *status {
            "revoked" => "revoked",
            _ if fields.expires.is_some_and(|end| end <= self.now) => "expired",
            status => status,
        }
    }

    /// What someone who presents a secret of a key in an environment is told.
    pub(crate) fn verdict(&self, key: usize, generation: u32, environment: usize) -> &'static str {
        let Key { secrets, fields, .. } = &self.keys[key];
        // Only the last environment has a prefix of its own.
        let own = ENVIRONMENTS.len() - 1;
        if (environment == own) != (fields.environment == own) {
            return "malformed";
        }
        let works =
            |(n, end, _): &(u32, Option<i64>, _)| *n == generation && end.is_none_or(|end| self.now < end);
        if !secrets.iter().any(works) {
            return "unrecognized";
        }
        match self.state(key) {
            "revoked" => "revoked",
            _ if environment != fields.environment => "wrong environment",
            "active" => "granted",
            state => state,
        }
    }

    pub(crate) fn generate(&mut self, by: &By, fields: Fields) -> Answer {
        let ours =
            |key: &Key| key.project == by.project && key.operation.is_some() && key.operation == by.operation;
        if let Some(key) = self.keys.iter().position(ours) {
            if self.keys[key].reviewed != fields {
                return Err(Failure::Invalid(vec!["operation"]));
            }
            self.check_usable(key, "created")?;
            return self.replace(by, key, "created");
        }
        let mistakes = self.mistakes(&fields, true);
        if !mistakes.is_empty() {
            return Err(Failure::Invalid(mistakes));
        }
        let key = self.keys.len();
        self.keys.push(Key {
            id: String::new(),
            project: by.project,
            reviewed: fields.clone(),
            fields,
            status: "active",
            revision: 0,
            created_at: self.now,
            created_by: by.actor.clone(),
            updated_at: self.now - 1,
            secrets: vec![(1, None, by.operation.clone())],
            uses: BTreeMap::new(),
            operation: by.operation.clone(),
        });
        self.record(by, key, "created", vec![], None);
        Ok((key, true))
    }

    pub(crate) fn edit(&mut self, by: &By, key: Option<usize>, edits: Edits) -> Answer {
        let key = self.find(by.project, key)?;
        if let Some(event) = self.done_last(by, key, "edited") {
            let same = self.repeats(event, &edits);
            return if same { Ok((key, false)) } else { Err(Failure::Invalid(vec!["operation"])) };
        }
        let Key { status, revision, fields: old, .. } = &self.keys[key];
        if *status == "revoked" {
            return Err(Failure::Refused { from: "revoked", action: "edited" });
        }
        if let Some(expected) = edits.revision.filter(|expected| expected != revision) {
            return Err(Failure::Conflict(expected));
        }
        let old = old.clone();
        let new = Fields {
            environment: old.environment,
            name: edits.name.unwrap_or_else(|| old.name.clone()),
            description: edits.description.unwrap_or_else(|| old.description.clone()),
            expires: edits.expires.unwrap_or(old.expires),
            agents: edits.agents.unwrap_or_else(|| old.agents.clone()),
            prompts: edits.prompts.unwrap_or_else(|| old.prompts.clone()),
        };
        let mistakes = self.mistakes(&new, new.expires != old.expires);
        if !mistakes.is_empty() {
            return Err(Failure::Invalid(mistakes));
        }
        if new == old {
            return Ok((key, false));
        }
        let mut changes = Vec::new();
        let mut changed = |field: &str, before: Value, after: Value| {
            if before != after {
                changes.push(json!({ field: { "before": before, "after": after } }));
            }
        };
        changed("name", json!(old.name), json!(new.name));
        changed("description", json!(old.description), json!(new.description));
        changed("expires_at", expiry(old.expires), expiry(new.expires));
        changes.extend(scope_change("agents", &old.agents, &new.agents));
        changes.extend(scope_change("prompts", &old.prompts, &new.prompts));
        self.keys[key].fields = new;
        self.record(by, key, "edited", changes, None);
        Ok((key, true))
    }

    /// Sets the status to what `action` leads to.
    pub(crate) fn set(
        &mut self,
        by: &By,
        key: Option<usize>,
        action: &'static str,
        reason: Option<String>,
    ) -> Answer {
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > 1_000 || reason.contains('\u{202E}'))
        {
            return Err(Failure::Invalid(vec!["reason"]));
        }
        let key = self.find(by.project, key)?;
        let before = self.keys[key].status;
        let after = match action {
            "activated" => "active",
            "deactivated" => "inactive",
            _ => "revoked",
        };
        if self.done_last(by, key, action).is_some() || before == after {
            return Ok((key, false));
        }
        if before == "revoked" {
            return Err(Failure::Refused { from: "revoked", action });
        }
        self.keys[key].status = after;
        let changes = vec![json!({ "status": { "before": before, "after": after } })];
        self.record(by, key, action, changes, reason);
        Ok((key, true))
    }

    pub(crate) fn rotate(&mut self, by: &By, key: Option<usize>, grace: u64) -> Answer {
        if grace > GRACE_MAX {
            return Err(Failure::Invalid(vec!["grace"]));
        }
        let key = self.find(by.project, key)?;
        self.check_usable(key, "rotated")?;
        if self.is_repeat(by, key, "rotated") {
            return self.replace(by, key, "rotated");
        }
        let ends = self.now + i64::try_from(grace).unwrap();
        let secrets = &mut self.keys[key].secrets;
        secrets.truncate(1);
        secrets[0].1 = Some(ends);
        self.issue(by, key, ends);
        Ok((key, true))
    }

    /// The older secret, once a newer one was issued: when it ends.
    pub(crate) fn older_ends(&self, key: usize) -> Option<i64> {
        self.keys[key].secrets.get(1).and_then(|(_, end, _)| *end)
    }

    /// A repeat of what issued the newest secret: that one is replaced, unless it was used.
    fn replace(&mut self, by: &By, key: usize, action: &'static str) -> Answer {
        let records = self.records;
        let Key { secrets, uses, .. } = &mut self.keys[key];
        let (generation, _, operation) = &secrets[0];
        if *operation != by.operation || uses.contains_key(generation) || !records {
            return Err(Failure::Refused { from: self.state(key), action });
        }
        // The number of the replaced one is not given again.
        let generation = generation + 1;
        secrets[0] = (generation, None, by.operation.clone());
        let changes =
            vec![json!({ "secret": { "generation": generation, "old_secret_ends_at": time(self.now) } })];
        self.record(by, key, "rotated", changes, None);
        Ok((key, true))
    }

    fn issue(&mut self, by: &By, key: usize, ends: i64) {
        let secrets = &mut self.keys[key].secrets;
        let generation = secrets[0].0 + 1;
        secrets.insert(0, (generation, None, by.operation.clone()));
        let changes =
            vec![json!({ "secret": { "generation": generation, "old_secret_ends_at": time(ends) } })];
        self.record(by, key, "rotated", changes, None);
    }

    fn check_usable(&self, key: usize, action: &'static str) -> Result<(), Failure> {
        match self.state(key) {
            from @ ("revoked" | "expired") => Err(Failure::Refused { from, action }),
            _ => Ok(()),
        }
    }

    fn is_repeat(&self, by: &By, key: usize, action: &str) -> bool {
        let same =
            |event: &Event| event.key == key && event.action == action && event.by.operation == by.operation;
        by.operation.is_some() && self.events.iter().any(same)
    }

    fn mistakes(&self, fields: &Fields, expiry_is_new: bool) -> Vec<&'static str> {
        let bad = fields.expires.is_some_and(|end| end <= self.now || end > LAST) && expiry_is_new;
        let unreachable = [&fields.agents, &fields.prompts].iter().all(|reach| reach.is_nothing());
        let mistakes = [bad.then_some("expires_at"), unreachable.then_some("agents")];
        mistakes.into_iter().flatten().collect()
    }

    fn record(
        &mut self,
        by: &By,
        key: usize,
        action: &'static str,
        changes: Vec<Value>,
        reason: Option<String>,
    ) {
        let changed = &mut self.keys[key];
        changed.revision += 1;
        changed.updated_at = self.now.max(changed.updated_at + 1);
        let (at, revision) = (changed.updated_at, changed.revision);
        let (id, by, fields) = (String::new(), by.clone(), changed.fields.clone());
        self.events.push(Event { id, key, at, by, action, revision, fields, changes, reason });
    }

    pub(crate) fn key_json(&self, key: usize) -> Value {
        let key = &self.keys[key];
        json!({
            "id": key.id,
            "project": PROJECTS[key.project],
            "environment": ENVIRONMENTS[key.fields.environment],
            "name": key.fields.name,
            "description": key.fields.description,
            "agents": key.fields.agents.json(),
            "prompts": key.fields.prompts.json(),
            "status": key.status,
            "expires_at": expiry(key.fields.expires),
            "revision": key.revision,
            "created_at": time(key.created_at),
            "created_by": key.created_by,
            "updated_at": time(key.updated_at),
            "origin": "generated",
        })
    }

    pub(crate) fn event_json(&self, event: &Event) -> Value {
        json!({
            "id": event.id,
            "project": PROJECTS[event.by.project],
            "key": self.keys[event.key].id,
            "at": time(event.at),
            "actor": event.by.actor,
            "action": event.action,
            "revision": event.revision,
            "changes": event.changes,
            "reason": event.reason,
            "operation": event.by.operation,
        })
    }

    /// A new key's event holds the key as it was made.
    pub(crate) fn name_newest(&mut self, key: usize, event_id: String) {
        let made = self.key_json(key);
        let event = self.events.last_mut().unwrap();
        event.id = event_id;
        if event.action == "created" {
            event.changes = vec![json!({ "key": made })];
        }
    }
}

pub(crate) fn time(micros: i64) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn expiry(expires: Option<i64>) -> Value {
    expires.map_or_else(|| json!("never"), |end| json!(time(end)))
}

fn scope_change(field: &str, before: &Reach, after: &Reach) -> Option<Value> {
    let change = match (before, after) {
        _ if before == after => return None,
        (Reach::Only(old), Reach::Only(new)) => {
            let added: Vec<_> = new.difference(old).collect();
            let removed: Vec<_> = old.difference(new).collect();
            json!({ "ids": { "added": added, "removed": removed } })
        }
        _ => json!({ "whole": { "before": before.json(), "after": after.json() } }),
    };
    Some(json!({ field: change }))
}
