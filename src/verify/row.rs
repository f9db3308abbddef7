//! What a verifier keeps of a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
    extra: Option<Arc<Extra>>,
    pub(super) packed: Packed,
    expires_at: i64,
    /// The second, about, in which its use was last noted; 0 for not since the last look of the evictor.
    noted: AtomicU32,
    way: Way,
    state: State,
}

#[derive(Debug)]
struct Extra {
    older: Option<Older>,
    /// The end of the row itself.
    until: u64,
}

/// The secret before the newest.
#[derive(Debug)]
struct Older {
    digest: Turned,
    ends_at: i64,
    generation: u32,
    noted: AtomicU32,
    way: Way,
}

impl Older {
    /// The same, as if it had never been used.
    fn anew(&self) -> Self {
        Self { digest: self.digest.clone(), noted: AtomicU32::new(0), ..*self }
    }
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
    /// What is stored under an id. For an id with nothing stored, `dummy` is met in its place, so that it
    /// takes the same work.
    pub(super) fn of(stored: Option<&StoredKey>, dummy: &StoredKey, ring: &PepperRing) -> Self {
        let met = stored.unwrap_or(dummy);
        let (key, digests) = (met.key(), met.digests());
        let way = |digest: &StoredDigest| ring.way(digest.scheme());
        let newest = digests.first();
        let older = digests.get(1).map(|older| Older {
            digest: Turned::of(older.digest.bytes()),
            ends_at: micros(older.ends_at()),
            generation: older.generation(),
            noted: AtomicU32::new(0),
            way: way(older),
        });
        let extra = older.map(|older| Arc::new(Extra { older: Some(older), until: u64::MAX }));
        let state = match key.status {
            _ if stored.is_none() => State::Absent,
            Status::Active => State::Active,
            Status::Inactive => State::Inactive,
            Status::Revoked => State::Revoked,
        };
        Self {
            digest: newest.map_or(Turned::NOTHING, |newest| Turned::of(newest.digest.bytes())),
            extra,
            packed: Packed::of(key, newest.map_or(0, StoredDigest::generation)),
            expires_at: micros(key.expires_at),
            noted: AtomicU32::new(0),
            way: newest.map_or(Way::LACKING, way),
            state,
        }
    }

    /// Which secret `signed` shows, if any.
    ///
    /// The same work for every row: a second secret that is not there is met with a digest that nothing has.
    #[inline]
    pub(super) fn matches(&self, signed: &Signed, ring: &PepperRing) -> Option<Secret> {
        let older = self.older().map_or((&Turned::NOTHING, self.way), |older| (&older.digest, older.way));
        match ring.compare(signed, [(&self.digest, self.way), older]) {
            _ if self.is_absence() => None,
            [true, _] => Some(Secret::Newest),
            [_, true] if self.older().is_some() => Some(Secret::Older),
            _ => None,
        }
    }

    /// Where the secret of another row of the same key is in this one.
    pub(super) fn place_of(&self, other: &Self, secret: Secret) -> Option<Secret> {
        let theirs = (other.digest_of(secret)?, other.generation(secret));
        let is_theirs = |ours: &Secret| {
            self.digest_of(*ours).map(|digest| (digest, self.generation(*ours))) == Some(theirs)
        };
        [Secret::Newest, Secret::Older].into_iter().find(is_theirs)
    }

    /// Whether some living secret cannot be checked by this node.
    pub(super) fn lacks_way(&self, now: i64) -> bool {
        let older = self.older().filter(|older| older.ends_at > now).map(|older| older.way);
        !self.is_absence() && [Some(self.way), older].contains(&Some(Way::LACKING))
    }

    pub(super) fn way(&self, secret: Secret) -> Way {
        match (secret, self.older()) {
            (Secret::Older, Some(older)) => older.way,
            _ => self.way,
        }
    }

    pub(super) fn generation(&self, secret: Secret) -> u32 {
        match (secret, self.older()) {
            (Secret::Older, Some(older)) => older.generation,
            _ => self.packed.generation(),
        }
    }

    /// The first moment at which a secret is refused, in microseconds since 1970.
    #[inline]
    pub(super) fn ends_at(&self, secret: Secret) -> i64 {
        match (secret, self.older()) {
            (Secret::Older, Some(older)) => older.ends_at,
            _ => i64::MAX,
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
    pub(super) fn note(&self, secret: Secret, second: u32) -> bool {
        let noted = match (secret, self.older()) {
            (Secret::Older, Some(older)) => &older.noted,
            _ => &self.noted,
        };
        noted.load(Ordering::Relaxed) != second && noted.swap(second, Ordering::Relaxed) != second
    }

    /// Tells the evictor of a use that was noted elsewhere.
    pub(super) fn touch(&self) {
        self.noted.store(1, Ordering::Relaxed);
    }

    /// Whether it was used since this was last asked.
    pub(super) fn take_noted(&self) -> bool {
        self.noted.swap(0, Ordering::Relaxed) != 0
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
    fn older(&self) -> Option<&Older> {
        self.extra.as_deref().and_then(|extra| extra.older.as_ref())
    }

    fn digest_of(&self, secret: Secret) -> Option<&Turned> {
        match secret {
            Secret::Newest => Some(&self.digest),
            Secret::Older => self.older().map(|older| &older.digest),
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
            noted: AtomicU32::new(0),
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

    fn revoke(mut self) -> Self {
        self.state = State::Revoked;
        self
    }

    fn until(&self) -> u64 {
        self.extra.as_deref().map_or(u64::MAX, |extra| extra.until)
    }

    fn ending(mut self, until: u64) -> Self {
        let older = self.older().map(Older::anew);
        self.extra = Some(Arc::new(Extra { older, until }));
        self
    }
}
