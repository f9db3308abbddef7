//! How late the last accepts were.

use std::time::Duration;

use crate::figure;

pub(crate) struct Late {
    /// In milliseconds, in ascending order.
    took: Vec<f64>,
    revoked: usize,
    /// The shortest time after which a revocation was said to hold everywhere.
    pub(crate) announced: Duration,
}

impl Late {
    pub(crate) fn new(revoked: usize, took: &[Duration], announced: Duration) -> Self {
        let mut took: Vec<f64> = took.iter().map(|took| milliseconds(*took)).collect();
        took.sort_by(f64::total_cmp);
        Self { took, revoked, announced }
    }

    pub(crate) fn median(&self) -> f64 {
        figure::median(self.took.clone())
    }

    /// What so many in a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let place = self.took.len().saturating_sub(1) * percent / 100;
        self.took.get(place).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn print_head() {
        println!("{:<24} revoked  processes   median      p99    worst  announced", "");
    }

    pub(crate) fn print(&self, what: &str) {
        let processes = self.took.len() / self.revoked.max(1);
        let (median, p99, worst) = (self.median(), self.percentile(99), self.percentile(100));
        let announced = milliseconds(self.announced);
        println!(
            "{what:<24} {:>7} {processes:>10} {median:>8.2} {p99:>8.2} {worst:>8.2} {announced:>10.0}",
            self.revoked
        );
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
