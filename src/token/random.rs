//! Drawing base62 characters, each as likely as any other.

use std::sync::{Mutex, PoisonError};

use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base62::character;
use crate::domain::{KeyId, OperationId, ProjectId};

pub(crate) type DrawError = Box<dyn std::error::Error + Send + Sync>;

/// The source of ids and secrets: the operating system's unless the host gives another.
pub(crate) struct Random(Mutex<Box<Fill>>);

type Fill = dyn FnMut(&mut [u8]) -> Result<(), DrawError> + Send;

impl Random {
    pub(crate) fn new<R>(mut source: R) -> Self
    where
        R: TryCryptoRng + Send + 'static,
        R::Error: Send + Sync + 'static,
    {
        Self(Mutex::new(Box::new(move |bytes| Ok(source.try_fill_bytes(bytes)?))))
    }

    pub(crate) fn system() -> Self {
        Self::new(getrandom::SysRng)
    }

    /// `N` characters of the alphabet.
    pub(crate) fn draw<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>, DrawError> {
        // With 62 of 64 values accepted a second round is rare. A source that makes sixteen needful is broken.
        const ROUNDS: usize = 16;
        let mut fill = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drawn = Zeroizing::new([0; N]);
        let mut bytes = Zeroizing::new([0; N]);
        let mut missing = drawn.iter_mut();
        for _ in 0..ROUNDS {
            fill(&mut *bytes)?;
            for drawn in accepted(&*bytes) {
                match missing.next() {
                    Some(place) => *place = drawn,
                    None => break,
                }
            }
            if missing.len() == 0 {
                drop(missing);
                return Ok(drawn);
            }
        }
        Err("the source of randomness repeats itself".into())
    }
}

/// The characters of the bytes whose low six bits are below 62. Rejecting the rest, and not folding them
/// in, is what makes all 62 equally likely.
fn accepted(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().map(|byte| byte & 63).filter(|value| *value < 62).map(character)
}

/// The id of the key that an operation generates: the same for every repeat, in no other project the same. An id has
/// no space, so the joint cannot be mistaken.
pub(crate) fn id_of_operation(project: &ProjectId, operation: &OperationId) -> Option<KeyId> {
    id_of(&[b"access-keys operation ", project.as_str().as_bytes(), b" ", operation.as_str().as_bytes()])
}

/// The id that belongs to these bytes, of which the first tell what they are.
pub(super) fn id_of(parts: &[&[u8]]) -> Option<KeyId> {
    let (kind, rest) = parts.split_first()?;
    let mut id = [b'0'; 16];
    let mut missing = id.iter_mut();
    // Each round gives 32 candidates for 16 places.
    for round in 0_u8..8 {
        let hash = Sha256::new().chain_update(kind).chain_update([round]);
        let bytes = rest.iter().fold(hash, |hash, part| hash.chain_update(part)).finalize();
        for (place, drawn) in missing.by_ref().zip(accepted(&bytes)) {
            *place = drawn;
        }
    }
    KeyId::from_base62(id)
}
