//! What is told to the caller, to the host and to the handler: the caller learns nothing of why a token is not good, the
//! host learns all of it, and the handler sees who has come in but not with what.

use std::collections::BTreeSet;

use access_keys::http::{AccessKeyLayer, Refusal};
use access_keys::{Denial, Grant};
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, Request, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http_body_util::BodyExt;
use http_tests::{CAUSES, Host, collect, env, http2, raw, refused, serve, witness};
use tower::{Layer, Service, ServiceExt, service_fn};

const NAMED: HeaderName = HeaderName::from_static("x-api-key");

fn bearing(token: &str) -> Request<Body> {
    Request::get("/").header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap()
}

async fn ask(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

/// The bytes of an answer of HTTP/1.1 but for the time.
async fn bytes(address: std::net::SocketAddr, line: &str) -> Vec<u8> {
    let request = format!("GET / HTTP/1.1\r\nHost: keys.test\r\n{line}\r\nConnection: close\r\n\r\n");
    let answer = raw(address, request.as_bytes()).await;
    let answer = String::from_utf8(answer).unwrap();
    let at = answer.find("\r\ndate: ").expect("a date") + 2;
    let end = at + answer[at..].find("\r\n").unwrap();
    [&answer[..at], &answer[end..]].concat().into_bytes()
}

#[tokio::test]
async fn every_cause_is_answered_with_the_same_bytes_whether_the_store_was_asked_or_not() {
    let host = Host::new().await;
    let (address, _) = serve(witness().0.layer(host.layer().header(NAMED))).await;
    let mut answers = BTreeSet::new();
    for cause in CAUSES {
        let token = host.token(cause);
        for line in [format!("Authorization: Bearer {token}"), format!("X-API-Key: {token}")] {
            answers.insert(bytes(address, &line).await);
            answers.insert(bytes(address, &line).await);
        }
    }
    let answers: Vec<String> = answers.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers[0].starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{}", answers[0]);
    assert!(answers[0].contains("error=\"invalid_token\""), "{}", answers[0]);
}

#[tokio::test]
async fn every_cause_has_the_same_answer_over_http_2() {
    let host = Host::new().await;
    let (address, _) = serve(witness().0.layer(host.layer())).await;
    for cause in CAUSES {
        let line = (b"authorization".to_vec(), format!("Bearer {}", host.token(cause)).into_bytes());
        for _ in 0..2 {
            let answer = http2(address, "/", std::slice::from_ref(&line)).await.unwrap();
            assert_eq!(answer, refused(Refusal::InvalidToken), "{cause}");
        }
    }
}

#[tokio::test]
async fn the_host_finds_the_precise_denial_in_the_answer() {
    let host = Host::new().await;
    let router = witness().0.layer(host.layer());
    let words = [
        "malformed",
        "malformed",
        "unrecognized",
        "unrecognized",
        "unrecognized",
        "inactive",
        "revoked",
        "expired",
        "wrong_environment",
    ];
    for (cause, word) in CAUSES.into_iter().zip(words) {
        for _ in 0..2 {
            let response = ask(&router, bearing(host.token(cause))).await;
            let denial = response.extensions().get::<Denial>().expect("a denial");
            assert_eq!(denial.as_str(), word, "{cause}");
            assert_eq!(Refusal::from(denial), Refusal::InvalidToken, "{cause}");
        }
    }
    let revoked = ask(&router, bearing(host.token("revoked"))).await;
    assert_eq!(revoked.extensions().get::<Denial>().unwrap().key(), Some(host.id("revoked")));
}

#[tokio::test]
async fn where_nothing_was_verified_there_is_a_refusal_and_no_denial() {
    let host = Host::new().await;
    let router = witness().0.layer(host.layer());
    let nothing = Request::get("/").body(Body::empty()).unwrap();
    for (request, refusal) in [(nothing, Refusal::Unauthenticated), (bearing(""), Refusal::InvalidRequest)] {
        let response = ask(&router, request).await;
        assert_eq!(response.extensions().get(), Some(&refusal));
        assert!(response.extensions().get::<Denial>().is_none());
        assert_eq!(collect(response).await, refused(refusal));
    }
}

#[tokio::test]
async fn the_handler_sees_no_credential_and_every_other_header() {
    let host = Host::new().await;
    let (router, served) = witness();
    let router = router.layer(host.layer().header(NAMED));
    for (name, value) in [
        ("authorization", format!("Bearer {}", host.token("good"))),
        ("x-api-key", host.token("good").into()),
    ] {
        for _ in 0..2 {
            let request =
                Request::get("/").header(name, &value).header("x-request-id", "7").header("cookie", "a=b");
            let response = ask(&router, request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), 200);
            let [seen] = served.take().try_into().unwrap();
            assert_eq!(seen.key, host.id("good"));
            let names: BTreeSet<_> = seen.headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, BTreeSet::from(["cookie", "x-request-id"]));
        }
    }
}

