//! JSON as it is written, with fields given twice, and changes of it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::mutate::text as change_text;
use crate::random::SplitMix;

/// A value in JSON, whose maps keep every entry in its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Tree {
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self { number.as_u64() } else { None }
    }

    pub(crate) fn array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The values of these fields, if it has no others and none twice.
    pub(crate) fn fields<const N: usize>(&self, names: [&str; N]) -> Option<[Option<&Self>; N]> {
        let Self::Map(entries) = self else { return None };
        let mut found = [None; N];
        for (name, value) in entries {
            let place = names.iter().position(|known| known == name)?;
            if found[place].replace(value).is_some() {
                return None;
            }
        }
        Some(found)
    }

    /// The same, if it has all of them.
    pub(crate) fn all<const N: usize>(&self, names: [&str; N]) -> Option<[&Self; N]> {
        let found = self.fields(names)?;
        found.iter().all(Option::is_some).then(|| found.map(|value| value.unwrap_or(self)))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"null"),
            Self::Bool(value) => out.extend(value.to_string().bytes()),
            Self::Number(number) => out.extend(number.to_string().bytes()),
            Self::Text(text) => quote(text, out),
            Self::Array(items) => list(*b"[]", items, out, Self::write),
            Self::Map(entries) => list(*b"{}", entries, out, |(name, value), out| {
                quote(name, out);
                out.push(b':');
                value.write(out);
            }),
        }
    }

    fn count(&self) -> usize {
        1 + match self {
            Self::Array(items) => items.iter().map(Self::count).sum(),
            Self::Map(entries) => entries.iter().map(|(_, value)| value.count()).sum(),
            _ => 0,
        }
    }

    /// The value at a place, counted from the root. What is passed by is taken from the count.
    fn at(&mut self, place: &mut usize) -> Option<&mut Self> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        match self {
            Self::Array(items) => items.iter_mut().find_map(|item| item.at(place)),
            Self::Map(entries) => entries.iter_mut().find_map(|(_, value)| value.at(place)),
            _ => None,
        }
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a text");
}

fn list<T>([open, close]: [u8; 2], items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(close);
}

/// JSON with one change, or lines of it, unless `data` is none.
pub(crate) fn mutate(data: &[u8], words: &'static [&'static str], chance: &mut SplitMix) -> Option<Vec<u8>> {
    let Some(mut tree) = Tree::read(data) else { return mutate_lines(data, words, chance) };
    let count = tree.count();
    let (mut place, mut from) = (chance.below(count), chance.below(count));
    let other = tree.at(&mut from)?.clone();
    let value = tree.at(&mut place)?;
    match (value, chance.below(4)) {
        (Tree::Map(entries), 1..) if !entries.is_empty() => change_map(entries, words, chance),
        (Tree::Array(items), 1..) if !items.is_empty() => {
            let at = chance.below(items.len());
            match chance.below(3) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                _ => items.insert(at, Tree::Text((*chance.pick(words)).to_owned())),
            }
        }
        (Tree::Text(text), 1..) => *text = change_text(text, words, chance),
        (Tree::Number(number), 1..) => *number = change_number(number, chance),
        (value, _) => {
            *value = match chance.below(8) {
                0 => Tree::Null,
                1 => Tree::Bool(chance.below(2) == 0),
                2 => Tree::Text(String::new()),
                3 => Tree::Array(Vec::new()),
                4 => Tree::Array(vec![value.clone()]),
                5 => Tree::Text((*chance.pick(words)).to_owned()),
                6 => Tree::Number(change_number(&Number::from(1), chance)),
                _ => other,
            }
        }
    }
    let mut out = Vec::with_capacity(data.len() + 64);
    tree.write(&mut out);
    Some(out)
}

/// Mostly a change within one line; else one is lost, given twice, or elsewhere.
fn mutate_lines(data: &[u8], words: &'static [&'static str], chance: &mut SplitMix) -> Option<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.len() < 2 {
        return None;
    }
    let at = chance.below(lines.len());
    match chance.below(8) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => {
            let with = chance.below(lines.len());
            lines.swap(at, with);
        }
        // What a line holds is never lines again.
        _ => lines[at] = Tree::read(&lines[at]).and_then(|_| mutate(&lines[at], words, chance))?,
    }
    Some(lines.join(&b'\n'))
}

fn change_map(entries: &mut Vec<(String, Tree)>, words: &'static [&'static str], chance: &mut SplitMix) {
    let at = chance.below(entries.len());
    match chance.below(5) {
        0 => drop(entries.remove(at)),
        1 => entries.insert(at, entries[at].clone()),
        2 => entries[at].0 = change_text(&entries[at].0, words, chance),
        3 => entries.push(((*chance.pick(words)).to_owned(), entries[at].1.clone())),
        _ => {
            let with = chance.below(entries.len());
            entries.swap(at, with);
        }
    }
}

fn change_number(number: &Number, chance: &mut SplitMix) -> Number {
    let by = number.as_u64().unwrap_or(1);
    match chance.below(8) {
        0 => Number::from(0),
        1 => Number::from(-1),
        2 => Number::from(u64::MAX),
        3 => Number::from(i64::MAX),
        4 => Number::from(u64::from(u32::MAX) + u64::from(chance.next().is_multiple_of(2))),
        5 => Number::from_f64(1.5).unwrap_or(Number::from(0)),
        6 => Number::from(by.saturating_add(1)),
        _ => Number::from(by.saturating_sub(1)),
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Number(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                let mut read = Vec::new();
                while let Some(item) = items.next_element()? {
                    read.push(item);
                }
                Ok(Tree::Array(read))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut read = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    read.push(entry);
                }
                Ok(Tree::Map(read))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}
