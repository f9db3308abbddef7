//! How a refused request is answered.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, HeaderMap, Response, StatusCode};

use super::{KeyedBody, Realm};
use crate::verify::Denial;

/// Why a request was refused, and how it is answered: after RFC 9110, RFC 6750 and RFC 9457.
///
/// | refusal | status | `WWW-Authenticate` | problem | gRPC |
/// | --- | --- | --- | --- | --- |
/// | [`Unauthenticated`](Self::Unauthenticated) | 401 | `Bearer realm="…"` | `unauthenticated` | 16 |
/// | [`InvalidRequest`](Self::InvalidRequest) | 400 | with `error="invalid_request"` | `invalid-request` | 3 |
/// | [`InvalidToken`](Self::InvalidToken) | 401 | with `error="invalid_token"` | `invalid-token` | 16 |
/// | [`InsufficientScope`](Self::InsufficientScope) | 403 | with `error="insufficient_scope"` | `insufficient-scope` | 7 |
/// | [`Unavailable`](Self::Unavailable) | 503, `Retry-After: 1` | none | `temporarily-unavailable` | 14 |
/// | [`LayerMissing`](Self::LayerMissing) | 500 | none | `internal` | 13 |
///
/// The answer is the same to the byte whatever made a token not good: which of the [`Denial`]s it was is in the
/// extensions of the response, for the host; where there was nothing to verify, this stands there. Every answer forbids to be stored. One to a gRPC
/// request has the status 200 and says it in `grpc-status`, as gRPC wants it.
///
/// ```
/// use access_keys::{Denial, http::Refusal};
///
/// # fn of(denial: &Denial) {
/// let refusal = Refusal::from(denial);
/// # let _ = refusal;
/// # }
/// assert_eq!(Refusal::InvalidToken.status(), 401);
/// assert_eq!(Refusal::InvalidToken.error(), Some("invalid_token"));
/// assert_eq!(Refusal::Unauthenticated.error(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// No credential, or one of another scheme.
    Unauthenticated,
    /// Several credentials, or one that is not written as RFC 6750 has it.
    InvalidRequest,
    /// A token that is not good: malformed, unknown, inactive, revoked, expired, of another environment.
    InvalidToken,
    /// The key may not call this agent or prompt.
    InsufficientScope,
    /// Whether the token is good cannot be known now.
    Unavailable,
    /// A handler asks for what no [`AccessKeyLayer`](super::AccessKeyLayer) has put there.
    LayerMissing,
}

/// Marks the answer of a handler, which knows no realm: the innermost layer gives it its own.
#[derive(Clone, Copy)]
pub(super) struct Unplaced;

/// What the answers have in common.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const SOON: HeaderValue = HeaderValue::from_static("1");
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

macro_rules! problem {
    ($kind:literal, $code:literal, $title:literal, $status:literal) => {
        concat!(
            "{\"type\":\"urn:access-keys:",
            $kind,
            "\",\"title\":\"",
            $title,
            "\",\"status\":",
            $status,
            ",\"error\":{\"code\":\"",
            $code,
            "\",\"message\":\"",
            $title,
            "\"}}"
        )
    };
}

impl Refusal {
    pub(super) const ALL: [Self; 6] = [
        Self::Unauthenticated,
        Self::InvalidRequest,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::Unavailable,
        Self::LayerMissing,
    ];

    /// The status of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthenticated | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::LayerMissing => 500,
            Self::Unavailable => 503,
        }
    }

    /// The error code of RFC 6750; none for what is no fault of a credential.
    #[must_use]
    pub const fn error(self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::Unauthenticated | Self::LayerMissing | Self::Unavailable => None,
        }
    }

    /// Its name in one word, for counters and logs, for example `invalid_token`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::Unavailable => "temporarily_unavailable",
            Self::LayerMissing => "internal",
        }
    }

    /// The body of the answer: problem details in JSON, with the member `error` that clients of AI interfaces read.
    #[must_use]
    pub const fn problem(self) -> &'static str {
        match self {
            Self::Unauthenticated => {
                problem!("unauthenticated", "unauthenticated", "An access key is required", "401")
            }
            Self::InvalidRequest => {
                problem!(
                    "invalid-request",
                    "invalid_request",
                    "The access key is not presented as it should be",
                    "400"
                )
            }
            Self::InvalidToken => {
                problem!("invalid-token", "invalid_token", "The access key is not valid", "401")
            }
            Self::InsufficientScope => {
                problem!(
                    "insufficient-scope",
                    "insufficient_scope",
                    "The access key does not reach this",
                    "403"
                )
            }
            Self::Unavailable => {
                problem!(
                    "temporarily-unavailable",
                    "temporarily_unavailable",
                    "Access keys cannot be verified now",
                    "503"
                )
            }
            Self::LayerMissing => problem!("internal", "internal", "Internal error", "500"),
        }
    }

    /// Status and words of gRPC.
    pub(super) const fn grpc(self) -> (HeaderValue, HeaderValue) {
        let (status, message) = match self {
            Self::Unauthenticated => ("16", "an access key is required"),
            Self::InvalidRequest => ("3", "the access key is not presented as it should be"),
            Self::InvalidToken => ("16", "the access key is not valid"),
            Self::InsufficientScope => ("7", "the access key does not reach this"),
            Self::Unavailable => ("14", "access keys cannot be verified now"),
            Self::LayerMissing => ("13", "internal error"),
        };
        (HeaderValue::from_static(status), HeaderValue::from_static(message))
    }

    /// The answer in this realm, to a request of this kind of gRPC.
    pub(super) fn answer<B>(
        self,
        realm: &Realm,
        denial: Option<Denial>,
        grpc: Option<HeaderValue>,
    ) -> Response<KeyedBody<B>> {
        let body = if grpc.is_some() { "" } else { self.problem() };
        let mut response = Response::new(KeyedBody::whole(body));
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, NO_STORE);
        if let Some(content) = grpc {
            let (status, message) = self.grpc();
            headers.insert(CONTENT_TYPE, content);
            headers.insert(GRPC_STATUS, status);
            headers.insert(GRPC_MESSAGE, message);
        } else {
            self.head(realm, headers);
            headers.insert(CONTENT_TYPE, PROBLEM);
            *response.status_mut() = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        }
        match denial {
            Some(denial) => drop(response.extensions_mut().insert(denial)),
            None => drop(response.extensions_mut().insert(self)),
        }
        response
    }

    /// Why a response refuses, by its extensions, if it does.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Denial>().map(Self::from).or_else(|| extensions.get().copied())
    }

    /// What the headers say of the scheme.
    pub(super) fn head(self, realm: &Realm, headers: &mut HeaderMap) {
        if let Some(challenge) = realm.challenge(self) {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
        if self == Self::Unavailable {
            headers.insert(RETRY_AFTER, SOON);
        }
    }
}

impl From<&Denial> for Refusal {
    fn from(denial: &Denial) -> Self {
        match denial.status() {
            403 => Self::InsufficientScope,
            503 => Self::Unavailable,
            _ => Self::InvalidToken,
        }
    }
}
