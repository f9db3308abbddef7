//! No secret of a good token or of a bad one shows: not in what is told to `tracing` at any level, not in the `Debug` of
//! anything public, not in an answer.

#[path = "../../setup/leaks.rs"]
#[expect(dead_code, reason = "no error is looked through here")]
mod leaks;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use access_keys::http::{
    AccessKeyLayer, AccessKeyService, LayerMissing, Needs, Refusal, Rejection, RequireAgent, RequirePrompt,
    Watch,
};
use access_keys::store::MemoryStore;
use access_keys::{AgentId, Grant, PromptId};
use axum::body::Body;
use axum::extract::{Path, Request as Asked};
use axum::http::{HeaderName, Request};
use axum::response::IntoResponse;
use axum::routing::any;
use axum::{RequestExt, Router};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use http_tests::{Events, Host, env, http1, http2, raw, serve};
use leaks::{Canary, written};
use tower::{Layer, Service, ServiceExt};
use tracing::Level;

const NAMED: HeaderName = HeaderName::from_static("x-api-key");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A canary for the secret of every token of a host: the 32 characters before the checksum.
fn canary(host: &Host) -> Canary {
    let whole =
        host.tokens().filter(|(name, _)| !["cut", "percent", "first_half", "second_half"].contains(name));
    let secrets = whole.map(|(_, token)| &token[token.len() - 38..token.len() - 6]);
    let made_up = "x".repeat(32);
    Canary::new(secrets.filter(|secret| !made_up.contains(&secret[..12])).map(str::as_bytes))
}

/// A handler that prints all that it sees.
fn talkative() -> Router {
    let tell = async |grant: Grant, request: Asked| {
        tracing::trace!(?grant, ?request, "came in");
        tracing::error!("{grant:?} {request:#?}");
        format!("{grant:?} {request:?}")
    };
    let agent = async |it: RequireAgent<Path<AgentId>>, needs: Needs| format!("{it:?} {needs:?}");
    let prompt = async |it: RequirePrompt<Path<PromptId>>| format!("{it:?}");
    Router::new()
        .route("/agents/{agent}", any(agent))
        .route("/prompts/{prompt}", any(prompt))
        .route("/", any(tell))
}

type Line = (Vec<u8>, Vec<u8>);

/// Header lines with this token, right and wrong in many ways. Where `x-api-key` is not switched on it is a header like
/// others, which whoever sends it shows to the handler.
fn presented(token: &str, named: bool) -> Vec<Vec<Line>> {
    let line = |name: &str, value: String| (name.as_bytes().to_vec(), value.into_bytes());
    let bearer = || line("authorization", format!("Bearer {token}"));
    let key = || line("x-api-key", token.to_owned());
    let by_name = [vec![key()], vec![key(), key()], vec![bearer(), key()]];
    let mut ways = vec![
        vec![bearer()],
        vec![bearer(), bearer()],
        vec![line("authorization", format!("Bearer  {token}"))],
        vec![line("authorization", format!("Bearer {token}, {token}"))],
        vec![line("authorization", format!("Bearer \"{token}\""))],
        vec![line("authorization", format!("Basic {token}"))],
        vec![line("authorization", token.to_owned())],
        vec![line("authorization", format!("Bearer {token}=="))],
        vec![line("authorization", format!("Bearer {token}\u{e9}"))],
        vec![bearer(), line("content-type", "application/grpc".to_owned())],
    ];
    ways.extend(by_name.into_iter().filter(|_| named));
    ways
}

/// What came back for every token in every way from every path over both protocols, and how often it did. Most of it is
/// the same.
async fn send_all(host: &Host, address: SocketAddr, named: bool) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    let mut note = |answer: String| *answers.entry(answer).or_default() += 1;
    for (_, token) in host.tokens() {
        for (place, lines) in presented(token, named).into_iter().enumerate() {
            // What comes to a handler comes to each of them, and what does not to none.
            let targets = if place == 0 { &["/", "/agents/bot", "/prompts/greeting"][..] } else { &["/"] };
            for target in targets {
                let one = http1(address, target, &lines).await;
                let two = http2(address, target, &lines).await.unwrap();
                note(format!("{one:?}"));
                note(format!("{two:?}"));
            }
        }
        // What is no HTTP at all.
        let broken = format!("GET / HTTP/1.1\r\nauthorization: Bearer {token}\0\r\n\r\n");
        note(String::from_utf8(raw(address, broken.as_bytes()).await).unwrap());
    }
    answers
}

