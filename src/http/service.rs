//! What an [`AccessKeyLayer`] makes of a service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::credential::Credential;
use super::refusal::Unplaced;
use super::watch::{Kind, Watch};
use super::{AccessKeyLayer, KeyedBody, Needs, Refusal};
use crate::domain::EnvironmentId;
use crate::verify::{Denial, Grant};

/// A service that only requests with a good token reach: see [`AccessKeyLayer`].
#[derive(Clone)]
pub struct AccessKeyService<S> {
    inner: S,
    layer: Arc<AccessKeyLayer>,
}

/// What a request has come to.
enum Decision {
    Refused(Refusal, Option<Denial>),
    Granted(Grant),
    /// The store must be asked.
    Open(Verification),
}

type Verification = Pin<Box<dyn Future<Output = Result<Grant, Denial>> + Send>>;

impl<S> AccessKeyService<S> {
    pub(super) const fn new(inner: S, layer: Arc<AccessKeyLayer>) -> Self {
        Self { inner, layer }
    }
}

impl<S, B, R> Service<Request<B>> for AccessKeyService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
{
    type Response = Response<KeyedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        let (mut request, environment) = layer.environment_of(request);
        let grpc = grpc(request.headers());
        let state = match layer.decide(&mut request, environment.as_deref()) {
            Decision::Refused(refusal, denial) => State::Refused { answer: Some((refusal, denial)), grpc },
            Decision::Granted(grant) => {
                let watch = layer.admit(request.extensions_mut(), grant);
                State::Running { future: self.inner.call(request), watch, grpc }
            }
            Decision::Open(verification) => {
                // The one that is ready goes with the request.
                let next = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, next);
                State::Asking { verification, service, request: Some(request), grpc }
            }
        };
        ResponseFuture { layer, state }
    }
}

impl AccessKeyLayer {
    /// Decides at once where that is possible. The credential is gone from the request then.
    fn decide<B>(&self, request: &mut Request<B>, environment: Option<&EnvironmentId>) -> Decision {
        let taken = Credential::take(request.headers_mut(), self.header.as_ref(), self.keep_credentials);
        let credential = match taken {
            Ok(credential) => credential,
            Err(refusal) => return Decision::Refused(refusal, None),
        };
        let Some(environment) = environment else { return refused(Denial::Malformed {}) };
        match self.verifier.verify_cached(credential.token(), environment) {
            Some(Ok(grant)) => Decision::Granted(grant),
            Some(Err(denial)) => refused(denial),
            None => {
                let (verifier, environment) = (self.verifier.clone(), environment.clone());
                Decision::Open(Box::pin(
                    async move { verifier.verify(credential.token(), &environment).await },
                ))
            }
        }
    }

    /// Tells the handler who has come in.
    fn admit(&self, extensions: &mut Extensions, grant: Grant) -> Option<Watch> {
        let watch = self.timer.as_ref().map(|timer| {
            let needs = Needs::default();
            extensions.insert(needs.clone());
            Watch::with(self.verifier.clone(), grant.clone(), needs, timer.clone())
        });
        extensions.insert(grant);
        watch
    }

    fn answer<R>(
        &self,
        refusal: Refusal,
        denial: Option<Denial>,
        grpc: Option<HeaderValue>,
    ) -> Response<KeyedBody<R>> {
        tell(refusal, denial.as_ref());
        refusal.answer(&self.realm, denial, grpc)
    }

    /// What the handler answers, in this realm also where it refuses.
    fn pass_on<R: Body>(
        &self,
        mut response: Response<R>,
        watch: Option<Watch>,
        grpc: Option<HeaderValue>,
    ) -> Response<KeyedBody<R>> {
        if response.extensions_mut().remove::<Unplaced>().is_some()
            && let Some(refusal) = Refusal::of(response.extensions())
        {
            if grpc.is_some() {
                let denial = response.extensions_mut().remove();
                let mut answer = refusal.answer(&self.realm, denial, grpc);
                // What layers in between have added stays.
                let mut headers = std::mem::take(response.headers_mut());
                for name in [WWW_AUTHENTICATE, RETRY_AFTER, CONTENT_LENGTH] {
                    headers.remove(name);
                }
                headers.extend(std::mem::take(answer.headers_mut()));
                *answer.headers_mut() = headers;
                return answer;
            }
            refusal.head(&self.realm, response.headers_mut());
        }
        match watch {
            Some(watch) => watch.over(response),
            None => response.map(KeyedBody::passing),
        }
    }
}

fn refused(denial: Denial) -> Decision {
    Decision::Refused(Refusal::from(&denial), Some(denial))
}

/// The kind of gRPC that a request speaks, if it does.
pub(super) fn grpc(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(CONTENT_TYPE).filter(|value| Kind::is_grpc(value.as_bytes())).cloned()
}

/// Floods of refusals are no news: who wants to see them asks for them.
fn tell(refusal: Refusal, denial: Option<&Denial>) {
    #[cfg(feature = "tracing")]
    {
        let key = denial.and_then(Denial::key).map(tracing::field::display);
        let reason = denial.map(Denial::as_str);
        tracing::debug!(status = refusal.status(), reason, key, "refused a request");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (refusal, denial);
}

impl<S: fmt::Debug> fmt::Debug for AccessKeyService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeyService").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}

pin_project! {
    /// The answer to come of an [`AccessKeyService`].
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        layer: Arc<AccessKeyLayer>,
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<S, B, F> {
        Refused { answer: Option<(Refusal, Option<Denial>)>, grpc: Option<HeaderValue> },
        Asking {
            verification: Verification,
            service: S,
            request: Option<Request<B>>,
            grpc: Option<HeaderValue>,
        },
        Running { #[pin] future: F, watch: Option<Watch>, grpc: Option<HeaderValue> },
        Done,
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Output = Result<Response<KeyedBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                Projected::Refused { answer, grpc } => {
                    let Some((refusal, denial)) = answer.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(this.layer.answer(refusal, denial, grpc.take())));
                }
                Projected::Running { future, watch, grpc } => {
                    let response = ready!(future.poll(context));
                    let (watch, grpc) = (watch.take(), grpc.take());
                    this.state.set(State::Done);
                    return Poll::Ready(response.map(|response| this.layer.pass_on(response, watch, grpc)));
                }
                Projected::Asking { verification, service, request, grpc } => {
                    let verified = ready!(verification.as_mut().poll(context));
                    let Some(mut request) = request.take() else { return Poll::Pending };
                    match verified {
                        Ok(grant) => {
                            let watch = this.layer.admit(request.extensions_mut(), grant);
                            State::Running { future: service.call(request), watch, grpc: grpc.take() }
                        }
                        Err(denial) => State::Refused {
                            answer: Some((Refusal::from(&denial), Some(denial))),
                            grpc: grpc.take(),
                        },
                    }
                }
                Projected::Done => return Poll::Pending,
            };
            this.state.set(next);
        }
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
