//! The library and the reference side by side: every step is taken by both, and both must agree.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, AgentId, AuditQuery, Draft, Edit, EnvironmentId, Error, FakeClock, Grant, KeyId, KeyInfo,
    OperationId, ProjectId, ProjectKeys, PromptId, Review, Revision, Scope,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::{Value, json};

use crate::reference::{Answer, By, Edits, Failure, Fields, Model};
use crate::steps::{ACTORS, Caller, ENVIRONMENTS, Expiry, NAMES, PROJECTS, Pin, Reach, Step, TEXTS};
use crate::support::SplitMix;

type Keys = AccessKeys<Arc<MemoryStore>>;

/// How often each kind of outcome was seen.
pub(crate) type Seen = RefCell<BTreeMap<String, usize>>;

pub(crate) struct World<'a> {
    pub(crate) model: Model,
    pub(crate) keys: Keys,
    /// Verifies without being a use: another node, unless no uses are recorded at all.
    pub(crate) checker: Keys,
    clock: FakeClock,
    start: i64,
    pub(crate) records: bool,
    /// Every token ever issued, of which key and with which number.
    pub(crate) tokens: Vec<(String, usize, u32)>,
    /// Every grant, of which key and secret; from the node that manages.
    pub(crate) grants: Vec<(Grant, usize, u32)>,
    seen: &'a Seen,
}

/// What the library made of a call about one key: the key, whether it is new, and a token.
type Made = Result<(Value, bool, Option<(String, Option<Duration>)>), Failure>;

impl<'a> World<'a> {
    pub(crate) fn new(records: bool, seen: &'a Seen) -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
        let build = |records: bool, seed| {
            AccessKeys::builder(Arc::clone(&store))
                .prefix("acme")
                .environment_prefix(environment(2), "acme_box")
                .clock(clock.clone())
                .random(SplitMix(seed))
                .max_staleness(if seed == 1 { Duration::from_secs(5) } else { Duration::ZERO })
                .record_uses(records)
                .build()
                .unwrap()
        };
        let keys = build(records, 1);
        let checker = if records { build(false, 2) } else { keys.clone() };
        let now = access_keys::Clock::wall(&clock).timestamp_micros();
        let model = Model { now, records, keys: Vec::new(), events: Vec::new() };
        Self {
            model,
            keys,
            checker,
            clock,
            start: now,
            records,
            tokens: Vec::new(),
            grants: Vec::new(),
            seen,
        }
    }

    pub(crate) fn note(&self, what: impl Into<String>) {
        *self.seen.borrow_mut().entry(what.into()).or_default() += 1;
    }

    pub(crate) fn project(&self, by: &By) -> ProjectKeys<Arc<MemoryStore>> {
        let project = ProjectId::new(PROJECTS[by.project]).unwrap();
        let plain = self.keys.project(project, by.actor.parse().unwrap());
        by.operation.as_ref().map_or(plain.clone(), |id| plain.operation(OperationId::new(id).unwrap()))
    }

    /// Which key a number stands for; none for one that never was.
    pub(crate) fn pick(&self, number: usize) -> Option<usize> {
        (number % 16 != 15 && !self.model.keys.is_empty()).then(|| number % self.model.keys.len())
    }

    pub(crate) fn id(&self, key: Option<usize>) -> KeyId {
        KeyId::new(key.map_or("0000000000000000", |key| &self.model.keys[key].id)).unwrap()
    }

    /// An operation names one intention, so each kind of call has its own.
    pub(crate) fn by(&self, caller: &Caller, key: Option<usize>, kind: &str) -> By {
        let home = key.map_or(0, |key| self.model.keys[key].project);
        By {
            project: (home + usize::from(caller.elsewhere)) % 2,
            actor: ACTORS[caller.actor].to_owned(),
            operation: caller.operation.map(|n| format!("{kind}-{n}")),
        }
    }

