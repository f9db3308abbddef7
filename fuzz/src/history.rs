//! A small history as it was exported, an event a line, newest first.
//!
//! Whatever of it is changed and can still be read is either the same events in each key's order, from some event back to
//! the first, or is found. Events of which none has a seal are told of as such, and prove nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use access_keys::lifecycle::history::HistoryChecker;
use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, Actor, AgentId, AuditEvent, AuditQuery, Draft, Edit, FakeClock, KeyId, KeyInfo, Pepper, ProjectId, Scope,
};
use pollster::block_on;

use crate::answer::{CANARY, Checked, Target, outcome, quiet, same};
use crate::host::environment;
use crate::mistake::{self, Mistake};
use crate::random::SplitMix;

/// What is run.
pub static TARGET: Target = Target {
    name: "history",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: true,
    mistakes: &[Mistake::AnyActor, Mistake::AnyOrder, Mistake::SkipsUnsealed],
};

const WORDS: &[&str] = &[
    "all", "never", "active", "inactive", "revoked", "created", "edited", "deactivated", "rotated", "user:eve",
    "system:billing", "seal", "reason", "operation", "actor", "at", "changes", "added", "removed", "before", "after",
    "2030-01-01T01:02:00.777777Z", "0", "sha256:", "hmac-sha256/1:", "hmac-sha256/2:", "triage", CANARY,
];

struct Exported {
    /// Newest first.
    events: Vec<AuditEvent>,
    text: String,
}

static EXPORTED: LazyLock<Exported> = LazyLock::new(exported);

fn pepper() -> Pepper {
    Pepper::new(1, [7; 32]).expect("a pepper")
}

fn exported() -> Exported {
    let clock = FakeClock::default();
    let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme").random(SplitMix(9)).clock(clock.clone());
    let keys = builder.pepper(pepper()).build().expect("a library");
    let project = keys.project(ProjectId::new("checkout").expect("an id"), Actor::user("ada").expect("an id"));
    let agents = |ids: &[&str]| Scope::<AgentId>::parse(ids).expect("ids");
    let made = |ids: &[&str]| {
        let info = KeyInfo::new("Mobile app", environment("production")).expect("a name");
        let draft = Draft::at(access_keys::Clock::wall(&clock)).info(info).agents(agents(ids));
        block_on(project.generate(draft.prompts(Scope::All).expect("a key"))).expect("a key").key.id
    };
    let (first, second, _) = (made(&["support-bot", "triage"]), made(&["mail"]), made(&["search"]));
    clock.advance(Duration::from_secs(60));
    let done = block_on(async {
        project.edit(first, Edit::new().agents(agents(&["triage", "mail"]))).await?;
        project.deactivate(second).await?;
        clock.advance(Duration::from_secs(60));
        let _issued = project.rotate(first, Duration::from_secs(3_600)).await?;
        project.revoke(first, "c4nary").await?;
        project.history(AuditQuery::default()).await
    });
    let events = done.expect("a history").items;
    let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap_or_default()).collect();
    Exported { events, text: lines.join("\n") }
}

/// Compares whether it is intact.
pub fn check(data: &[u8]) -> Checked {
    let mut events: Vec<AuditEvent> = Vec::new();
    for line in data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            Err(error) => {
                quiet(error)?;
                return Ok(outcome(false));
            }
        }
    }
    let expected = is_as_written(&events);
    let mut checker = HistoryChecker::new([pepper()]).expect("one pepper");
    for event in planted(&events) {
        checker.event(&event);
    }
    let report = checker.finish();
    let kept = events.iter().filter(|event| event.seal.is_some() || !mistake::is(Mistake::SkipsUnsealed)).count();
    same("how many there are", &report.events(), &(kept as u64))?;
    same("whether it is intact", &report.is_intact(), &expected)?;
    // The ids are told, and nothing else.
    let named = events.iter().any(|event| format!("{} {}", event.id, event.key).contains(CANARY));
    if !named {
        quiet(report)?;
    }
    Ok(outcome(expected))
}

/// Of each key, the events that were written up to some time, or none that claims to be proved.
fn is_as_written(events: &[AuditEvent]) -> bool {
    let mut of_keys: BTreeMap<KeyId, Vec<&AuditEvent>> = BTreeMap::new();
    for event in events.iter().rev() {
        of_keys.entry(event.key).or_default().push(event);
    }
    of_keys.iter().all(|(key, events)| {
        let numbered = events.iter().zip(1..).all(|(event, revision)| event.revision.get() == revision);
        let written = EXPORTED.events.iter().rev().filter(|event| event.key == *key).take(events.len());
        let same = written.eq(events.iter().copied());
        same || (numbered && events.iter().all(|event| event.seal.is_none()))
    })
}

fn planted(events: &[AuditEvent]) -> Vec<AuditEvent> {
    let mut events = events.to_vec();
    if mistake::is(Mistake::AnyActor) {
        for event in &mut events {
            let written = EXPORTED.events.iter().find(|written| written.id == event.id);
            event.actor = written.map_or_else(|| event.actor.clone(), |written| written.actor.clone());
        }
    }
    if mistake::is(Mistake::AnyOrder) {
        events.sort_by_key(|event| std::cmp::Reverse(event.revision));
    }
    if mistake::is(Mistake::SkipsUnsealed) {
        events.retain(|event| event.seal.is_some());
    }
    events
}

fn samples() -> Vec<Vec<u8>> {
    let text = &EXPORTED.text;
    let lines: Vec<&str> = text.lines().collect();
    let of_key = |key: KeyId| {
        let events = lines.iter().zip(&EXPORTED.events).filter(|(_, event)| event.key == key);
        events.map(|(line, _)| *line).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let mut samples = vec![text.clone().into_bytes(), lines[1..].join("\n").into_bytes()];
    samples.extend([&EXPORTED.events[0], &EXPORTED.events[4]].map(|event| of_key(event.key)));
    samples
}
