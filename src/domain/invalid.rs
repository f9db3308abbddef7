//! What a value that breaks a rule gets.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A value that breaks a rule: which field, which rule, and how much was given.
///
/// It never holds the text that was given, since people paste tokens into the wrong field. Positions and
/// items count from one.
///
/// ```
/// use access_keys::{ProjectId, domain::{Field, Rule}};
///
/// let invalid = ProjectId::new("check out").unwrap_err();
/// assert_eq!(invalid.field, Field::Project);
/// assert!(matches!(invalid.rule, Rule::Character { position: 6, .. }));
/// assert_eq!(invalid.to_string(), "project must be visible ASCII without spaces, character 6 is not");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Invalid {
    /// The field that was given the value.
    pub field: Field,
    /// Which item of it, for a field that is a list; the first is 1.
    pub item: Option<usize>,
    /// The rule that was broken, with its limit and what was given.
    pub rule: Rule,
}

impl Invalid {
    pub(crate) const fn new(field: Field, rule: Rule) -> Self {
        Self { field, item: None, rule }
    }

    pub(crate) const fn of_item(mut self, item: usize) -> Self {
        self.item = Some(item);
        self
    }

    /// The same mistake, found in the field that holds the value.
    pub(crate) const fn in_field(mut self, field: Field) -> Self {
        self.field = field;
        self
    }
}

/// As `field`, `item` and `message`, for a page to show beside the field.
impl Serialize for Invalid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Invalid", 3)?;
        fields.serialize_field("field", self.field.as_str())?;
        fields.serialize_field("item", &self.item)?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.as_str())?;
        if let Some(item) = self.item {
            write!(f, " (item {item})")?;
        }
        write!(f, " {}", self.rule)
    }
}

/// Every mistake that was found in a form; at least one.
///
/// ```
/// use access_keys::{KeyForm, domain::Field};
///
/// let mistakes = KeyForm::default().review(std::time::SystemTime::now()).unwrap_err();
/// assert!(mistakes.of(Field::Name).next().is_some());
/// assert!(mistakes.of(Field::Environment).next().is_some());
///
/// let answer = serde_json::to_value(&mistakes)?; // for a page: an array
/// assert_eq!(answer[0]["field"], "name");
/// assert_eq!(answer[0]["message"], "name must have 1 to 100 characters, has 0");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invalids(Vec<Invalid>);

impl Invalids {
    /// `found` unless it is empty.
    pub(crate) fn unless_empty(found: Vec<Invalid>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// Every mistake, in the order of the form's fields.
    pub fn iter(&self) -> std::slice::Iter<'_, Invalid> {
        self.0.iter()
    }

    /// The mistakes in one field, to be shown beside it.
    pub fn of(&self, field: Field) -> impl Iterator<Item = &Invalid> {
        self.0.iter().filter(move |invalid| invalid.field == field)
    }
}

impl fmt::Display for Invalids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, invalid) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            invalid.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalids {}

impl From<Invalid> for Invalids {
    fn from(invalid: Invalid) -> Self {
        Self(vec![invalid])
    }
}

