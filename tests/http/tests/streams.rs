//! Responses that are still running when their key ends.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use access_keys::http::{AccessKeyLayer, Ended, KeyedBody, Needs, RequireAgent};
use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, Actor, AgentId, Denial, Edit, EnvironmentId, FakeClock, Grant, Issued, KeyInfo, ProjectId,
    ProjectKeys, Scope,
};
use axum::body::{Body, HttpBody};
use axum::extract::{Path, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::ServiceExt;

/// Long enough for any machine: what takes longer never comes.
const NEVER: Duration = Duration::from_secs(20);

type Keys = AccessKeys<MemoryStore>;

struct Host {
    keys: Keys,
    project: ProjectKeys<MemoryStore>,
    issued: Issued,
    clock: FakeClock,
}

impl Host {
    async fn new() -> Self {
        let clock = FakeClock::default();
        let keys =
            AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(clock.clone()).build().unwrap();
        let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
        let info = KeyInfo::new("Mobile app", EnvironmentId::new("production").unwrap()).unwrap();
        let agents = Scope::parse(["support-bot", "triage"]).unwrap();
        let review = project.draft().info(info).agents(agents).prompts(Scope::All).unwrap();
        let issued = project.generate(review).await.unwrap();
        Self { keys, project, issued, clock }
    }

    /// What a route answers that sends what it is given, with this content type.
    async fn stream(&self, path: &str, content: &'static str) -> (UnboundedSender<Bytes>, Response) {
        let (sender, receiver) = unbounded_channel();
        let body = std::sync::Arc::new(std::sync::Mutex::new(Some(Chunks(receiver))));
        let respond = move |Extension(chunks): Extension<Slot>| {
            let chunks = chunks.lock().unwrap().take().unwrap();
            Response::builder().header(CONTENT_TYPE, content).body(Body::new(chunks)).unwrap()
        };
        let asks = respond;
        let (requires, declares) = (respond, respond);
        let app = Router::new()
            .route("/plain", get(async move |_: Grant, slot| asks(slot)))
            .route("/agents/{agent}", get(async move |_: RequireAgent<Path<AgentId>>, slot| requires(slot)))
            .route(
                "/declared",
                get(async move |grant: Grant, needs: Needs, slot| {
                    needs.require_agent(&grant, &AgentId::new("triage").unwrap()).unwrap();
                    declares(slot)
                }),
            )
            .layer(Extension(body as Slot))
            .layer(self.layer());
        let response = app.oneshot(self.request(path)).await.unwrap();
        assert_eq!(response.status(), 200);
        (sender, response)
    }

    fn layer(&self) -> AccessKeyLayer {
        let production = EnvironmentId::new("production").unwrap();
        AccessKeyLayer::new(self.keys.verifier(), production).end_streams(|_| pending::<()>())
    }

    fn request(&self, path: &str) -> Request {
        let value = format!("Bearer {}", self.issued.token.expose());
        Request::builder().uri(path).header(AUTHORIZATION, value).body(Body::empty()).unwrap()
    }

    async fn revoke(&self) {
        drop(self.project.revoke(self.issued.key.id, "leaked").await.unwrap());
    }

    async fn narrow(&self, agents: &[&str]) {
        let edit = Edit::new().agents(Scope::parse(agents).unwrap());
        drop(self.project.edit(self.issued.key.id, edit).await.unwrap());
    }
}

type Slot = std::sync::Arc<std::sync::Mutex<Option<Chunks>>>;

/// What is sent, until the sender is gone.
struct Chunks(UnboundedReceiver<Bytes>);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

/// What a client reads next.
enum Read {
    Data(Bytes),
    Trailers(String),
    CutOff(Denial),
    End,
}

async fn read(body: &mut Body) -> Read {
    match tokio::time::timeout(NEVER, body.frame()).await.expect("it is woken") {
        None => Read::End,
        Some(Ok(frame)) => match frame.into_data() {
            Ok(data) => Read::Data(data),
            Err(frame) => Read::Trailers(format!("{:?}", frame.into_trailers().unwrap())),
        },
        Some(Err(error)) => {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
            while let Some(error) = cause {
                if let Some(ended) = error.downcast_ref::<Ended>() {
                    return Read::CutOff(ended.denial().clone());
                }
                cause = error.source();
            }
            panic!("{error:?}")
        }
    }
}

async fn reads(body: &mut Body, text: &str) {
    match read(body).await {
        Read::Data(data) => assert_eq!(data, text),
        _ => panic!("the data {text} was expected"),
    }
}

/// Reads on while something happens, as a server does that waits for more.
async fn meanwhile(body: &mut Body, happens: impl Future<Output = ()>) -> Read {
    let (read, ()) = tokio::join!(read(body), happens);
    read
}

#[tokio::test]
async fn server_sent_events_end_with_one_that_says_so() {
    let host = Host::new().await;
    let (sender, response) = host.stream("/plain", "text/event-stream; charset=utf-8").await;
    let mut body = response.into_body();
    for text in ["data: one\n\n", "data: two\r\n\r\n", "data: three\n", "\n"] {
        sender.send(text.into()).unwrap();
        reads(&mut body, text).await;
    }
    let Read::Data(last) = meanwhile(&mut body, host.revoke()).await else { panic!("no last event") };
    let last = String::from_utf8(last.to_vec()).unwrap();
    let data = last.strip_prefix("event: error\ndata: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["error"]["code"], "invalid_token");
    assert!(matches!(read(&mut body).await, Read::End));
    assert!(
        sender.send("data: more\n\n".into()).is_ok(),
        "the handler's body is dropped with the response, not before"
    );
}

#[tokio::test]
async fn an_event_that_is_under_way_is_cut_off_and_never_completed_by_the_last_one() {
    for half in ["data: on", "data: one\n", "data: one\r\n"] {
        let host = Host::new().await;
        let (sender, response) = host.stream("/plain", "text/event-stream").await;
        let mut body = response.into_body();
        sender.send(half.into()).unwrap();
        reads(&mut body, half).await;
        let cut = meanwhile(&mut body, host.revoke()).await;
        assert!(matches!(cut, Read::CutOff(Denial::Revoked { .. })), "after {half:?}");
    }
}

#[tokio::test]
async fn any_other_body_is_cut_off_and_says_why_to_the_host() {
    let host = Host::new().await;
    let (sender, response) = host.stream("/plain", "application/x-ndjson").await;
    let mut body = response.into_body();
    sender.send("{}\n".into()).unwrap();
    reads(&mut body, "{}\n").await;
    let cut = meanwhile(&mut body, async {
        drop(host.project.deactivate(host.issued.key.id).await.unwrap());
    });
    assert!(matches!(cut.await, Read::CutOff(Denial::Inactive { .. })));
    assert!(matches!(read(&mut body).await, Read::End));
}

#[tokio::test]
async fn a_stream_of_grpc_ends_with_its_status() {
    let host = Host::new().await;
    let (sender, response) = host.stream("/plain", "application/grpc+proto").await;
    let mut body = response.into_body();
    sender.send("a message".into()).unwrap();
    reads(&mut body, "a message").await;
    let Read::Trailers(trailers) = meanwhile(&mut body, host.revoke()).await else { panic!("no trailers") };
    assert!(trailers.contains(r#""grpc-status": "16""#), "{trailers}");
    assert!(matches!(read(&mut body).await, Read::End));
}

#[tokio::test]
async fn narrowing_ends_what_needs_more_and_nothing_else() {
    // Nothing said what it needs: all that the grant allowed.
    for (path, agents, ends) in [
        ("/plain", ["support-bot", "billing"], true),
        ("/declared", ["triage", "billing"], false),
        ("/declared", ["support-bot", "billing"], true),
        ("/agents/support-bot", ["support-bot", "billing"], false),
        ("/agents/support-bot", ["triage", "billing"], true),
    ] {
        let host = Host::new().await;
        let (sender, response) = host.stream(path, "text/event-stream").await;
        let mut body = response.into_body();
        sender.send("data: one\n\n".into()).unwrap();
        reads(&mut body, "data: one\n\n").await;
        let Read::Data(next) = meanwhile(&mut body, async {
            host.narrow(&agents).await;
            tokio::task::yield_now().await;
            // What goes on answers with this.
            drop(sender.send("data: two\n\n".into()));
        })
        .await
        else {
            panic!("{path} with {agents:?}")
        };
        let next = String::from_utf8(next.to_vec()).unwrap();
        assert_eq!(next.contains("insufficient_scope"), ends, "{path} with {agents:?}: {next}");
    }
}

#[tokio::test]
async fn a_wider_scope_or_another_name_ends_nothing() {
    let host = Host::new().await;
    let (sender, response) = host.stream("/plain", "text/plain").await;
    let mut body = response.into_body();
    sender.send("one".into()).unwrap();
    reads(&mut body, "one").await;
    for _ in 0..3 {
        let Read::Data(next) = meanwhile(&mut body, async {
            host.narrow(&["support-bot", "triage", "billing"]).await;
            drop(host.project.edit(host.issued.key.id, Edit::new().name("Renamed").unwrap()).await.unwrap());
            drop(sender.send("more".into()));
        })
        .await
        else {
            panic!("it ended")
        };
        assert_eq!(next, "more");
    }
    drop(sender);
    assert!(matches!(read(&mut body).await, Read::End), "it ends as the handler's does");
}

#[tokio::test]
async fn a_key_that_expires_ends_its_stream_by_the_hosts_timer() {
    let host = Host::new().await;
    let at = access_keys::Clock::wall(&host.clock) + Duration::from_secs(3);
    drop(host.project.edit(host.issued.key.id, Edit::new().expires_at(at)).await.unwrap());
    let clock = host.clock.clone();
    let production = EnvironmentId::new("production").unwrap();
    let layer = AccessKeyLayer::new(host.keys.verifier(), production).end_streams(move |time| {
        clock.advance(time);
        tokio::task::yield_now()
    });
    let (_sender, receiver) = unbounded_channel();
    let slot: Slot = std::sync::Arc::new(std::sync::Mutex::new(Some(Chunks(receiver))));
    let handler = async move |_: Grant| Response::new(Body::new(slot.lock().unwrap().take().unwrap()));
    let app = Router::new().route("/plain", get(handler)).layer(layer);
    let mut body = app.oneshot(host.request("/plain")).await.unwrap().into_body();
    assert!(matches!(read(&mut body).await, Read::CutOff(Denial::Expired { .. })));
}

#[tokio::test]
async fn what_is_there_at_once_is_never_watched_and_keeps_its_length() {
    let host = Host::new().await;
    let app = Router::new().route("/whole", get(async |_: Grant| "a whole answer")).layer(host.layer());
    let response = app.oneshot(host.request("/whole")).await.unwrap();
    assert_eq!(response.headers()[CONTENT_LENGTH], "14");
    let body = response.into_body();
    assert_eq!(body.size_hint().exact(), Some(14));
    host.revoke().await;
    assert_eq!(body.collect().await.unwrap().to_bytes(), "a whole answer");
}

#[tokio::test]
async fn an_event_stream_does_not_announce_a_length_that_last_words_would_break() {
    let host = Host::new().await;
    let (_sender, response) = host.stream("/plain", "text/event-stream").await;
    assert_eq!(response.body().size_hint().exact(), None);
    assert!(!response.body().is_end_stream());
}

#[tokio::test]
async fn a_body_without_a_watch_is_the_handlers_to_the_end() {
    let host = Host::new().await;
    let production = EnvironmentId::new("production").unwrap();
    let layer = AccessKeyLayer::new(host.keys.verifier(), production);
    let (sender, receiver) = unbounded_channel();
    let slot: Slot = std::sync::Arc::new(std::sync::Mutex::new(Some(Chunks(receiver))));
    let handler = async move |_: Grant| Response::new(Body::new(slot.lock().unwrap().take().unwrap()));
    let app = Router::new().route("/plain", get(handler)).layer(layer);
    let mut body = app.oneshot(host.request("/plain")).await.unwrap().into_body();
    host.revoke().await;
    sender.send("still".into()).unwrap();
    reads(&mut body, "still").await;
}

/// Every body of the layer can be sent by a server.
#[test]
fn the_body_is_one_that_servers_take() {
    fn takes<B>()
    where
        B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
    }
    takes::<KeyedBody<Body>>();
    takes::<KeyedBody<Chunks>>();
}
