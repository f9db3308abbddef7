//! Objects in JSON, in an array or one a line.

use std::io::{BufRead, BufReader, Read};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{ForeignKey, Rows, digest, time, unreadable};
use crate::domain::{Field, Invalid};
use crate::token::ForeignDigest;

/// The longest line, so that a file that is none of this kind does not fill the memory.
const LINE_MAX: u64 = 1 << 20;

/// Reads each object by `read`.
pub(super) fn rows(
    source: impl Read + Send + 'static,
    read: fn(&Object) -> Result<ForeignKey, Invalid>,
) -> Rows {
    let mut source = BufReader::new(source);
    let is_array = matches!(first(&mut source), Ok(Some(b'[')));
    let values: Box<dyn Iterator<Item = Result<Value, Invalid>> + Send> = if is_array {
        match serde_json::from_reader::<_, Vec<Value>>(source) {
            Ok(values) => Box::new(values.into_iter().map(Ok)),
            Err(_) => Box::new(std::iter::once(Err(no_json(0)))),
        }
    } else {
        Box::new(Lines(Some(source)))
    };
    let keys = values.map(move |value| match value? {
        Value::Object(object) => read(&Object(object)),
        _ => Err(no_json(0)),
    });
    Rows::new((1..).zip(keys))
}

fn no_json(given: usize) -> Invalid {
    unreadable(Field::Key, "an object in JSON", given)
}

/// The first character that is not white.
fn first(source: &mut impl BufRead) -> std::io::Result<Option<u8>> {
    loop {
        let buffer = source.fill_buf()?;
        let white = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match (buffer.get(white).copied(), white) {
            (None, 0) => return Ok(None),
            (found @ Some(_), _) => return Ok(found),
            (None, _) => source.consume(white),
        }
    }
}

/// One object a line; ends after a line that cannot be read at all.
struct Lines<R>(Option<R>);

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Value, Invalid>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let source = self.0.as_mut()?;
            let mut line = Vec::new();
            let read = source.take(LINE_MAX).read_until(b'\n', &mut line);
            let whole = line.len() < usize::try_from(LINE_MAX).unwrap_or(usize::MAX);
            match read {
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) if whole => {
                    return Some(serde_json::from_slice(&line).map_err(|_| no_json(line.len())));
                }
                _ => {
                    self.0 = None;
                    return Some(Err(no_json(line.len())));
                }
            }
        }
    }
}

/// An object, asked for what should stand in it.
pub(super) struct Object(Map<String, Value>);

impl Object {
    /// The digest under the first of these names that is there.
    pub(super) fn digest(&self, names: &[&str]) -> Result<ForeignDigest, Invalid> {
        match self.any(names) {
            Some(Value::String(text)) => digest::of_text(text),
            _ => Err(unreadable(Field::Digest, "a digest as text", 0)),
        }
    }

    /// A text; empty where there is none or something else.
    pub(super) fn text(&self, names: &[&str]) -> String {
        self.any(names).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A time; `None` where it is absent or null, which in the systems that are read here is never.
    pub(super) fn time(&self, names: &[&str]) -> Result<Option<DateTime<Utc>>, Invalid> {
        match self.any(names) {
            None => Ok(None),
            Some(Value::String(text)) => time::of_text(text).map(Some),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(millis) => time::of_millis(millis).map(Some),
                None => Err(unreadable(Field::ExpiresAt, "whole milliseconds", 0)),
            },
            Some(_) => Err(unreadable(Field::ExpiresAt, "a time", 0)),
        }
    }

    /// Whether something is so; as it is otherwise where it is absent. A word that is neither is an error.
    pub(super) fn flag(&self, names: &[&str], otherwise: bool) -> Result<bool, Invalid> {
        match self.any(names) {
            None => Ok(otherwise),
            Some(Value::Bool(is_so)) => Ok(*is_so),
            Some(Value::Number(number)) if number.as_i64() == Some(0) => Ok(false),
            Some(Value::Number(number)) if number.as_i64() == Some(1) => Ok(true),
            Some(_) => Err(unreadable(Field::Status, "true or false", 0)),
        }
    }

    /// An object within, also one that is written as text; an empty one where there is none.
    pub(super) fn object(&self, names: &[&str]) -> Self {
        let found = match self.any(names) {
            Some(Value::Object(object)) => Some(object.clone()),
            Some(Value::String(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        Self(found.unwrap_or_default())
    }

    /// The texts of an array.
    pub(super) fn texts(&self, names: &[&str]) -> Vec<String> {
        let texts = self.any(names).and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Of an object of arrays, `name:text` for each text.
    pub(super) fn pairs(&self) -> Vec<String> {
        let arrays = self.0.iter().filter_map(|(name, value)| Some((name, value.as_array()?)));
        let texts = arrays
            .flat_map(|(name, texts)| texts.iter().filter_map(move |text| Some((name, text.as_str()?))));
        texts.map(|(name, text)| format!("{name}:{text}")).collect()
    }

    /// What stands under the first of these names that has something.
    fn any(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.0.get(*name).filter(|value| !value.is_null()))
    }
}