impl IntoIterator for Invalids {
    type Item = Invalid;
    type IntoIter = std::vec::IntoIter<Invalid>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Invalids {
    type Item = &'a Invalid;
    type IntoIter = std::slice::Iter<'a, Invalid>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The field that an [`Invalid`] is about. Prints as forms and stored keys name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Field { $($(#[$doc])* $variant,)* }

        impl Field {
            /// The name of the field, for example `expires_at`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    /// A key's name.
    Name = "name",
    /// A key's description.
    Description = "description",
    /// An environment.
    Environment = "environment",
    /// A key's expiry.
    ExpiresAt = "expires_at",
    /// The agents of a scope.
    Agents = "agents",
    /// The prompts of a scope.
    Prompts = "prompts",
    /// An agent's id.
    Agent = "agent",
    /// A prompt's id.
    Prompt = "prompt",
    /// An agent or a prompt.
    Resource = "resource",
    /// A project's id.
    Project = "project",
    /// A key's id.
    Key = "key",
    /// An audit event's id.
    Event = "event",
    /// An operation's id.
    Operation = "operation",
    /// Who acts.
    Actor = "actor",
    /// What was done.
    Action = "action",
    /// A key's revision.
    Revision = "revision",
    /// A key's status.
    Status = "status",
    /// Where a key comes from.
    Origin = "origin",
    /// A point in time.
    Time = "time",
    /// The reason of a revocation.
    Reason = "reason",
    /// The grace of a rotation.
    Grace = "grace",
    /// The limit of a query.
    Limit = "limit",
    /// The cursor of a query.
    Cursor = "cursor",
    /// A token's prefix.
    Prefix = "prefix",
    /// A pepper.
    Pepper = "pepper",
    /// A stored digest.
    Digest = "digest",
    /// The tokens of another system.
    ForeignTokens = "foreign_tokens",
    /// The number of a key's secret.
    Generation = "generation",
    /// What proves an audit event.
    Seal = "seal",
    /// The version of a stored form.
    Version = "version",
    /// The longest that a node may use what it knows.
    MaxStaleness = "max_staleness",
    /// The number of keys that a verifier keeps.
    CacheCapacity = "cache_capacity",
    /// The number of store reads that a verifier makes at once.
    ConcurrentReads = "concurrent_reads",
    /// What a secret scanner reports.
    Report = "report",
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rule that was broken, with its limit and what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A text is too short or too long.
    Length {
        /// The least that is allowed.
        min: usize,
        /// The most that is allowed.
        max: usize,
        /// What is counted.
        unit: Unit,
        /// How many there were.
        given: usize,
    },
    /// A text consists of characters that nobody can see.
    Invisible {
        /// How many characters there were.
        given: usize,
    },
    /// A character is not allowed.
    Character {
        /// Its position; the first is 1.
        position: usize,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A set holds too many different ids.
    Count {
        /// The most that is allowed.
        max: usize,
        /// How many were given, or were read before reading stopped.
        given: usize,
    },
    /// A number is out of range.
    Range {
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
        /// What was given.
        given: u64,
    },
    /// A duration is out of range.
    Span {
        /// The most that is allowed.
        max: Duration,
        /// What was given.
        given: Duration,
    },
    /// A time is not later than now.
    NotLater {
        /// How long before now it is; zero when it is now.
        ago: Duration,
    },
    /// A time is before the year 0 or beyond the year 9999, so that RFC 3339 cannot write it.
    TooFar,
    /// Nothing was given.
    Missing {
        /// What could be given.
        expected: &'static str,
    },
    /// What was given cannot be read.
    Unreadable {
        /// What could be given.
        expected: &'static str,
        /// How many bytes were given.
        given: usize,
    },
    /// The scopes of agents and of prompts are both empty: the key would reach nothing.
    ReachesNothing,
    /// The environment has no prefix of its own and there is no prefix for all.
    NoPrefix,
    /// The same was given before, with another value.
    Repeated,
    /// Two limits exclude each other, or a value does not fit the others.
    Inconsistent {
        /// What does not fit.
        problem: &'static str,
    },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { min: 0, max, unit, given } => {
                write!(f, "must have at most {max} {unit}, has {given}")
            }
            Self::Length { min, max, unit, given } if min == max => {
                write!(f, "must have {max} {unit}, has {given}")
            }
            Self::Length { min, max, unit, given } => {
                write!(f, "must have {min} to {max} {unit}, has {given}")
            }
            Self::Invisible { given } => {
                write!(f, "must have a character that can be seen, has {given} that cannot")
            }
            Self::Character { position, allowed } => {
                write!(f, "must be {allowed}, character {position} is not")
            }
            Self::Count { max, given } => write!(f, "must have at most {max} different ids, has {given}"),
            Self::Range { min, max, given } => write!(f, "must be {min} to {max}, is {given}"),
            Self::Span { max, given } => {
                write!(f, "must be at most {} s, is {} s", max.as_secs_f64(), given.as_secs_f64())
            }
            Self::NotLater { ago } => {
                write!(f, "must be later than now, is {} s earlier", ago.as_secs())
            }
            Self::TooFar => f.write_str("must be in the years 0 to 9999"),
            Self::Missing { expected } => write!(f, "is missing, must be {expected}"),
            Self::Unreadable { expected, given } => {
                write!(f, "must be {expected}, is other text of {given} bytes")
            }
            Self::ReachesNothing => f.write_str("and prompts are both empty, the key would reach nothing"),
            Self::NoPrefix => f.write_str("has no token prefix, and there is none for all environments"),
            Self::Repeated => f.write_str("was used before with another value"),
            Self::Inconsistent { problem } => f.write_str(problem),
        }
    }
}

/// What the length of a text is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// Unicode scalar values.
    Characters,
    /// Entries of a list.
    Entries,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Characters => "characters",
            Self::Entries => "entries",
        })
    }
}
