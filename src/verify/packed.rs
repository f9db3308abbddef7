//! A key's record and scopes packed into one piece of memory, and read there.
//!
//! A cache of a million keys is mostly ids of agents and prompts. As values of their own they would cost a
//! pointer, a length, a hash and an allocation each.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::id::same;
use crate::domain::{
    AccessKey, Actor, AgentId, EnvironmentId, IdSet, KeyId, Origin, ProjectId, PromptId, ResourceId,
    Revision, Scope, Status,
};

/// The count that stands for `Scope::All`.
const ALL: u16 = u16::MAX;
/// How many bytes there is room for before a record must be moved.
const FIRST: usize = 512;
/// Up to so many ids are looked through one after the other; more have a table.
const FEW: usize = 16;

/// The scopes, the texts and the times of a key. What decides on a secret is not in here.
///
/// Where the scopes begin, in two bytes; the environment and the rest of the record; the agents; the prompts.
#[derive(Clone, Debug)]
pub(super) struct Packed(Arc<[u8]>);

impl Packed {
    pub(super) fn of(key: &AccessKey, generation: u32) -> Self {
        // Room for most keys from the start: one that needs less, or is not there, takes the same work.
        let mut bytes = Vec::with_capacity(FIRST);
        bytes.extend([0; 2]);
        pack_text(&mut bytes, key.environment.as_str());
        pack_number(&mut bytes, generation.into());
        pack_number(&mut bytes, key.revision.get());
        bytes.extend(key.created_at.timestamp_micros().to_le_bytes());
        // Never before it was made.
        let updated = (key.updated_at - key.created_at).num_microseconds().unwrap_or(0);
        pack_number(&mut bytes, updated.try_into().unwrap_or(0));
        for text in [key.project.as_str(), &key.name, &key.description, key.created_by.id()] {
            pack_text(&mut bytes, text);
        }
        bytes.push(u8::from(key.created_by.is_user()));
        bytes.push(u8::from(key.origin == Origin::Imported));
        let scopes = short(bytes.len()).to_le_bytes();
        bytes.iter_mut().zip(scopes).for_each(|(place, byte)| *place = byte);
        pack_scope(&mut bytes, &key.agents);
        pack_scope(&mut bytes, &key.prompts);
        Self(bytes.into())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn generation(&self) -> u32 {
        let mut record = self.record();
        record.text();
        u32::try_from(record.number()).unwrap_or(0)
    }

    pub(super) fn revision(&self) -> u64 {
        let mut record = self.record();
        record.text();
        record.number();
        record.number()
    }

    #[inline]
    pub(super) fn is_in(&self, environment: &EnvironmentId) -> bool {
        same(self.record().text(), environment.as_str().as_bytes())
    }

    #[inline]
    pub(super) fn allows_agent(&self, agent: &AgentId) -> bool {
        contains(self.scopes(), agent.as_str().as_bytes(), agent.hash())
    }

    #[inline]
    pub(super) fn allows_prompt(&self, prompt: &PromptId) -> bool {
        let mut scopes = self.scopes();
        scopes.skip_scope();
        contains(scopes, prompt.as_str().as_bytes(), prompt.hash())
    }

    #[inline]
    fn record(&self) -> Reader<'_> {
        Reader(&self.0).skip(2)
    }

    #[inline]
    fn scopes(&self) -> Reader<'_> {
        let at = Reader(&self.0).short();
        Reader(&self.0).skip(at.into())
    }

    /// The record again, with what is kept beside it.
    pub(super) fn unpack(&self, id: KeyId, status: Status, expires_at: Option<DateTime<Utc>>) -> AccessKey {
        let mut scopes = self.scopes();
        let agents = unpack_scope(&mut scopes, AgentId::of_checked);
        let prompts = unpack_scope(&mut scopes, PromptId::of_checked);
        let mut record = self.record();
        let environment = EnvironmentId::of_checked(record.string());
        record.number();
        let revision = Revision::new(record.number()).unwrap_or(Revision::FIRST);
        let created = record.long().cast_signed();
        let updated = created.saturating_add_unsigned(record.number());
        let [created_at, updated_at] =
            [created, updated].map(|time| DateTime::from_timestamp_micros(time).unwrap_or_default());
        AccessKey {
            id,
            project: ProjectId::of_checked(record.string()),
            environment,
            name: record.string().to_owned(),
            description: record.string().to_owned(),
            agents,
            prompts,
            status,
            expires_at,
            revision,
            created_at,
            created_by: Actor::of_checked(record.string(), record.byte() == 1),
            updated_at,
            origin: if record.byte() == 1 { Origin::Imported } else { Origin::Generated },
        }
    }
}

/// Microseconds since 1970; the last there are for never.
pub(super) fn micros(time: Option<DateTime<Utc>>) -> i64 {
    time.map_or(i64::MAX, |time| time.timestamp_micros())
}

