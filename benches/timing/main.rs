//! What the time of a refusal tells, as a leakage test in the manner of dudect (Reparaz, Balasch and
//! Verbauwhede, 2017).
//!
//! `cargo bench --bench timing` times refusals of a wrong secret of an active key and of another class in random
//! order, each time over keys of their own, once from the cache and once over a store whose reads take equal work. It
//! prints t of each comparison: below 4.5 no difference is found, however many samples are taken, and beside it the
//! difference of the means. Two comparisons test the test: one token with itself must show nothing, and a comparison
//! in front of the verification that ends at the first difference must be found. The number of samples a class is the
//! argument after `--`, 1,000,000 unless given; what follows it picks the figures whose names contain it.

mod chance;
mod issuer;
mod pair;
mod store;
mod times;

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chance::Chance;
use issuer::{CLASSES, Class};
use pair::{Pair, Path};
use times::{Sampler, Times};

type Failure = Box<dyn std::error::Error>;

const SAMPLES: usize = 1_000_000;
/// So few samples of each pair, both classes together, that where its keys lie counts for little.
const PER_PAIR: usize = 64;
const TOKEN: usize = 60;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let samples = arguments.next().map_or(Ok(SAMPLES), |samples| samples.parse())?;
    let picked = arguments.next().unwrap_or_default();
    let mut bench = Bench { samples, chance: Chance::new(), sampler: Sampler::new(PER_PAIR, TOKEN) };
    let mut comparisons = Vec::new();
    for (path, prefix) in [(Path::Warm, "timing_warm"), (Path::Cold, "timing_cold")] {
        let classes = CLASSES.iter().filter(|(_, class)| class.is_alike(path));
        comparisons.extend(classes.map(|(name, class)| (format!("{prefix}_{name}"), *class, path)));
    }
    for (name, class, path) in comparisons.iter().filter(|(name, ..)| name.contains(&picked)) {
        let times = bench.compare(*class, *path, |pair, token| pair.refuse(token))?;
        let (t, [first, more]) = (times.leak(), times.means());
        println!("figure {name} {t:.2} abs_t goal <= 4.5 {}", if t <= 4.5 { "met" } else { "missed" });
        println!("  {more:+.2} ns to {first:.0} ns");
    }
    let t = bench.control()?.leak();
    // As much as must be found with a million samples: it grows with their square root.
    let goal = 100.0 * (samples as f64 / SAMPLES as f64).sqrt().min(1.0);
    println!(
        "figure timing_control {t:.2} abs_t goal >= {goal:.0} {}",
        if t >= goal { "met" } else { "missed" }
    );
    Ok(())
}

struct Bench {
    samples: usize,
    chance: Chance,
    sampler: Sampler,
}

impl Bench {
    /// The times of a wrong secret of an active key and of a class.
    fn compare(&mut self, class: Class, path: Path, refuse: impl Fn(&Pair, &str)) -> Result<Times, Failure> {
        let Self { samples, chance, sampler } = self;
        let mut times = Times::default();
        while times.len() < 2 * *samples {
            let pair = Pair::new(class, path, chance)?;
            pair.warm(chance);
            // Two keys that push each other out of what a thread puts aside are no pair.
            let again = || pair.tokens.iter().for_each(|token| pair.refuse(token));
            if path == Path::Warm && allocation_counter::measure(again).count_total > 0 {
                continue;
            }
            let before = pair.refused();
            let taken = sampler
                .sample(pair.tokens.each_ref().map(String::as_str), chance, |token| refuse(&pair, token));
            let after = pair.refused();
            // Else a lease ended meanwhile: the machine stood still.
            if after[0] - before[0] == taken.len() as u64 {
                times.add(taken);
            }
        }
        Ok(times)
    }

    /// A verification as one might write it: whose secret is compared first, up to the first difference.
    fn control(&mut self) -> Result<Times, Failure> {
        self.compare(Class::LastByte, Path::Warm, |pair, token| {
            let expected = pair.tokens[1].as_bytes();
            let same = expected.iter().zip(token.as_bytes()).take_while(|(a, b)| black_box(a == b)).count();
            black_box(same);
            pair.refuse(token);
        })
    }
}

/// The result of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a store in memory does not wait"),
    }
}
