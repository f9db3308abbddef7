//! What a verifier keeps of a key.

use std::sync::atomic::{AtomicU16, Ordering};

use chrono::DateTime;

use super::freshness::Row;
use super::packed::{Packed, micros};
use crate::domain::{AccessKey, KeyId, Status};
use crate::store::{StoredDigest, StoredKey};
use crate::token::{PepperRing, Signed, Turned, Way};

/// What a verifier keeps of a key, or that there is none with its id.
///
/// Small, since there may be a million of them, and cheap to clone.
#[derive(Debug)]
pub(crate) struct KeyRow {
    digest: Turned,
    /// What few keys have.
    extra: Option<Box<Extra>>,
    pub(super) packed: Packed,
    expires_at: i64,
    /// The second, about, in which the use of each secret was last noted; 0 for not since the last look of the evictor.
    noted: [AtomicU16; 2],
    way: Way,
    state: State,
}

#[derive(Clone, Debug)]
struct Extra {
    older: Older,
    /// The end of the row itself.
    until: u64,
}

/// Met in place of what a row does not have, so that it takes the same work.
const NOTHING_MORE: &Extra = &Extra { older: Older::NONE, until: u64::MAX };

/// The secret before the newest.
#[derive(Clone, Debug)]
struct Older {
    digest: Turned,
    ends_at: i64,
    generation: u32,
    way: Way,
}

impl Older {
    /// A digest that nothing has, and no way by which anything could be found to have it.
    const NONE: Self = Self { digest: Turned::NOTHING, ends_at: i64::MIN, generation: 0, way: Way::REFUSED };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Active,
    Inactive,
    Revoked,
}

/// Which secret of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Secret {
    Newest = 0,
    Older = 1,
}

impl KeyRow {
    /// What was read under an id; or where nothing `is_there`, what is met in its place, so that it takes the same work.
    pub(super) fn of(met: &StoredKey, is_there: bool, ring: &PepperRing) -> Self {
        let (key, digests) = (met.key(), met.digests());
        let way = |digest: &StoredDigest| ring.way(digest.scheme());
        let newest = digests.first();
        let older = digests.get(1).map(|older| Older {
            digest: Turned::of(older.digest.bytes()),
            ends_at: micros(older.ends_at()),
            generation: older.generation(),
            way: way(older),
        });
        let extra = older.map(|older| Box::new(Extra { older, until: u64::MAX }));
        let state = match key.status {
            _ if !is_there => State::Absent,
            Status::Active => State::Active,
            Status::Inactive => State::Inactive,
            Status::Revoked => State::Revoked,
        };
        Self {
            digest: newest.map_or(Turned::NOTHING, |newest| Turned::of(newest.digest.bytes())),
            extra,
            packed: Packed::of(key, newest.map_or(0, StoredDigest::generation)),
            expires_at: micros(key.expires_at),
            noted: Default::default(),
            way: newest.map_or(Way::LACKING, way),
            state,
        }
    }

    /// Which secret `signed` shows, if any.
    ///
    /// The same work for every row: a second secret that is not there is met with a digest that nothing has.
    #[inline]
    pub(super) fn matches(&self, signed: &Signed, ring: &PepperRing) -> Option<Secret> {
        let older = self.older();
        match ring.compare(signed, [(&self.digest, self.way), (&older.digest, older.way)]) {
            [true, _] => Some(Secret::Newest),
            [_, true] => Some(Secret::Older),
            [false, false] => None,
        }
    }

    /// Where the secret of another row of the same key is in this one.
    pub(super) fn place_of(&self, other: &Self, secret: Secret) -> Option<Secret> {
        let theirs = (other.digest_of(secret), other.generation(secret));
        let is_theirs = |ours: &Secret| (self.digest_of(*ours), self.generation(*ours)) == theirs;
        [Secret::Newest, Secret::Older].into_iter().find(is_theirs)
    }