/// A count, and for few ids their tags, where each ends, and their texts. For many a table between, of twice as
/// many slots and up: each the upper half of a hash and, from 1, the number of an id.
fn pack_scope<T: ResourceId>(bytes: &mut Vec<u8>, scope: &Scope<T>) {
    let Scope::Specific(ids) = scope else { return bytes.extend(ALL.to_le_bytes()) };
    bytes.extend(short(ids.len()).to_le_bytes());
    if ids.len() <= FEW {
        bytes.extend(ids.iter().map(|id| tag(id.text_hash())));
        bytes.extend(ids.iter().map(|id| u8::try_from(id.as_ref().len()).unwrap_or(u8::MAX)));
    } else {
        let slots = slots(ids.len());
        let mut table = vec![0_u32; slots];
        for (number, id) in (1_u32..).zip(ids) {
            let hash = id.text_hash();
            let probes = (0..slots).map(|step| (start(hash, slots) + step) % slots);
            let free = probes.into_iter().find(|slot| table.get(*slot) == Some(&0));
            if let Some(slot) = free.and_then(|slot| table.get_mut(slot)) {
                *slot = upper(hash) | number;
            }
        }
        table.iter().for_each(|slot| bytes.extend(slot.to_le_bytes()));
        let ends = ids.iter().scan(0_usize, |end, id| {
            *end += id.as_ref().len();
            Some(*end)
        });
        for end in std::iter::once(0).chain(ends) {
            bytes.extend(u32::try_from(end).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
    ids.iter().for_each(|id| bytes.extend(id.as_ref().as_bytes()));
}

#[inline]
fn contains(scope: Reader<'_>, text: &[u8], hash: u64) -> bool {
    let Some((count, rest)) = scope.0.split_first_chunk() else { return false };
    match u16::from_le_bytes(*count) {
        ALL => true,
        count if usize::from(count) > FEW => is_in_table(Reader(rest), count.into(), text, hash),
        count => is_of_few(rest, count.into(), text, hash),
    }
}

fn is_of_few(ids: &[u8], count: usize, text: &[u8], hash: u64) -> bool {
    let Some((tags, rest)) = ids.split_at_checked(count) else { return false };
    let Some((lengths, mut texts)) = rest.split_at_checked(count) else { return false };
    for (tag_there, length) in tags.iter().zip(lengths) {
        let Some((there, rest)) = texts.split_at_checked(usize::from(*length)) else { return false };
        if *tag_there == tag(hash) && there == text {
            return true;
        }
        texts = rest;
    }
    false
}

fn is_in_table(mut scope: Reader<'_>, count: usize, text: &[u8], hash: u64) -> bool {
    let slots = slots(count);
    let table = scope.take(slots * 4);
    let ends = scope.take((count + 1) * 4);
    let word = |of, place: usize| Reader(of).skip(place * 4).word();
    let mut slot = start(hash, slots);
    // Never full, so an empty slot ends it.
    for _ in 0..slots {
        let found = word(table, slot);
        if found == 0 {
            return false;
        }
        if found & UPPER == upper(hash) {
            let number = usize::try_from(found & !UPPER).unwrap_or(0);
            let end = |place| usize::try_from(word(ends, place)).unwrap_or(0);
            if scope.0.get(end(number.saturating_sub(1))..end(number)).is_some_and(|there| there == text) {
                return true;
            }
        }
        slot = (slot + 1) % slots;
    }
    false
}

fn unpack_scope<T: ResourceId>(scopes: &mut Reader<'_>, id: impl Fn(&str) -> T) -> Scope<T> {
    let mut ids = Reader(scopes.skip_scope());
    let count = ids.short();
    if count == ALL {
        return Scope::All;
    }
    let lengths = ids.lengths(count.into());
    let ids = lengths.into_iter().map(|length| id(text(ids.take(length))));
    Scope::Specific(IdSet::of_sorted(ids.collect()))
}

const UPPER: u32 = 0xFFFF_0000;

/// How many slots the table of so many ids has: a power of two.
const fn slots(count: usize) -> usize {
    (count * 3 / 2).next_power_of_two()
}

fn start(hash: u64, slots: usize) -> usize {
    usize::try_from(hash & 0xFFFF_FFFF).unwrap_or(0) & (slots - 1)
}

const fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32 & UPPER
}

const fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// Of a text of which the longest that there is fits.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn pack_text(bytes: &mut Vec<u8>, text: &str) {
    pack_number(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

/// Seven bits to a byte, the highest of which says that another follows.
fn pack_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Reads one thing after the other; beyond the end there are zeros and empty texts.
#[derive(Clone, Copy)]
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn skip(self, count: usize) -> Self {
        Self(self.0.get(count..).unwrap_or_default())
    }

    fn take(&mut self, count: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or_default();
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).first_chunk().copied().unwrap_or([0; N])
    }

    fn byte(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    #[inline]
    fn text(&mut self) -> &'b [u8] {
        let length = self.number();
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The lengths of so many ids, of which only the texts are left to read.
    fn lengths(&mut self, count: usize) -> Vec<usize> {
        if count <= FEW {
            self.take(count);
            return self.take(count).iter().map(|length| usize::from(*length)).collect();
        }
        self.take(slots(count) * 4);
        let ends = self.take((count + 1) * 4).as_chunks::<4>().0;
        let end = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).unwrap_or(0);
        ends.windows(2).map(|pair| pair.last().map_or(0, end) - pair.first().map_or(0, end)).collect()
    }

    /// Reads a scope over, and gives it.
    fn skip_scope(&mut self) -> &'b [u8] {
        let start = self.0;
        let count = self.short();
        if count != ALL {
            let texts = self.lengths(count.into()).into_iter().sum();
            self.take(texts);
        }
        start.get(..start.len() - self.0.len()).unwrap_or_default()
    }

    fn string(&mut self) -> &'b str {
        text(self.text())
    }
}
