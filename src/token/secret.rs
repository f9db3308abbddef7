//! A token in clear, from the moment it is drawn until it is shown.

use std::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::base62::{CHECKSUM_LEN, checksum};
use super::presented::{ID_LEN, SECRET_LEN, SIGNED_LEN, Signed};
use super::random::{DrawError, Random};
use super::{Prefix, base62};
use crate::domain::KeyId;

/// A token in clear: shown once, kept nowhere.
///
/// There is one way to its text, [`expose`](Self::expose), so that every exposure can be found by searching
/// for that word. It cannot be displayed, cloned, compared or serialized, `Debug` shows nothing of it, and
/// its memory is overwritten when it is dropped.
///
/// Not defended: copies that the host makes, and memory that the operating system swaps out.
///
/// ```
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// let issued = project.generate(review).await?;
/// assert_eq!(format!("{:?}", issued.token), "Token([redacted])");
/// // The answer to the one request that made it; `Issued` itself is not `Serialize`:
/// let answer = serde_json::json!({ "key": issued.key, "token": issued.token.expose() });
/// # let _ = answer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Token(Zeroizing<Box<[u8]>>);

impl Token {
    /// Draws a new secret for the key `id`.
    pub(crate) fn draw(prefix: &Prefix, id: KeyId, random: &Random) -> Result<Self, DrawError> {
        let secret: Zeroizing<[u8; SECRET_LEN]> = random.draw()?;
        // Its final size from the start: a buffer that grows would leave copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(prefix.token_len()));
        text.extend_from_slice(prefix.as_str().as_bytes());
        text.push(b'_');
        text.extend_from_slice(id.bytes());
        text.push(b'_');
        text.extend_from_slice(&*secret);
        let sum = checksum(&text);
        text.extend_from_slice(&sum);
        Ok(Self(Zeroizing::new(std::mem::take(&mut *text).into_boxed_slice())))
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What its digest is computed of.
    pub(crate) fn signed(&self) -> Option<&Signed> {
        let (body, _) = self.0.split_last_chunk::<CHECKSUM_LEN>()?;
        body.last_chunk::<SIGNED_LEN>()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

impl ZeroizeOnDrop for Token {}

const _: () = assert!(SIGNED_LEN == ID_LEN + 1 + SECRET_LEN && base62::ALPHABET.len() == 62);
