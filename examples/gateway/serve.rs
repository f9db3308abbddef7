//! The gateway itself: its routes, and the layers around them.

use std::time::Duration;

use access_keys::Verifier;
use access_keys::http::AccessKeyLayer;
use axum::Router;
use axum::http::Method;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use reqwest::Client;
use tokio::net::TcpListener;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_http::trace::TraceLayer;

use crate::arguments::Arguments;
use crate::catalog::Catalog;
use crate::failure::Failure;
use crate::{Result, chat, log, models, prompts, store};

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) catalog: Catalog,
    pub(crate) client: Client,
}

pub(crate) async fn run(mut arguments: Arguments) -> Result<()> {
    log::start()?;
    let settings = arguments.one("--settings")?.unwrap_or_else(|| "gateway.toml".to_owned());
    let address = arguments.one("--listen")?.unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let keys = store::open(&mut arguments).await?;
    arguments.end()?;

    let catalog = Catalog::open(settings.into()).await?;
    let client = Client::builder().connect_timeout(Duration::from_secs(5)).build()?;
    tokio::spawn(keys.verifier().follow(tokio::time::sleep));
    let routes = routes(Gateway { catalog, client }, keys.verifier())?;

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    // Each piece of a stream is sent when it is there.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::select! {
        served = axum::serve(listener, routes) => served?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    keys.flush_uses().await?;
    Ok(())
}

/// The layer that is added last is the first that a request meets.
fn routes(gateway: Gateway, verifier: Verifier) -> Result<Router> {
    let layer = AccessKeyLayer::new(verifier, store::environment()?)
        .realm("gateway")?
        .end_streams(tokio::time::sleep);
    // Browsers ask first, without a token; and scripts may read refusals too.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE]);
    let lines = TraceLayer::new_for_http()
        .make_span_with(log::span)
        .on_request(())
        .on_response(log::answered)
        .on_failure(());
    Ok(Router::new()
        .route("/v1/chat/completions", post(chat::chat))
        .route("/v1/models", get(models::all))
        .route("/v1/models/{agent}", get(models::one))
        .route("/v1/prompts/{prompt}", post(prompts::run))
        .fallback(async || Failure::NoSuchPath)
        .layer(from_fn_with_state(gateway.clone(), log::caller))
        .layer(layer)
        .layer(cors)
        .layer(lines)
        .with_state(gateway))
}