#[tokio::test]
async fn nothing_that_is_told_or_answered_shows_a_secret_at_any_level() {
    let events = Events::default();
    // The only test of this file that listens: what others do goes through it too.
    events.listen_everywhere();
    let host = Host::new().await;
    let canary = canary(&host);
    let staging = AccessKeyLayer::choosing(host.keys.verifier(), |_| Some(env("staging")));
    let mut told = Vec::new();
    for (named, layer) in [
        (false, host.layer()),
        (true, host.layer().header(NAMED)),
        (true, host.layer().header(NAMED).keep_credentials()),
        (true, staging.header(NAMED).keep_credentials()),
    ] {
        let (address, server) = serve(talkative().layer(layer)).await;
        let answers = send_all(&host, address, named).await;
        assert!(answers.values().sum::<usize>() > 250);
        answers.keys().for_each(|answer| canary.assert_not_in("an answer", answer));
        server.abort();
        told.append(&mut events.take());
    }
    for text in told.iter().map(|(_, text)| text).collect::<BTreeSet<_>>() {
        canary.assert_not_in("what was told", text);
    }
    let count = |words: &str| told.iter().filter(|(_, text)| text.contains(words)).count();
    let ours = (count("refused a request"), count("came in"), count("reason=\"revoked\""));
    assert!(ours.0 > 500 && ours.1 > 50 && ours.2 > 20, "{ours:?}");
    // What is sensitive says so: it was there, and was not shown.
    assert!(count("Sensitive") > 20);
    assert!(told.iter().any(|(level, _)| *level == Level::TRACE));
}

#[tokio::test]
async fn nothing_public_of_the_layer_prints_a_secret() {
    let host = Host::new().await;
    let canary = canary(&host);
    let seen = |what: &str, value: &dyn std::fmt::Debug| canary.assert_not_in_debug(what, value);
    let layer = host.layer().header(NAMED).keep_credentials().end_streams(|_| std::future::pending::<()>());
    seen("AccessKeyLayer", &layer);
    let inner = tower::service_fn(async |request: Request<Body>| {
        Ok::<_, std::convert::Infallible>(axum::http::Response::new(request.into_body()))
    });
    let mut service: AccessKeyService<_> = layer.layer(inner);
    for (name, token) in host.tokens() {
        for _ in 0..2 {
            let request = Request::get("/").header("authorization", format!("Bearer {token}"));
            let future = service.ready().await.unwrap().call(request.body(Body::from("text")).unwrap());
            seen("ResponseFuture", &future);
            let response = future.await.unwrap();
            seen(name, &response);
            let (parts, body) = response.into_parts();
            seen("Parts", &parts);
            seen("Extensions", &parts.extensions);
            seen("KeyedBody", &body);
            seen("its text", &body.collect().await.unwrap().to_bytes());
        }
    }
    let grant = host.keys.verify(host.token("bot"), &env("production")).await.unwrap();
    let watch = Watch::new(host.keys.verifier(), grant.clone(), |_| std::future::pending::<()>());
    let watch = watch.needs_agent(&"bot".parse().unwrap());
    seen("Watch", &watch);
    seen("KeyedBody", &watch.over(axum::http::Response::new(Empty::<Bytes>::new())).into_body());
    let denial = grant.require_agent(&"billing".parse().unwrap()).unwrap_err();
    seen("Rejection", &Rejection::<std::convert::Infallible>::Denied(denial.clone()));
    seen("Response", &denial.into_response());
    seen("Needs", &Needs::default());
    let missing = Request::new(Body::empty()).extract_parts::<Grant>().await.unwrap_err();
    let _: &LayerMissing = &missing;
    seen("LayerMissing", &missing);
    for refusal in [
        Refusal::Unauthenticated,
        Refusal::InvalidRequest,
        Refusal::InvalidToken,
        Refusal::InsufficientScope,
        Refusal::Unavailable,
        Refusal::LayerMissing,
    ] {
        seen("Refusal", &(refusal, refusal.problem(), refusal.error(), refusal.into_response()));
    }
}

#[tokio::test]
async fn a_secret_is_found_in_whatever_way_it_shows() {
    let host = Host::<MemoryStore>::new().await;
    let canary = canary(&host);
    for name in ["good", "bot", "staging", "retired", "rotated", "revoked", "inactive", "expired"] {
        let token = host.token(name);
        let secret = &token[token.len() - 38..token.len() - 6];
        for way in written(secret.as_bytes()) {
            assert!(canary.is_in(&format!("[{way}]")), "{name}: {way}");
        }
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        assert!(canary.is_in(&format!("{headers:?}")), "{name}");
        headers.get_mut("authorization").unwrap().set_sensitive(true);
        assert!(!canary.is_in(&format!("{headers:?}")), "{name}");
    }
}
