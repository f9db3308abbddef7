//! Asking: one rule, or all.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::rules::ask;
use super::ruling::{Ruling, Stop};
use super::timer::within;
use super::{Failure, Fixture, Report, Rule, Verdict};

/// How long a rule may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks every rule of a store, in their order, and prints how it gets on to the standard error stream.
///
/// It needs no runtime: a store finds whatever runtime it needs around the call. It stores keys in new projects
/// under new ids and deletes nothing, so the data may be alive. Each rule has a minute.
///
/// # Cancel safety
/// What was asked was asked. A rule in the middle of its calls leaves its threads to end by themselves.
///
/// ```
/// use access_keys::store::{MemoryStore, conformance};
///
/// # pollster::block_on(async {
/// let report = conformance::run(|| async { MemoryStore::new() }).await;
/// assert!(report.failures().is_empty(), "{report}");
/// # });
/// ```
pub async fn run(fixture: impl Fixture) -> Report {
    let mut report = Report::default();
    for rule in Rule::all() {
        let started = Instant::now();
        eprint!("rule {rule} … ");
        let verdict = rule.check(&fixture).await;
        let said = match &verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::NotAsked { because } => format!("not asked: {because}"),
            Verdict::Failed(_) => "FAILED".to_owned(),
        };
        eprintln!("{said} ({} ms)", started.elapsed().as_millis());
        report.add(rule, verdict);
    }
    report
}

impl Rule {
    /// Asks this rule alone. It has a minute.
    ///
    /// ```
    /// use access_keys::store::MemoryStore;
    /// use access_keys::store::conformance::{Rule, Verdict};
    ///
    /// # pollster::block_on(async {
    /// let rule = Rule::named("revoked_is_final").expect("a rule of that name");
    /// assert_eq!(rule.check(&|| async { MemoryStore::new() }).await, Verdict::Passed);
    /// # });
    /// ```
    pub async fn check(self, fixture: &impl Fixture) -> Verdict {
        self.check_within(LIMIT, fixture).await
    }

    /// Asks this rule alone, within a time limit: a call that does not end breaks the contract too.
    ///
    /// A call that blocks its thread cannot be ended from outside. The rule that was announced last is then the one
    /// to look at.
    pub async fn check_within(self, limit: Duration, fixture: &impl Fixture) -> Verdict {
        let ended = within(limit, unpanicking(ask(self, fixture))).await;
        match ended.unwrap_or_else(|| Err(overdue(limit))) {
            Ok(()) => Verdict::Passed,
            Err(Stop::NotAsked(because)) => Verdict::NotAsked { because },
            Err(Stop::Broken { done, expected, came }) => {
                Verdict::Failed(Failure { rule: self, done, expected, came })
            }
        }
    }
}

fn overdue(limit: Duration) -> Stop {
    let came = format!("it was still waiting after {limit:?}");
    Stop::broken("the calls of this rule", "every call ends within a time limit of the store's own", came)
}

/// A panic of the store is a failure of the rule that met it.
async fn unpanicking(asked: impl Future<Output = Ruling>) -> Ruling {
    let mut asked = pin!(asked);
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| asked.as_mut().poll(context)));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(&*panic))))
    })
    .await
}

fn panicked(panic: &(dyn Any + Send)) -> Stop {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    let came = format!("a panic: {}", text.unwrap_or("without words"));
    Stop::broken("the calls of this rule", "no call panics", came)
}
