//! Every order of the steps of several calls, told apart only where it can make a difference.
//!
//! A step is what a future does between two turns of others. Two steps that touch nothing in common can be swapped
//! without anyone noticing, so of all orders that differ by such swaps alone one is carried out (sleep sets: once
//! the orders that begin with a step were all gone through, those in which that step comes later, with nothing
//! before it that it depends on, are not carried out again). Calls that are alike begin in the order in which they
//! are given.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::support::Woken;
use crate::turns::{Answer, Next, take_next};

/// How something shared is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Reads,
    Writes,
}

/// What a step touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touches {
    /// The one cache and lock of a node.
    node: Option<usize>,
    /// The clock that both nodes go by.
    clock: Option<Access>,
    store: Option<Access>,
    /// What the judge notes: whether the change was acknowledged.
    judge: Option<Access>,
}

impl Touches {
    pub(crate) const NOTHING: Self = Self { node: None, clock: None, store: None, judge: None };
    /// Time passes.
    pub(crate) const TIME: Self = Self { clock: Some(Access::Writes), ..Self::NOTHING };

    /// Whatever a node does, it may read the clock.
    pub(crate) const fn node(node: usize) -> Self {
        Self { node: Some(node), clock: Some(Access::Reads), ..Self::NOTHING }
    }

    pub(crate) const fn store(access: Access) -> Self {
        Self { store: Some(access), ..Self::NOTHING }
    }

    #[must_use]
    pub(crate) const fn and_store(self, access: Access) -> Self {
        Self { store: Some(access), ..self }
    }

    #[must_use]
    pub(crate) const fn and_judge(self, access: Access) -> Self {
        Self { judge: Some(access), ..self }
    }

    fn is_independent_of(&self, other: &Self) -> bool {
        let fine = |one: Option<Access>, other: Option<Access>| {
            one.is_none() || other.is_none() || (one, other) == (Some(Access::Reads), Some(Access::Reads))
        };
        (self.node.is_none() || self.node != other.node)
            && fine(self.clock, other.clock)
            && fine(self.store, other.store)
            && fine(self.judge, other.judge)
    }
}

/// One of the calls that are interleaved.
pub(crate) struct Call<'a> {
    pub(crate) future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    /// What the first step touches, one that comes after waiting for another call, and one in which an answer arrives.
    pub(crate) first: Touches,
    pub(crate) usually: Touches,
    pub(crate) arrival: fn(Answer) -> Touches,
    /// Calls with the same number are alike.
    pub(crate) kind: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    call: usize,
    touches: Touches,
}

/// A point at which several calls could go on.
struct Point {
    /// What could be done here, and what of it is still to be done: from `at` on.
    steps: Vec<Step>,
    at: usize,
    /// What need not be done here, since its orders were all gone through.
    asleep: Vec<Step>,
}

/// The orders that are still to be carried out.
pub(crate) struct Orders {
    points: Vec<Point>,
    /// Whether to leave out what makes no difference.
    is_reduced: bool,
}

impl Orders {
    pub(crate) const fn new(is_reduced: bool) -> Self {
        Self { points: Vec::new(), is_reduced }
    }

    /// Carries out one order of the calls. `false` when it turned out to be one that makes no difference.
    pub(crate) fn carry_out(&mut self, calls: Vec<Call<'_>>) -> bool {
        let mut running: Vec<_> = calls.into_iter().map(Running::new).collect();
        for depth in 0.. {
            let steps = possible(&running);
            if steps.is_empty() {
                let waiting = running.iter().filter(|running| running.call.is_some()).count();
                assert_eq!(waiting, 0, "some call waits and is never woken");
                break;
            }
            if depth == self.points.len() {
                let asleep = self.asleep();
                let steps: Vec<_> = steps.into_iter().filter(|step| !asleep.contains(step)).collect();
                if steps.is_empty() {
                    return false;
                }
                self.points.push(Point { steps, at: 0, asleep });
            }
            let point = &self.points[depth];
            let step = point.steps[point.at];
            running[step.call].step();
        }
        true
    }

    /// Goes on to the next order; `false` after the last.
    pub(crate) fn next(&mut self) -> bool {
        while let Some(mut point) = self.points.pop() {
            point.at += 1;
            if point.at < point.steps.len() {
                self.points.push(point);
                return true;
            }
        }
        false
    }

    /// What is asleep after the last step that was taken.
    fn asleep(&self) -> Vec<Step> {
        let Some(point) = self.points.last().filter(|_| self.is_reduced) else { return Vec::new() };
        let taken = point.steps[point.at];
        let done = point.asleep.iter().chain(&point.steps[..point.at]);
        done.filter(|step| step.touches.is_independent_of(&taken.touches)).copied().collect()
    }
}

/// The next step of each call that can go on.
fn possible(running: &[Running<'_>]) -> Vec<Step> {
    let is_next_of_its_kind = |(place, new): (usize, &Running<'_>)| {
        let alike = |other: &&Running<'_>| other.kind == new.kind && !other.has_begun;
        !running[..place].iter().any(|other| alike(&other))
    };
    let places = running.iter().enumerate().filter(|(_, running)| running.call.is_some());
    places
        .filter(
            |(place, running)| {
                if running.has_begun { running.woken.was() } else { is_next_of_its_kind((*place, running)) }
            },
        )
        .map(|(call, running)| Step { call, touches: running.next })
        .collect()
}

struct Running<'a> {
    call: Option<Call<'a>>,
    kind: usize,
    woken: Arc<Woken>,
    has_begun: bool,
    next: Touches,
}

impl<'a> Running<'a> {
    fn new(call: Call<'a>) -> Self {
        let (kind, next) = (call.kind, call.first);
        Self { call: Some(call), kind, woken: Arc::default(), has_begun: false, next }
    }

    fn step(&mut self) {
        let Some(call) = &mut self.call else { return };
        (self.woken, self.has_begun) = (Arc::default(), true);
        let waker = Waker::from(Arc::clone(&self.woken));
        // Left over from setting the scene, or from the call that went on before.
        let _ = take_next();
        match call.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => self.call = None,
            Poll::Pending => {
                self.next = match take_next() {
                    Some(Next::Effect(touches)) => touches,
                    Some(Next::Arrival(answer)) => (call.arrival)(answer),
                    None => call.usually,
                };
            }
        }
    }
}
