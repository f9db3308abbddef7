//! How a body that is watched ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::Refusal;
use super::body::BoxError;
use super::refusal::{GRPC_MESSAGE, GRPC_STATUS};
use super::watch::{Kind, Watch};
use crate::verify::Denial;

/// The error with which a body ends whose key no longer holds.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the key of this response no longer holds")]
pub struct Ended {
    #[source]
    denial: Denial,
}

impl Ended {
    /// Why it no longer holds.
    #[must_use]
    pub const fn denial(&self) -> &Denial {
        &self.denial
    }
}

/// What a body is watched by, and where it stands.
pub(super) struct Ending {
    stage: Stage,
    kind: Kind,
    /// The last bytes that were sent, the latest in the lowest place.
    tail: u32,
}

enum Stage {
    /// Nothing was waited for yet. A body that is there at once ends before anyone watches.
    Fresh(Option<Watch>, bool),
    Watching(Watching),
    Over,
}

struct Watching {
    /// Never locked: so the body can be shared.
    ended: Mutex<Pin<Box<dyn Future<Output = Denial> + Send>>>,
    alarm: Arc<Alarm>,
    /// Whom the alarm wakes.
    task: Waker,
}

type Polled<D> = Poll<Option<Result<Frame<D>, BoxError>>>;

impl Ending {
    pub(super) const fn new(watch: Watch, kind: Kind) -> Self {
        // As after the end of an event.
        Self { stage: Stage::Fresh(Some(watch), false), kind, tail: 0x0A0A }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Last words make it longer.
    pub(super) fn size_hint(&self, of_body: SizeHint) -> SizeHint {
        if self.is_over() {
            return SizeHint::with_exact(0);
        }
        match self.kind {
            Kind::Other => of_body,
            Kind::Events | Kind::Grpc => SizeHint::default(),
        }
    }

    #[inline]
    pub(super) fn poll_frame<B>(&mut self, body: Pin<&mut B>, context: &mut Context<'_>) -> Polled<B::Data>
    where
        B: Body,
        B::Data: From<&'static str>,
        B::Error: Into<BoxError>,
    {
        if self.is_over() {
            return Poll::Ready(None);
        }
        if let Stage::Fresh(_, true) = self.stage
            && !body.is_end_stream()
        {
            self.begin();
        }
        if let Poll::Ready(denial) = self.stage.poll(context) {
            return Poll::Ready(Some(self.last(denial)));
        }
        match body.poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Stage::Fresh(_, sent) = &mut self.stage {
                    *sent = true;
                }
                if self.kind == Kind::Events {
                    self.remember(&frame);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => {
                self.stage = Stage::Over;
                Poll::Ready(end.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                self.begin();
                match self.stage.poll(context) {
                    Poll::Ready(denial) => Poll::Ready(Some(self.last(denial))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn begin(&mut self) {
        if let Stage::Fresh(watch, _) = &mut self.stage
            && let Some(watch) = watch.take()
        {
            let task = Waker::noop().clone();
            self.stage = Stage::Watching(Watching {
                ended: Mutex::new(Box::pin(watch.ended())),
                alarm: Alarm::new(),
                task,
            });
        }
    }

    /// The last frame of a body whose key has ended.
    fn last<D: From<&'static str>>(&mut self, denial: Denial) -> Result<Frame<D>, BoxError> {
        self.stage = Stage::Over;
        let refusal = Refusal::from(&denial);
        tell(&denial);
        match self.kind {
            Kind::Events if self.is_between_events() => Ok(Frame::data(last_event(refusal).into())),
            Kind::Grpc => {
                let (status, message) = refusal.grpc();
                let trailers = [(GRPC_STATUS, status), (GRPC_MESSAGE, message)];
                Ok(Frame::trailers(HeaderMap::from_iter(trailers)))
            }
            // The end of a stream discards the event that it cuts: a line that looks like its end would not.
            Kind::Events | Kind::Other => Err(Box::new(Ended { denial })),
        }
    }

    #[inline]
    fn remember<D: Buf>(&mut self, frame: &Frame<D>) {
        let Some(data) = frame.data_ref().filter(|data| data.has_remaining()) else { return };
        let chunk = data.chunk();
        if chunk.len() < data.remaining() {
            // What is in several pieces is taken to end in the middle of an event.
            self.tail = 0;
            return;
        }
        self.tail = match chunk.last_chunk() {
            Some(last) => u32::from_be_bytes(*last),
            None => chunk.iter().fold(self.tail, |tail, byte| tail << 8 | u32::from(*byte)),
        };
    }

    /// An event ends with an empty line, and a line with CR, LF or both.
    const fn is_between_events(&self) -> bool {
        matches!(self.tail & 0xFFFF, 0x0A0A | 0x0D0D) || self.tail == 0x0D0A_0D0A
    }
}

impl Stage {
    #[inline]
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Denial> {
        match self {
            Self::Watching(watching) => watching.poll(context.waker()),
            _ => Poll::Pending,
        }
    }
}

impl Watching {
    #[inline]
    fn poll(&mut self, task: &Waker) -> Poll<Denial> {
        if !self.task.will_wake(task) {
            self.task.clone_from(task);
            self.alarm.rings(task);
        }
        if self.alarm.rang.load(Ordering::SeqCst) { self.look() } else { Poll::Pending }
    }

    #[cold]
    fn look(&mut self) -> Poll<Denial> {
        self.alarm.rang.store(false, Ordering::SeqCst);
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        ended.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&self.alarm))))
    }
}

/// Tells whether the watch has anything to do, so that a chunk which passes costs next to nothing.
struct Alarm {
    rang: AtomicBool,
    task: Mutex<Waker>,
}

impl Alarm {
    fn new() -> Arc<Self> {
        Arc::new(Self { rang: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) })
    }

    /// From now on it wakes this one.
    fn rings(&self, waker: &Waker) {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(waker);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::SeqCst);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        task.wake();
    }
}

/// For the operator: a response that ends so may look whole to the layers outside.
#[cfg_attr(
    not(feature = "tracing"),
    allow(clippy::missing_const_for_fn, reason = "with the feature it is none")
)]
fn tell(denial: &Denial) {
    #[cfg(feature = "tracing")]
    {
        let key = denial.key().map(tracing::field::display);
        tracing::info!(reason = denial.as_str(), key, "ended a response with its key");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = denial;
}

const fn last_event(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::InsufficientScope => {
            "event: error\ndata: {\"error\":{\"code\":\"insufficient_scope\",\"message\":\"the access key no longer reaches this\"}}\n\n"
        }
        Refusal::Unavailable => {
            "event: error\ndata: {\"error\":{\"code\":\"temporarily_unavailable\",\"message\":\"the access key cannot be verified now\"}}\n\n"
        }
        _ => {
            "event: error\ndata: {\"error\":{\"code\":\"invalid_token\",\"message\":\"the access key is no longer valid\"}}\n\n"
        }
    }
}
