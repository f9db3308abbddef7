//! Keys of the digest itself, held outside the database.

use std::collections::BTreeSet;
use std::fmt;

use constant_time_eq::constant_time_eq_32;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use super::{Digest, Scheme, Signed};
use crate::domain::{Field, Invalid, Rule, Seal, Unit};

const KEY_MIN: usize = 32;
const KEY_MAX: usize = 1_024;

/// A secret of the host, held outside the database, under which digests are computed.
///
/// With a pepper, someone who can write the database cannot plant a key that works. Several can be given
/// to the builder: the one with the highest version makes new digests, the others go on verifying those
/// that they made. A pepper is taken out once no stored digest that has not ended names it
/// ([`StoredKey::digests`](crate::store::StoredKey::digests)), or none but those of revoked keys, whose tokens are
/// then unavailable instead of revoked. Each pepper costs every verification one HMAC.
///
/// A node that lacks the pepper of a key answers that it is unavailable. So while a new pepper is brought to
/// the nodes one after the other, what is generated or rotated on the first is unavailable on the last until it
/// has the pepper too.
///
/// ```
/// use access_keys::Pepper;
///
/// let secret = [7; 32]; // 32 bytes or more from the host's secret manager
/// let pepper = Pepper::new(1, secret)?;
/// assert_eq!(format!("{pepper:?}"), "Pepper(1, [redacted])");
/// # Ok::<(), access_keys::Invalid>(())
/// ```
pub struct Pepper {
    version: u32,
    mac: Hmac<Sha256>,
}

impl Pepper {
    /// The pepper with this version and secret. Stored digests name the version, so the same version must
    /// always come with the same secret.
    ///
    /// # Errors
    /// [`Invalid`] unless the secret has 32 to 1,024 bytes (RFC 2104 discourages fewer than the hash has).
    pub fn new(version: u32, secret: impl AsRef<[u8]>) -> Result<Self, Invalid> {
        let secret = secret.as_ref();
        let rule = Rule::Length { min: KEY_MIN, max: KEY_MAX, unit: Unit::Bytes, given: secret.len() };
        let fits = (KEY_MIN..=KEY_MAX).contains(&secret.len());
        let mac = Hmac::new_from_slice(secret).ok().filter(|_| fits);
        mac.map(|mac| Self { version, mac }).ok_or_else(|| Invalid::new(Field::Pepper, rule))
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    fn digest(&self, signed: &Signed) -> Digest {
        let bytes = self.mac.clone().chain_update(signed).finalize().into_bytes();
        Digest::new(Scheme::HmacSha256 { pepper: self.version }, bytes.into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({}, [redacted])", self.version)
    }
}

/// Every way in which this node can check a secret.
#[derive(Debug, Default)]
pub(crate) struct PepperRing {
    /// Newest first.
    peppers: Vec<Pepper>,
    accept_unpeppered: bool,
    /// They check seals alone.
    retired: Vec<Pepper>,
}

impl PepperRing {
    pub(crate) fn new(mut peppers: Vec<Pepper>, accept_unpeppered: bool) -> Result<Self, Invalid> {
        peppers.sort_by_key(|pepper| std::cmp::Reverse(pepper.version));
        if peppers.len() >= usize::from(Way::REFUSED.0) {
            let rule = Rule::Count { max: usize::from(Way::REFUSED.0) - 1, given: peppers.len() };
            return Err(Invalid::new(Field::Pepper, rule));
        }
        once_each(&peppers)?;
        Ok(Self { peppers, accept_unpeppered, retired: Vec::new() })
    }

    /// The same with peppers that others may have by now.
    pub(crate) fn with_retired(self, retired: Vec<Pepper>) -> Result<Self, Invalid> {
        once_each(self.peppers.iter().chain(&retired))?;
        Ok(Self { retired, ..self })
    }

    /// The digest of a new secret: under the newest pepper.
    pub(crate) fn digest(&self, signed: &Signed) -> Digest {
        self.peppers.first().map_or_else(
            || Digest::new(Scheme::Sha256, Turned::sha256(signed).bytes()),
            |newest| newest.digest(signed),
        )
    }

    /// How this node checks a secret of a digest of `scheme`.
    pub(crate) fn way(&self, scheme: &Scheme) -> Way {
        match scheme {
            Scheme::Sha256 if self.takes_unpeppered() => Way(0),
            Scheme::Sha256 => Way::REFUSED,
            Scheme::HmacSha256 { pepper } => self
                .peppers
                .iter()
                .position(|known| known.version == *pepper)
                .and_then(|place| u8::try_from(place + 1).ok())
                .map_or(Way::LACKING, Way),
            Scheme::Other(_) => Way::LACKING,
        }
    }

    /// Which of `stored` are digests of `signed`.
    ///
    /// Does the same work for any two digests: every way of this ring is computed and compared with both.
    #[inline]
    pub(crate) fn compare(&self, signed: &Signed, stored: [(&Turned, Way); 2]) -> [bool; 2] {
        let plain =
            if self.takes_unpeppered() { same(&Turned::sha256(signed), Way(0), stored) } else { [false; 2] };
        if self.peppers.is_empty() {
            return plain;
        }
        self.peppers.iter().zip(1..).fold(plain, |[first, second], (pepper, way)| {
            let [a, b] = same(&Turned::of(pepper.digest(signed).bytes()), Way(way), stored);
            [first | a, second | b]
        })
    }

    /// The seal of these bytes: under the newest pepper.
    pub(crate) fn seal(&self, sealed: &[u8]) -> Seal {
        self.seal_of(self.peppers.first(), sealed)
    }

    /// Whether `seal` is that of these bytes; a plain hash is taken where an unpeppered digest is.
    pub(crate) fn check(&self, seal: &Seal, sealed: &[u8]) -> Sealing {
        let pepper = match seal.pepper() {
            None if self.takes_unpeppered() => None,
            None => return Sealing::Unpeppered,
            Some(version) => {
                let mut known = self.peppers.iter().chain(&self.retired);
                match known.find(|known| known.version == version) {
                    None => return Sealing::Lacking,
                    found => found,
                }
            }
        };
        match constant_time_eq_32(self.seal_of(pepper, sealed).mac(), seal.mac()) {
            false => Sealing::Wrong,
            true if self.retired.iter().any(|retired| Some(retired.version) == seal.pepper()) => {
                Sealing::Retired
            }
            true => Sealing::Good,
        }
    }

    fn seal_of(&self, pepper: Option<&Pepper>, sealed: &[u8]) -> Seal {
        pepper.map_or_else(
            || Seal::new(None, Sha256::digest(sealed).into()),
            |pepper| {
                let mac = pepper.mac.clone().chain_update(sealed).finalize().into_bytes();
                Seal::new(Some(pepper.version), mac.into())
            },
        )
    }

    /// A digest that nothing has, compared in place of one that is not there.
    pub(crate) fn dummy(&self) -> Digest {
        let newest = self.peppers.first();
        let scheme = newest.map_or(Scheme::Sha256, |newest| Scheme::HmacSha256 { pepper: newest.version });
        Digest::new(scheme, [0; 32])
    }

    const fn takes_unpeppered(&self) -> bool {
        self.accept_unpeppered || self.peppers.is_empty()
    }
}

/// Refuses two peppers of one version.
fn once_each<'p>(peppers: impl IntoIterator<Item = &'p Pepper>) -> Result<(), Invalid> {
    let mut versions = BTreeSet::new();
    if peppers.into_iter().all(|pepper| versions.insert(pepper.version)) {
        return Ok(());
    }
    let problem = "has two of one version";
    Err(Invalid::new(Field::Pepper, Rule::Inconsistent { problem }))
}

/// What a ring says of a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealing {
    Good,
    /// It is that of something else.
    Wrong,
    /// It is a plain hash, which everyone can make.
    Unpeppered,
    /// The ring lacks its pepper.
    Lacking,
    /// It is right, and others than this ring can make such a one.
    Retired,
}

