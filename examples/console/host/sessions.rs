//! Stand-in for the host's sessions: in memory, under a cookie that no script can read.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::kept::Kept;
use super::people::Person;
use super::random_name;

/// One browser. Also who is not signed in has one, so that the form for it has a token of its own.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Its place in memory: a digest of the cookie, so that no log or dump of it lets anyone in.
    pub(crate) id: String,
    pub(crate) csrf: String,
    pub(crate) person: Option<&'static Person>,
}

#[derive(Debug)]
pub(crate) struct Sessions {
    kept: Kept<Session>,
    /// Apart, so that whoever asks for the sign-in over and over signs nobody out.
    strangers: Kept<Session>,
    secure: bool,
}

impl Sessions {
    pub(crate) fn new(secure: bool) -> Self {
        Self { kept: Kept::new(12 * super::HOUR, 100_000), strangers: Kept::new(super::HOUR, 10_000), secure }
    }

    /// The session of who sent these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<Session> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.cookie_name()).then_some(value)
        });
        let place = place(pairs.next()?);
        self.kept.get(&place).or_else(|| self.strangers.get(&place))
    }

    /// A new session, and the cookie for it. Signing in and out begins one too, so that a cookie planted before
    /// is worth nothing after.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn begin(
        &self,
        person: Option<&'static Person>,
    ) -> Result<(Session, HeaderValue), getrandom::Error> {
        let name = random_name()?;
        let session = Session { id: place(&name), csrf: random_name()?, person };
        let among = if person.is_some() { &self.kept } else { &self.strangers };
        among.put(&session.id, session.clone());
        Ok((session, self.cookie(self.cookie_name(), &name, super::HOUR * 12)))
    }

    /// A cookie that means nothing and is never twice the same.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn seal(&self) -> Result<HeaderValue, getrandom::Error> {
        Ok(self.cookie("console-seal", &random_name()?, 600))
    }

    fn cookie(&self, name: &str, value: &str, seconds: u64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        // Letters, digits and signs: never refused.
        HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
    }

    pub(crate) fn end(&self, session: &Session) {
        self.kept.remove(&session.id);
        self.strangers.remove(&session.id);
    }

    /// With the prefix, browsers take the cookie from this host alone and over TLS alone.
    const fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-console" } else { "console" }
    }
}

fn place(cookie: &str) -> String {
    Sha256::digest(cookie.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
