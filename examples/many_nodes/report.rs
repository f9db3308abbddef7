//! What came out, in numbers and as bars of text.

use std::time::Duration;

/// The bounds of the bars, in milliseconds.
pub(crate) const BOUNDS: [f64; 9] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, f64::INFINITY];

/// How many milliseconds after the acknowledgement each node began the last verification that accepted.
pub(crate) struct Report {
    of_nodes: Vec<Vec<f64>>,
    /// Of all nodes, in ascending order.
    pub(crate) all: Vec<f64>,
    pub(crate) announced: Duration,
}

impl Report {
    pub(crate) fn new(mut of_nodes: Vec<Vec<f64>>, announced: Duration) -> Self {
        let mut all = of_nodes.concat();
        all.sort_by(f64::total_cmp);
        of_nodes.iter_mut().for_each(|took| took.sort_by(f64::total_cmp));
        Self { of_nodes, all, announced }
    }

    pub(crate) fn print(&self) {
        println!("node      median ms   99th percentile   worst   announced");
        for (number, took) in self.of_nodes.iter().enumerate() {
            let ([median, p99, worst], announced) = (marks(took), milliseconds(self.announced));
            println!("{:<9} {median:>9.2} {p99:>17.2} {worst:>7.2} {announced:>11.0}", number + 1);
        }
        println!("\nFrom the acknowledgement of a revocation to the last verification that accepted:");
        for (label, count) in self.bars() {
            let (bar, percent) = ("#".repeat(50 * count / self.all.len()), 100.0 * self.share(count));
            println!("{label:>12} ms {bar:<50} {percent:>5.1} %");
        }
    }

    /// How many of all lie below each bound, and not below the one before.
    pub(crate) fn bars(&self) -> Vec<(String, usize)> {
        let mut from = 0.0;
        let bars = BOUNDS.iter().map(|&to| {
            let label = match (from, to) {
                (0.0, to) => format!("under {to}"),
                (from, f64::INFINITY) => format!("over {from}"),
                (from, to) => format!("{from} to {to}"),
            };
            let count = self.all.iter().filter(|took| (from..to).contains(took)).count();
            from = to;
            (label, count)
        });
        bars.collect()
    }

    pub(crate) fn share(&self, count: usize) -> f64 {
        count as f64 / self.all.len() as f64
    }
}

/// The median, the 99th percentile and the worst of what is sorted.
pub(crate) fn marks(sorted: &[f64]) -> [f64; 3] {
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    [at(50), at(99), at(100)]
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
