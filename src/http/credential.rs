//! What a request presents: one credential, or a reason to look no further.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::Refusal;

const SCHEME: &[u8] = b"Bearer";

/// The token of a request, in the header that it came in.
pub(super) struct Credential {
    value: HeaderValue,
    /// Where the token begins.
    at: usize,
}

impl Credential {
    /// The one credential of a request, which is taken from it, or left there as sensitive.
    pub(super) fn take(
        headers: &mut HeaderMap,
        named: Option<&HeaderName>,
        keep: bool,
    ) -> Result<Self, Refusal> {
        let named = named.filter(|name| **name != AUTHORIZATION);
        let (name, at) = {
            let mut authorizations = headers.get_all(AUTHORIZATION).iter();
            let mut named_values = named.into_iter().flat_map(|name| headers.get_all(name));
            match (authorizations.next(), named_values.next(), named) {
                (None, None, _) => return Err(Refusal::Unauthenticated),
                (Some(value), None, _) if authorizations.next().is_none() => (&AUTHORIZATION, bearer(value)?),
                (None, Some(value), Some(name)) if named_values.next().is_none() => (name, bare(value)?),
                // Which of several was meant is for nobody to guess.
                _ => return Err(Refusal::InvalidRequest),
            }
        };
        let value = if keep {
            headers.get_mut(name).map(|value| {
                value.set_sensitive(true);
                value.clone()
            })
        } else {
            headers.remove(name)
        };
        Ok(Self { value: value.ok_or(Refusal::Unauthenticated)?, at })
    }

    pub(super) fn token(&self) -> &str {
        let token = self.value.as_bytes().get(self.at..).and_then(|token| str::from_utf8(token).ok());
        // It is visible ASCII; and nothing is no token.
        token.unwrap_or_default()
    }
}

/// Where the token begins in a value as RFC 6750, section 2.1, has it; with the name of the scheme in any case, as in
/// RFC 9110.
fn bearer(value: &HeaderValue) -> Result<usize, Refusal> {
    let bytes = value.as_bytes();
    let scheme = bytes.iter().position(|byte| !is_of_name(*byte)).unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at_checked(scheme).ok_or(Refusal::InvalidRequest)?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(Refusal::Unauthenticated);
    }
    match rest.split_first() {
        Some((b' ', token)) if is_token68(token) => Ok(SCHEME.len() + 1),
        _ => Err(Refusal::InvalidRequest),
    }
}

/// The same for a value that is the token alone.
fn bare(value: &HeaderValue) -> Result<usize, Refusal> {
    match value.as_bytes() {
        [] => Err(Refusal::Unauthenticated),
        token if is_token68(token) => Ok(0),
        _ => Err(Refusal::InvalidRequest),
    }
}

/// Whether a name, such as that of a scheme, may hold this byte: `tchar` of RFC 9110, section 5.6.2.
const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// `token68` of RFC 9110, section 11.2.
fn is_token68(text: &[u8]) -> bool {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let characters = text.get(..end).unwrap_or_default();
    !characters.is_empty()
        && characters.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}
