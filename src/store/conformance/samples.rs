//! Keys and events as the library makes them, under ids that nothing else has.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use super::ruling::{Ruling, Stop};
use crate::domain::{
    AccessKey, Action, Actor, AuditEvent, EnvironmentId, EventId, FieldChange, Invalid, KeyId, Origin,
    ProjectId, Revision, Scope, Seal, Status,
};
use crate::store::{StoredDigest, StoredKey};
use crate::token::{Digest, Random, Scheme};

/// Makes what one rule stores, in a project of its own.
pub(super) struct Samples {
    random: Random,
    ticks: AtomicU32,
    pub(super) project: ProjectId,
}

/// A key and the event that tells of it, as one call of the store takes them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Write {
    pub(super) key: StoredKey,
    pub(super) event: AuditEvent,
}

impl Write {
    pub(super) fn id(&self) -> KeyId {
        self.key.key().id
    }

    /// The revision that it replaces, unless it is the first one.
    pub(super) fn before(&self) -> Option<Revision> {
        Revision::new(self.key.revision().get() - 1).ok()
    }
}

/// What is right by construction, or a mistake of the kit.
pub(super) fn valid<T>(made: Result<T, Invalid>) -> Ruling<T> {
    made.map_err(|invalid| Stop::not_asked(format!("a sample could not be made: {invalid}")))
}

impl Samples {
    pub(super) fn new() -> Ruling<Self> {
        let random = Random::system();
        let project = fresh_project(&random)?;
        Ok(Self { random, ticks: AtomicU32::new(0), project })
    }

    /// Another project that nothing else has.
    pub(super) fn other_project(&self) -> Ruling<ProjectId> {
        fresh_project(&self.random)
    }

    pub(super) fn key_id(&self) -> Ruling<KeyId> {
        draw(&self.random).map(KeyId::of_base62)
    }

    pub(super) fn event_id(&self) -> Ruling<EventId> {
        let drawn = draw(&self.random)?;
        EventId::from_base62(drawn).ok_or_else(|| Stop::not_asked("a drawn id was none"))
    }

    /// A time that is later than all before.
    pub(super) fn tick(&self) -> DateTime<Utc> {
        at(self.ticks.fetch_add(1, Ordering::Relaxed))
    }

    /// The digest of a secret that nobody has.
    pub(super) fn digest(&self, scheme: Scheme) -> Ruling<Digest> {
        let [first, second] = [draw(&self.random)?, draw(&self.random)?];
        let mut bytes = [0; 32];
        for (place, drawn) in bytes.iter_mut().zip(first.into_iter().chain(second)) {
            *place = drawn ^ 0xA5;
        }
        Ok(Digest::new(scheme, bytes))
    }

    /// A new key.
    pub(super) fn key(&self) -> Ruling<Write> {
        self.key_with(|_| {})
    }

    /// A new key that is like this.
    pub(super) fn key_with(&self, like: impl FnOnce(&mut AccessKey)) -> Ruling<Write> {
        let digest = StoredDigest::new(self.digest(Scheme::Sha256)?, 1, None);
        self.key_of(vec![digest], like)
    }

    /// A new key with these digests.
    pub(super) fn key_of(
        &self,
        digests: Vec<StoredDigest>,
        like: impl FnOnce(&mut AccessKey),
    ) -> Ruling<Write> {
        let now = self.tick();
        let mut key = AccessKey {
            id: self.key_id()?,
            project: self.project.clone(),
            environment: valid(EnvironmentId::new("production"))?,
            name: "Mobile app".to_owned(),
            description: "iOS and Android".to_owned(),
            agents: valid(Scope::parse(["support-bot", "triage"]))?,
            prompts: Scope::All,
            status: Status::Active,
            expires_at: None,
            revision: Revision::FIRST,
            created_at: now,
            created_by: valid(Actor::user("ada"))?,
            updated_at: now,
            origin: Origin::Generated,
        };
        like(&mut key);
        key.updated_at = key.created_at;
        let changes = vec![FieldChange::Key(Box::new(key.clone()))];
        self.write(key, digests, Action::Created, changes)
    }

    /// The change of a key that renames it.
    pub(super) fn renamed(&self, before: &Write, name: &str) -> Ruling<Write> {
        let change = FieldChange::Name { before: before.key.key().name.clone(), after: name.to_owned() };
        self.changed(before, Action::Edited, vec![change], |key| name.clone_into(&mut key.name))
    }

