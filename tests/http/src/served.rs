//! Servers, and a handler that tells what it saw.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use access_keys::{Grant, KeyId};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Uri};
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What reached a handler.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The key of the grant.
    pub key: KeyId,
    /// The headers.
    pub headers: HeaderMap,
    /// The target.
    pub uri: Uri,
}

/// What reached the handlers of a [`witness`], in its order. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Served(Arc<Mutex<Vec<Seen>>>);

impl Served {
    /// All of it so far, which is forgotten with this.
    #[must_use]
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}

/// A router whose one handler, for every path and method, notes what it saw and answers `welcome`.
pub fn witness() -> (Router, Served) {
    let served = Served::default();
    let note = served.clone();
    let handler = async move |grant: Grant, request: Request| {
        let (parts, _) = request.into_parts();
        note.note(Seen { key: grant.key().id, headers: parts.headers, uri: parts.uri });
        "welcome"
    };
    (Router::new().route("/", any(handler.clone())).fallback(handler), served)
}

/// Serves a router as a host does, over HTTP/1.1 and HTTP/2, until the task is aborted or the test is over.
///
/// # Panics
/// If there is no port to be had.
pub async fn serve(router: Router) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    // Thousands of answers wait for each other otherwise.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}
