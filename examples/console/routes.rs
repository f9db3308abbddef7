//! Which address is which page, and what holds for all of them.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::host::csrf;
use crate::host::member::home;
use crate::pages::{create, edit, issued, key, list, look, preview, revoke, rotate, sign_in, status};
use crate::parts::assets;
use crate::{Console, Failure};

/// Ten thousand ids with their names, and no more.
const FORM_MAX: usize = 2 * 1024 * 1024;

const RULES: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; \
                     frame-ancestors 'none'; base-uri 'none'; img-src 'self'";

pub(crate) fn routes(console: Console) -> Router {
    let console = Arc::new(console);
    let project = Router::new()
        .route("/keys", get(list::show))
        .route("/keys/look", get(look::show))
        .route("/keys/new", get(create::begin))
        .route("/keys/new/{draft}/info", get(create::info::show).post(create::info::save))
        .route("/keys/new/{draft}/agents", get(create::access::agents).post(create::access::save_agents))
        .route("/keys/new/{draft}/prompts", get(create::access::prompts).post(create::access::save_prompts))
        .route("/keys/new/{draft}/review", get(create::review::show).post(create::review::generate))
        .route("/issued/{operation}", get(issued::show))
        .route("/seal", get(issued::seal))
        .route("/keys/{key}", get(key::show))
        .route("/keys/{key}/edit", get(edit::begin))
        .route("/keys/{key}/edit/{draft}", get(edit::show).post(edit::save))
        .route("/keys/{key}/edit/{draft}/preview", get(preview::show).post(preview::carry_out))
        .route("/keys/{key}/activate", post(status::activate))
        .route("/keys/{key}/deactivate", post(status::deactivate))
        .route("/keys/{key}/rotate", get(rotate::show).post(rotate::rotate))
        .route("/keys/{key}/revoke", get(revoke::show).post(revoke::revoke));
    Router::new()
        .route("/", get(start))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/assets/{file}", get(assets::show))
        .nest("/projects/{project}", project)
        .fallback(async || Failure::NotFound)
        .layer(middleware::from_fn_with_state(Arc::clone(&console), csrf::guard))
        .layer(DefaultBodyLimit::max(FORM_MAX))
        .layer(middleware::from_fn(headers))
        .with_state(console)
}

/// To the keys of whoever is signed in.
async fn start(State(console): State<Arc<Console>>, request: Request) -> Result<Response, Failure> {
    let session = console.host.sessions.of(request.headers());
    let person = session.and_then(|session| session.person).ok_or(Failure::SignIn)?;
    Ok(Redirect::to(&home(person)).into_response())
}

/// What every answer says to the browser, refusals included.
async fn headers(request: Request, next: Next) -> Response {
    let (began, method) = (Instant::now(), request.method().clone());
    // The route and not the address, into which anything may be typed or pasted.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("nowhere", MatchedPath::as_str);
    tracing::info!(%method, route, status = response.status().as_u16(), took = ?began.elapsed(), "answered");
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, RULES),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
