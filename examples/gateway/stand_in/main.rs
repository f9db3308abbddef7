//! What answers as a provider: `stand-in openai|messages VARIABLE ADDRESS` speaks one of two interfaces on an address,
//! and wants the credential that is in a variable of the environment. It tells all that it receives.

mod speech;

use std::error::Error;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::{Value, json};
use speech::Speech;
use tokio::net::TcpListener;

/// Who is played.
struct Part {
    interface: Interface,
    credential: String,
}

#[derive(Clone, Copy)]
enum Interface {
    Openai,
    Messages,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [interface, variable, address] = &arguments[..] else {
        return Err("stand-in openai|messages VARIABLE ADDRESS".into());
    };
    let (interface, path) = match &**interface {
        "openai" => (Interface::Openai, "/v1/chat/completions"),
        "messages" => (Interface::Messages, "/v1/messages"),
        _ => return Err("there are two interfaces: openai and messages".into()),
    };
    let part = Arc::new(Part { interface, credential: std::env::var(variable)? });
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, Router::new().route(path, post(answer)).with_state(part)).await?;
    Ok(())
}

async fn answer(State(part): State<Arc<Part>>, headers: HeaderMap, body: Bytes) -> Response {
    eprintln!("{headers:?} {}", String::from_utf8_lossy(&body));
    let presented = match part.interface {
        Interface::Openai => {
            headers.get("authorization").and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        }
        Interface::Messages => headers.get("x-api-key").map(|value| value.as_bytes()),
    };
    if presented != Some(part.credential.as_bytes()) {
        // As some do.
        let presented = String::from_utf8_lossy(presented.unwrap_or_default());
        let error = json!({ "error": { "message": format!("incorrect API key provided: {presented}") } });
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let speech = Speech::answer(&request);
    match (part.interface, request["stream"] == true) {
        (Interface::Openai, false) => Json(speech.completion()).into_response(),
        (Interface::Openai, true) => speech.chunks(),
        (Interface::Messages, false) => Json(speech.message()).into_response(),
        (Interface::Messages, true) => speech.events(),
    }
}