    /// The change of a key that sets its status.
    pub(super) fn set(&self, before: &Write, status: Status) -> Ruling<Write> {
        let action = match status {
            Status::Active => Action::Activated,
            Status::Inactive => Action::Deactivated,
            Status::Revoked => Action::Revoked,
        };
        let change = FieldChange::Status { before: before.key.key().status, after: status };
        let mut write = self.changed(before, action, vec![change], |key| key.status = status)?;
        write.event.reason = (status == Status::Revoked).then(|| "leaked in a public repository".to_owned());
        Ok(write)
    }

    /// A change of a key.
    pub(super) fn changed(
        &self,
        before: &Write,
        action: Action,
        changes: Vec<FieldChange>,
        like: impl FnOnce(&mut AccessKey),
    ) -> Ruling<Write> {
        self.changed_to(before, before.key.digests().to_vec(), action, changes, like)
    }

    /// A change of a key that has these digests then.
    pub(super) fn changed_to(
        &self,
        before: &Write,
        digests: Vec<StoredDigest>,
        action: Action,
        changes: Vec<FieldChange>,
        like: impl FnOnce(&mut AccessKey),
    ) -> Ruling<Write> {
        let mut key = before.key.key().clone();
        key.revision = key.revision.next();
        key.updated_at = self.tick().max(key.updated_at + TimeDelta::microseconds(1));
        like(&mut key);
        self.write(key, digests, action, changes)
    }

    /// The same change, made at another time.
    pub(super) fn at(&self, write: Write, time: DateTime<Utc>) -> Ruling<Write> {
        let mut key = write.key.key().clone();
        key.updated_at = time;
        let event = AuditEvent { at: time, ..write.event };
        Ok(Write { key: StoredKey::told_by(key, write.key.digests().to_vec(), &event), event })
    }

    /// The same change, told by an event of this id.
    pub(super) fn told_by(&self, write: Write, id: EventId) -> Write {
        let event = AuditEvent { id, ..write.event };
        Write {
            key: StoredKey::told_by(write.key.key().clone(), write.key.digests().to_vec(), &event),
            event,
        }
    }

    /// The same change, as a version that sealed nothing made it.
    pub(super) fn unsealed(&self, write: Write) -> Write {
        let event = AuditEvent { seal: None, ..write.event };
        let key = StoredKey::told_by(write.key.key().clone(), write.key.digests().to_vec(), &event);
        Write { key, event }
    }

    fn write(
        &self,
        key: AccessKey,
        digests: Vec<StoredDigest>,
        action: Action,
        changes: Vec<FieldChange>,
    ) -> Ruling<Write> {
        let event = event_of(&key, self.event_id()?, action, changes);
        Ok(Write { key: StoredKey::told_by(key, digests, &event), event })
    }
}

/// A change of the key as it is stored at the moment.
pub(super) fn on_top(
    current: &StoredKey,
    event: EventId,
    action: Action,
    like: impl FnOnce(&mut AccessKey),
) -> Write {
    let mut key = current.key().clone();
    key.revision = key.revision.next();
    key.updated_at += TimeDelta::seconds(1);
    like(&mut key);
    let event = event_of(&key, event, action, Vec::new());
    Write { key: StoredKey::told_by(key, current.digests().to_vec(), &event), event }
}

fn event_of(key: &AccessKey, id: EventId, action: Action, changes: Vec<FieldChange>) -> AuditEvent {
    AuditEvent {
        id,
        project: key.project.clone(),
        key: key.id,
        at: key.updated_at,
        actor: key.created_by.clone(),
        action,
        revision: key.revision,
        changes,
        reason: None,
        operation: None,
        seal: Some(seal_of(id)),
    }
}

/// A seal of no meaning, another one for each event.
fn seal_of(event: EventId) -> Seal {
    let mut mac = [0; 32];
    for (place, byte) in mac.iter_mut().zip(event.as_str().bytes().cycle()) {
        *place = byte;
    }
    Seal::new(Some(7), mac)
}

/// So many seconds after the first moment of the samples.
pub(super) fn at(seconds: u32) -> DateTime<Utc> {
    // 2030-01-01T00:00:00.000001Z: a time of which no digit can be lost unseen.
    const FIRST: i64 = 1_893_456_000_000_001;
    DateTime::from_timestamp_micros(FIRST + i64::from(seconds) * 1_000_000).unwrap_or_default()
}

fn fresh_project(random: &Random) -> Ruling<ProjectId> {
    let mut text = "conformance-".to_owned();
    let drawn = draw(random)?;
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", String::from_utf8_lossy(&drawn));
    valid(ProjectId::new(text))
}

fn draw(random: &Random) -> Ruling<[u8; 16]> {
    match random.draw() {
        Ok(drawn) => Ok(*drawn),
        Err(error) => Err(Stop::not_asked(format!("no randomness: {error}"))),
    }
}
