//! No form is taken without the token of the session that it was shown to. It stands before all routes, so that no
//! handler can forget it.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{Form, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use constant_time_eq::constant_time_eq;

use super::fields::Fields;
use crate::{Console, Failure};

/// The name of the field.
pub(crate) const FIELD: &str = "csrf";

/// Lets through what only reads, and forms that carry their session's token.
///
/// # Errors
/// [`Failure::Stale`] without a session or with another token, [`Failure::Unreadable`] for what is no form.
pub(crate) async fn guard(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(next.run(request).await);
    }
    let session = console.host.sessions.of(request.headers()).ok_or(Failure::Stale)?;
    let (parts, body) = request.into_parts();
    let sent = Request::from_parts(parts.clone(), body);
    let Form(pairs) =
        sent.extract::<Form<Vec<(String, String)>>, _>().await.map_err(|_| Failure::Unreadable)?;
    let fields = Fields(pairs);
    if !constant_time_eq(fields.one(FIELD).as_bytes(), session.csrf.as_bytes()) {
        return Err(Failure::Stale);
    }
    let mut request = Request::from_parts(parts, axum::body::Body::empty());
    request.extensions_mut().insert(fields);
    Ok(next.run(request).await)
}
