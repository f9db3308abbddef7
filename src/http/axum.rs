//! Extractors and answers of axum.

use std::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::header::HeaderValue;
use http::request::Parts;

use super::refusal::Unplaced;
use super::service::grpc;
use super::{Needs, Realm, Refusal};
use crate::domain::{AgentId, PromptId};
use crate::verify::{Denial, Grant};

/// A handler asks for a grant, and no [`AccessKeyLayer`](super::AccessKeyLayer) ran before it.
///
/// Answered with 500, and told to the host by an event of `tracing`. An axum layer covers the routes that were added
/// before it, and no others.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no AccessKeyLayer ran before this handler: add the layer after the routes that it protects")]
pub struct LayerMissing {
    /// The kind of gRPC that the request speaks, if it does.
    grpc: Option<HeaderValue>,
}

/// Why [`RequireAgent`] or [`RequirePrompt`] did not let a request through. `P` is the rejection of what gives the id.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection<P> {
    /// No layer ran.
    #[error(transparent)]
    LayerMissing(LayerMissing),
    /// The request names no agent or prompt, or one that can be none.
    #[error("the request names no such id")]
    Id(P),
    /// The key does not reach it.
    #[error(transparent)]
    Denied(Denial),
}

/// The grant of a request whose key reaches the agent that the request names: a handler that takes it cannot forget
/// to ask.
///
/// `P` says where the name stands: `axum::extract::Path<AgentId>`, or an extractor of the host's that is an agent id by
/// `Deref`.
///
/// The [guide](crate::http#what-a-route-requires) shows it in a router.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequireAgent<P> {
    /// What the key reaches besides.
    pub grant: Grant,
    /// The agent.
    pub agent: P,
}

/// The same for a prompt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequirePrompt<P> {
    /// What the key reaches besides.
    pub grant: Grant,
    /// The prompt.
    pub prompt: P,
}

impl<S: Send + Sync> FromRequestParts<S> for Grant {
    type Rejection = LayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LayerMissing> {
        parts.extensions.get().cloned().ok_or_else(|| LayerMissing { grpc: grpc(&parts.headers) })
    }
}

/// Where streams are not ended with their key, nobody reads what is written into it.
impl<S: Send + Sync> FromRequestParts<S> for Needs {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl<S, P> FromRequestParts<S> for RequireAgent<P>
where
    S: Send + Sync,
    P: FromRequestParts<S> + Deref<Target = AgentId> + Send,
{
    type Rejection = Rejection<P::Rejection>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let grant = Grant::from_request_parts(parts, state).await.map_err(Rejection::LayerMissing)?;
        let agent = P::from_request_parts(parts, state).await.map_err(Rejection::Id)?;
        let needs = Needs::from_request_parts(parts, state).await.unwrap_or_default();
        needs.require_agent(&grant, &agent).map_err(Rejection::Denied)?;
        Ok(Self { grant, agent })
    }
}

impl<S, P> FromRequestParts<S> for RequirePrompt<P>
where
    S: Send + Sync,
    P: FromRequestParts<S> + Deref<Target = PromptId> + Send,
{
    type Rejection = Rejection<P::Rejection>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let grant = Grant::from_request_parts(parts, state).await.map_err(Rejection::LayerMissing)?;
        let prompt = P::from_request_parts(parts, state).await.map_err(Rejection::Id)?;
        let needs = Needs::from_request_parts(parts, state).await.unwrap_or_default();
        needs.require_prompt(&grant, &prompt).map_err(Rejection::Denied)?;
        Ok(Self { grant, prompt })
    }
}

fn unplaced(refusal: Refusal, denial: Option<Denial>, grpc: Option<HeaderValue>) -> Response {
    let mut response = refusal.answer::<Body>(Realm::usual(), denial, grpc);
    response.extensions_mut().insert(Unplaced);
    response.map(Body::new)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        unplaced(self, None, None)
    }
}

/// Answered as [`Refusal`] says; the denial stays in the extensions of the response, for the host.
impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        unplaced(Refusal::from(&self), Some(self), None)
    }
}

impl IntoResponse for LayerMissing {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        unplaced(Refusal::LayerMissing, None, self.grpc)
    }
}

impl<P: IntoResponse> IntoResponse for Rejection<P> {
    fn into_response(self) -> Response {
        match self {
            Self::LayerMissing(missing) => missing.into_response(),
            Self::Id(rejection) => rejection.into_response(),
            Self::Denied(denial) => denial.into_response(),
        }
    }
}
