//! A server with the same routes behind the layer and without it, and another node that manages its keys.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use access_keys::http::AccessKeyLayer;
use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, Issued, KeyInfo, ProjectId, ProjectKeys, Scope};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http_body::Frame;
use tokio::runtime::Builder;
use tokio::time::Interval;

type Store = Arc<MemoryStore>;

pub(crate) struct Host {
    pub(crate) port: u16,
    /// Another node over the same store, as that of the host's page is.
    pub(crate) project: ProjectKeys<Store>,
    pub(crate) good: Issued,
}

fn keys(store: &Store) -> Result<AccessKeys<Store>, access_keys::Error> {
    AccessKeys::builder(Arc::clone(store)).prefix("acme").build()
}

impl Host {
    pub(crate) fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let store = Arc::new(MemoryStore::new());
        let project = keys(&store)?.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        let client = Builder::new_current_thread().build()?;
        let good = client.block_on(generate(&project))?;
        let served = keys(&store)?;
        let (tell, told) = std::sync::mpsc::channel();
        thread::spawn(move || {
            // As most hosts have it.
            let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
                tell.send(listener.local_addr().expect("it is bound").port()).expect("someone waits");
                tokio::spawn(served.verifier().follow(tokio::time::sleep));
                axum::serve(listener, app(&served)).await.expect("it serves");
            });
        });
        Ok(Self { port: told.recv()?, project, good })
    }

    /// Tokens that are refused: of no form, and of a key of another store.
    pub(crate) async fn refused(&self) -> Result<[String; 2], access_keys::Error> {
        let malformed = self.good.token.expose().replace("acme", "acne");
        let other = keys(&Arc::default())?.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        Ok([malformed, generate(&other).await?.token.expose().to_owned()])
    }
}

pub(crate) async fn generate<S: access_keys::store::KeyStore>(
    project: &ProjectKeys<S>,
) -> Result<Issued, access_keys::Error> {
    let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?;
    project.generate(project.draft().info(info).agents(Scope::All).prompts(Scope::All)?).await
}

fn app(keys: &AccessKeys<Store>) -> Router {
    let routes = || {
        Router::new()
            .route("/hello", get(async || "hello"))
            .route("/burst/{count}", get(async |Path(count): Path<u32>| events(Chunks::new(count, false))))
            .route("/chunks/{count}", get(async |Path(count): Path<u32>| events(Chunks::new(count, true))))
            .route("/ticks", get(async || events(Ticks(tokio::time::interval(Duration::from_millis(5))))))
    };
    let production = EnvironmentId::new("production").expect("an id of 10 letters");
    let layer = AccessKeyLayer::new(keys.verifier(), production);
    Router::new()
        .nest("/bare", routes())
        .nest("/kept", routes().layer(layer.clone()))
        .nest("/watched", routes().layer(layer.end_streams(tokio::time::sleep)))
}

fn events<B>(body: B) -> Response
where
    B: HttpBody<Data = Bytes, Error = std::convert::Infallible> + Send + 'static,
{
    let mut response = Response::new(Body::new(body));
    let kind = axum::http::HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, kind);
    response
}

const EVENT: Bytes = Bytes::from_static(b"data: {\"choices\":[{\"delta\":{\"content\":\" word\"}}]}\n\n");

/// So many events.
struct Chunks {
    left: u32,
    /// Whether each comes alone, as from a model that makes one after the other, so that the server sends it alone.
    alone: bool,
    is_due: bool,
}

impl Chunks {
    const fn new(left: u32, alone: bool) -> Self {
        Self { left, alone, is_due: true }
    }
}

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.is_due {
            self.is_due = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
        (self.left, self.is_due) = (left, !self.alone);
        Poll::Ready(Some(Ok(Frame::data(EVENT))))
    }
}

/// Events without end.
struct Ticks(Interval);

impl HttpBody for Ticks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_tick(context).map(|_| Some(Ok(Frame::data(EVENT))))
    }
}
