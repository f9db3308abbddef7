//! Management calls, and what they promise when they return.

use std::sync::Arc;

use access_keys::{AccessKeys, Change, Edit, Error, Issued, ProjectKeys};
use chrono::{DateTime, Utc};

use crate::history::Retired;
use crate::planned::{ada, agents, checkout, planned, review};
use crate::setting::{Feed, duration};
use crate::tasks::Event;
use crate::trips::SimStore;
use crate::world::{State, World};

/// A management call under way.
pub(crate) struct Attempt {
    node: usize,
    key: usize,
    kind: Kind,
    /// Whether it was given up before it returned.
    has_ended: bool,
    /// The last revision that it has stored.
    pub(crate) committed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Generate,
    Revoke,
    Deactivate,
    Activate,
    Expire { at: DateTime<Utc> },
    NeverExpire,
    Scope { agents: u64 },
    Rename { name: u64 },
    Rotate { grace: u64 },
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Revoke => "revoke",
            Self::Deactivate => "deactivate",
            Self::Activate => "activate",
            Self::Expire { .. } => "earlier expiry",
            Self::NeverExpire => "no expiry",
            Self::Scope { .. } => "other scope",
            Self::Rename { .. } => "rename",
            Self::Rotate { grace: 0 } => "rotate at once",
            Self::Rotate { .. } => "rotate with grace",
        }
    }
}

/// How a call returned that did what it was asked.
enum Done {
    Change(Change),
    Issued(Issued),
}

/// A node changes something now, and again soon.
pub(crate) fn change_something(world: &Arc<World>) {
    let begun = {
        let mut state = world.lock();
        let gap = state.setting.pace * 6 / 5;
        let next = state.now + state.chance.below(gap);
        state.push(next, Event::Change);
        let nodes = state.nodes.len();
        let node = state.chance.place(nodes);
        let (key, kind) = state.draw_change(node);
        let keys = state.nodes[node].keys.clone();
        key.zip(keys).map(|(key, keys)| (node, key, kind, keys))
    };
    let Some((node, key, kind, keys)) = begun else { return };
    let attempt = {
        let mut state = world.lock();
        state.attempts.push(Attempt { node, key, kind, has_ended: false, committed: None });
        state.attempts.len() - 1
    };
    let work = call(Arc::clone(world), keys, attempt, key, kind);
    let task = world.spawn(node, Some(attempt), Box::pin(work));
    let state = &mut *world.lock();
    if state.chance.one_in(state.setting.chances.cancelled) {
        let longest = state.setting.delay * 8;
        let at = state.now + state.chance.below(longest);
        state.push(at, Event::Cancel(task));
    }
}

async fn call(world: Arc<World>, keys: AccessKeys<SimStore>, attempt: usize, key: usize, kind: Kind) {
    world.lock().tell_attempt(attempt, "begins");
    let project = keys.project(checkout(), ada());
    let done = make(&project, key, kind).await;
    world.lock().returned(attempt, done);
}

async fn make(project: &ProjectKeys<SimStore>, key: usize, kind: Kind) -> Result<Done, Error> {
    let (operation, id, _) = &planned().keys[key];
    let id = *id;
    let change = match kind {
        Kind::Generate => {
            let issued = project.operation(operation.clone()).generate(review(key)).await?;
            return Ok(Done::Issued(issued));
        }
        Kind::Rotate { grace } => return Ok(Done::Issued(project.rotate(id, duration(grace)).await?)),
        Kind::Revoke => project.revoke(id, "").await?,
        Kind::Deactivate => project.deactivate(id).await?,
        Kind::Activate => project.activate(id).await?,
        Kind::Expire { at } => project.edit(id, Edit::new().expires_at(at)).await?,
        Kind::NeverExpire => project.edit(id, Edit::new().never_expires()).await?,
        Kind::Scope { agents: bits } => project.edit(id, Edit::new().agents(agents(bits))).await?,
        Kind::Rename { name } => project.edit(id, Edit::new().name(format!("name {name}"))?).await?,
    };
    Ok(Done::Change(change))
}

/// Whoever waited for this task has given it up.
pub(crate) fn given_up(world: &Arc<World>, task: usize) {
    let mut state = world.lock();
    let Some(attempt) = state.tasks[task].attempt else { return };
    state.tally.count("change given up half-way");
    state.tell_attempt(attempt, "is given up");
    state.ended(attempt);
}

impl State {
    /// The key to change next, and how.
    fn draw_change(&mut self, node: usize) -> (Option<usize>, Kind) {
        let wanted = self.setting.keys;
        let usable = |past: &crate::history::Past| {
            past.versions
                .last()
                .is_none_or(|version| version.stored.key().status != access_keys::Status::Revoked)
        };
        let living: Vec<usize> =
            (0..self.history.keys.len()).filter(|key| usable(&self.history.keys[*key])).collect();
        if living.len() < wanted {
            return (self.history.open(), Kind::Generate);
        }
        let key = if self.chance.percent(85) {
            self.chance.pick(&living)
        } else {
            self.chance.place(self.history.keys.len())
        };
        if self.history.keys[key].tokens.is_empty() {
            return (Some(key), Kind::Generate);
        }
        let last = self.history.keys[key].versions.last();
        let is_active = last.is_some_and(|last| last.stored.key().status == access_keys::Status::Active);
        let ends = last.is_some_and(|last| last.stored.key().expires_at.is_some());
        let pace = self.setting.pace;
        let grace = self.chance.between(1, pace * 2);
        let after = self.chance.below(pace * 3) / 1_000;
        let wall = match self.setting.feed {
            Feed::WithClock => self.shared.wall(self.now),
            _ => self.nodes[node].wall(self.now),
        };
        let at = DateTime::from_timestamp_micros(wall + after.cast_signed()).unwrap();
        let bits = self.chance.between(1, 16);
        let name = self.chance.below(3);
        let kind = self.chance.weighted(&[
            (6, Kind::Revoke),
            (if is_active { 16 } else { 3 }, Kind::Deactivate),
            (if is_active { 3 } else { 30 }, Kind::Activate),
            (6, Kind::Expire { at }),
            (if ends { 12 } else { 1 }, Kind::NeverExpire),
            (10, Kind::Scope { agents: bits }),
            (4, Kind::Rename { name }),
            (8, Kind::Rotate { grace: 0 }),
            (10, Kind::Rotate { grace }),
            (2, Kind::Generate),
        ]);
        (Some(key), kind)
    }

