//! What keys were used for, gathered until it is written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use chrono::{DateTime, TimeDelta, Utc};

use super::parts::{Parts, locked};
use super::verifier::Inner;
use crate::domain::{KeyId, Resource};
use crate::store::{KeyStore, ScopeUse, StoreError};

/// How many uses are remembered at once. A further one is noted when there is room again and it comes again.
const CAPACITY: usize = 100_000;
/// How many are written in one call of the store.
const BATCH: usize = 1_000;
/// A use within this of one that was noted is not noted again.
const APART: TimeDelta = TimeDelta::hours(1);

/// Uses that were noted lately, each as a number that no other has: a grant that finds its own there writes nothing.
/// Two that want one place take turns in it, and find their way to the verifier more often.
static LATELY: [AtomicU64; 1 << 16] = [const { AtomicU64::new(0) }; 1 << 16];

/// The verifiers, by the numbers of their homes.
static VERIFIERS: Mutex<BTreeMap<u64, Weak<Inner>>> = Mutex::new(BTreeMap::new());

/// The verifier that a grant is of, by a number: a pointer would be counted by every thread that puts a row aside, and
/// would keep the verifier alive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home(u64);

impl Home {
    /// Of a verifier that wants to know of no use.
    pub(super) const NOWHERE: Self = Self(0);

    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn is_of(self, verifier: &Arc<Inner>) {
        if self.0 != Self::NOWHERE.0 {
            let mut verifiers = locked(&VERIFIERS);
            verifiers.retain(|_, verifier| verifier.strong_count() > 0);
            verifiers.insert(self.0, Arc::downgrade(verifier));
        }
    }

