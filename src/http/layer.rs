//! The layer in front of routes, as plain data.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::{AUTHORIZATION, Entry, HeaderName, InvalidHeaderValue};
use http::request::Parts;
use tower_layer::Layer;

use super::watch::Timer;
use super::{AccessKeyService, Realm};
use crate::domain::EnvironmentId;
use crate::verify::Verifier;

/// Lets a request through when it presents a good token.
///
/// It takes the token from `Authorization: Bearer …`, removes it, verifies it in one environment, and puts the
/// [`Grant`](crate::Grant) into the extensions of the request. Every other request is answered as [`Refusal`] says; the
/// precise [`Denial`](crate::Denial) is in the extensions of that response. A key that is warm is
/// verified without boxing a future. It works for every body and for gRPC, and needs no runtime.
///
/// Neither a query, a cookie, nor a header that merely looks alike is read; a request with two credentials is refused,
/// since which of them counts is for nobody to guess.
///
/// ```
/// # use access_keys::{AccessKeys, EnvironmentId, http::AccessKeyLayer, store::MemoryStore};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let layer = AccessKeyLayer::new(keys.verifier(), EnvironmentId::new("production")?)
///     .header(http::HeaderName::from_static("x-api-key"))
///     .realm("agents")?;
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
///
/// [`Refusal`]: super::Refusal
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put over a service"]
pub struct AccessKeyLayer {
    pub(super) verifier: Verifier,
    pub(super) environment: Environment,
    pub(super) header: Option<HeaderName>,
    pub(super) realm: Realm,
    pub(super) keep_credentials: bool,
    pub(super) timer: Option<Timer>,
}

#[derive(Clone)]
pub(super) enum Environment {
    Fixed(EnvironmentId),
    Chosen(Arc<Choose>),
}

type Choose = dyn Fn(&Parts) -> Option<EnvironmentId> + Send + Sync;

impl AccessKeyLayer {
    /// The environment of this request.
    pub(super) fn environment_of<B>(
        &self,
        request: Request<B>,
    ) -> (Request<B>, Option<Cow<'_, EnvironmentId>>) {
        match &self.environment {
            Environment::Fixed(environment) => (request, Some(Cow::Borrowed(environment))),
            Environment::Chosen(choose) => {
                let (mut parts, body) = request.into_parts();
                // A host that logs what it chooses by logs no token.
                for name in [Some(&AUTHORIZATION), self.header.as_ref()].into_iter().flatten() {
                    if let Entry::Occupied(mut values) = parts.headers.entry(name) {
                        values.iter_mut().for_each(|value| value.set_sensitive(true));
                    }
                }
                let environment = choose(&parts).map(Cow::Owned);
                (Request::from_parts(parts, body), environment)
            }
        }
    }
}

impl AccessKeyLayer {
    /// Verifies every request in this environment.
    pub fn new(verifier: Verifier, environment: EnvironmentId) -> Self {
        Self::in_environment(verifier, Environment::Fixed(environment))
    }

    /// Verifies each request in the environment that `choose` gives, from what the host trusts: where the service is
    /// mounted, the host name that its proxy has checked, an extension that another layer has put there. Never from
    /// what the caller may write freely, such as a header or the query: a key of a test environment would open the
    /// live one to whoever asks for it.
    ///
    /// A request for which there is none is refused like a token that is not good.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, EnvironmentId, http::AccessKeyLayer, store::MemoryStore};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// let (live, test) = (EnvironmentId::new("production")?, EnvironmentId::new("sandbox")?);
    /// let layer = AccessKeyLayer::choosing(keys.verifier(), move |request| {
    ///     match request.uri.path().split('/').nth(1) {
    ///         Some("live") => Some(live.clone()),
    ///         Some("test") => Some(test.clone()),
    ///         _ => None,
    ///     }
    /// });
    /// # let _ = layer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn choosing<F>(verifier: Verifier, choose: F) -> Self
    where
        F: Fn(&Parts) -> Option<EnvironmentId> + Send + Sync + 'static,
    {
        Self::in_environment(verifier, Environment::Chosen(Arc::new(choose)))
    }

    fn in_environment(verifier: Verifier, environment: Environment) -> Self {
        let realm = Realm::default();
        Self { verifier, environment, header: None, realm, keep_credentials: false, timer: None }
    }

    /// Takes the token also from this header, where it stands alone, as clients send `x-api-key`. A request with both
    /// is refused.
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = Some(name);
        self
    }

    /// The realm of the challenges; `access-keys` unless set.
    ///
    /// # Errors
    /// For a name that no header can hold.
    pub fn realm(mut self, name: impl AsRef<str>) -> Result<Self, InvalidHeaderValue> {
        self.realm = Realm::new(name.as_ref())?;
        Ok(self)
    }

    /// Leaves the header with the token in the request, marked as sensitive, for a handler that sends it on.
    pub fn keep_credentials(mut self) -> Self {
        self.keep_credentials = true;
        self
    }

    /// Ends a running response when its key is revoked, paused, expired, or reaches less than the response
    /// [`Needs`](super::Needs): see [`Watch`](super::Watch). `sleep` is the host's timer, for example
    /// `tokio::time::sleep`.
    pub fn end_streams<S, F>(mut self, sleep: S) -> Self
    where
        S: Fn(Duration) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
    {
        self.timer = Some(Timer::new(sleep));
        self
    }
}

impl<S> Layer<S> for AccessKeyLayer {
    type Service = AccessKeyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AccessKeyService::new(inner, Arc::new(self.clone()))
    }
}

impl fmt::Debug for AccessKeyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = match &self.environment {
            Environment::Fixed(environment) => environment.as_str(),
            Environment::Chosen(_) => "chosen for each request",
        };
        f.debug_struct("AccessKeyLayer")
            .field("environment", &environment)
            .field("header", &self.header)
            .field("keep_credentials", &self.keep_credentials)
            .field("end_streams", &self.timer.is_some())
            .finish_non_exhaustive()
    }
}
