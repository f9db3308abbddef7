//! Following chains of events back to their beginnings.

use std::collections::BTreeMap;
use std::fmt;

use super::report::{Break, Cause, HistoryReport};
use super::unwind::Unwound;
use super::{Checkpoint, Head};
use crate::domain::{AuditEvent, EventId, Field, Invalid, KeyId, Revision, Seal, seal::sealed_bytes};
use crate::store::{StoredDigest, StoredKey};
use crate::token::{Pepper, PepperRing, Sealing};

/// Checks events that were exported, without a store: newest first, as a history gives them, of many keys mixed.
///
/// Keeps one event of each key, so a file of any length can be checked line by line. Without the keys themselves and
/// without a checkpoint it cannot know which event is the last: an end that was cut off is not found.
///
/// ```
/// # use access_keys::{AccessKeys, Actor, AuditQuery, EnvironmentId, KeyInfo, Pepper, ProjectId, Scope, store::MemoryStore};
/// use access_keys::{AuditEvent, lifecycle::history::HistoryChecker};
///
/// # pollster::block_on(async {
/// # let secret_from_the_vault = [7; 32];
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme")
/// #     .pepper(Pepper::new(1, secret_from_the_vault)?).build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// # project.generate(review).await?;
/// # let page = project.history(AuditQuery::default()).await?;
/// # let file = page.items.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?.join("\n");
/// let mut checker = HistoryChecker::new([Pepper::new(1, secret_from_the_vault)?])?;
/// for line in file.lines() {
///     checker.event(&serde_json::from_str::<AuditEvent>(line)?);
/// }
/// assert!(checker.finish().is_intact());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct HistoryChecker {
    ring: PepperRing,
    chains: Chains,
}

impl HistoryChecker {
    /// Checks by these peppers; by none, seals are plain hashes.
    ///
    /// # Errors
    /// [`Invalid`] for two peppers of one version.
    pub fn new(peppers: impl IntoIterator<Item = Pepper>) -> Result<Self, Invalid> {
        let ring = PepperRing::new(peppers.into_iter().collect(), false)?;
        Ok(Self { ring, chains: Chains::default() })
    }

    /// Checks by these peppers too what they sealed, as far as a checkpoint holds it: others may have them by now.
    ///
    /// # Errors
    /// [`Invalid`] for two peppers of one version.
    pub fn retired(self, peppers: impl IntoIterator<Item = Pepper>) -> Result<Self, Invalid> {
        Ok(Self { ring: self.ring.with_retired(peppers.into_iter().collect())?, ..self })
    }

    /// Expects what a checkpoint holds.
    ///
    /// # Errors
    /// [`Invalid`] for a checkpoint that was changed, or that was made under a pepper that is lacking here, or retired.
    pub fn expect(&mut self, checkpoint: &Checkpoint) -> Result<(), Invalid> {
        checkpoint.check(checkpoint.project(), &self.ring)?;
        self.chains.expect(checkpoint);
        Ok(())
    }

    /// Takes the next event, which is older than all others of its key so far.
    pub fn event(&mut self, event: &AuditEvent) {
        self.chains.event(&self.ring, event);
    }

    /// What was found.
    pub fn finish(self) -> HistoryReport {
        self.chains.finish(&self.ring)
    }
}

impl fmt::Debug for HistoryChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryChecker").field("peppers", &self.ring).finish_non_exhaustive()
    }
}

/// The chains of many keys.
#[derive(Default)]
pub(super) struct Chains {
    chains: BTreeMap<KeyId, Chain>,
    /// What a checkpoint holds and was not met yet.
    heads: BTreeMap<KeyId, Head>,
    report: HistoryReport,
}

/// The events of one key, from the newest back to the one that was seen last.
#[derive(Default)]
struct Chain {
    /// The record as it was after the event that comes next.
    unwound: Option<Unwound>,
    /// What the key says of its last event.
    last: Option<Head>,
    /// The event that was seen last: what it was sealed after is not known before the next.
    pending: Option<AuditEvent>,
    /// The oldest break so far.
    broken: Option<Break>,
    /// Where the record is not what the events make of it: of interest once they are known to be what was written.
    differs: Option<Break>,
    unsealed: u64,
    /// Since a checkpoint's event was met: what stands before that is held by it.
    held: Option<Revision>,
}

impl Chains {
    pub(super) fn expect(&mut self, checkpoint: &Checkpoint) {
        self.heads.extend(checkpoint.heads().iter().map(|head| (head.key, head.clone())));
    }

    /// Takes a key, whose events follow.
    pub(super) fn key(&mut self, stored: &StoredKey) {
        let generation = stored.digests().first().map_or(0, StoredDigest::generation);
        let chain = Chain {
            unwound: Some(Unwound::from(stored.key().clone(), generation)),
            last: Some(Head::of(stored)),
            ..Chain::default()
        };
        self.chains.insert(stored.key().id, chain);
    }

