//! A choice of access, as a form holds it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::{ResourceId, Scope};

/// A choice of access, as a form holds it: nothing chosen yet, all, or these texts.
///
/// In serde: `""`, `"all"`, or an array; any other single text is a set of one, as a form sends a single
/// ticked box. A form that sends ticked boxes so must not offer an agent or prompt whose id is `all`.
///
/// ```
/// use access_keys::domain::ScopeForm;
///
/// assert_eq!(serde_json::from_str::<ScopeForm>(r#""all""#)?, ScopeForm::All);
/// assert_eq!(serde_json::from_str::<ScopeForm>(r#"["a", "b"]"#)?, ["a", "b"].into_iter().collect());
/// assert_eq!(ScopeForm::default(), ScopeForm::Unanswered);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
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

/// Tells how many texts there are: people paste tokens into forms.
impl fmt::Debug for ScopeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered => f.write_str("Unanswered"),
            Self::All => f.write_str("All"),
            Self::Specific(texts) => write!(f, "Specific({} texts)", texts.len()),
        }
    }
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
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(ScopeForm::Specific(texts))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}