    /// A call has returned.
    fn returned(&mut self, attempt: usize, done: Result<Done, Error>) {
        let Attempt { node, key, kind, .. } = self.attempts[attempt];
        match done {
            Ok(Done::Change(change)) => {
                self.tell_attempt(
                    attempt,
                    &format!(
                        "returns revision {}, holds everywhere in {:?}",
                        change.key().revision,
                        change.holds_everywhere_in()
                    ),
                );
                self.tally.count_of(format!(
                    "{}: {}",
                    kind.name(),
                    if change.is_new() { "done" } else { "nothing to do" }
                ));
                if kind == Kind::Revoke {
                    self.nodes[node].revoked.push(key);
                }
                let holds_in = nanos(change.holds_everywhere_in());
                self.acknowledge(key, node, change.key().revision, holds_in);
                self.look_closely(key, holds_in);
            }
            Ok(Done::Issued(issued)) => self.issued(attempt, &issued),
            Err(error) => {
                self.tell_attempt(attempt, &format!("fails: {error}"));
                self.tally.count_of(match error {
                    Error::Store(error) => format!("change failed: {error}"),
                    Error::Refused { .. } => "change refused".to_owned(),
                    Error::NotFound { .. } => "change of a key that is not there".to_owned(),
                    Error::Invalid(_) => "change that is invalid".to_owned(),
                    other => format!("change failed: {other:?}"),
                });
            }
        }
        self.ended(attempt);
    }

    fn issued(&mut self, attempt: usize, issued: &Issued) {
        let Attempt { node, key, kind, .. } = self.attempts[attempt];
        let now = self.now;
        self.tell_attempt(
            attempt,
            &format!(
                "returns revision {}, secret {}, holds everywhere in {:?}, old secret ends in {:?}",
                issued.key.revision,
                issued.generation(),
                issued.holds_everywhere_in(),
                issued.old_secret_ends_in()
            ),
        );
        self.tally.count_of(format!("{}: done", kind.name()));
        self.history.keys[key].tokens.push((issued.generation(), issued.token.expose().to_owned()));
        let revision = issued.key.revision;
        if issued.generation() == 1 {
            // A new key cuts nothing off, and tells no time.
            self.history.keys[key].known_here(node, revision.get());
            self.look_closely(key, self.setting.pace);
            return;
        }
        let holds_in = nanos(issued.holds_everywhere_in());
        self.acknowledge(key, node, revision, holds_in);
        if let Some(ends_in) = issued.old_secret_ends_in().map(nanos)
            && matches!(kind, Kind::Rotate { .. })
            && (self.setting.feed == Feed::WithClock || self.setting.walls_agree)
        {
            // What goes beyond the announced time is grace, which the store's clock measures.
            let here = self.nodes[node].rate;
            let true_of = |time: u64, rate: u64| time * 1_000 / (rate / 1_000) + 1;
            let grace = true_of(ends_in - holds_in, self.setting.store_rate.min(here));
            let ends_true = now + true_of(holds_in, here) + grace;
            let ends = self.nodes[node].boot(now) + ends_in;
            let before = issued.generation();
            self.history.keys[key].retired.push(Retired {
                before,
                node,
                at: now,
                ends,
                ends_true,
                is_zero: holds_in == 0,
            });
            self.look_closely(key, ends_in);
        }
        self.look_closely(key, holds_in);
    }

    /// Whether a call that changes this key is under way on this node.
    pub(crate) fn is_changing(&self, node: usize, key: usize) -> bool {
        self.attempts.iter().any(|call| !call.has_ended && call.node == node && call.key == key)
    }

    /// However a call ended, what it has stored holds on its own node.
    fn ended(&mut self, attempt: usize) {
        let Attempt { node, key, committed, .. } = self.attempts[attempt];
        self.attempts[attempt].has_ended = true;
        *self.nodes[node].named.entry(key).or_default() += 1;
        self.nodes[node].seen.remove(&key);
        if let Some(revision) = committed {
            self.history.keys[key].known_here(node, revision);
        }
    }

    /// Has the key verified about when its change must hold.
    fn look_closely(&mut self, key: usize, holds_in: u64) {
        let window = if holds_in == 0 { self.setting.pace } else { holds_in };
        for _ in 0..8 {
            let node = {
                let nodes = self.nodes.len();
                self.chance.place(nodes)
            };
            let after = match self.chance.below(3) {
                0 => self.chance.below(self.setting.delay * 4),
                1 => self.chance.below(window * 13 / 10),
                _ => self.chance.between(window * 4 / 5, window * 6 / 5),
            };
            self.push(self.now + after, Event::Ask { node, key });
        }
    }

    fn tell_attempt(&mut self, attempt: usize, what: &str) {
        let Attempt { node, key, kind, .. } = self.attempts[attempt];
        self.tell(Some(key), Some(node), |_| format!("node {node}: {} {what}", kind.name()));
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}
