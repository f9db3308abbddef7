//! What a key may call.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{AgentId, Field, Invalid, PromptId, Rule};

/// The most ids that a specific scope may hold.
pub(crate) const IDS_MAX: usize = 10_000;
const ALL: &str = "all";
/// How many ids are written out before the rest is only counted.
const IDS_SHOWN: usize = 10;

mod sealed {
    #[expect(unnameable_types, reason = "no other id can be in a scope")]
    pub trait Sealed {
        const FIELD: super::Field;
        const NOUN: &'static str;
        /// The hash of the id's text in this process.
        fn text_hash(&self) -> u64;
    }

    impl Sealed for super::AgentId {
        const FIELD: super::Field = super::Field::Agents;
        const NOUN: &'static str = "agent";

        fn text_hash(&self) -> u64 {
            self.hash()
        }
    }

    impl Sealed for super::PromptId {
        const FIELD: super::Field = super::Field::Prompts;
        const NOUN: &'static str = "prompt";

        fn text_hash(&self) -> u64 {
            self.hash()
        }
    }
}

/// An id that a [`Scope`] can hold: [`AgentId`] or [`PromptId`].
#[diagnostic::on_unimplemented(note = "`Scope::parse` reads texts")]
pub trait ResourceId:
    Clone + Ord + Hash + fmt::Debug + fmt::Display + AsRef<str> + FromStr<Err = Invalid> + sealed::Sealed
{
}

impl ResourceId for AgentId {}
impl ResourceId for PromptId {}

/// Which agents, or which prompts, a key may call.
///
/// Written as `"all"` or as an array of ids. Nothing else means `All`: an absent, null or unreadable scope
/// is an error.
///
/// ```
/// use access_keys::{AgentId, Scope};
///
/// let scope = Scope::parse(["support-bot", "triage"])?;
/// assert!(scope.allows(&AgentId::new("triage")?));
/// assert!(!scope.allows(&AgentId::new("billing")?));
/// assert_eq!(scope.to_string(), "only these 2 agents: support-bot, triage");
///
/// let all: Scope<AgentId> = Scope::All;
/// assert_eq!(all.to_string(), "all agents, including those created later");
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a third kind of scope would change what every host must decide")]
pub enum Scope<T> {
    /// All of them, including those created later.
    All,
    /// These and no others.
    Specific(IdSet<T>),
}

impl<T: ResourceId> Scope<T> {
    /// Exactly these ids; duplicates collapse.
    ///
    /// # Errors
    /// [`Invalid`] for more than 10,000 different ids.
    pub fn specific(ids: impl IntoIterator<Item = T>) -> Result<Self, Invalid> {
        IdSet::new(ids).map(Self::Specific)
    }

    /// Exactly the ids that are written in `texts`; duplicates collapse.
    ///
    /// # Errors
    /// [`Invalid`] for the first text that is no id, with its place in the list, and for more than 10,000
    /// different ids.
    pub fn parse(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Invalid> {
        let ids = texts.into_iter().enumerate().map(|(i, text)| {
            text.as_ref().parse::<T>().map_err(|invalid| invalid.in_field(T::FIELD).of_item(i + 1))
        });
        Self::specific(ids.collect::<Result<BTreeSet<T>, _>>()?)
    }

    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::Specific(IdSet::default())
    }

    /// Whether `id` may be called.
    #[must_use]
    pub fn allows(&self, id: &T) -> bool {
        match self {
            Self::All => true,
            Self::Specific(ids) => ids.contains(id),
        }
    }

    /// Whether nothing may be called.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Specific(ids) if ids.is_empty())
    }

    /// The one id that may be called, when there is exactly one.
    #[must_use]
    pub fn sole(&self) -> Option<&T> {
        match self {
            Self::Specific(ids) if ids.len() == 1 => ids.iter().next(),
            _ => None,
        }
    }
}

/// The rule for the two scopes of one key together.
pub(crate) fn check_reach(agents: &Scope<AgentId>, prompts: &Scope<PromptId>) -> Result<(), Invalid> {
    if agents.is_none() && prompts.is_none() {
        return Err(Invalid::new(Field::Agents, Rule::ReachesNothing));
    }
    Ok(())
}

/// In words: `all agents, including those created later`, `no agents`, `only the agent triage`.
impl<T: ResourceId> fmt::Display for Scope<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => write!(f, "all {}s, including those created later", T::NOUN),
            Self::Specific(ids) => match (ids.len(), ids.iter().next()) {
                (1, Some(id)) => write!(f, "only the {} {id}", T::NOUN),
                (0, _) | (_, None) => write!(f, "no {}s", T::NOUN),
                (n, _) => write!(f, "only these {n} {}s: {ids}", T::NOUN),
            },
        }
    }
}

