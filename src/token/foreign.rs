//! Tokens that another system issued: how they look, and what that system kept of them.

use std::fmt;
use std::ops::RangeInclusive;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use super::presented::{ID_LEN, Signed};
use super::random::id_of;
use crate::domain::{Field, Invalid, KeyId, Rule, Unit, hex};

const HEAD_MAX: usize = 64;
const LENGTH_MAX: usize = 1_024;
/// What stands between the id and the digest, where a token of ours has `_`: so no token of ours can be made of a
/// foreign digest that someone has seen.
const JOINT: u8 = b':';

/// How the tokens of another system look, and which digest of them it kept, so that clients go on using those they
/// hold after their keys were imported.
///
/// Registered with [`Builder::foreign_tokens`](crate::lifecycle::Builder::foreign_tokens). A token that is none of this
/// library's and fits is digested as the other system did it, and looked up by an id that is derived from that digest,
/// or from the identifier that stands in the token. What is stored is HMAC-SHA-256 under the newest pepper, or SHA-256,
/// of the id and the foreign digest.
///
/// **What it is worth without a pepper.** Whoever has the other system's database has its digests, and from them can
/// compute what is stored here; but neither is a token, so neither opens anything. With a pepper, also nothing can be
/// planted. As strong as their randomness are the tokens themselves: the id of an imported key, which is no secret, is
/// a hash of its digest, so that a token that can be guessed can be guessed offline by whoever sees an id. Rotate keys
/// whose tokens have fewer than 128 random bits.
///
/// ```
/// use access_keys::token::ForeignTokens;
///
/// let litellm = ForeignTokens::new("litellm")?.beginning_with("sk-")?.of_length(10..=128)?;
/// let keyed = ForeignTokens::new("own")?.beginning_with("own_")?.hmac_sha256(b"their secret, 16 bytes or more");
/// # let _ = (litellm, keyed);
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone)]
pub struct ForeignTokens {
    source: String,
    head: String,
    lengths: RangeInclusive<usize>,
    /// What is hashed before and after the token.
    around: [Vec<u8>; 2],
    mac: Option<Hmac<Sha256>>,
    digested: Digested,
    /// Between the identifier and the secret.
    separator: Option<u8>,
}

/// Which part of a token was digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digested {
    Whole,
    AfterHead,
    AfterSeparator,
}

/// A digest that another system kept of a token.
///
/// `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignDigest([u8; 32]);

impl ForeignTokens {
    /// The tokens of a system of this name, of which it kept SHA-256 of the whole token. The name is a part of what
    /// ids are derived from: it must not change as long as keys of it are in use.
    ///
    /// # Errors
    /// [`Invalid`] unless the name has 1 to 64 characters of `a-z0-9-`.
    pub fn new(source: impl AsRef<str>) -> Result<Self, Invalid> {
        let source = source.as_ref();
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        check_length(1..=HEAD_MAX, source.len())?;
        if let Some(before) = source.bytes().position(|byte| !named(byte)) {
            let rule = Rule::Character { position: before + 1, allowed: "a-z, 0-9 and -" };
            return Err(Invalid::new(Field::ForeignTokens, rule));
        }
        Ok(Self {
            source: source.to_owned(),
            head: String::new(),
            lengths: 16..=512,
            around: Default::default(),
            mac: None,
            digested: Digested::Whole,
            separator: None,
        })
    }

    /// What every token of it begins with. Without this every text of a fitting length is looked up in the store.
    ///
    /// # Errors
    /// [`Invalid`] for more than 64 characters, and for others than visible ASCII.
    pub fn beginning_with(mut self, head: impl AsRef<str>) -> Result<Self, Invalid> {
        head.as_ref().clone_into(&mut self.head);
        check_length(0..=HEAD_MAX, self.head.len())?;
        match self.head.bytes().position(|byte| !byte.is_ascii_graphic()) {
            None => Ok(self),
            Some(before) => {
                let rule = Rule::Character { position: before + 1, allowed: "visible ASCII" };
                Err(Invalid::new(Field::ForeignTokens, rule))
            }
        }
    }

    /// How long a whole token is, in bytes; 16 to 512 unless set.
    ///
    /// # Errors
    /// [`Invalid`] for a range that is empty, or goes beyond 8 to 1,024.
    pub fn of_length(mut self, lengths: RangeInclusive<usize>) -> Result<Self, Invalid> {
        check_length(8..=LENGTH_MAX, *lengths.start())?;
        check_length(*lengths.start()..=LENGTH_MAX, *lengths.end())?;
        self.lengths = lengths;
        Ok(self)
    }

    /// The system kept HMAC-SHA-256 under this secret, not SHA-256.
    #[must_use]
    pub fn hmac_sha256(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.mac = Hmac::new_from_slice(secret.as_ref()).ok();
        self
    }

    /// The system digested this before and after the token: a salt or a pepper of its own.
    #[must_use]
    pub fn digested_between(mut self, before: impl AsRef<[u8]>, after: impl AsRef<[u8]>) -> Self {
        self.around = [before.as_ref().to_vec(), after.as_ref().to_vec()];
        self
    }

    /// The system digested what follows the beginning, not the whole token.
    #[must_use]
    pub const fn digested_after_beginning(mut self) -> Self {
        self.digested = Digested::AfterHead;
        self
    }

