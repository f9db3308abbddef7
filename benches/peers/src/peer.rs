//! What is measured of each peer.

use std::fmt;
use std::hint::black_box;

/// A way to check a presented key, with a good token at hand.
pub trait Peer: Send + Sync {
    /// Its name in what is printed.
    fn name(&self) -> &'static str;

    /// How many checks are worth timing at a time.
    fn per_round(&self) -> u32;

    /// In which rounds it takes part: every one, or every so many.
    fn every(&self) -> usize {
        1
    }

    /// Checks the good token, and asks for an agent in its scope, this many times.
    fn run(&self, times: u32);
}

impl fmt::Debug for dyn Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.name())
    }
}

/// What a peer's file brings.
pub(crate) trait Check: Send + Sync + 'static {
    const NAME: &'static str;
    const PER_ROUND: u32 = 2_000;
    const EVERY: usize = 1;
    /// Whether it knows which agents a key may call.
    const SCOPED: bool = true;
    /// An agent, in the form in which a host would keep it.
    type Agent: Send + Sync;

    fn accepts(&self, token: &str, agent: &Self::Agent) -> bool;
}

/// A check with what it is asked.
pub(crate) struct Case<C: Check> {
    pub(crate) check: C,
    pub(crate) good: String,
    /// In the scope of the good token.
    pub(crate) agent: C::Agent,
}

impl<C: Check> Case<C> {
    /// The peer, once it has shown that it accepts the good token for its agent alone, and none of `bad`.
    pub(crate) fn proved(self, foreign: &C::Agent, bad: &[String]) -> Box<dyn Peer> {
        let Self { check, good, agent } = &self;
        assert!(check.accepts(good, agent), "{} refuses the good token", C::NAME);
        assert_eq!(check.accepts(good, foreign), !C::SCOPED, "{} and the foreign agent", C::NAME);
        assert!(!bad.is_empty(), "{} must refuse something", C::NAME);
        for (i, bad) in bad.iter().enumerate() {
            assert!(!check.accepts(bad, agent), "{} accepts bad token {i}", C::NAME);
        }
        Box::new(self)
    }
}

impl<C: Check> Peer for Case<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn per_round(&self) -> u32 {
        C::PER_ROUND
    }

    fn every(&self) -> usize {
        C::EVERY
    }

    fn run(&self, times: u32) {
        for _ in 0..times {
            assert!(self.check.accepts(black_box(&self.good), black_box(&self.agent)));
        }
    }
}
