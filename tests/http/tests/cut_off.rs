//! What the signal of a stream that is cut off is on the wire.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use access_keys::http::AccessKeyLayer;
use access_keys::{Grant, KeyId};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use http_tests::{Host, env, serve};
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What takes longer never comes.
const NEVER: Duration = Duration::from_secs(20);

/// One line, and then nothing more.
struct Line(Option<Bytes>);

impl HttpBody for Line {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |line| Poll::Ready(Some(Ok(Frame::data(line)))))
    }
}

async fn started() -> (Host, KeyId, SocketAddr) {
    let host = Host::new().await;
    let layer = AccessKeyLayer::new(host.keys.verifier(), env("production")).end_streams(tokio::time::sleep);
    let handler = async |_: Grant| Response::new(Body::new(Line(Some(Bytes::from_static(b"a line\n")))));
    let (address, _) = serve(Router::new().route("/", get(handler)).layer(layer)).await;
    let id = host.id("good");
    (host, id, address)
}

#[tokio::test]
async fn http_1_closes_the_connection_before_the_last_chunk() {
    let (host, id, address) = started().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET / HTTP/1.1\r\nHost: keys.test\r\nAuthorization: Bearer {}\r\n\r\n", host.token("good"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"a line\n\r\n") {
        assert!(timeout(NEVER, stream.read_buf(&mut answer)).await.unwrap().unwrap() > 0);
    }
    drop(host.project.revoke(id, "leaked").await.unwrap());
    timeout(NEVER, stream.read_to_end(&mut answer)).await.expect("it ends").unwrap();
    assert!(answer.ends_with(b"a line\n\r\n"), "no last chunk: {}", answer.escape_ascii());
}

#[tokio::test]
async fn http_2_resets_the_stream_and_keeps_the_connection() {
    let (host, id, address) = started().await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = |token: &str| {
        let request =
            Request::get(format!("http://{address}/")).header(AUTHORIZATION, format!("Bearer {token}"));
        request.body(Empty::<Bytes>::new()).unwrap()
    };
    let mut body = sender.send_request(request(host.token("good"))).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a line\n");
    drop(host.project.revoke(id, "leaked").await.unwrap());
    let error =
        timeout(NEVER, body.frame()).await.expect("it ends").expect("not as if it were whole").unwrap_err();
    let reset = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    assert!(reset.is_some_and(|reset| reset.is_reset() && reset.is_remote()), "{error:?}");
    let response = sender.send_request(request(host.token("other"))).await.unwrap();
    assert_eq!(response.status(), 200, "others on the same connection go on");
}