    pub(super) fn event(&mut self, ring: &PepperRing, event: &AuditEvent) {
        self.report.events += 1;
        let head = self.heads.get(&event.key).filter(|head| head.revision == event.revision).cloned();
        let chain = self.chains.entry(event.key).or_default();
        if let Some(head) = head {
            self.heads.remove(&event.key);
            if (head.event, head.seal) != (event.id, event.seal) {
                chain.breaks_at(event.key, event.revision, Some(event.id), Cause::Checkpoint);
            }
            chain.held = Some(event.revision);
        }
        chain.event(ring, event);
    }

    /// Ends the chain of one key, of which all events were there.
    pub(super) fn finish_key(&mut self, ring: &PepperRing, id: KeyId) {
        let Some(mut chain) = self.chains.remove(&id) else { return };
        chain.finish(id, ring);
        if let Some(head) = self.heads.remove(&id) {
            chain.breaks_at(id, head.revision, None, Cause::Checkpoint);
        }
        self.report.keys += 1;
        self.report.unsealed += chain.unsealed;
        self.report.breaks.extend(chain.broken.or(chain.differs));
    }

    pub(super) fn finish(mut self, ring: &PepperRing) -> HistoryReport {
        while let Some(id) = self.chains.keys().next().copied() {
            self.finish_key(ring, id);
        }
        let gone = |head: Head| Break {
            key: head.key,
            revision: head.revision,
            event: None,
            cause: Cause::Checkpoint,
        };
        self.report.breaks.extend(self.heads.into_values().map(gone));
        self.report
    }
}

impl Chain {
    fn event(&mut self, ring: &PepperRing, event: &AuditEvent) {
        if let Some(last) = self.last.take() {
            self.begins_with(&last, event);
            if self.unwound.as_ref().is_some_and(|record| !record.was_last_changed_by(event)) {
                self.differs_at(event, Field::Time);
            }
        }
        if let Some(newer) = self.pending.take() {
            self.follows(ring, &newer, event);
        }
        if let Some(Err(field)) = self.unwound.as_mut().map(|unwound| unwound.undo(event)) {
            // What came before cannot be told from what was changed: once is enough.
            self.unwound = None;
            self.differs_at(event, field);
        }
        self.pending = Some(event.clone());
    }

    /// Whether the first event that is there is the one that the key names.
    fn begins_with(&mut self, last: &Head, event: &AuditEvent) {
        if event.revision < last.revision {
            self.breaks_at(last.key, event.revision.next(), None, Cause::Missing);
        } else if (event.id, event.seal) != (last.event, last.seal) {
            self.breaks_at(last.key, event.revision, Some(event.id), Cause::Altered);
        }
    }

    /// Whether `newer` comes right after `event`.
    fn follows(&mut self, ring: &PepperRing, newer: &AuditEvent, event: &AuditEvent) {
        if event.revision >= newer.revision {
            self.breaks_at(event.key, newer.revision, Some(newer.id), Cause::OutOfOrder);
        } else if event.revision.next() < newer.revision {
            self.breaks_at(event.key, event.revision.next(), None, Cause::Missing);
        } else {
            self.is_sealed(ring, newer, event.seal);
        }
    }

    fn is_sealed(&mut self, ring: &PepperRing, event: &AuditEvent, before: Option<Seal>) {
        let Some(seal) = event.seal else {
            self.unsealed += 1;
            if before.is_some() {
                self.breaks_at(event.key, event.revision, Some(event.id), Cause::Unsealed);
            }
            return;
        };
        let cause = match ring.check(&seal, &sealed_bytes(event, before.as_ref())) {
            Sealing::Good => return,
            Sealing::Retired if self.held.is_some_and(|held| event.revision <= held) => return,
            Sealing::Retired => Cause::Retired { version: seal.pepper().unwrap_or_default() },
            Sealing::Wrong => Cause::Altered,
            Sealing::Unpeppered => Cause::Unpeppered,
            Sealing::Lacking => Cause::PepperLacking { version: seal.pepper().unwrap_or_default() },
        };
        self.breaks_at(event.key, event.revision, Some(event.id), cause);
    }

    /// The oldest event must be the first one.
    fn finish(&mut self, id: KeyId, ring: &PepperRing) {
        match self.pending.take() {
            Some(event) if event.revision > Revision::FIRST => {
                self.breaks_at(id, Revision::FIRST, None, Cause::Missing);
            }
            Some(event) => self.is_sealed(ring, &event, None),
            None => self.breaks_at(id, Revision::FIRST, None, Cause::Missing),
        }
    }

    fn differs_at(&mut self, event: &AuditEvent, field: Field) {
        let AuditEvent { key, revision, id, .. } = *event;
        self.differs = Some(Break { key, revision, event: Some(id), cause: Cause::Record { field } });
    }

    /// The older of two breaks is the first; of two at one place the one that was found first.
    fn breaks_at(&mut self, key: KeyId, revision: Revision, event: Option<EventId>, cause: Cause) {
        if self.broken.as_ref().is_none_or(|broken| revision < broken.revision) {
            self.broken = Some(Break { key, revision, event, cause });
        }
    }
}
