//! What a target is, and what comes of one input.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use crate::Mistake;

/// One thing that is given whatever there is.
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Compares the library with the reference for one input.
    pub check: fn(&[u8]) -> Checked,
    /// Inputs that are accepted, or nearly.
    pub samples: LazyLock<Vec<Vec<u8>>>,
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
    let repeats = listened(format_args!("{told}")) || listened(format_args!("{told:?}"));
    if repeats { Err(Difference(format!("repeats what was given: {told} {told:?}"))) } else { Ok(()) }
}

/// The same of what is printed for developers alone.
pub(crate) fn quiet_debug(told: impl fmt::Debug) -> Result<(), Difference> {
    let repeats = listened(format_args!("{told:?}"));
    if repeats { Err(Difference(format!("repeats what was given: {told:?}"))) } else { Ok(()) }
}

/// Whether the canary is among what is written.
fn listened(written: fmt::Arguments<'_>) -> bool {
    let mut listener = Listener { heard: 0 };
    listener.write_fmt(written).expect("it can be shown");
    listener.heard == CANARY.len()
}

/// Keeps nothing of what it is told, since nearly all of it is quiet.
struct Listener {
    /// How much of the canary was heard last.
    heard: usize,
}

impl Write for Listener {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let canary = CANARY.as_bytes();
        for byte in text.bytes() {
            // Its first letter does not come again in it.
            self.heard = match self.heard {
                heard if heard == canary.len() => heard,
                heard if byte == canary[heard] => heard + 1,
                _ => usize::from(byte == canary[0]),
            };
        }
        Ok(())
    }
}

pub(crate) fn outcome(accepted: bool) -> Outcome {
    if accepted { Outcome::Accepted } else { Outcome::Refused }
}
