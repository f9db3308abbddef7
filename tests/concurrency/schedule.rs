//! Polling several futures in an order that the test chooses.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Polls the futures until all have ended; `choose` picks among those that have not.
///
/// They are made here, so that one that was not chosen yet has not begun.
pub(crate) fn run<'a, T>(futures: Vec<Boxed<'a, T>>, mut choose: impl FnMut(usize) -> usize) -> Vec<T> {
    let mut context = Context::from_waker(Waker::noop());
    let mut running: Vec<(usize, Boxed<'a, T>)> = futures.into_iter().enumerate().collect();
    let mut ended = Vec::new();
    for _ in 0..10_000 {
        if running.is_empty() {
            ended.sort_by_key(|(place, _)| *place);
            return ended.into_iter().map(|(_, output)| output).collect();
        }
        let chosen = if running.len() == 1 { 0 } else { choose(running.len()) };
        if let std::task::Poll::Ready(output) = running[chosen].1.as_mut().poll(&mut context) {
            ended.push((running.remove(chosen).0, output));
        }
    }
    panic!("some call does not end");
}

/// Every sequence of choices, one after the other.
#[derive(Default)]
pub(crate) struct Choices {
    /// What was chosen, and out of how many.
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    pub(crate) fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (chosen, known) = self.taken[self.at];
        assert_eq!(known, of, "the same choices must lead to the same place");
        self.at += 1;
        chosen
    }

    /// Goes on to the next sequence; `false` after the last.
    pub(crate) fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((chosen, of)) = self.taken.pop() {
            if chosen + 1 < of {
                self.taken.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}
