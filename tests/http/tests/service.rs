//! The layer as a service among others: it calls the service that was ready, asks the store only where it must, and says
//! 503 where it cannot know.

#[path = "../../support/faulty.rs"]
#[expect(dead_code, reason = "no store lies or gives way here")]
mod faulty;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use access_keys::http::Refusal;
use access_keys::{Denial, Grant};
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, Response};
use faulty::{Fault, FaultyStore};
use futures_util::future::join_all;
use http_tests::{Host, collect, refused, witness};
use tower::{Layer, Service, ServiceExt};

fn bearing(token: &str) -> Request<Body> {
    Request::get("/").header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap()
}

/// A service that must be ready when it is called, and of which no clone is.
#[derive(Default)]
struct Particular {
    ready: bool,
    calls: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
}

impl Clone for Particular {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls), busy: Arc::clone(&self.busy) }
    }
}

impl Service<Request<Body>> for Particular {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |busy| busy.checked_sub(1)).is_ok() {
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        assert!(request.extensions().get::<Grant>().is_some(), "called without a grant");
        self.calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called_whether_the_store_is_asked_or_not() {
    let host = Host::new().await;
    let inner = Particular::default();
    let mut service = host.layer().layer(inner.clone());
    for token in ["good", "good", "other", "unknown", "other", "good"] {
        let response = service.ready().await.unwrap().call(bearing(host.token(token))).await.unwrap();
        assert_eq!(response.status(), if token == "unknown" { 401 } else { 200 });
    }
    assert_eq!(inner.calls.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn requests_that_wait_for_the_store_each_have_a_service_that_was_ready() {
    let store = FaultyStore::new();
    let host = Host::over(Arc::clone(&store)).await;
    let inner = Particular::default();
    let mut service = host.layer().layer(inner.clone());
    store.plan(|_| Fault::Yields);
    let mut waiting = Vec::new();
    for token in ["good", "other", "bot"] {
        let mut future = Box::pin(service.ready().await.unwrap().call(bearing(host.token(token))));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        waiting.push(future);
    }
    let statuses = join_all(waiting.into_iter().rev()).await;
    assert!(statuses.iter().all(|answer| answer.as_ref().unwrap().status() == 200), "{statuses:?}");
    assert_eq!(inner.calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn the_layer_is_ready_when_its_service_is() {
    let host = Host::new().await;
    let inner = Particular::default();
    inner.busy.store(2, Ordering::Relaxed);
    let mut service = host.layer().layer(inner);
    let mut context = Context::from_waker(Waker::noop());
    let mut ready = || Service::<Request<Body>>::poll_ready(&mut service, &mut context);
    assert!(ready().is_pending());
    assert!(ready().is_pending());
    assert!(ready().is_ready());
}

#[tokio::test]
async fn a_request_that_is_given_up_while_the_store_is_asked_reaches_no_handler() {
    let store = FaultyStore::new();
    let host = Host::over(Arc::clone(&store)).await;
    let inner = Particular::default();
    let mut service = host.layer().layer(inner.clone());
    store.plan(|_| Fault::Hangs);
    let mut future = Box::pin(service.ready().await.unwrap().call(bearing(host.token("good"))));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(future);
    store.heal();
    assert_eq!(inner.calls.load(Ordering::Relaxed), 0);
    let next = service.ready().await.unwrap().call(bearing(host.token("good"))).await.unwrap();
    assert_eq!((next.status().as_u16(), inner.calls.load(Ordering::Relaxed)), (200, 1));
}

#[tokio::test]
async fn a_store_that_fails_is_answered_with_503_and_never_with_401() {
    let store = FaultyStore::new();
    let host = Host::over(Arc::clone(&store)).await;
    let (router, served) = witness();
    let router = router.layer(host.layer());
    let ask = async |token: &str| router.clone().oneshot(bearing(host.token(token))).await.unwrap();
    for fault in [Fault::Fails, Fault::LostUnknown] {
        store.plan(move |_| fault);
        for token in ["good", "unknown", "wrong_secret", "revoked", "inactive", "expired", "staging"] {
            let response = ask(token).await;
            assert!(matches!(response.extensions().get(), Some(Denial::Unavailable { .. })));
            assert_eq!(collect(response).await, refused(Refusal::Unavailable), "{token}, {fault:?}");
        }
        assert!(served.take().is_empty());
    }
    // What needs no store to be seen is seen without one.
    assert_eq!(collect(ask("malformed").await).await, refused(Refusal::InvalidToken));
    store.heal();
    assert_eq!(ask("good").await.status(), 200);
    assert_eq!(collect(ask("unknown").await).await, refused(Refusal::InvalidToken));
}

#[tokio::test]
async fn a_key_that_is_known_is_let_in_without_the_store_until_its_lease_is_over() {
    let store = FaultyStore::new();
    let host = Host::over(Arc::clone(&store)).await;
    let router = witness().0.layer(host.layer());
    let ask = async |token: &str| router.clone().oneshot(bearing(host.token(token))).await.unwrap();
    assert_eq!(ask("good").await.status(), 200);
    store.plan(|_| Fault::Fails);
    assert_eq!((ask("good").await.status().as_u16(), store.calls()), (200, 0));
    host.clock.advance(Duration::from_secs(6));
    assert_eq!(collect(ask("good").await).await, refused(Refusal::Unavailable));
    assert_ne!(store.calls(), 0);
    store.heal();
    assert_eq!(ask("good").await.status(), 200);
}

#[tokio::test]
async fn a_key_that_is_revoked_here_is_let_in_no_more() {
    let host = Host::new().await;
    let router = witness().0.layer(host.layer());
    let ask = async || router.clone().oneshot(bearing(host.token("good"))).await.unwrap();
    assert_eq!(ask().await.status(), 200);
    host.project.revoke(host.id("good"), "leaked").await.unwrap();
    let refusal = ask().await;
    assert!(matches!(refusal.extensions().get(), Some(Denial::Revoked { .. })));
    assert_eq!(collect(refusal).await, refused(Refusal::InvalidToken));
}