    /// Notes a use, unless that was done lately.
    ///
    /// In place of a clock there is the time until which the grant is good: it goes on as the clock does.
    #[inline]
    pub(super) fn note(self, key: KeyId, hash: u64, good_until: u64, resource: impl FnOnce() -> Resource) {
        if self.0 == Self::NOWHERE.0 {
            return;
        }
        let mark = mark(key, hash, self.0, good_until);
        let place = usize::try_from(mark >> 48).ok().and_then(|place| LATELY.get(place));
        let Some(place) = place else { return };
        if place.load(Ordering::Relaxed) != mark && self.note_there(key, resource()) {
            place.store(mark, Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_there(self, key: KeyId, resource: Resource) -> bool {
        let verifier = locked(&VERIFIERS).get(&self.0).and_then(Weak::upgrade);
        // Nobody wants to know of it when the verifier is gone.
        verifier.is_none_or(|verifier| verifier.note_scope_use(key, resource))
    }
}

/// Other for every key, resource and verifier, and in every 18 minutes (2⁴⁰ nanoseconds). Never 0.
#[inline]
fn mark(key: KeyId, hash: u64, home: u64, good_until: u64) -> u64 {
    const ODD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93];
    let [low, high] = key.halves();
    let when = (good_until >> 40) ^ home.rotate_left(32);
    let mixed = (low ^ hash).wrapping_mul(ODD[0]) ^ (high ^ when).wrapping_mul(ODD[1]).rotate_left(29);
    (mixed ^ mixed >> 32).wrapping_mul(ODD[0]) | 1
}

/// Uses since the last flush, and for an hour those that were written, so that they are not written again.
#[derive(Debug, Default)]
pub(crate) struct ScopeUses {
    parts: Parts<Noted>,
    /// How many there are in all parts.
    count: AtomicUsize,
    /// Whether there was ever no room.
    overflowed: AtomicBool,
}

type Noted = BTreeMap<KeyId, BTreeMap<Resource, When>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct When {
    since: DateTime<Utc>,
    at: DateTime<Utc>,
    written: bool,
}

impl ScopeUses {
    /// `false` where there is no room.
    pub(super) fn record(&self, key: KeyId, resource: Resource, at: DateTime<Utc>) -> bool {
        let Some(mut noted) = self.parts.of(key) else { return false };
        match noted.get_mut(&key).and_then(|of_key| of_key.get_mut(&resource)) {
            // Of either direction: a clock that was set back is no reason to note nothing until it is where it was.
            Some(when) if (at - when.at).abs() < APART => return true,
            Some(when) if when.written => {
                *when = When { since: at, at, written: false };
                return true;
            }
            Some(when) => {
                (when.since, when.at) = (when.since.min(at), when.at.max(at));
                return true;
            }
            None => {}
        }
        let is_same_kind = |other: &&Resource| other.is_agent() == resource.is_agent();
        let of_kind = noted.get(&key).map_or(0, |of_key| of_key.keys().filter(is_same_kind).count());
        if of_kind > ScopeUse::KEPT {
            // One key that is used for whatever comes to its holder's mind takes no room from others.
            return true;
        }
        if self.count.load(Ordering::Relaxed) >= CAPACITY {
            self.forget(&mut noted, |when| when.written);
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= CAPACITY {
            self.count.fetch_sub(1, Ordering::Relaxed);
            self.overflowed.store(true, Ordering::Relaxed);
            return false;
        }
        noted.entry(key).or_default().insert(resource, When { since: at, at, written: false });
        true
    }

    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// What is gathered of this key, some of which may not be written yet.
    pub(crate) fn of(&self, key: KeyId) -> Vec<ScopeUse> {
        let Some(noted) = self.parts.of(key) else { return Vec::new() };
        let of_key = noted.get(&key).into_iter().flatten();
        of_key.map(|(resource, when)| scope_use(key, resource, when)).collect()
    }

    /// Writes what was gathered when it was called. What could not be written, or was being written when the future was
    /// dropped, stays.
    pub(crate) async fn flush(&self, store: &(impl KeyStore + ?Sized)) -> Result<(), StoreError> {
        // Ordered, since batches in one order deadlock no database.
        let mut gathered = BTreeMap::new();
        for part in self.parts.all() {
            for (key, of_key) in part.iter() {
                let unwritten = of_key.iter().filter(|(_, when)| !when.written);
                gathered.extend(unwritten.map(|(resource, when)| ((*key, resource.clone()), *when)));
            }
        }
        let Some(latest) = gathered.values().map(|when| when.at).max() else { return Ok(()) };
        let gathered: Vec<_> = gathered.into_iter().collect();
        for batch in gathered.chunks(BATCH) {
            let uses = batch.iter().map(|((key, resource), when)| scope_use(*key, resource, when));
            store.record_scope_uses(&uses.collect::<Vec<_>>()).await?;
            // Only now: a use must be seen here until it is seen there.
            for ((key, resource), when) in batch {
                let Some(mut noted) = self.parts.of(*key) else { continue };
                let now = noted.get_mut(key).and_then(|of_key| of_key.get_mut(resource));
                if let Some(now) = now.filter(|now| *now == when) {
                    now.written = true;
                }
            }
        }
        for mut part in self.parts.all() {
            self.forget(&mut part, |when| when.written && latest - when.at >= APART);
        }
        Ok(())
    }

    fn forget(&self, noted: &mut Noted, which: impl Fn(&When) -> bool) {
        let mut forgotten = 0;
        noted.retain(|_, of_key| {
            let before = of_key.len();
            of_key.retain(|_, when| !which(when));
            forgotten += before - of_key.len();
            !of_key.is_empty()
        });
        self.count.fetch_sub(forgotten, Ordering::Relaxed);
    }
}

fn scope_use(key: KeyId, resource: &Resource, when: &When) -> ScopeUse {
    ScopeUse::new(key, resource.clone(), when.at).since(when.since)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ops::Range;

    use pollster::block_on;

    use super::*;
    use crate::domain::{AgentId, Invalid, PromptId};
    use crate::store::MemoryStore;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    fn key(number: usize) -> Result<KeyId, Invalid> {
        KeyId::new(format!("{number:016}"))
    }

    fn agent(number: usize) -> Result<Resource, Invalid> {
        AgentId::new(format!("agent-{number}")).map(Into::into)
    }

    fn count(uses: &ScopeUses) -> usize {
        let there = uses.parts.all().map(|part| part.values().map(BTreeMap::len).sum::<usize>()).sum();
        assert_eq!(uses.count.load(Ordering::Relaxed), there);
        there
    }

    #[test]
    fn what_is_full_takes_no_more_until_it_is_written() -> Tested {
        let (uses, store) = (ScopeUses::default(), MemoryStore::new());
        for number in 0..CAPACITY {
            assert!(uses.record(key(number / 100)?, agent(number % 100)?, DateTime::UNIX_EPOCH));
        }
        assert!(!uses.overflowed());
        assert!(!uses.record(key(0)?, agent(100)?, DateTime::UNIX_EPOCH));
        assert!(uses.overflowed());
        assert_eq!(count(&uses), CAPACITY);
        assert_eq!(uses.of(key(0)?).len(), 100, "what was there stays");

        block_on(uses.flush(&store))?;
        assert_eq!(count(&uses), CAPACITY, "for an hour they are not written again");
        assert!(uses.record(key(0)?, agent(100)?, DateTime::UNIX_EPOCH));
        assert!(count(&uses) < CAPACITY && uses.of(key(0)?).len() == 1);

        let later = DateTime::UNIX_EPOCH + APART;
        assert!(uses.record(key(1)?, agent(0)?, later));
        block_on(uses.flush(&store))?;
        assert_eq!(count(&uses), 1, "older than an hour");
        Ok(())
    }

    /// Marks of several keys, with every bit and character of what they stand for changed alone.
    fn marks() -> Result<Vec<u64>, Invalid> {
        let bits = |number: u64, bits: Range<u32>| bits.map(move |bit| number ^ 1 << bit);
        let mut marks = Vec::new();
        for number in 0..100_u64 {
            let text = format!("{:016}", number * 0x0123_4567_89AB % 10_000_000_000_000_000);
            let key = KeyId::new(&text)?;
            let seed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let [hash, home, until] = [seed.rotate_left(7), seed & 0xFFFF, seed.rotate_left(31) & !0 >> 1];
            marks.push(mark(key, hash, home, until));
            marks.extend(bits(hash, 0..64).map(|hash| mark(key, hash, home, until)));
            marks.extend(bits(home, 0..32).map(|home| mark(key, hash, home, until)));
            marks.extend(bits(until, 40..64).map(|until| mark(key, hash, home, until)));
            for place in 0..16 {
                let mut other = text.clone();
                other.replace_range(place..=place, "Z");
                marks.push(mark(KeyId::new(other)?, hash, home, until));
            }
            assert!(
                bits(until, 0..40)
                    .all(|until| Some(&mark(key, hash, home, until)) == marks.get(marks.len() - 137))
            );
        }
        Ok(marks)
    }

    #[test]
    fn a_mark_is_another_for_whatever_differs_and_spreads_over_all_places() -> Tested {
        let marks = marks()?;
        let different: BTreeSet<_> = marks.iter().collect();
        assert_eq!(different.len(), marks.len());
        let places: BTreeSet<_> = marks.iter().map(|mark| mark >> 48).collect();
        // 13,700 marks at random come to 12,360 of 65,536 places, about.
        assert!(places.len() > 11_500, "{} places", places.len());
        Ok(())
    }

    #[test]
    fn a_use_is_noted_anew_after_an_hour_and_one_more_than_is_kept() -> Tested {
        let (uses, store) = (ScopeUses::default(), MemoryStore::new());
        for number in 0..ScopeUse::KEPT + 5 {
            assert!(uses.record(key(1)?, agent(number)?, DateTime::UNIX_EPOCH));
        }
        assert!(uses.record(key(1)?, PromptId::new("greeting")?.into(), DateTime::UNIX_EPOCH));
        // By one more than it keeps the store tells that there were more.
        assert_eq!(uses.of(key(1)?).len(), ScopeUse::KEPT + 1 + 1);
        block_on(uses.flush(&store))?;
        assert!(uses.record(key(2)?, agent(0)?, DateTime::UNIX_EPOCH));
        assert_eq!(uses.of(key(1)?).len(), ScopeUse::KEPT + 1 + 1, "there is room: nothing is forgotten");

        let within = DateTime::UNIX_EPOCH + APART - TimeDelta::microseconds(1);
        for (at, expected) in
            [(within, DateTime::UNIX_EPOCH), (DateTime::UNIX_EPOCH + APART, DateTime::UNIX_EPOCH + APART)]
        {
            assert!(uses.record(key(1)?, agent(0)?, at));
            let (noted, first) = (uses.of(key(1)?), agent(0)?);
            assert_eq!(noted.iter().find(|used| used.resource == first).map(|used| used.at), Some(expected));
        }
        Ok(())
    }
}