    /// Whether some living secret cannot be checked by this node.
    pub(super) fn lacks_way(&self, now: i64) -> bool {
        let older = self.older();
        // `&` and `|`: the same work for every row.
        (self.way == Way::LACKING) | ((older.way == Way::LACKING) & (older.ends_at > now))
    }

    pub(super) fn way(&self, secret: Secret) -> Way {
        match secret {
            Secret::Newest => self.way,
            Secret::Older => self.older().way,
        }
    }

    pub(super) fn generation(&self, secret: Secret) -> u32 {
        match secret {
            Secret::Newest => self.packed.generation(),
            Secret::Older => self.older().generation,
        }
    }

    /// The first moment at which a secret is refused, in microseconds since 1970.
    #[inline]
    pub(super) fn ends_at(&self, secret: Secret) -> i64 {
        match secret {
            Secret::Newest => i64::MAX,
            Secret::Older => self.older().ends_at,
        }
    }

    pub(super) const fn expires_at(&self) -> i64 {
        self.expires_at
    }

    pub(super) const fn is_active(&self) -> bool {
        matches!(self.state, State::Active)
    }

    /// Notes a use in this second; `false` when that was done already.
    #[inline]
    pub(super) fn note(&self, secret: Secret, second: u16) -> bool {
        let [newest, older] = &self.noted;
        let noted = match secret {
            Secret::Newest => newest,
            Secret::Older => older,
        };
        noted.load(Ordering::Relaxed) != second && noted.swap(second, Ordering::Relaxed) != second
    }

    /// Whether it was used since this was last asked.
    pub(super) fn take_noted(&self) -> bool {
        // `|`: both are taken.
        self.noted.iter().fold(false, |taken, noted| taken | (noted.swap(0, Ordering::Relaxed) != 0))
    }

    /// The record, `None` for an absence.
    pub(super) fn key(&self, id: KeyId) -> AccessKey {
        let status = match self.state {
            State::Active => Status::Active,
            State::Inactive => Status::Inactive,
            State::Revoked | State::Absent => Status::Revoked,
        };
        let expires_at =
            DateTime::from_timestamp_micros(self.expires_at).filter(|_| self.expires_at != i64::MAX);
        self.packed.unpack(id, status, expires_at)
    }

    /// The memory that it takes in the cache, in bytes, about.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + size_of::<KeyId>()
            + self.packed.len()
            + self.extra.as_ref().map_or(0, |_| 96)
            + 64
    }

    #[inline]
    fn extra(&self) -> &Extra {
        self.extra.as_deref().unwrap_or(NOTHING_MORE)
    }

    #[inline]
    fn older(&self) -> &Older {
        &self.extra().older
    }

    fn digest_of(&self, secret: Secret) -> &Turned {
        match secret {
            Secret::Newest => &self.digest,
            Secret::Older => &self.older().digest,
        }
    }
}

impl Clone for KeyRow {
    fn clone(&self) -> Self {
        Self {
            digest: self.digest.clone(),
            extra: self.extra.clone(),
            packed: self.packed.clone(),
            expires_at: self.expires_at,
            // What was noted of the row that all share need not be noted again by who has its clone.
            noted: self.noted.each_ref().map(|noted| noted.load(Ordering::Relaxed).into()),
            way: self.way,
            state: self.state,
        }
    }
}

impl Row for KeyRow {
    fn revision(&self) -> u64 {
        if self.is_absence() { 0 } else { self.packed.revision() }
    }

    fn is_absence(&self) -> bool {
        self.state == State::Absent
    }

    fn is_revoked(&self) -> bool {
        self.state == State::Revoked
    }

    fn revoke_if(mut self, is_so: bool) -> Self {
        self.state = if is_so { State::Revoked } else { self.state };
        self
    }

    fn until(&self) -> u64 {
        self.extra().until
    }

    fn ending(mut self, until: u64) -> Self {
        let older = self.older().clone();
        self.extra = Some(Box::new(Extra { older, until }));
        self
    }
}
