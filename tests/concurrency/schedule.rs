//! Polling several futures in an order that the test chooses.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::support::Woken;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Polls the futures until all have ended; `choose` picks among those that were woken.
///
/// They are made here, so that one that was not chosen yet has not begun.
pub(crate) fn run<'a, T>(futures: Vec<Boxed<'a, T>>, mut choose: impl FnMut(usize) -> usize) -> Vec<T> {
    let begun = |future| (future, Arc::new(Woken::default()), true);
    let mut running: Vec<_> = futures.into_iter().map(begun).enumerate().collect();
    let mut ended = Vec::new();
    while !running.is_empty() {
        let ready: Vec<usize> = (0..running.len())
            .filter(|place| {
                let (_, (_, woken, is_new)) = &running[*place];
                *is_new || woken.was()
            })
            .collect();
        assert!(!ready.is_empty(), "some call waits for nothing");
        let chosen = ready[if ready.len() == 1 { 0 } else { choose(ready.len()) }];
        let (_, (future, woken, is_new)) = &mut running[chosen];
        (*woken, *is_new) = (Arc::new(Woken::default()), false);
        let waker = Waker::from(Arc::clone(woken));
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            ended.push((running.remove(chosen).0, output));
        }
    }
    ended.sort_by_key(|(place, _)| *place);
    ended.into_iter().map(|(_, output)| output).collect()
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
