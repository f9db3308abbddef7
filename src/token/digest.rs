//! What is stored of a secret.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::domain::{Field, Invalid, Rule, hex, text};

const SCHEME_MAX: usize = 64;
const EXPECTED: &str = "a scheme and 64 hexadecimal digits";

/// How a stored digest was computed.
///
/// ```
/// use access_keys::token::Scheme;
///
/// assert_eq!("hmac-sha256/3".parse::<Scheme>()?, Scheme::HmacSha256 { pepper: 3 });
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// SHA-256.
    Sha256,
    /// HMAC-SHA-256 under a pepper.
    HmacSha256 {
        /// The version of the pepper.
        pepper: u32,
    },
    /// One that this version of the library does not know. A key that has no other is `Unavailable`.
    Other(String),
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256 => f.write_str("sha256"),
            Self::HmacSha256 { pepper } => write!(f, "hmac-sha256/{pepper}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl FromStr for Scheme {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let unreadable = || {
            let rule = Rule::Unreadable { expected: "the name of a digest scheme", given: text.len() };
            Invalid::new(Field::Digest, rule)
        };
        if let Some(version) = text.strip_prefix("hmac-sha256/") {
            let pepper = version.parse().map_err(|_| unreadable())?;
            let scheme = Self::HmacSha256 { pepper };
            return if scheme.to_string() == text { Ok(scheme) } else { Err(unreadable()) };
        }
        let named = (1..=SCHEME_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'/'));
        match text {
            "sha256" => Ok(Self::Sha256),
            "hmac-sha256" => Err(unreadable()),
            other if named => Ok(Self::Other(other.to_owned())),
            _ => Err(unreadable()),
        }
    }
}

/// A digest of `{id}_{secret}` with the scheme that made it; written as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) scheme: Scheme,
    bytes: [u8; 32],
}

impl Digest {
    pub(crate) const fn new(scheme: Scheme, bytes: [u8; 32]) -> Self {
        Self { scheme, bytes }
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// As it is stored.
    pub(crate) fn to_text(&self) -> String {
        format!("{}:{}", self.scheme, hex::of(&self.bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}, [redacted])", self.scheme)
    }
}

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let read = || {
            let (scheme, hex) = text.split_once(':')?;
            Some(Self { scheme: scheme.parse().ok()?, bytes: hex::read(hex)? })
        };
        let rule = Rule::Unreadable { expected: EXPECTED, given: text.len() };
        read().ok_or_else(|| Invalid::new(Field::Digest, rule))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Turned;

    #[test]
    fn nothing_that_is_printed_of_a_digest_tells_it() {
        let digest = Digest::new(Scheme::Sha256, [7; 32]);
        assert_eq!(format!("{digest:?}"), "Digest(sha256, [redacted])");
        assert_eq!(format!("{:?}", Turned::of(digest.bytes())), "Turned([redacted])");
    }
}
