//! What came of asking.

use std::fmt;

use super::Rule;

/// What came of asking one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The store obeyed.
    Passed,
    /// The rule could not be asked, and nothing is known.
    #[non_exhaustive]
    NotAsked {
        /// What the fixture or the store lacks for it.
        because: String,
    },
    /// The store broke the rule.
    Failed(Failure),
}

/// How a store broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The rule.
    pub rule: Rule,
    /// What was done.
    pub done: String,
    /// What the rule promises then.
    pub expected: String,
    /// What came instead.
    pub came: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, done, expected, came } = self;
        write!(f, "rule {rule} is broken\n  done      {done}\n  expected  {expected}\n  came      {came}")
    }
}

/// What came of asking every rule, in their order.
///
/// It displays as one line a rule that was not asked, and four lines a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    verdicts: Vec<(Rule, Verdict)>,
    failures: Vec<Failure>,
}

impl Report {
    pub(super) fn add(&mut self, rule: Rule, verdict: Verdict) {
        if let Verdict::Failed(failure) = &verdict {
            self.failures.push(failure.clone());
        }
        self.verdicts.push((rule, verdict));
    }

    /// Every rule with what came of it.
    #[must_use]
    pub fn verdicts(&self) -> &[(Rule, Verdict)] {
        &self.verdicts
    }

    /// How the store broke the rules that it broke.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The rules that were asked and obeyed.
    pub fn passed(&self) -> impl Iterator<Item = Rule> {
        self.verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Passed).map(|(rule, _)| *rule)
    }

    /// The rules that could not be asked, each with what was missing for it.
    pub fn not_asked(&self) -> impl Iterator<Item = (Rule, &str)> {
        self.verdicts.iter().filter_map(|(rule, verdict)| match verdict {
            Verdict::NotAsked { because } => Some((*rule, because.as_str())),
            _ => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, not_asked) = (self.failures.len(), self.not_asked().count());
        write!(
            f,
            "{} rules: {} passed, {failed} failed, {not_asked} not asked",
            self.verdicts.len(),
            self.passed().count()
        )?;
        for failure in &self.failures {
            write!(f, "\n\n{failure}")?;
        }
        for (i, (rule, because)) in self.not_asked().enumerate() {
            write!(f, "{}rule {rule} was not asked: {because}", if i == 0 { "\n\n" } else { "\n" })?;
        }
        Ok(())
    }
}
