//! The layout of a token, and reading one by position from its end.

use super::Prefix;
use super::base62::{CHECKSUM_LEN, digits};
use crate::domain::KeyId;
use crate::domain::id::{others, same};

pub(super) const ID_LEN: usize = 16;
pub(super) const SECRET_LEN: usize = 32;
pub(super) const SIGNED_LEN: usize = ID_LEN + 1 + SECRET_LEN;
/// All that follows the prefix and its `_`.
pub(super) const TAIL_LEN: usize = SIGNED_LEN + CHECKSUM_LEN;

/// `{id}_{secret}`: what a digest is computed of.
pub(crate) type Signed = [u8; SIGNED_LEN];

/// A token that has the right form; whether it is good is another question.
pub(crate) struct Presented<'t> {
    pub(crate) id: KeyId,
    pub(crate) signed: &'t Signed,
}

impl<'t> Presented<'t> {
    /// `None` unless `given` is a token of `prefix`, whole and with the right checksum. Nothing is
    /// allocated, and nothing is computed of a text of the wrong length.
    #[inline(always)]
    pub(crate) fn read(given: &'t [u8], prefix: &Prefix) -> Option<Self> {
        if given.len() != prefix.token_len() {
            return None;
        }
        let (body, sum) = given.split_last_chunk::<CHECKSUM_LEN>()?;
        let (head, signed) = body.split_last_chunk::<SIGNED_LEN>()?;
        let (id, rest) = signed.split_first_chunk::<ID_LEN>()?;
        // All of it in one pass: one other character in 49, which is the joint.
        let shaped = same(head, prefix.head()) && rest.first() == Some(&b'_') && others(signed) == 1;
        if !shaped {
            return None;
        }
        let id = KeyId::of_base62(*id);
        (digits(prefix.sum_with(signed)) == *sum).then_some(Self { id, signed })
    }

    /// The same of whatever prefix it has. Who holds a token can write another prefix before it, and a checksum that
    /// fits: the secret is what matters.
    pub(crate) fn read_any(given: &'t [u8]) -> Option<Self> {
        let (head, _) = given.split_last_chunk::<TAIL_LEN>()?;
        let prefix = std::str::from_utf8(head.strip_suffix(b"_")?).ok()?;
        Self::read(given, &Prefix::new(prefix).ok()?)
    }
}
