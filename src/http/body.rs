//! The body of a response behind the layer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::ending::Ending;
use super::watch::{Kind, Watch};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

pin_project! {
    /// The body of a response behind an [`AccessKeyLayer`](super::AccessKeyLayer) or a [`Watch`]: the handler's, which
    /// may end with its key, or that of a refusal.
    pub struct KeyedBody<B> {
        #[pin]
        state: State<B>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<B> {
        Whole { text: &'static str },
        Passing { #[pin] body: B },
        Watched { #[pin] body: B, ending: Box<Ending> },
    }
}

impl<B> KeyedBody<B> {
    pub(super) const fn whole(text: &'static str) -> Self {
        Self { state: State::Whole { text } }
    }

    pub(super) const fn passing(body: B) -> Self {
        Self { state: State::Passing { body } }
    }

    pub(super) fn watched(body: B, watch: Watch, kind: Kind) -> Self {
        Self { state: State::Watched { body, ending: Box::new(Ending::new(watch, kind)) } }
    }
}

impl<B> Body for KeyedBody<B>
where
    B: Body,
    B::Data: From<&'static str>,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        match self.project().state.project() {
            Projected::Whole { text } => {
                let text = std::mem::take(text);
                Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text.into()))))
            }
            Projected::Passing { body } => {
                Poll::Ready(ready!(body.poll_frame(context)).map(|frame| frame.map_err(Into::into)))
            }
            Projected::Watched { body, ending } => ending.poll_frame(body, context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Whole { text } => text.is_empty(),
            State::Passing { body } => body.is_end_stream(),
            State::Watched { body, ending } => ending.is_over() || body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Whole { text } => SizeHint::with_exact(text.len() as u64),
            State::Passing { body } => body.size_hint(),
            State::Watched { body, ending } => ending.size_hint(body.size_hint()),
        }
    }
}

impl<B> fmt::Debug for KeyedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.state {
            State::Whole { .. } => "of a refusal",
            State::Passing { .. } => "of the handler",
            State::Watched { .. } => "of the handler, ending with its key",
        };
        write!(f, "KeyedBody({what})")
    }
}
