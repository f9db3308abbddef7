//! One line of log for each request: who asked for what, and how it was decided. Never what was presented.

use std::time::Duration;

use access_keys::http::Refusal;
use access_keys::{AgentId, Denial, Grant, PromptId};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Span;
use tracing::field::{Empty, debug, display};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Result;
use crate::serve::Gateway;

pub(crate) fn start() -> Result<()> {
    let wanted = std::env::var("GATEWAY_LOG").unwrap_or_else(|_| "info".to_owned());
    let targets: Targets = wanted.parse().map_err(|_| "GATEWAY_LOG is no filter, such as info")?;
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(targets).with(lines).try_init()?;
    Ok(())
}

/// The route stands for the path, in which people put tokens.
pub(crate) fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    tracing::info_span!("request", method = %request.method(), route, key = Empty, name = Empty, asked = Empty)
}

/// Behind the layer: whose request it is, and what its path asks for.
pub(crate) async fn caller(
    State(gateway): State<Gateway>,
    grant: Grant,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let key = grant.key();
    Span::current().record("key", display(key.id)).record("name", debug(&key.name));
    let settings = gateway.catalog.now();
    for (name, value) in parameters.iter().flatten() {
        asks_for(match name {
            "agent" => settings.agent(value).map(AgentId::as_str),
            _ => settings.prompt(value).map(PromptId::as_str),
        });
    }
    next.run(request).await
}

/// The agent or prompt that is asked for, if there is one: what is none may be anything.
pub(crate) fn asks_for(id: Option<&str>) {
    Span::current().record("asked", id);
}

/// The line.
pub(crate) fn answered(response: &Response, took: Duration, span: &Span) {
    let denial = response.extensions().get::<Denial>();
    if let Some(denial) = denial.filter(|denial| denial.status() == 401) {
        span.record("key", denial.key().map(display));
    }
    let refusal = Refusal::of(response.extensions());
    let decision = if refusal.is_some() { "refused" } else { "granted" };
    let reason = denial.map(Denial::as_str).or_else(|| refusal.map(Refusal::as_str));
    let status = response.status().as_u16();
    tracing::info!(decision, reason, status, ?took);
}