    /// What stands between the beginning and the last of these characters names the key; the digest is that of the
    /// whole token, or with `secret_alone` of what follows.
    ///
    /// Without this a key is named by its digest.
    ///
    /// # Errors
    /// [`Invalid`] unless it is a visible ASCII character.
    pub fn identified_before(mut self, separator: char, secret_alone: bool) -> Result<Self, Invalid> {
        let byte = u8::try_from(separator).ok().filter(u8::is_ascii_graphic);
        let rule = Rule::Character { position: 1, allowed: "visible ASCII" };
        self.separator = Some(byte.ok_or_else(|| Invalid::new(Field::ForeignTokens, rule))?);
        if secret_alone {
            self.digested = Digested::AfterSeparator;
        }
        Ok(self)
    }

    /// The name of the system.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether keys are named by an identifier in their tokens, not by their digests.
    #[must_use]
    pub const fn has_identifiers(&self) -> bool {
        self.separator.is_some()
    }

    /// The digest that the system kept of this token, for a host that has tokens and not digests; `None` for a text
    /// that is none of its tokens.
    #[must_use]
    pub fn digest(&self, token: &str) -> Option<ForeignDigest> {
        let (_, digested) = self.parts(token.as_bytes())?;
        Some(self.digest_of(digested))
    }

    /// Whether some token could be of both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let alike = self.head.starts_with(&other.head) || other.head.starts_with(&self.head);
        let longest = self.lengths.end().min(other.lengths.end());
        alike && self.lengths.start().max(other.lengths.start()) <= longest
    }

    /// The id of its key and what is stored under a pepper, if it is one of these tokens.
    pub(crate) fn read(&self, token: &[u8]) -> Option<(KeyId, Signed)> {
        let (identifier, digested) = self.parts(token)?;
        let digest = self.digest_of(digested);
        let id = self.id(identifier, &digest)?;
        Some((id, digest.signed(id)))
    }

    /// The id of the key of a digest, and of an identifier where keys have one.
    pub(crate) fn id(&self, identifier: Option<&[u8]>, digest: &ForeignDigest) -> Option<KeyId> {
        let (kind, name): (&[u8], &[u8]) = match identifier {
            Some(identifier) => (b" identifier ", identifier),
            None => (b" digest ", &digest.0),
        };
        id_of(&[b"access-keys imported ", self.source.as_bytes(), kind, name])
    }

    /// The identifier and what was digested.
    fn parts<'t>(&self, token: &'t [u8]) -> Option<(Option<&'t [u8]>, &'t [u8])> {
        if !self.lengths.contains(&token.len()) {
            return None;
        }
        let rest = token.strip_prefix(self.head.as_bytes())?;
        let (identifier, secret) = match self.separator {
            None => (None, rest),
            Some(separator) => {
                let place = rest.iter().rposition(|byte| *byte == separator)?;
                let (identifier, secret) = rest.split_at_checked(place)?;
                (Some(identifier), secret.split_first()?.1)
            }
        };
        Some((
            identifier,
            match self.digested {
                Digested::Whole => token,
                Digested::AfterHead => rest,
                Digested::AfterSeparator => secret,
            },
        ))
    }

    fn digest_of(&self, digested: &[u8]) -> ForeignDigest {
        let [before, after] = &self.around;
        ForeignDigest(match &self.mac {
            None => {
                let hash = Sha256::new().chain_update(before).chain_update(digested);
                hash.chain_update(after).finalize().into()
            }
            Some(mac) => {
                let mac = mac.clone().chain_update(before).chain_update(digested).chain_update(after);
                mac.finalize().into_bytes().into()
            }
        })
    }
}

impl fmt::Debug for ForeignTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, head, lengths, .. } = self;
        f.debug_struct("ForeignTokens")
            .field("source", source)
            .field("beginning", head)
            .field("lengths", lengths)
            .finish_non_exhaustive()
    }
}

impl ForeignDigest {
    /// A digest of 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A digest in 64 hexadecimal digits, of either case.
    ///
    /// ```
    /// use access_keys::token::ForeignDigest;
    ///
    /// assert!(ForeignDigest::of_hex("0A".repeat(32)).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn of_hex(text: impl AsRef<str>) -> Result<Self, Invalid> {
        let text = text.as_ref();
        let rule = Rule::Unreadable { expected: "64 hexadecimal digits", given: text.len() };
        let read = hex::read(&text.to_ascii_lowercase());
        read.map(Self).ok_or_else(|| Invalid::new(Field::Digest, rule))
    }

    /// What is stored under a pepper: the id and the digest, as long as those of a token of this library.
    pub(crate) fn signed(&self, id: KeyId) -> Signed {
        let mut signed = [JOINT; size_of::<Signed>()];
        let (place, rest) = signed.split_at_mut(ID_LEN);
        place.copy_from_slice(id.bytes());
        rest.iter_mut().skip(1).zip(self.0).for_each(|(place, byte)| *place = byte);
        signed
    }
}

impl fmt::Debug for ForeignDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignDigest([redacted])")
    }
}

fn check_length(allowed: RangeInclusive<usize>, given: usize) -> Result<(), Invalid> {
    let (min, max) = (*allowed.start(), *allowed.end());
    let rule = Rule::Length { min, max, unit: Unit::Bytes, given };
    if allowed.contains(&given) { Ok(()) } else { Err(Invalid::new(Field::ForeignTokens, rule)) }
}
