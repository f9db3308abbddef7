//! Identifiers: opaque, validated, written as plain text.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::hashed::Hashed;
use super::text::serde_as_text;
use super::{Field, Invalid, Rule, Unit};

const HOST_ID_MAX: usize = 128;
pub(crate) const RANDOM_ID_LEN: usize = 16;

/// The rule for every id that the host chooses.
pub(crate) fn host_id(field: Field, text: &str) -> Result<Arc<str>, Invalid> {
    if text.is_empty() || text.len() > HOST_ID_MAX {
        let rule = Rule::Length { min: 1, max: HOST_ID_MAX, unit: Unit::Bytes, given: text.len() };
        return Err(Invalid::new(field, rule));
    }
    match text.chars().position(|c| !c.is_ascii_graphic()) {
        None => Ok(text.into()),
        Some(before) => {
            let rule = Rule::Character { position: before + 1, allowed: "visible ASCII without spaces" };
            Err(Invalid::new(field, rule))
        }
    }
}

macro_rules! host_ids {
    ($($(#[$doc:meta])* $name:ident, $field:ident, $example:literal, $text:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// 1 to 128 bytes of visible ASCII without spaces, chosen by the host and never interpreted.
        /// Cheap to clone.
        ///
        /// ```
        #[doc = concat!("use access_keys::", stringify!($name), ";")]
        ///
        #[doc = concat!("let id = ", stringify!($name), "::new(\"", $example, "\")?;")]
        #[doc = concat!("assert_eq!(id.as_str(), \"", $example, "\");")]
        #[doc = concat!("assert!(", stringify!($name), "::new(\"with space\").is_err());")]
        /// # Ok::<(), access_keys::Invalid>(())
        /// ```
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($text);

        impl $name {
            /// Checks and takes over `text`.
            ///
            /// # Errors
            /// [`Invalid`] unless `text` is 1 to 128 bytes of visible ASCII without spaces.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Invalid> {
                host_id(Field::$field, text.as_ref()).map(|text| Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_ref()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.0.as_ref()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.0.as_ref()
            }
        }

        serde_as_text!($name);
    )*};
}

host_ids! {
    /// The owner of keys: every management call is made inside one project.
    ProjectId, Project, "checkout", Arc<str>;
    /// Where a key is valid (production, staging, …); fixed for the life of a key.
    EnvironmentId, Environment, "production", Arc<str>;
    /// An AI agent of the host.
    AgentId, Agent, "support-bot", Hashed;
    /// A prompt of the host.
    PromptId, Prompt, "greeting", Hashed;
    /// The host's name for one management action that it may have to repeat.
    OperationId, Operation, "req-7", Arc<str>;
}

macro_rules! of_checked {
    ($($name:ident)*) => {$(
        impl $name {
            /// The id with this text, which was checked before.
            pub(crate) fn of_checked(text: &str) -> Self {
                Self(Arc::<str>::from(text).into())
            }
        }
    )*};
}

of_checked!(ProjectId EnvironmentId AgentId PromptId);

impl AgentId {
    /// The hash of its text in this process.
    pub(crate) const fn hash(&self) -> u64 {
        self.0.hash()
    }
}

impl PromptId {
    /// The hash of its text in this process.
    pub(crate) const fn hash(&self) -> u64 {
        self.0.hash()
    }
}

/// How many are neither letters nor digits, in a time that does not tell which.
#[inline]
pub(crate) fn others<const N: usize>(bytes: &[u8; N]) -> u8 {
    const { assert!(N < 256) };
    // No branch and a fixed length: the compiler compares many at once.
    let other = |byte: u8| {
        let (digit, letter) = (byte.wrapping_sub(b'0'), (byte | 0x20).wrapping_sub(b'a'));
        u8::from(digit > 9) & u8::from(letter > 25)
    };
    bytes.iter().fold(0, |others, byte| others + other(*byte))
}

/// Whether both are the same, without the call that the general comparison makes: ids and prefixes are short.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((a, a_end), (b, b_end)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let longs =
        a.iter().zip(b).fold(0, |differ, (a, b)| differ | u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b));
    let rest = a_end.iter().zip(b_end).fold(0, |differ, (a, b)| differ | a ^ b);
    longs == 0 && rest == 0
}

macro_rules! random_ids {
    ($($(#[$doc:meta])* $name:ident, $field:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// 16 base62 characters (95 random bits). Not secret: safe to log and to show.
        ///
        /// ```
        #[doc = concat!("use access_keys::domain::", stringify!($name), ";")]
        ///
        #[doc = concat!("let id = ", stringify!($name), "::new(\"7Hq2LkP9sTz4WcX1\")?;")]
        /// assert_eq!(id.as_str(), "7Hq2LkP9sTz4WcX1");
        #[doc = concat!("assert!(", stringify!($name), "::new(\"too-short\").is_err());")]
        /// # Ok::<(), access_keys::Invalid>(())
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name([u8; RANDOM_ID_LEN]);

        impl $name {
            /// Checks and takes over `text`.
            ///
            /// # Errors
            /// [`Invalid`] unless `text` is 16 characters of `0-9A-Za-z`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Invalid> {
                let text = text.as_ref();
                let Ok(bytes) = <[u8; RANDOM_ID_LEN]>::try_from(text.as_bytes()) else {
                    let (min, max) = (RANDOM_ID_LEN, RANDOM_ID_LEN);
                    let rule = Rule::Length { min, max, unit: Unit::Bytes, given: text.len() };
                    return Err(Invalid::new(Field::$field, rule));
                };
                Self::from_base62(bytes).ok_or_else(|| {
                    let before = text.chars().take_while(char::is_ascii_alphanumeric).count();
                    let rule = Rule::Character { position: before + 1, allowed: "letters and digits" };
                    Invalid::new(Field::$field, rule)
                })
            }

            /// The first of them all, which is as unlikely as any other.
            pub(crate) const ZERO: Self = Self([b'0'; RANDOM_ID_LEN]);

            #[inline]
            pub(crate) fn from_base62(bytes: [u8; RANDOM_ID_LEN]) -> Option<Self> {
                (others(&bytes) == 0).then_some(Self(bytes))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                // Only letters and digits are ever taken in.
                std::str::from_utf8(&self.0).unwrap_or_default()
            }

            pub(crate) const fn bytes(&self) -> &[u8; RANDOM_ID_LEN] {
                &self.0
            }
        }

        /// The order of the bytes, as of one number: the same work for every two.
        impl Ord for $name {
            #[inline]
            fn cmp(&self, other: &Self) -> Ordering {
                u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        serde_as_text!($name);
    )*};
}

random_ids! {
    /// The public name of a key, part of its token and of every page that shows the key.
    KeyId, Key;
    /// The name of an audit event.
    EventId, Event;
}

impl KeyId {
    /// The id with these characters, which were checked before.
    #[inline]
    pub(crate) const fn of_base62(bytes: [u8; RANDOM_ID_LEN]) -> Self {
        Self(bytes)
    }

    /// Its characters as two numbers.
    #[inline]
    pub(crate) const fn halves(self) -> [u64; 2] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = self.0;
        [u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes([i, j, k, l, m, n, o, p])]
    }

    /// Its characters as one number, of which the highest bits spread ids over places.
    #[inline]
    pub(crate) const fn mixed(self) -> u64 {
        let [low, high] = self.halves();
        (low ^ high.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}
