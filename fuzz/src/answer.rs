//! What a target is, and what comes of one input.

use std::fmt;

use crate::Mistake;

/// One thing that is given whatever there is.
#[derive(Clone, Copy)]
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Compares the library with the reference for one input.
    pub check: fn(&[u8]) -> Checked,
    /// Inputs that are accepted, or nearly.
    pub samples: fn() -> Vec<Vec<u8>>,
    /// What its inputs are made of.
    pub words: &'static [&'static str],
    /// Whether an input is JSON, to be changed as such.
    pub is_json: bool,
    /// What may be planted.
    pub mistakes: &'static [Mistake],
}

impl Target {
    /// Panics at a difference, as libFuzzer wants it.
    ///
    /// # Panics
    /// When the library and the reference differ.
    pub fn insist(&self, data: &[u8]) {
        if let Err(difference) = (self.check)(data) {
            panic!("{}: {difference}", self.name);
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What both say of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is good.
    Accepted,
    /// It is not.
    Refused,
}

/// What came of one input.
pub type Checked = Result<Outcome, Difference>;

/// The library does not answer as the reference does.
#[derive(Clone, Debug)]
pub struct Difference(String);

impl Difference {
    /// The same, and where.
    pub(crate) fn within(self, place: &str) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Both must be the same.
pub(crate) fn same<T: PartialEq + fmt::Debug>(
    what: &str,
    library: &T,
    reference: &T,
) -> Result<(), Difference> {
    if library == reference {
        return Ok(());
    }
    Err(Difference(format!("{what}: the library says {library:?}, the reference {reference:?}")))
}

/// A text that samples and words plant in what is given, for no answer to repeat.
pub(crate) const CANARY: &str = "c4nary";

/// What is told of what was given must not repeat it.
pub(crate) fn quiet(told: impl fmt::Display + fmt::Debug) -> Result<(), Difference> {
    let (shown, debugged) = (told.to_string(), format!("{told:?}"));
    if shown.contains(CANARY) || debugged.contains(CANARY) {
        return Err(Difference(format!("repeats what was given: {shown} {debugged}")));
    }
    Ok(())
}

pub(crate) fn outcome(accepted: bool) -> Outcome {
    if accepted { Outcome::Accepted } else { Outcome::Refused }
}