/// How one ring checks the secrets of a digest: 0 without a pepper, 1 under its newest one, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way(u8);

impl Way {
    /// The ring does not take it, whoever presents it.
    pub(crate) const REFUSED: Self = Self(254);
    /// The ring lacks the pepper or the scheme.
    pub(crate) const LACKING: Self = Self(255);

    /// Whether a secret can be found good by it.
    pub(crate) fn is_known(self) -> bool {
        self.0 < Self::REFUSED.0
    }
}

/// Which of `stored` are this digest, computed in this way, in a time that does not tell where they differ.
#[inline]
fn same(computed: &Turned, way: Way, stored: [(&Turned, Way); 2]) -> [bool; 2] {
    // `&`, not `&&`: the bytes are compared whatever the ways.
    stored.map(|(turned, theirs)| (way == theirs) & constant_time_eq_32(&computed.0, &turned.0))
}

/// A digest with the bytes of each of its words turned round where the processor's words are: as they come out of
/// the hash, so that a comparison need not turn them.
#[derive(PartialEq, Eq)]
pub(crate) struct Turned([u8; 32]);

impl Turned {
    /// A digest that nothing has.
    pub(crate) const NOTHING: Self = Self([0; 32]);

    pub(crate) fn of(digest: &[u8; 32]) -> Self {
        let mut turned = *digest;
        for word in turned.as_chunks_mut::<4>().0 {
            *word = u32::from_be_bytes(*word).to_ne_bytes();
        }
        Self(turned)
    }

    #[inline]
    fn sha256(signed: &Signed) -> Self {
        let mut turned = [0; 32];
        for (bytes, word) in turned.as_chunks_mut::<4>().0.iter_mut().zip(sha256(signed)) {
            *bytes = word.to_ne_bytes();
        }
        Self(turned)
    }

    fn bytes(&self) -> [u8; 32] {
        let mut bytes = self.0;
        for word in bytes.as_chunks_mut::<4>().0 {
            *word = u32::from_ne_bytes(*word).to_be_bytes();
        }
        bytes
    }
}

impl Clone for Turned {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl fmt::Debug for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turned([redacted])")
    }
}

/// The words of SHA-256 of what fits into one block with its padding: half the work of a hasher that does not know
/// that.
#[inline]
fn sha256(signed: &Signed) -> [u32; 8] {
    const START: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    // 49 bytes, the bit that ends them, and their number of bits, written in four pieces.
    const { assert!(size_of::<Signed>() == 49) };
    let (pieces, rest) = signed.as_chunks::<16>();
    let end = u128::from(rest.first().copied().unwrap_or_default()) | 0x80 << 8 | (8_u128 * 49).swap_bytes();
    let mut block = [0; 64];
    let words = pieces.iter().map(|piece| u128::from_le_bytes(*piece)).chain([end]);
    for (place, word) in block.as_chunks_mut::<16>().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
    let mut state = START;
    sha2::block_api::compress256(&mut state, std::slice::from_ref(&block));
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_gives_what_the_hasher_gives() {
        for byte in [0, b'_', b'z', 255] {
            let signed = [byte; size_of::<Signed>()];
            let turned = Turned::sha256(&signed);
            assert_eq!(turned.bytes(), <[u8; 32]>::from(Sha256::digest(signed)));
            assert_eq!(turned, Turned::of(&turned.bytes()));
        }
    }
}
