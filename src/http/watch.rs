//! A response that ends when its key does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http_body::Body;

use super::{KeyedBody, Needs};
use crate::domain::{AgentId, PromptId};
use crate::verify::{Denial, Grant, Verifier};

/// Ends a running response when its key is revoked, paused, expired, or reaches less than the response needs.
///
/// For a single response; [`AccessKeyLayer::end_streams`](super::AccessKeyLayer::end_streams) does it for every one of
/// its routes. The grant is rechecked as [`Verifier::ended`] says: at the end of its lease, once a second at least, and
/// at once when the store tells of a change, which takes milliseconds. What ends it depends on the response:
///
/// - server-sent events (`text/event-stream`) end with a last event `error`, whose data is
///   `{"error":{"code":"invalid_token","message":"…"}}`, where no event is cut in half
/// - gRPC (`application/grpc`) ends with the trailers `grpc-status` and `grpc-message`
/// - anything else ends with the error [`Ended`](super::Ended): a server cuts the connection of HTTP/1.1 before its last
///   chunk, and resets the stream of HTTP/2, so that no client takes it for whole
///
/// What was handed to the server before is sent all the same: a client that reads slowly sees the end later. A body
/// that is there at once is never watched.
///
/// ```
/// use access_keys::http::Watch;
/// use access_keys::{Grant, Verifier};
/// # async fn sleep(_: std::time::Duration) {}
///
/// # fn answer<B: http_body::Body>(verifier: Verifier, grant: Grant, response: http::Response<B>) {
/// let watch = Watch::new(verifier, grant, sleep); // tokio::time::sleep
/// let response = watch.over(response);
/// # drop(response);
/// # }
/// ```
#[must_use = "it watches nothing until it is put over a response"]
pub struct Watch {
    verifier: Verifier,
    grant: Grant,
    needs: Needs,
    timer: Timer,
}

/// The host's timer.
#[derive(Clone)]
pub(super) struct Timer(Arc<Sleep>);

type Sleep = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// How a response can be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Events,
    Grpc,
    Other,
}

impl Watch {
    /// Watches this grant. `sleep` is the host's timer, for example `tokio::time::sleep`.
    pub fn new<S, F>(verifier: Verifier, grant: Grant, sleep: S) -> Self
    where
        S: Fn(Duration) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
    {
        Self::with(verifier, grant, Needs::default(), Timer::new(sleep))
    }

    pub(super) const fn with(verifier: Verifier, grant: Grant, needs: Needs, timer: Timer) -> Self {
        Self { verifier, grant, needs, timer }
    }

    /// The response needs this agent. Without a need, any narrowing of the key's scope ends it.
    pub fn needs_agent(self, agent: &AgentId) -> Self {
        self.needs.agent(agent);
        self
    }

    /// The response needs this prompt.
    pub fn needs_prompt(self, prompt: &PromptId) -> Self {
        self.needs.prompt(prompt);
        self
    }

    /// The response, which ends when the key does.
    pub fn over<B: Body>(self, response: Response<B>) -> Response<KeyedBody<B>> {
        let (parts, body) = response.into_parts();
        let body = if body.is_end_stream() {
            KeyedBody::passing(body)
        } else {
            let kind = Kind::of(&parts.headers, body.size_hint().exact());
            KeyedBody::watched(body, self, kind)
        };
        Response::from_parts(parts, body)
    }

    /// Waits for the end.
    pub(super) async fn ended(self) -> Denial {
        let Self { verifier, grant, needs, timer } = self;
        verifier.ended_unless(&grant, |time| (timer.0)(time), |now| needs.pass(&grant, now)).await
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("grant", &self.grant)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

impl Timer {
    pub(super) fn new<S, F>(sleep: S) -> Self
    where
        S: Fn(Duration) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
    {
        Self(Arc::new(move |time| {
            let sleep = sleep(time);
            Box::pin(async move { drop(sleep.await) })
        }))
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}

impl Kind {
    /// What has a length that was announced, or is packed, can be given no last words.
    fn of(headers: &HeaderMap, length: Option<u64>) -> Self {
        if length.is_some() || headers.contains_key(CONTENT_ENCODING) {
            return Self::Other;
        }
        let content = headers.get(CONTENT_TYPE).map_or(&[][..], |value| value.as_bytes());
        if begins(content, b"text/event-stream") {
            Self::Events
        } else if Self::is_grpc(content) {
            Self::Grpc
        } else {
            Self::Other
        }
    }

    pub(super) fn is_grpc(content: &[u8]) -> bool {
        begins(content, b"application/grpc")
    }
}

fn begins(content: &[u8], with: &[u8]) -> bool {
    content.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}
