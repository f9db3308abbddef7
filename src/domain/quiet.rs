//! Reading serde forms by messages that repeat nothing of what was given: people paste tokens into the wrong
//! field, and a format's own messages quote them.
//!
//! What was given is taken in whole, whatever it is, and read from there with an error type of our own.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Field;

/// A value that was read quietly.
pub(crate) struct Quiet<T>(pub(crate) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Quiet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, T::deserialize).map(Self)
    }
}

/// Reads whatever is given, and a value from that.
pub(crate) fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    value: impl FnOnce(Given) -> Result<T, Misread>,
) -> Result<T, D::Error> {
    value(Given::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// Implements `Deserialize` for a struct, by the attributes that are given here, reading it quietly.
macro_rules! read_quietly {
    ($(#[$of_all:meta])* $name:ident { $($(#[$of_one:meta])* $field:ident: $type:ty,)* }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(expecting = "an object")]
                $(#[$of_all])*
                struct Fields { $($(#[$of_one])* $field: $type,)* }

                let $crate::domain::quiet::Quiet(Fields { $($field),* }) =
                    serde::Deserialize::deserialize(deserializer)?;
                Ok(Self { $($field),* })
            }
        }
    };
}
pub(crate) use read_quietly;

/// What was given, taken in as it came.
pub(crate) enum Given {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Given, E> {
                Ok(Given::Null)
            }

            fn visit_none<E>(self) -> Result<Given, E> {
                Ok(Given::Null)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Given, D::Error> {
                Given::deserialize(deserializer)
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Given, D::Error> {
                Given::deserialize(deserializer)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Given, E> {
                Ok(Given::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Given, E> {
                Ok(Given::Unsigned(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Given, E> {
                Ok(Given::Signed(value))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Given, E> {
                Ok(Given::Float(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Given, E> {
                Ok(Given::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Given, E> {
                Ok(Given::Text(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Given, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Given::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Given::Map(entries))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}

impl<'de> Deserializer<'de> for Given {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Signed(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(value) => visitor.visit_string(value),
            Self::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Map(entries) => visitor.visit_map(Entries::new(entries)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        if matches!(self, Self::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        match self {
            Self::Text(word) => visitor.visit_enum(StringDeserializer::new(word)),
            Self::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::new(entries)))
            }
            other => other.deserialize_any(visitor),
        }
    }

    /// By names alone: by position, a field that is left out would give its place to the next.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        match self {
            Self::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.deserialize_struct("", &[], visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Misread> for Given {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The entries of a map, read one after the other.
struct Entries {
    rest: std::vec::IntoIter<(Given, Given)>,
    /// The value of the key that was read last, and its name if that is one of ours.
    value: Option<(Option<Field>, Given)>,
}

impl Entries {
    fn new(entries: Vec<(Given, Given)>) -> Self {
        Self { rest: entries.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misread> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        // Some formats write fields by number: what is left out would give its place to the next.
        let Given::Text(name) = &key else { return Err(de::Error::custom("a field must have a name")) };
        let name = Field::named(name);
        self.value = Some((name, value));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misread> {
        let (name, value) = self.value.take().unwrap_or((None, Given::Null));
        seed.deserialize(value).map_err(|misread| match name {
            // A rule that was broken names its field already.
            Some(name) if !misread.0.starts_with(name.as_str()) => Misread(format!("{name}: {misread}")),
            _ => misread,
        })
    }
}

/// Why what was given cannot be read. Tells of lengths and kinds, never of text.
#[derive(Debug)]
pub(crate) struct Misread(String);

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misread {}

impl de::Error for Misread {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(given: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("must be {expected}, is {}", kind(given)))
    }

    fn invalid_value(given: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(given, expected)
    }

    fn unknown_variant(given: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("must be one of {}, is text of {} bytes", expected.join(", "), given.len()))
    }

    fn unknown_field(given: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("unknown field of {} bytes, the fields are {}", given.len(), expected.join(", ")))
    }
}

fn kind(given: Unexpected<'_>) -> String {
    match given {
        Unexpected::Str(text) => format!("text of {} bytes", text.len()),
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number".to_owned(),
        Unexpected::Bool(_) => "a boolean".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "an array".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        _ => "something else".to_owned(),
    }
}