#[tokio::test]
async fn a_handler_that_sends_the_credential_on_sees_it_marked_as_sensitive() {
    let host = Host::new().await;
    let (router, served) = witness();
    let router = router.layer(host.layer().header(NAMED).keep_credentials());
    for (name, value) in [
        ("authorization", format!("Bearer {}", host.token("good"))),
        ("x-api-key", host.token("good").into()),
    ] {
        for _ in 0..2 {
            let request = Request::get("/").header(name, &value).header("x-request-id", "7");
            ask(&router, request.body(Body::empty()).unwrap()).await;
            let [seen] = served.take().try_into().unwrap();
            assert_eq!(seen.headers[name], value);
            assert!(seen.headers[name].is_sensitive());
            assert!(!seen.headers["x-request-id"].is_sensitive());
            assert!(!format!("{seen:?}").contains(host.token("good")));
        }
    }
}

#[tokio::test]
async fn a_header_that_is_not_switched_on_is_none_of_the_layers_business() {
    let host = Host::new().await;
    let (router, served) = witness();
    let mut request = bearing(host.token("good"));
    request.headers_mut().insert(NAMED, "something else".parse().unwrap());
    assert_eq!(ask(&router.layer(host.layer()), request).await.status(), 200);
    assert_eq!(served.take()[0].headers[NAMED], "something else");
}

#[tokio::test]
async fn the_grant_of_the_key_travels_in_the_extensions_and_not_in_a_header() {
    let host = Host::new().await;
    let id = host.id("bot");
    let handler = async move |Extension(grant): Extension<Grant>, request: Request<Body>| {
        assert_eq!((grant.key().id, grant.sole_agent().unwrap().as_str()), (id, "bot"));
        assert!(request.headers().is_empty(), "{:?}", request.headers());
    };
    let router = Router::new().route("/", get(handler)).layer(host.layer());
    for _ in 0..2 {
        assert_eq!(ask(&router, bearing(host.token("bot"))).await.status(), 200);
    }
}

#[tokio::test]
async fn the_extensions_of_the_request_hold_the_grant_and_nothing_else() {
    let host = Host::new().await;
    let count = async |request: Request<Body>| {
        let count = request.extensions().len().to_string();
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(count)))
    };
    for (layer, expected) in [(host.layer(), "1"), (host.layer().keep_credentials(), "1")] {
        let mut service = layer.layer(service_fn(count));
        for _ in 0..2 {
            let response = service.ready().await.unwrap().call(bearing(host.token("good"))).await.unwrap();
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected);
        }
    }
}

#[tokio::test]
async fn of_two_layers_the_inner_one_says_who_has_come_in() {
    let host = Host::new().await;
    let (router, served) = witness();
    let router = router.layer(host.layer().header(NAMED)).layer(host.layer());
    let mut request = bearing(host.token("good"));
    request.headers_mut().insert(NAMED, host.token("other").parse().unwrap());
    assert_eq!(ask(&router, request).await.status(), 200);
    assert_eq!(served.take()[0].key, host.id("other"));
}

#[tokio::test]
async fn the_realm_is_that_of_the_host_and_is_quoted() {
    let host = Host::new().await;
    let router = witness().0.layer(host.layer().realm(r#"say "keys" \ here"#).unwrap());
    for (request, rest) in
        [(bearing(host.token("unknown")), ", error=\"invalid_token\""), (Request::new(Body::empty()), "")]
    {
        let answer = collect(ask(&router, request).await).await;
        let challenge = format!(r#"Bearer realm="say \"keys\" \\ here"{rest}"#);
        assert_eq!(answer.all("www-authenticate"), [challenge]);
    }
    assert!(host.layer().realm("a\r\nset-cookie: b").is_err());
}

#[tokio::test]
async fn what_a_handler_denies_is_answered_in_the_realm_of_its_layer() {
    let host = Host::new().await;
    let handler = async |grant: Grant| grant.require_agent(&"billing".parse().unwrap());
    let router = Router::new().route("/", get(handler));
    let usual = ask(&router.clone().layer(host.layer()), bearing(host.token("bot"))).await;
    assert_eq!(usual.extensions().get::<Denial>().unwrap().as_str(), "agent_not_in_scope");
    assert_eq!(collect(usual).await, refused(Refusal::InsufficientScope));
    let own = ask(&router.layer(host.layer().realm("agents").unwrap()), bearing(host.token("bot"))).await;
    let challenge = "Bearer realm=\"agents\", error=\"insufficient_scope\"";
    assert_eq!(collect(own).await.all("www-authenticate"), [challenge]);
}

#[tokio::test]
async fn of_two_layers_the_one_that_refused_says_in_which_realm() {
    let host = Host::new().await;
    let inner = host.layer().realm("inner").unwrap();
    let outer = host.layer().realm("outer").unwrap().keep_credentials();
    let handler = async |grant: Grant| grant.require_agent(&"billing".parse().unwrap());
    let twice = Router::new().route("/", get(handler)).layer(inner).layer(outer.clone());
    for (token, realm) in [("unknown", "outer"), ("bot", "inner")] {
        let answer = collect(ask(&twice, bearing(host.token(token))).await).await;
        let [challenge] = answer.all("www-authenticate").try_into().unwrap();
        assert!(challenge.starts_with(&format!("Bearer realm=\"{realm}\", ")), "{challenge}");
    }
    let staging = AccessKeyLayer::new(host.keys.verifier(), env("staging")).realm("inner").unwrap();
    let router = witness().0.layer(staging).layer(outer);
    let answer = collect(ask(&router, bearing(host.token("good"))).await).await;
    assert_eq!(answer.all("www-authenticate"), ["Bearer realm=\"inner\", error=\"invalid_token\""]);
}
