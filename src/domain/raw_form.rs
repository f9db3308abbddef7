//! How forms are read: as raw text that nothing checks yet, by messages that repeat nothing of it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::{ResourceId, Scope};

/// Declares a form and reads it from serde: unknown, repeated and non-text fields are errors that never
/// repeat what was given, and absent ones are empty.
macro_rules! form {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const NAMES: &[&str] = &[$(stringify!($field)),*];

                struct Fields;

                impl<'de> Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("the fields of a form")
                    }

                    fn visit_str<E: de::Error>(self, given: &str) -> Result<$name, E> {
                        Err(not("the fields of a form", given))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $field: Option<$type> = None;)*
                        while let Some(Known(name)) = map.next_key_seed(KnownOf(NAMES))? {
                            let twice = match name {
                                $(stringify!($field) => {
                                    $field.replace(map.next_value::<Raw<$type>>()?.0).is_some()
                                })*
                                _ => false,
                            };
                            if twice {
                                return Err(de::Error::custom(format_args!("the field {name} is given twice")));
                            }
                        }
                        Ok($name { $($field: $field.unwrap_or_default(),)* })
                    }
                }

                deserializer.deserialize_struct(stringify!($name), NAMES, Fields)
            }
        }
    };
}
pub(super) use form;

/// A choice of access, as a form holds it: nothing chosen yet, all, or these texts.
///
/// In serde: `""`, `"all"`, or an array; any other single text is a set of one, as a form sends a single
/// ticked box. A host that has an agent or prompt of the name `all` sends an array.
///
/// ```
/// use access_keys::domain::ScopeForm;
///
/// assert_eq!(serde_json::from_str::<ScopeForm>(r#""all""#)?, ScopeForm::All);
/// assert_eq!(serde_json::from_str::<ScopeForm>(r#"["a", "b"]"#)?, ["a", "b"].into_iter().collect());
/// assert_eq!(ScopeForm::default(), ScopeForm::Unanswered);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "follows `Scope`, which is exhaustive")]
pub enum ScopeForm {
    /// Nothing was chosen.
    #[default]
    Unanswered,
    /// All, including those created later.
    All,
    /// These, as they were typed or ticked.
    Specific(Vec<String>),
}

impl<S: Into<String>> FromIterator<S> for ScopeForm {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        Self::Specific(texts.into_iter().map(Into::into).collect())
    }
}

impl<T: ResourceId> From<&Scope<T>> for ScopeForm {
    fn from(scope: &Scope<T>) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Specific(ids) => ids.iter().map(AsRef::as_ref).collect(),
        }
    }
}

impl Serialize for ScopeForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unanswered => serializer.serialize_str(""),
            Self::All => serializer.serialize_str("all"),
            Self::Specific(texts) => texts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ScopeForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Raw::<Self>::deserialize(deserializer).map(|raw| raw.0)
    }
}

/// A failure that tells how much was given, not what.
pub(super) fn not<E: de::Error>(expected: &str, given: &str) -> E {
    E::custom(format_args!("must be {expected}, is text of {} bytes", given.len()))
}

/// The name of a field, one of those that are known.
pub(super) struct Known(pub(super) &'static str);

pub(super) struct KnownOf(pub(super) &'static [&'static str]);

impl<'de> de::DeserializeSeed<'de> for KnownOf {
    type Value = Known;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Known, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KnownOf {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: de::Error>(self, given: &str) -> Result<Known, E> {
        self.0.iter().find(|name| **name == given).map(|name| Known(name)).ok_or_else(|| {
            let (bytes, known) = (given.len(), self.0.join(", "));
            E::custom(format_args!("unknown field of {bytes} bytes, the fields are {known}"))
        })
    }
}

/// A field's value, taken as it comes.
pub(super) struct Raw<T>(pub(super) T);

impl<'de> Deserialize<'de> for Raw<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E: de::Error>(self, given: &str) -> Result<String, E> {
                Ok(given.to_owned())
            }
        }

        deserializer.deserialize_str(Text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Raw<ScopeForm> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> Visitor<'de> for Choice {
            type Value = ScopeForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or an array of ids")
            }

            fn visit_str<E: de::Error>(self, given: &str) -> Result<ScopeForm, E> {
                Ok(match given {
                    "" => ScopeForm::Unanswered,
                    "all" => ScopeForm::All,
                    one => ScopeForm::from_iter([one]),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ScopeForm, A::Error> {
                let mut texts = Vec::new();
                while let Some(Raw(text)) = seq.next_element::<Raw<String>>()? {
                    texts.push(text);
                }
                Ok(ScopeForm::Specific(texts))
            }
        }

        deserializer.deserialize_any(Choice).map(Self)
    }
}
