//! The host's own beginning of a token, and how to find tokens in a text by it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use super::Presented;
use super::base62::CHECKSUM_LEN;
use super::presented::{SECRET_LEN, Signed, TAIL_LEN};
use crate::domain::{Field, Invalid, KeyId, Rule, Unit};

const WORD_MAX: usize = 12;
const ALLOWED: &str = "one or two words of a-z and 0-9 that begin with a letter, joined by _";

/// How a host's tokens begin: `acme`, or `acme_live` to tell where a token belongs.
///
/// One or two words of 1 to 12 characters `a-z0-9` that begin with a letter, joined by `_`.
///
/// ```
/// use access_keys::token::Prefix;
///
/// let prefix = Prefix::new("acme_live")?;
/// assert_eq!(prefix.pattern(), "acme_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{38}");
/// assert!(Prefix::new("Acme").is_err());
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The text and the `_` that follows it in a token.
    head: Arc<str>,
    /// The CRC-32 of that.
    sum: u32,
}

impl Prefix {
    /// Checks and takes over `text`.
    ///
    /// # Errors
    /// [`Invalid`] by the rule above.
    pub fn new(text: impl AsRef<str>) -> Result<Self, Invalid> {
        let text = text.as_ref();
        let invalid = |rule| Err(Invalid::new(Field::Prefix, rule));
        let mut start = 0;
        for (i, word) in text.split('_').enumerate() {
            let at = |offset: usize| Rule::Character { position: start + offset + 1, allowed: ALLOWED };
            let is_part = !text.is_empty() && word.is_empty();
            if i == 2 || is_part {
                return invalid(Rule::Character { position: start.max(1), allowed: ALLOWED });
            }
            if word.is_empty() || word.len() > WORD_MAX {
                let (unit, given) = (Unit::Bytes, word.len());
                return invalid(Rule::Length { min: 1, max: WORD_MAX, unit, given });
            }
            let refused = |(offset, c): (usize, char)| match c {
                'a'..='z' => false,
                '0'..='9' => offset == 0,
                _ => true,
            };
            if let Some(offset) = word.chars().enumerate().position(refused) {
                return invalid(at(offset));
            }
            start += word.len() + 1;
        }
        let head: Arc<str> = format!("{text}_").into();
        Ok(Self { sum: crc32fast::hash(head.as_bytes()), head })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.head.strip_suffix('_').unwrap_or_default()
    }

    /// A regular expression for the rule file of a secret scanner.
    ///
    /// It finds every token of this prefix; [`scan`](Self::scan) confirms a find by its checksum.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("{self}_[0-9A-Za-z]{{16}}_[0-9A-Za-z]{{38}}")
    }

    /// Every token of this prefix in `text`, confirmed by its checksum, without asking anyone.
    ///
    /// Takes time in proportion to the text.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::token::Prefix;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// # let issued = project.generate(review).await?;
    /// let log = format!("GET /agents HTTP/1.1\nAuthorization: Bearer {}\n", issued.token.expose());
    /// let found: Vec<_> = Prefix::new("acme")?.scan(&log).collect();
    /// assert_eq!(found.len(), 1);
    /// assert_eq!(found[0].key, issued.key.id); // the key to revoke
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn scan<'t, T: AsRef<[u8]> + ?Sized>(&self, text: &'t T) -> impl Iterator<Item = Found> + use<'t, T> {
        find_tokens(text, std::slice::from_ref(self))
    }

    /// The length of what follows the id in a token and tells of the secret: itself and the checksum.
    pub(crate) const SECRET_LEN: usize = SECRET_LEN + CHECKSUM_LEN;

    /// The length of every token of this prefix.
    pub(crate) fn token_len(&self) -> usize {
        self.head.len() + TAIL_LEN
    }

    /// What every token of this prefix begins with.
    pub(super) fn head(&self) -> &[u8] {
        self.head.as_bytes()
    }

    /// The CRC-32 of the head and what follows it, without computing that of the head again.
    pub(super) fn sum_with(&self, signed: &Signed) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.sum);
        hasher.update(signed);
        hasher.finalize()
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Prefix {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

/// Every token of any of these prefixes in `text`, in the order in which they stand, confirmed by their checksums.
///
/// For a scrubber of logs, which knows where to write something else, and for whoever was sent a text that may hold
/// tokens. Takes time in proportion to the text, for each prefix.
///
/// ```
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
/// use access_keys::token::{Prefix, find_tokens};
///
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme_live").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// # let issued = project.generate(review).await?;
/// let prefixes = [Prefix::new("acme_live")?, Prefix::new("acme_test")?];
/// let mut log = format!("curl -H 'Authorization: Bearer {}'", issued.token.expose());
/// let found: Vec<_> = find_tokens(&log, &prefixes).collect();
/// for token in found.into_iter().rev() {
///     log.replace_range(token.range, "[a token]");
/// }
/// assert_eq!(log, "curl -H 'Authorization: Bearer [a token]'");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub fn find_tokens<'t, T: AsRef<[u8]> + ?Sized>(
    text: &'t T,
    prefixes: &[Prefix],
) -> impl Iterator<Item = Found> + use<'t, T> {
    let prefixes = prefixes.to_vec();
    let text: &'t [u8] = text.as_ref();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let found = prefixes.iter().find_map(|prefix| {
                let range = at..at.saturating_add(prefix.token_len());
                let key = Presented::read(text.get(range.clone())?, prefix)?.id;
                Some(Found { key, range })
            });
            at = found.as_ref().map_or(at + 1, |found| found.range.end);
            if found.is_some() {
                return found;
            }
        }
        None
    })
}

/// A token found in a text: where it stands and whose it is, not the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The key that it claims to be of.
    pub key: KeyId,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
}
