//! A client of gRPC is told the status of gRPC: by tonic on both sides of a socket, and on the wire.

#[path = "../../support/faulty.rs"]
#[expect(dead_code, reason = "the store fails here and does nothing worse")]
mod faulty;

use std::sync::Arc;

use access_keys::http::AccessKeyLayer;
use access_keys::{Denial, Grant};
use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, Response};
use axum::routing::any;
use faulty::{Fault, FaultyStore};
use http_body_util::BodyExt;
use http_tests::{CAUSES, Host, witness};
use tokio::net::TcpListener;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceExt;

/// A client of the health service of tonic, which is served behind this layer.
async fn health_behind(layer: AccessKeyLayer) -> HealthClient<Channel> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, service) = tonic_health::server::health_reporter();
    let server = Server::builder().layer(layer).add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    HealthClient::new(channel)
}

async fn check(client: &mut HealthClient<Channel>, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    if let Some(value) = authorization {
        request.metadata_mut().insert("authorization", AsciiMetadataValue::try_from(value).unwrap());
    }
    client.check(request).await.map(drop)
}

#[tokio::test]
async fn a_good_token_gets_through_to_a_service_of_tonic() {
    let host = Host::new().await;
    let mut client = health_behind(host.layer()).await;
    let bearing = format!("Bearer {}", host.token("good"));
    for _ in 0..2 {
        check(&mut client, Some(&bearing)).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_of_tonic_is_told_unauthenticated_or_invalid_argument() {
    let host = Host::new().await;
    let mut client = health_behind(host.layer()).await;
    let good = host.token("good");
    for (authorization, code, message) in [
        (None, Code::Unauthenticated, "an access key is required"),
        (Some("Basic YTpi".to_owned()), Code::Unauthenticated, "an access key is required"),
        (Some("Bearer".to_owned()), Code::InvalidArgument, "the access key is not presented as it should be"),
        (
            Some(format!("Bearer  {good}")),
            Code::InvalidArgument,
            "the access key is not presented as it should be",
        ),
    ] {
        let status = check(&mut client, authorization.as_deref()).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, message), "{authorization:?}");
    }
}

#[tokio::test]
async fn a_client_of_tonic_is_told_the_same_whatever_made_its_token_not_good() {
    let host = Host::new().await;
    let mut client = health_behind(host.layer()).await;
    for cause in CAUSES {
        for _ in 0..2 {
            let bearing = format!("Bearer {}", host.token(cause));
            let status = check(&mut client, Some(&bearing)).await.unwrap_err();
            let mut metadata = status.metadata().clone().into_headers();
            metadata.remove("date");
            let told = (status.code(), status.message(), status.details(), metadata.len());
            assert_eq!(told, (Code::Unauthenticated, "the access key is not valid", &b""[..], 2), "{cause}");
            assert_eq!(metadata["cache-control"], "no-store");
            assert_eq!(metadata["content-type"], "application/grpc");
        }
    }
}

#[tokio::test]
async fn a_client_of_tonic_is_told_unavailable_where_the_store_fails() {
    let store = FaultyStore::new();
    let host = Host::over(Arc::clone(&store)).await;
    let mut client = health_behind(host.layer()).await;
    let bearing = format!("Bearer {}", host.token("good"));
    store.plan(|_| Fault::Fails);
    let status = check(&mut client, Some(&bearing)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "access keys cannot be verified now"));
    store.heal();
    check(&mut client, Some(&bearing)).await.unwrap();
}

