//! A layer that chooses the environment of each request: only the one that was chosen counts, and a request for which
//! there is none is refused like one whose token is not good.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use access_keys::Denial;
use access_keys::http::{AccessKeyLayer, Refusal};
use axum::Router;
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, Request, Response};
use http_tests::{Host, Served, collect, env, refused, witness};
use tower::ServiceExt;

/// The witness behind a layer that chooses by the first segment, and how often it chose.
fn mounted(host: &Host) -> (Router, Served, Arc<AtomicUsize>) {
    let (router, served) = witness();
    let chosen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&chosen);
    let layer = AccessKeyLayer::choosing(host.keys.verifier(), move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        match request.uri.path().split('/').nth(1) {
            Some("live") => Some(env("production")),
            Some("test") => Some(env("staging")),
            _ => None,
        }
    });
    (router.layer(layer), served, chosen)
}

async fn ask(router: &Router, path: &str, token: Option<&str>) -> Response<Body> {
    let bearing = token.map(|token| (AUTHORIZATION, format!("Bearer {token}")));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (mut parts, body) = request.into_parts();
    parts.headers.extend(bearing.map(|(name, value)| (name, value.parse().unwrap())));
    router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap()
}

#[tokio::test]
async fn only_the_environment_that_was_chosen_counts_however_the_key_was_met_before() {
    let host = Host::new().await;
    let (router, served, _) = mounted(&host);
    // Each token is met in each environment after each other one.
    for _ in 0..2 {
        for (path, token, lets_in) in [
            ("/live/a", "good", true),
            ("/test/a", "good", false),
            ("/test/a", "staging", true),
            ("/live/a", "staging", false),
            ("/live/a", "good", true),
            ("/test/a", "staging", true),
        ] {
            let response = ask(&router, path, Some(host.token(token))).await;
            let seen: Vec<_> = served.take().into_iter().map(|seen| seen.key).collect();
            if lets_in {
                assert_eq!((response.status().as_u16(), seen), (200, vec![host.id(token)]), "{path} {token}");
            } else {
                assert!(seen.is_empty(), "{path} {token}");
                assert!(matches!(response.extensions().get(), Some(Denial::WrongEnvironment { .. })));
                assert_eq!(collect(response).await, refused(Refusal::InvalidToken), "{path} {token}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_for_which_there_is_no_environment_is_refused_like_a_bad_token() {
    let host = Host::new().await;
    let (router, served, _) = mounted(&host);
    for token in ["good", "staging", "unknown", "malformed"] {
        for path in ["/", "/elsewhere", "//live/a", "/%6cive/a", "/LIVE/a", "/live%2fa", "/./live/a"] {
            let response = ask(&router, path, Some(host.token(token))).await;
            assert!(response.extensions().get::<Denial>().is_some());
            assert_eq!(collect(response).await, refused(Refusal::InvalidToken), "{path} {token}");
        }
    }
    assert!(served.take().is_empty());
}

#[tokio::test]
async fn a_request_without_a_credential_is_told_so_in_every_environment_and_in_none() {
    let host = Host::new().await;
    let (router, _, _) = mounted(&host);
    for path in ["/live/a", "/test/a", "/elsewhere"] {
        let answer = collect(ask(&router, path, None).await).await;
        assert_eq!(answer, refused(Refusal::Unauthenticated), "{path}");
    }
}

#[tokio::test]
async fn the_environment_is_chosen_once_for_each_request_whether_its_key_is_known_or_not() {
    let host = Host::new().await;
    let (router, _, chosen) = mounted(&host);
    for times in 1..4 {
        ask(&router, "/live/a", Some(host.token("good"))).await;
        assert_eq!(chosen.load(Ordering::Relaxed), times);
    }
}

#[tokio::test]
async fn what_chooses_sees_every_credential_marked_as_sensitive() {
    let host = Host::new().await;
    let token = host.token("good").to_owned();
    let named = HeaderName::from_static("x-api-key");
    let looked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&looked);
    let layer = AccessKeyLayer::choosing(host.keys.verifier(), move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        let printed = format!("{request:?}");
        assert!(!printed.contains(&token), "a host that logs what it chooses by logs the token");
        Some(env("production"))
    });
    let router = witness().0.layer(layer.header(named.clone()));
    for (name, value) in
        [(AUTHORIZATION, format!("Bearer {}", host.token("good"))), (named, host.token("good").to_owned())]
    {
        let request = Request::get("/").header(name, value).body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 200);
    }
    assert_eq!(looked.load(Ordering::Relaxed), 2);
}
