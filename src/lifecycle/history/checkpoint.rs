//! Where the histories of a project ended at some time.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::quiet::read_quietly;
use crate::domain::{EventId, Field, Invalid, KeyId, ProjectId, Revision, Rule, Seal, time};
use crate::store::StoredKey;
use crate::token::{PepperRing, Sealing};

/// Where the history of every key of a project ended at some time, sealed.
///
/// Kept where the database's writers cannot reach it, it shows later that nothing of what it holds is gone:
/// [`verify_histories`](crate::ProjectKeys::verify_histories). About 150 bytes a key in JSON; nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    project: ProjectId,
    #[serde(with = "time")]
    at: DateTime<Utc>,
    heads: Vec<Head>,
    seal: Seal,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    Checkpoint {
        project: ProjectId,
        #[serde(with = "time")]
        at: DateTime<Utc>,
        heads: Vec<Head>,
        seal: Seal,
    }
}

/// The last event of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Head {
    /// The key.
    pub key: KeyId,
    /// Its revision.
    pub revision: Revision,
    /// Its last event.
    pub event: EventId,
    /// The seal of that.
    pub seal: Option<Seal>,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    Head {
        key: KeyId,
        revision: Revision,
        event: EventId,
        #[serde(deserialize_with = "serde::Deserialize::deserialize")]
        seal: Option<Seal>,
    }
}

impl Head {
    pub(super) fn of(stored: &StoredKey) -> Self {
        Self {
            key: stored.key().id,
            revision: stored.revision(),
            event: stored.last_event(),
            seal: stored.last_seal(),
        }
    }
}

impl Checkpoint {
    pub(super) fn new(project: ProjectId, at: DateTime<Utc>, heads: Vec<Head>, ring: &PepperRing) -> Self {
        let seal = ring.seal(&sealed_bytes(&project, at, &heads));
        Self { project, at, heads, seal }
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> &ProjectId {
        &self.project
    }

    /// When it was made: what was written later may not be in it.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The last event of each key.
    #[must_use]
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Refuses one of another project, and one that is not what was sealed.
    pub(super) fn check(&self, project: &ProjectId, ring: &PepperRing) -> Result<(), Invalid> {
        let problem = if self.project != *project {
            "is that of another project"
        } else {
            match ring.check(&self.seal, &sealed_bytes(&self.project, self.at, &self.heads)) {
                Sealing::Good => return Ok(()),
                Sealing::Lacking => "is made under a pepper that is lacking",
                Sealing::Retired => "is made under a pepper that is retired",
                Sealing::Wrong | Sealing::Unpeppered => "is not that of the checkpoint",
            }
        };
        Err(Invalid::new(Field::Seal, Rule::Inconsistent { problem }))
    }
}

fn sealed_bytes(project: &ProjectId, at: DateTime<Utc>, heads: &[Head]) -> Vec<u8> {
    // The parts have no space and no line break, and no event's bytes begin so.
    let mut text = format!("access-keys checkpoint 1\n{project}\n{}\n", at.timestamp_micros());
    for Head { key, revision, event, seal } in heads {
        let seal = seal.map_or_else(|| "none".to_owned(), |seal| seal.to_string());
        text.extend([key.as_str(), " ", &revision.to_string(), " ", event.as_str(), " ", &seal, "\n"]);
    }
    text.into_bytes()
}