fn call(content: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/").header(CONTENT_TYPE, content);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

/// The status that an answer of gRPC says in its head, where that is all of it.
async fn status_of(response: Response<Body>, content: &str) -> (u16, String) {
    assert_eq!(response.status(), 200, "{response:?}");
    let (parts, body) = response.into_parts();
    // axum says it of a body that is empty.
    let names = parts.headers.keys().map(|name| name.as_str()).filter(|name| *name != "content-length");
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    assert_eq!(names, ["cache-control", "content-type", "grpc-message", "grpc-status"]);
    assert_eq!(parts.headers[CONTENT_TYPE], content);
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
    let text = |name| parts.headers[name].to_str().unwrap().to_owned();
    (text("grpc-status").parse().unwrap(), text("grpc-message"))
}

#[tokio::test]
async fn the_answer_on_the_wire_is_a_head_of_http_200_without_a_challenge() {
    let host = Host::new().await;
    let router = witness().0.layer(host.layer());
    for content in
        ["application/grpc", "application/grpc+proto", "application/grpc-web", "application/grpc-web+json"]
    {
        let ask = async |token| router.clone().oneshot(call(content, token)).await.unwrap();
        let told = status_of(ask(None).await, content).await;
        assert_eq!(told, (16, "an access key is required".to_owned()));
        let refusal = ask(Some(host.token("revoked"))).await;
        assert!(matches!(refusal.extensions().get(), Some(Denial::Revoked { .. })));
        assert_eq!(status_of(refusal, content).await, (16, "the access key is not valid".to_owned()));
    }
    for content in ["application/json", "text/plain; a=application/grpc", "application/gr"] {
        assert_eq!(router.clone().oneshot(call(content, None)).await.unwrap().status(), 401, "{content}");
    }
}

#[tokio::test]
async fn a_content_type_is_that_of_grpc_in_any_case_of_its_letters() {
    let host = Host::new().await;
    let router = witness().0.layer(host.layer());
    let response = router.oneshot(call("Application/gRPC+proto", None)).await.unwrap();
    assert_eq!(response.headers().get("grpc-status").map(|status| status.as_bytes()), Some(&b"16"[..]));
}

#[tokio::test]
async fn a_refusal_in_grpc_gets_no_challenge_from_a_layer_further_out() {
    let store = FaultyStore::new();
    let host = Host::over(Arc::clone(&store)).await;
    let router = witness().0.layer(host.layer()).layer(host.layer());
    let ask =
        async || router.clone().oneshot(call("application/grpc", Some(host.token("good")))).await.unwrap();
    let told = status_of(ask().await, "application/grpc").await;
    assert_eq!(told, (16, "an access key is required".to_owned()));
}

#[tokio::test]
async fn what_a_handler_denies_is_told_to_grpc_as_permission_denied() {
    let host = Host::new().await;
    let handler = async |grant: Grant| grant.require_agent(&"billing".parse().unwrap());
    let router = Router::new().route("/", any(handler)).layer(host.layer());
    let response = router.oneshot(call("application/grpc", Some(host.token("bot")))).await.unwrap();
    assert!(matches!(response.extensions().get(), Some(Denial::AgentNotInScope { .. })));
    let told = status_of(response, "application/grpc").await;
    assert_eq!(told, (7, "the access key does not reach this".to_owned()));
}

#[tokio::test]
async fn a_handler_before_no_layer_is_told_to_grpc_as_internal() {
    let handler = async |_: Grant| {};
    let router = Router::new().route("/", any(handler));
    let response = router.oneshot(call("application/grpc", None)).await.unwrap();
    let told = status_of(response, "application/grpc").await;
    assert_eq!(told, (13, "internal error".to_owned()));
}

#[tokio::test]
async fn what_a_layer_in_between_has_added_stays_on_a_denial() {
    let host = Host::new().await;
    let handler = async |grant: Grant| grant.require_agent(&"billing".parse().unwrap());
    let name = async |response: axum::response::Response| ([("x-request-id", "17")], response);
    let router = Router::new().route("/", any(handler));
    let router = router.layer(axum::middleware::map_response(name)).layer(host.layer());
    let response = router.oneshot(call("application/grpc", Some(host.token("bot")))).await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "17");
    assert_eq!(response.headers()["grpc-status"], "7");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
    assert!(!response.headers().contains_key("www-authenticate"));
}
