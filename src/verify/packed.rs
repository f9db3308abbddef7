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
/// Up to so many ids are looked through one after the other; more have a table.
const FEW: usize = 16;

/// The scopes, the texts and the times of a key. What decides on a secret is not in here.
///
/// It begins with where the prompts and where the rest begins, four bytes each; then come the agents.
#[derive(Clone, Debug)]
pub(super) struct Packed(Arc<[u8]>);

/// Where the agents begin.
const AGENTS: u32 = 8;

impl Packed {
    pub(super) fn of(key: &AccessKey) -> Self {
        let mut bytes = vec![0; 8];
        pack_scope(&mut bytes, &key.agents);
        let prompts = place(&bytes);
        pack_scope(&mut bytes, &key.prompts);
        let rest = place(&bytes);
        bytes.extend(key.revision.get().to_le_bytes());
        pack_text(&mut bytes, key.environment.as_str());
        for time in [key.created_at, key.updated_at] {
            bytes.extend(time.timestamp_micros().to_le_bytes());
        }
        for text in [key.project.as_str(), &key.name, &key.description, key.created_by.id()] {
            pack_text(&mut bytes, text);
        }
        bytes.push(u8::from(key.created_by.is_user()));
        for (at, place) in bytes.iter_mut().zip([prompts, rest].into_iter().flat_map(u32::to_le_bytes)) {
            *at = place;
        }
        Self(bytes.into())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn revision(&self) -> u64 {
        self.rest().long()
    }

    #[inline]
    pub(super) fn is_in(&self, environment: &EnvironmentId) -> bool {
        let mut reader = self.rest();
        reader.long();
        same(reader.text(), environment.as_str().as_bytes())
    }

    #[inline]
    pub(super) fn allows_agent(&self, agent: &AgentId) -> bool {
        contains(self.agents(), agent.as_str().as_bytes(), agent.hash())
    }

    #[inline]
    pub(super) fn allows_prompt(&self, prompt: &PromptId) -> bool {
        contains(self.prompts(), prompt.as_str().as_bytes(), prompt.hash())
    }

    fn agents(&self) -> Reader<'_> {
        Reader::at(&self.0, AGENTS)
    }

    fn prompts(&self) -> Reader<'_> {
        Reader::at(&self.0, Reader::at(&self.0, 0).word())
    }

    fn rest(&self) -> Reader<'_> {
        Reader::at(&self.0, Reader::at(&self.0, 4).word())
    }

    /// The record again, with what is kept beside it.
    pub(super) fn unpack(&self, id: KeyId, status: Status, expires_at: Option<DateTime<Utc>>) -> AccessKey {
        let agents = unpack_scope(self.agents(), AgentId::of_checked);
        let prompts = unpack_scope(self.prompts(), PromptId::of_checked);
        let mut rest = self.rest();
        let revision = Revision::new(rest.long()).unwrap_or(Revision::FIRST);
        let environment = EnvironmentId::of_checked(rest.string());
        let [created_at, updated_at] = [rest.long(), rest.long()]
            .map(|time| DateTime::from_timestamp_micros(time.cast_signed()).unwrap_or_default());
        AccessKey {
            id,
            project: ProjectId::of_checked(rest.string()),
            environment,
            name: rest.string().to_owned(),
            description: rest.string().to_owned(),
            agents,
            prompts,
            status,
            expires_at,
            revision,
            created_at,
            created_by: Actor::of_checked(rest.string(), rest.byte() == 1),
            updated_at,
            origin: Origin::Generated,
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
        let ends = ids.iter().scan(0, |end, id| {
            *end += short(id.as_ref().len());
            Some(*end)
        });
        std::iter::once(0).chain(ends).for_each(|end| bytes.extend(end.to_le_bytes()));
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
    let Some((ends, texts)) = rest.split_at_checked(2 * count + 2) else { return false };
    let ends = ends.as_chunks::<2>().0;
    let end = |place: usize| ends.get(place).map_or(0, |end| usize::from(u16::from_le_bytes(*end)));
    let is_it = |(place, there): (usize, &u8)| {
        *there == tag(hash) && texts.get(end(place)..end(place + 1)).is_some_and(|there| there == text)
    };
    tags.iter().enumerate().any(is_it)
}

fn is_in_table(mut scope: Reader<'_>, count: usize, text: &[u8], hash: u64) -> bool {
    let slots = slots(count);
    let table = scope.take(slots * 4);
    let ends = scope.take((count + 1) * 4);
    let word = |of: &[u8], place: usize| Reader::at(of, 0).skip(place * 4).word();
    let mut slot = start(hash, slots);
    // Never full, so an empty slot ends it.
    for _ in 0..slots {
        let found = word(table, slot);
        if found == 0 {
            return false;
        }
        if found & UPPER == upper(hash) {
            let number = usize::try_from(found & !UPPER).unwrap_or(0);
            let (from, to) = (word(ends, number.saturating_sub(1)), word(ends, number));
            let there = Reader::at(scope.0, from).take(usize::try_from(to.saturating_sub(from)).unwrap_or(0));
            if there == text {
                return true;
            }
        }
        slot = (slot + 1) % slots;
    }
    false
}

fn unpack_scope<T: ResourceId>(mut scope: Reader<'_>, id: impl Fn(&str) -> T) -> Scope<T> {
    let count = scope.short();
    if count == ALL {
        return Scope::All;
    }
    let count = usize::from(count);
    let lengths: Vec<usize> = if count <= FEW {
        scope.take(count);
        let mut ends = Reader(scope.take(2 * count + 2));
        let mut last = ends.short();
        let next = |_| {
            let end = ends.short();
            usize::from(end - std::mem::replace(&mut last, end))
        };
        (0..count).map(next).collect()
    } else {
        scope.take(slots(count) * 4);
        let mut ends = Reader::at(scope.take((count + 1) * 4), 0);
        let mut last = ends.word();
        let next = |_| {
            let end = ends.word();
            usize::try_from(end - std::mem::replace(&mut last, end)).unwrap_or(0)
        };
        (0..count).map(next).collect()
    };
    let ids = lengths.into_iter().map(|length| id(text(scope.take(length))));
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

fn place(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn pack_text(bytes: &mut Vec<u8>, text: &str) {
    // A description, the longest there is, has 1,000 characters.
    bytes.extend(short(text.len()).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Reads one thing after the other; beyond the end there are zeros and empty texts.
#[derive(Clone, Copy)]
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn at(bytes: &'b [u8], place: u32) -> Self {
        Self(bytes).skip(usize::try_from(place).unwrap_or(usize::MAX))
    }

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

    fn text(&mut self) -> &'b [u8] {
        let length = self.short();
        self.take(usize::from(length))
    }

    fn string(&mut self) -> &'b str {
        text(self.text())
    }
}