    pub(crate) fn wait(&mut self, micros: u64) {
        self.clock.advance(Duration::from_micros(micros));
        self.model.now += i64::try_from(micros).unwrap();
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.model.now).unwrap()
    }

    /// Takes one step of those that are about one key.
    pub(crate) fn change(&mut self, step: &Step) {
        match step {
            Step::Generate { caller, environment, name, description, expiry, agents, prompts, delay } => {
                let by = self.by(caller, None, "generate");
                let (given, expires) = self.expiry(*expiry, None);
                let fields = Fields {
                    environment: *environment,
                    name: NAMES[*name].1.to_owned(),
                    description: TEXTS[*description].1.to_owned(),
                    expires,
                    agents: agents.clone(),
                    prompts: prompts.clone(),
                };
                let review = self.review(*environment, NAMES[*name].0, TEXTS[*description].0, given, &fields);
                let review = match review {
                    Err(mistake) => {
                        // What the draft refuses is never generated, whatever the operation.
                        let plain = By { operation: None, ..by };
                        let expected = self.model.generate(&plain, fields);
                        return self.compare("draft", expected, Err(mistake));
                    }
                    Ok(review) => review,
                };
                self.wait(*delay);
                let made = block_on(self.project(&by).generate(review)).map(|issued| {
                    let token = (issued.token.expose().to_owned(), issued.old_secret_ends_in());
                    (json!(issued.key), true, Some(token))
                });
                let expected = self.model.generate(&by, fields);
                self.compare("generate", expected, made.map_err(failure));
            }
            Step::Edit { caller, key, name, description, expiry, agents, prompts, pin } => {
                let key = self.pick(*key);
                let by = self.by(caller, key, "edit");
                let stored = key.map(|key| self.model.keys[key].revision).unwrap_or(1);
                let expiry = expiry.map(|expiry| self.expiry(expiry, key));
                let edits = Edits {
                    name: name.map(|i| NAMES[i].1.to_owned()),
                    description: description.map(|i| TEXTS[i].1.to_owned()),
                    expires: expiry.map(|(_, kept)| kept),
                    agents: agents.clone(),
                    prompts: prompts.clone(),
                    revision: match pin {
                        Pin::None => None,
                        Pin::Current => Some(stored),
                        Pin::Stale => Some(stored.saturating_sub(1).max(1)),
                        Pin::Future => Some(stored + 1),
                    },
                };
                let mut edit = Edit::new();
                edit = name.map_or(Ok(edit.clone()), |i| edit.name(NAMES[i].0)).unwrap();
                edit = description.map_or(Ok(edit.clone()), |i| edit.description(TEXTS[i].0)).unwrap();
                edit = match expiry {
                    None => edit,
                    Some((None, _)) => edit.never_expires(),
                    Some((Some(given), _)) => edit.expires_at(given),
                };
                edit = agents.as_ref().map_or(edit.clone(), |reach| edit.agents(scope_of_agents(reach)));
                edit = prompts.as_ref().map_or(edit.clone(), |reach| edit.prompts(scope_of_prompts(reach)));
                edit = edits.revision.map_or(edit.clone(), |n| edit.if_revision(Revision::new(n).unwrap()));
                let made = changed(block_on(self.project(&by).edit(self.id(key), edit)));
                let expected = self.model.edit(&by, key, edits);
                self.compare("edit", expected, made);
            }
            Step::Activate(caller, key) => {
                let key = self.pick(*key);
                let by = self.by(caller, key, "activate");
                let made = changed(block_on(self.project(&by).activate(self.id(key))));
                let expected = self.model.set(&by, key, "activated", None);
                self.compare("activate", expected, made);
            }
            Step::Deactivate(caller, key) => {
                let key = self.pick(*key);
                let by = self.by(caller, key, "deactivate");
                let made = changed(block_on(self.project(&by).deactivate(self.id(key))));
                let expected = self.model.set(&by, key, "deactivated", None);
                self.compare("deactivate", expected, made);
            }
            Step::Revoke(caller, key, reason) => {
                let key = self.pick(*key);
                let by = self.by(caller, key, "revoke");
                let long = "ß".repeat(1_001);
                let (given, kept) = match *reason {
                    3 => ("\u{202E}", "\u{202E}"),
                    4 => (&*long, &*long),
                    i => TEXTS[i],
                };
                let made = changed(block_on(self.project(&by).revoke(self.id(key), given)));
                let expected = self.model.set(&by, key, "revoked", Some(kept.to_owned()));
                self.compare("revoke", expected, made);
            }
            Step::Rotate(caller, key, grace) => {
                let key = self.pick(*key);
                let by = self.by(caller, key, "rotate");
                let rotated = block_on(self.project(&by).rotate(self.id(key), Duration::from_micros(*grace)));
                let made = rotated.map(|issued| {
                    let token = (issued.token.expose().to_owned(), issued.old_secret_ends_in());
                    (json!(issued.key), true, Some(token))
                });
                let expected = self.model.rotate(&by, key, *grace);
                self.compare("rotate", expected, made.map_err(failure));
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn compare(&mut self, call: &str, expected: Answer, made: Made) {
        match (expected, made) {
            (Ok((key, is_new)), Ok((json, made_new, token))) => {
                self.note(format!("{call}: {}", if is_new { "done" } else { "nothing to do" }));
                assert_eq!(made_new, is_new, "{call} is new");
                let known = &mut self.model.keys[key].id;
                if known.is_empty() {
                    json["id"].as_str().unwrap().clone_into(known);
                }
                assert_eq!(json, self.model.key_json(key), "{call}");
                if is_new {
                    let by = self.model.events.last().unwrap().by.clone();
                    let query = AuditQuery::default().key(self.id(Some(key))).limit(1);
                    let newest = block_on(self.project(&by).history(query)).unwrap().items;
                    self.model.name_newest(key, newest[0].id.to_string());
                }
                if let Some((token, old_ends_in)) = token {
                    let generation = self.model.keys[key].secrets[0].0;
                    self.tokens.push((token, key, generation));
                    self.note(format!("{call}: secret {}", if generation == 1 { "first" } else { "later" }));
                    let remaining = self.model.older_ends(key).map_or(0, |end| (end - self.model.now).max(0));
                    let remaining = Duration::from_micros(u64::try_from(remaining).unwrap());
                    assert!(old_ends_in.unwrap_or_default() >= remaining, "{call}: {old_ends_in:?}");
                    assert!(old_ends_in.is_none() || generation > 1);
                }
            }
            (Err(Failure::Invalid(fields)), Err(Failure::Invalid(got))) => {
                self.note(format!("{call}: invalid {}", got[0]));
                assert!(fields.contains(&got[0]), "{call}: {got:?} for {fields:?}");
            }
            (Err(expected), Err(got)) => {
                let kind = match &expected {
                    Failure::Refused { from, .. } => format!("refused from {from}"),
                    Failure::Conflict(_) => "conflict".to_owned(),
                    _ => "not found".to_owned(),
                };
                self.note(format!("{call}: {kind}"));
                assert_eq!(got, expected, "{call}");
            }
            (expected, made) => panic!("{call}: {made:?}, and it should be {expected:?}"),
        }
    }

    /// A time as given, with more digits than are kept, and as kept.
    fn expiry(&self, expiry: Expiry, key: Option<usize>) -> (Option<DateTime<Utc>>, Option<i64>) {
        let now = self.model.now;
        let kept = match expiry {
            Expiry::Never => return (None, None),
            Expiry::In(micros) => now + i64::try_from(micros).unwrap(),
            Expiry::At(micros) => self.start + i64::try_from(micros).unwrap(),
            Expiry::Now => now,
            Expiry::Past => now - 1,
            Expiry::TooFar => 253_402_300_800_000_000,
            Expiry::Stored => match key.and_then(|key| self.model.keys[key].fields.expires) {
                None => return (None, None),
                Some(stored) => stored,
            },
        };
        let given = DateTime::from_timestamp_micros(kept).unwrap() + TimeDelta::nanoseconds(999);
        (Some(given), Some(kept))
    }

    fn review(
        &self,
        in_environment: usize,
        name: &str,
        description: &str,
        expires_at: Option<DateTime<Utc>>,
        fields: &Fields,
    ) -> Result<Review, Failure> {
        let info = KeyInfo::new(name, environment(in_environment)).unwrap().description(description).unwrap();
        let info = expires_at.map_or(info.clone(), |at| info.expires_at(at));
        Draft::at(self.now())
            .info(info)
            .agents(scope_of_agents(&fields.agents))
            .prompts(scope_of_prompts(&fields.prompts))
            .map_err(|invalid| failure(invalid.into()))
    }
}

pub(crate) fn environment(i: usize) -> EnvironmentId {
    EnvironmentId::new(ENVIRONMENTS[i]).unwrap()
}

fn changed(result: Result<access_keys::Change, Error>) -> Made {
    result.map(|change| (json!(change.key()), change.is_new(), None)).map_err(failure)
}

pub(crate) fn failure(error: Error) -> Failure {
    match error {
        Error::Invalid(invalid) => Failure::Invalid(vec![invalid.field.as_str()]),
        Error::NotFound { .. } => Failure::NotFound,
        Error::Refused { from, action, .. } => {
            Failure::Refused { from: from.as_str(), action: action.as_str() }
        }
        Error::Conflict { expected, .. } => Failure::Conflict(expected.get()),
        other => panic!("{other:?}"),
    }
}

fn scope_of_agents(reach: &Reach) -> Scope<AgentId> {
    match reach {
        Reach::All => Scope::All,
        Reach::Only(ids) => Scope::parse(ids).unwrap(),
    }
}

fn scope_of_prompts(reach: &Reach) -> Scope<PromptId> {
    match reach {
        Reach::All => Scope::All,
        Reach::Only(ids) => Scope::parse(ids).unwrap(),
    }
}
