//! The keys that are verified, each in the state of its class, and wrong tokens of them.

use std::sync::Arc;
use std::time::Duration;

use access_keys::clock::{Clock, FakeClock, SystemClock};
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, Issued, KeyInfo, ProjectId, Scope};

use crate::pair::Path;
use crate::{Failure, ready};

const DAY: Duration = Duration::from_secs(86_400);
/// The environment in which all tokens are presented.
pub(crate) const HERE: &str = "-";
/// Where the secret stands in a token of the prefix `acme`.
const SECRET: std::ops::Range<usize> = 22..54;

pub(crate) const CLASSES: [(&str, Class); 11] = [
    ("itself", Class::Itself),
    ("another_key", Class::AnotherKey),
    ("first_byte", Class::FirstByte),
    ("last_byte", Class::LastByte),
    ("unknown_id", Class::UnknownId),
    ("revoked", Class::Revoked),
    ("expired", Class::Expired),
    ("inactive", Class::Inactive),
    ("other_environment", Class::OtherEnvironment),
    ("longer_environment", Class::LongerEnvironment),
    ("older_secret", Class::OlderSecret),
];

/// What is compared with a wrong secret of an active key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The very same token.
    Itself,
    /// A wrong secret of another active key.
    AnotherKey,
    /// The secret of the same key but for its first character.
    FirstByte,
    LastByte,
    /// An id that no key has.
    UnknownId,
    /// A wrong secret of a key that is revoked, and so on.
    Revoked,
    Expired,
    Inactive,
    /// Of an environment whose name is as long, and of one with a longer name.
    OtherEnvironment,
    LongerEnvironment,
    /// The older secret of a key in grace but for its last character.
    OlderSecret,
}

impl Class {
    /// Whether a refusal on this path must take as long as that of a wrong secret. A larger record takes longer to be
    /// read, whoever asks for it: one of a longer name, and one of two secrets.
    pub(crate) fn is_alike(self, path: Path) -> bool {
        path == Path::Warm || !matches!(self, Self::LongerEnvironment | Self::OlderSecret)
    }

    /// A key of this class, with a record as small as they come, and as large in every class: how long a read takes
    /// tells how large what was read is.
    pub(crate) fn issue(self, store: &Arc<MemoryStore>) -> Result<Issued, Failure> {
        // A clock that stands still: how far apart two changes are takes room in a record too.
        let year = 365 * DAY;
        let (then, good_for) = match self {
            Self::Expired => (SystemClock.wall() - year, DAY),
            _ => (SystemClock.wall(), year),
        };
        let keys = AccessKeys::builder(Arc::clone(store)).prefix("acme").clock(FakeClock::new(then));
        let project = keys.build()?.project(ProjectId::new("-")?, Actor::system("-")?);
        let environment = match self {
            Self::OtherEnvironment => "+",
            Self::LongerEnvironment => "elsewhere",
            _ => HERE,
        };
        let info = KeyInfo::new("-", EnvironmentId::new(environment)?)?.expires_at(then + good_for);
        let review = project.draft().info(info).agents(Scope::none()).prompts(Scope::parse(["-"])?)?;
        let issued = ready(project.generate(review))?;
        let id = issued.key.id;
        ready(project.deactivate(id))?;
        if self != Self::Inactive {
            ready(project.activate(id))?;
        }
        match self {
            Self::Revoked => drop(ready(project.revoke(id, "lost"))?),
            Self::OlderSecret => drop(ready(project.rotate(id, 90 * DAY))?),
            _ => {}
        }
        Ok(issued)
    }

    /// The token that is presented of it, `good` being the key with which it is compared.
    pub(crate) fn token(self, good: &Issued, own: &Issued) -> String {
        match self {
            Self::Itself => wrong(good),
            Self::FirstByte => almost(good, SECRET.start),
            Self::LastByte => almost(good, SECRET.end - 1),
            Self::OlderSecret => almost(own, SECRET.end - 1),
            _ => wrong(own),
        }
    }
}

/// Wrong throughout.
pub(crate) fn wrong(issued: &Issued) -> String {
    sealed(issued, |text| text[SECRET].reverse())
}

/// Wrong at one place.
fn almost(issued: &Issued, at: usize) -> String {
    sealed(issued, |text| text[at] = if text[at] == b'x' { b'y' } else { b'x' })
}

/// The token with its body edited and a checksum that fits.
fn sealed(issued: &Issued, edit: impl Fn(&mut [u8])) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let token = issued.token.expose();
    let mut body = token.as_bytes()[..token.len() - 6].to_vec();
    edit(&mut body);
    let mut rest = crc32fast::hash(&body);
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    body.extend(digits);
    String::from_utf8(body).expect("a token is ASCII")
}
