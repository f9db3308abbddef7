//! Explores states breadth first, so that the first way found to a broken promise is a shortest one.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Instant;

/// What fits in the memory of a small machine. A configuration must be smaller.
const STATES_MAX: usize = 40_000_000;

/// What can be explored.
pub(crate) trait System {
    type State: Clone;
    type Step: Copy;

    fn initial(&self) -> Self::State;
    /// Adds every next step, what comes of it, and which promise it breaks.
    fn next(&self, state: &Self::State, found: &mut Vec<Next<Self>>);
    fn fingerprint(&self, state: &Self::State) -> u64;
    /// The step in words.
    fn words(&self, before: &Self::State, step: Self::Step, after: &Self::State) -> String;
    fn witnessed(&self) -> u32;
}

pub(crate) struct Next<S: System + ?Sized> {
    pub(crate) step: S::Step,
    pub(crate) state: S::State,
    pub(crate) broken: Option<String>,
}

/// What came of an exploration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// How many different states were seen.
    pub states: usize,
    /// How many steps the last of them is away from the first.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// Whether every state was seen, or a broken promise.
    pub complete: bool,
    /// The promise that was broken first, and a shortest way there.
    pub broken: Option<(String, Vec<String>)>,
    witnessed: u32,
}

impl Outcome {
    /// Whether this was seen to happen.
    #[must_use]
    pub const fn witnessed(&self, witness: crate::Witness) -> bool {
        self.witnessed & witness.bit() != 0
    }
}

/// Where a state came from: the place of the one before it, and which of the next steps of that one it was.
type Parent = (u32, u16);

pub(crate) fn explore<S: System>(system: &S) -> Outcome {
    let begun = Instant::now();
    let first = system.initial();
    let mut seen: HashSet<u64, BuildHasherDefault<Itself>> = HashSet::default();
    seen.insert(system.fingerprint(&first));
    let mut parents: Vec<Parent> = vec![(0, 0)];
    let mut level = vec![(first, 0_u32)];
    let mut found = Vec::new();
    let mut depth = 0;
    let outcome = |states: usize, depth, broken| {
        let seconds = begun.elapsed().as_secs_f64();
        let complete = states < STATES_MAX;
        Outcome { states, depth, seconds, complete, broken, witnessed: system.witnessed() }
    };
    while !level.is_empty() && parents.len() < STATES_MAX {
        let mut deeper = Vec::new();
        for (state, place) in level {
            system.next(&state, &mut found);
            for (number, next) in found.drain(..).enumerate() {
                let number = u16::try_from(number).expect("few next steps");
                if let Some(promise) = next.broken {
                    let trace = trace(system, &parents, (place, number));
                    return outcome(parents.len(), depth + 1, Some((promise, trace)));
                }
                if seen.insert(system.fingerprint(&next.state)) {
                    let new = u32::try_from(parents.len()).expect("fewer states than fit");
                    parents.push((place, number));
                    deeper.push((next.state, new));
                }
            }
        }
        depth += usize::from(!deeper.is_empty());
        level = deeper;
    }
    outcome(parents.len(), depth, None)
}

/// The way to the last step, in words.
fn trace<S: System>(system: &S, parents: &[Parent], last: Parent) -> Vec<String> {
    let mut steps = vec![last.1];
    let mut place = last.0;
    while place != 0 {
        let (before, number) = parents[place as usize];
        steps.push(number);
        place = before;
    }
    let mut state = system.initial();
    let mut found = Vec::new();
    let mut lines = Vec::new();
    for number in steps.into_iter().rev() {
        found.clear();
        system.next(&state, &mut found);
        let next = found.swap_remove(number.into());
        lines.push(system.words(&state, next.step, &next.state));
        state = next.state;
    }
    lines
}

/// Fingerprints are as good as hashed.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("fingerprints are numbers");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
