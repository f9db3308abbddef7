//! Keys of the digest itself, held outside the database.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use super::{Digest, Scheme, Signed};
use crate::domain::{Field, Invalid, Rule, Unit};

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
}

impl PepperRing {
    pub(crate) fn new(mut peppers: Vec<Pepper>, accept_unpeppered: bool) -> Result<Self, Invalid> {
        peppers.sort_by_key(|pepper| std::cmp::Reverse(pepper.version));
        if peppers.windows(2).any(|pair| matches!(pair, [a, b] if a.version == b.version)) {
            let problem = "has two of one version";
            return Err(Invalid::new(Field::Pepper, Rule::Inconsistent { problem }));
        }
        Ok(Self { peppers, accept_unpeppered })
    }

    /// The digest of a new secret: under the newest pepper.
    pub(crate) fn digest(&self, signed: &Signed) -> Digest {
        self.peppers.first().map_or_else(|| unpeppered(signed), |newest| newest.digest(signed))
    }

    /// Which of `stored` are digests of `signed`.
    ///
    /// Does the same work for any two digests: every way of this ring is computed and compared with both.
    pub(crate) fn compare(&self, signed: &Signed, stored: [&Digest; 2]) -> [bool; 2] {
        let plain = self.takes_unpeppered().then(|| unpeppered(signed));
        let peppered = self.peppers.iter().map(|pepper| pepper.digest(signed));
        plain.into_iter().chain(peppered).fold([false; 2], |[first, second], computed| {
            let [a, b] = stored;
            [first | computed.same(a), second | computed.same(b)]
        })
    }

    /// Whether this node lacks what it would take to tell if a secret is that of a digest of `scheme`.
    pub(crate) fn lacks(&self, scheme: &Scheme) -> bool {
        match scheme {
            // Refused on purpose where it is refused.
            Scheme::Sha256 => false,
            Scheme::HmacSha256 { pepper } => self.peppers.iter().all(|known| known.version != *pepper),
            Scheme::Other(_) => true,
        }
    }

    /// A digest that nothing has, compared in place of one that is not there.
    pub(crate) fn dummy(&self) -> Digest {
        let scheme = self
            .peppers
            .first()
            .map_or(Scheme::Sha256, |newest| Scheme::HmacSha256 { pepper: newest.version });
        Digest::new(scheme, [0; 32])
    }

    pub(crate) const fn takes_unpeppered(&self) -> bool {
        self.accept_unpeppered || self.peppers.is_empty()
    }
}

fn unpeppered(signed: &Signed) -> Digest {
    Digest::new(Scheme::Sha256, Sha256::digest(signed).into())
}