impl<T: ResourceId> Serialize for Scope<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str(ALL),
            Self::Specific(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de, T: ResourceId> Deserialize<'de> for Scope<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOrIds<T>(PhantomData<T>);

        impl<'de, T: ResourceId> Visitor<'de> for AllOrIds<T> {
            type Value = Scope<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or an array of ids")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scope<T>, E> {
                if text == ALL {
                    return Ok(Scope::All);
                }
                let rule = Rule::Unreadable { expected: "\"all\" or an array of ids", given: text.len() };
                Err(E::custom(Invalid::new(T::FIELD, rule)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, ids: A) -> Result<Scope<T>, A::Error> {
                visit_ids(ids).map(Scope::Specific)
            }
        }

        deserializer.deserialize_any(AllOrIds(PhantomData))
    }
}

/// An unordered set of at most 10,000 ids. Cheap to clone.
///
/// ```
/// use access_keys::{AgentId, IdSet};
///
/// let ids = IdSet::new([AgentId::new("b")?, AgentId::new("a")?, AgentId::new("b")?])?;
/// assert_eq!(ids.len(), 2);
/// assert!(ids.contains(&AgentId::new("a")?));
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdSet<T>(Arc<[T]>);

impl<T: ResourceId> IdSet<T> {
    /// Exactly these ids; duplicates collapse.
    ///
    /// # Errors
    /// [`Invalid`] for more than 10,000 different ids.
    pub fn new(ids: impl IntoIterator<Item = T>) -> Result<Self, Invalid> {
        let set = BTreeSet::from_iter(ids);
        check_count::<T>(set.len())?;
        Ok(Self(set.into_iter().collect()))
    }

    /// The set of these ids, as they are written: in order, mostly.
    #[cfg(any(test, feature = "sqlite-system", feature = "postgres"))]
    pub(crate) fn of_list(ids: Vec<T>) -> Result<Self, Invalid> {
        if !ids.is_sorted_by(|one, next| one < next) {
            return Self::new(ids);
        }
        check_count::<T>(ids.len()).map(|()| Self::of_sorted(ids))
    }

    /// These ids, which were in a set before.
    pub(crate) fn of_sorted(ids: Vec<T>) -> Self {
        Self(ids.into())
    }

    /// Whether `id` is one of them.
    #[must_use]
    pub fn contains(&self, id: &T) -> bool {
        self.0.binary_search(id).is_ok()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in the order of their texts.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// Those that are not in `other`.
    pub(crate) fn without(&self, other: &Self) -> Self {
        Self(self.iter().filter(|id| !other.contains(id)).cloned().collect())
    }
}

fn check_count<T: ResourceId>(given: usize) -> Result<(), Invalid> {
    if given > IDS_MAX {
        return Err(Invalid::new(T::FIELD, Rule::Count { max: IDS_MAX, given }));
    }
    Ok(())
}

impl<T> Default for IdSet<T> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<'a, T: ResourceId> IntoIterator for &'a IdSet<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The first few, and how many more there are.
impl<T: ResourceId> fmt::Display for IdSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, id) in self.iter().take(IDS_SHOWN).enumerate() {
            write!(f, "{}{id}", if i == 0 { "" } else { ", " })?;
        }
        match self.len().saturating_sub(IDS_SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl<T: ResourceId> Serialize for IdSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(AsRef::as_ref))
    }
}

impl<'de, T: ResourceId> Deserialize<'de> for IdSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ids<T>(PhantomData<T>);

        impl<'de, T: ResourceId> Visitor<'de> for Ids<T> {
            type Value = IdSet<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of ids")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<IdSet<T>, E> {
                let rule = Rule::Unreadable { expected: "an array of ids", given: text.len() };
                Err(E::custom(Invalid::new(T::FIELD, rule)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, ids: A) -> Result<IdSet<T>, A::Error> {
                visit_ids(ids)
            }
        }

        deserializer.deserialize_any(Ids(PhantomData))
    }
}

fn visit_ids<'de, T: ResourceId, A: SeqAccess<'de>>(mut ids: A) -> Result<IdSet<T>, A::Error> {
    struct Id<T>(T);

    impl<'de, T: ResourceId> Deserialize<'de> for Id<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            super::text::deserialize(deserializer).map(Self)
        }
    }

    let mut set = BTreeSet::new();
    while let Some(Id(id)) = ids.next_element::<Id<T>>()? {
        set.insert(id);
        // Checked as they come, so that a hostile document cannot fill the memory.
        check_count::<T>(set.len()).map_err(de::Error::custom)?;
    }
    Ok(IdSet(set.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_any_order_is_the_set_of_its_ids() -> Result<(), Invalid> {
        let ids = |texts: &[&str]| texts.iter().map(AgentId::new).collect::<Result<Vec<_>, _>>();
        for texts in [&[][..], &["a"], &["a", "b"], &["b", "a"], &["a", "a"], &["b", "a", "b"]] {
            assert_eq!(IdSet::of_list(ids(texts)?), IdSet::new(ids(texts)?), "{texts:?}");
        }
        let many =
            |count| (0..count).map(|i| AgentId::new(format!("agent-{i:05}"))).collect::<Result<Vec<_>, _>>();
        assert!(IdSet::of_list(many(IDS_MAX)?).is_ok_and(|set| set.len() == IDS_MAX));
        assert!(IdSet::of_list(many(IDS_MAX + 1)?).is_err());
        Ok(())
    }
}
