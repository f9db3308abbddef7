//! Clients that send a request as they are told to.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::Answer;

/// Header lines, in their order.
pub type Lines = [(Vec<u8>, Vec<u8>)];

/// What no client library lets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// The name of a header.
    Name,
    /// The value of a header.
    Value,
}

/// Sends the bytes of a request of HTTP/1.1 as they are.
///
/// # Panics
/// If the server cannot be reached or its answer cannot be read.
pub async fn http1(address: SocketAddr, target: &str, lines: &Lines) -> Answer {
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: keys.test\r\n").into_bytes();
    for (name, value) in lines {
        request.extend([name, &b": "[..], value, b"\r\n"].concat());
    }
    request.extend(b"Connection: close\r\n\r\n");
    parse(&raw(address, &request).await)
}

/// Sends bytes, and reads until the server closes the connection.
///
/// # Panics
/// If the server cannot be reached.
pub async fn raw(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = connect(address).await;
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the head");
    let head = str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.map(|line| line.split_once(": ").expect("a header"));
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    let answer = Answer::new(status.expect("a status"), headers, &answer[end + 4..]);
    let length = answer.all("content-length").first().map_or(0, |length| length.parse().unwrap());
    let (body, rest) = answer.body.split_at(length);
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400 "), "{rest}");
    Answer { body: body.to_owned(), ..answer }
}

/// Sends a request of HTTP/2.
///
/// # Errors
/// What cannot be sent.
///
/// # Panics
/// If the server cannot be reached or its answer cannot be read.
pub async fn http2(address: SocketAddr, target: &str, lines: &Lines) -> Result<Answer, Unsendable> {
    let request = request(&format!("http://{address}{target}"), lines)?.map(|_| Empty::<Bytes>::new());
    let stream = TokioIo::new(connect(address).await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    match sender.send_request(request).await {
        Ok(response) => Ok(collect(response).await),
        Err(_) => Ok(Answer::closed()),
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Gives a request to a router without any connection.
///
/// # Errors
/// What cannot be given.
///
/// # Panics
/// If the body of the answer cannot be read.
pub async fn oneshot(router: &Router, target: &str, lines: &Lines) -> Result<Answer, Unsendable> {
    let request = request(target, lines)?;
    Ok(collect(router.clone().oneshot(request).await.unwrap()).await)
}

fn request(target: &str, lines: &Lines) -> Result<Request<Body>, Unsendable> {
    let mut request = Request::get(target).body(Body::empty()).unwrap();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name).map_err(|_| Unsendable::Name)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Unsendable::Value)?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

/// Reads an answer to its end.
///
/// # Panics
/// If it cannot be read.
pub async fn collect<B>(response: Response<B>) -> Answer
where
    B: hyper::body::Body<Error: std::fmt::Debug>,
{
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Answer::new(parts.status.as_u16(), headers, &body)
}
