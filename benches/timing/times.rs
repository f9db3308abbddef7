//! The times of two classes, and whether they differ.

use std::hint::black_box;
use std::time::Instant;

use crate::chance::Chance;

/// Samples beyond these percentiles are cut off, one after the other: interrupts are no leak.
const CROPS: [usize; 4] = [50, 80, 95, 100];

/// How long one refusal took, and of which class it was.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    class: usize,
    nanoseconds: u32,
}

/// What was sampled, pair by pair.
#[derive(Default)]
pub(crate) struct Times(Vec<Vec<Sample>>);

impl Times {
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(crate) fn add(&mut self, pair: &[Sample]) {
        self.0.push(pair.to_vec());
    }

    /// The largest |t| between both classes, over all crops.
    pub(crate) fn leak(&self) -> f64 {
        self.crops().into_iter().map(|most| self.t(most).abs()).fold(0.0, f64::max)
    }

    /// The mean time of the first class and by how much that of the second is longer, in nanoseconds, without the
    /// slowest fifth.
    pub(crate) fn means(&self) -> [f64; 2] {
        let [_, most, ..] = self.crops();
        let [first, second] =
            [0, 1].map(|class| Mean::of(self.0.iter().flatten().filter_map(|s| s.kept(class, most))).mean);
        [first, second - first]
    }

    /// Student's t of the differences within the pairs.
    ///
    /// Not of single samples: those of a pair lie in the same places of memory, so that they are not independent, and
    /// the speed of the machine changes from pair to pair.
    fn t(&self, most: u32) -> f64 {
        let differences = Mean::of(self.0.iter().filter_map(|pair| {
            let [first, second] =
                [0, 1].map(|class| Mean::of(pair.iter().filter_map(|s| s.kept(class, most))));
            (first.n.min(second.n) > 0.0).then_some(second.mean - first.mean)
        }));
        differences.mean / (differences.squares / (differences.n - 1.0) / differences.n).sqrt()
    }

    fn crops(&self) -> [u32; 4] {
        let mut all: Vec<u32> = self.0.iter().flatten().map(|sample| sample.nanoseconds).collect();
        all.sort_unstable();
        CROPS.map(|percent| all[(all.len() - 1) * percent / 100])
    }
}

impl Sample {
    fn kept(&self, class: usize, most: u32) -> Option<f64> {
        (self.class == class && self.nanoseconds <= most).then(|| self.nanoseconds.into())
    }
}

/// A mean, and the sum of the squares of what differs from it: Welford's way.
#[derive(Default)]
struct Mean {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Mean {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        values.fold(Self::default(), |Self { n, mean, squares }, value| {
            let (n, off) = (n + 1.0, value - mean);
            let mean = mean + off / n;
            Self { n, mean, squares: squares + off * (value - mean) }
        })
    }
}

/// Takes samples, always in the same piece of memory.
pub(crate) struct Sampler {
    buffer: String,
    samples: Vec<Sample>,
}

impl Sampler {
    /// For `capacity` samples at a time of tokens of that length.
    pub(crate) fn new(capacity: usize, token: usize) -> Self {
        Self { buffer: String::with_capacity(token), samples: Vec::with_capacity(capacity) }
    }

    /// Times `work` with one token or the other, in random order.
    pub(crate) fn sample(
        &mut self,
        tokens: [&str; 2],
        chance: &mut Chance,
        work: impl Fn(&str),
    ) -> &[Sample] {
        self.samples.clear();
        // Both are presented in one and the same buffer, copied from places alike: an address is no leak. Nor is the
        // order of the places.
        let turned = usize::from(chance.flip());
        let places = [tokens[turned], tokens[1 - turned]].map(Place::of);
        while self.samples.len() < self.samples.capacity() {
            let class = chance.below(2);
            self.buffer.clear();
            self.buffer.push_str(black_box(places[class ^ turned].text()));
            // By then the copy is done.
            black_box(crc32fast::hash(self.buffer.as_bytes()));
            let start = Instant::now();
            work(&self.buffer);
            let nanoseconds = u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX);
            self.samples.push(Sample { class, nanoseconds });
        }
        &self.samples
    }
}

/// A text at the beginning of a cache line.
#[repr(align(64))]
struct Place([u8; 64], usize);

impl Place {
    fn of(text: &str) -> Self {
        let mut place = Self([0; 64], text.len());
        place.0[..text.len()].copy_from_slice(text.as_bytes());
        place
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0[..self.1]).expect("it was text")
    }
}
