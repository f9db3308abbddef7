//! The future of a verification.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::verdict::Refusal;
use super::{Denial, Grant, Verifier};
use crate::domain::EnvironmentId;

/// The future of [`Verifier::verify`].
///
/// Not an `async fn`, whose body would be a function of its own in this crate: this one becomes part of the code
/// that awaits it, and a grant from the cache reaches it in two registers.
pub(super) struct Verification<'a> {
    verifier: &'a Verifier,
    token: &'a str,
    environment: &'a EnvironmentId,
    /// Boxed, since only a few need it.
    asking: Option<Asking<'a>>,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Grant, Denial>> + Send + 'a>>;

impl<'a> Verification<'a> {
    #[inline]
    pub(super) const fn new(verifier: &'a Verifier, token: &'a str, environment: &'a EnvironmentId) -> Self {
        Self { verifier, token, environment, asking: None }
    }

    #[cold]
    fn go_on(&mut self, refusal: Refusal, context: &mut Context<'_>) -> Poll<Result<Grant, Denial>> {
        let Self { verifier, token, environment, .. } = *self;
        if refusal != Refusal::AskStore {
            return Poll::Ready(Err(verifier.denial(refusal, token, environment)));
        }
        let asking = self.asking.insert(Box::pin(verifier.ask(token, environment)));
        asking.as_mut().poll(context)
    }
}

impl Future for Verification<'_> {
    type Output = Result<Grant, Denial>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(asking) = &mut self.asking {
            return asking.as_mut().poll(context);
        }
        match self.verifier.at_once(self.token, self.environment).into_result() {
            Ok(grant) => Poll::Ready(Ok(grant)),
            Err(refusal) => self.go_on(refusal, context),
        }
    }
}
