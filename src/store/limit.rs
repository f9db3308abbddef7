//! The limit that lives with the data.

use std::time::Duration;

use crate::domain::{Field, Invalid, Rule};

/// The limit of a store whose limit nobody changed.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
const LEAST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(60);

/// The rule for a limit: zero, or one that a clock and a network can keep.
pub(super) fn check_limit(limit: Duration) -> Result<(), Invalid> {
    if limit.is_zero() || (LEAST..=MOST).contains(&limit) {
        return Ok(());
    }
    let rule = if limit > MOST {
        Rule::Span { max: MOST, given: limit }
    } else {
        Rule::Inconsistent { problem: "must be zero, or 100 milliseconds to 60 seconds" }
    };
    Err(Invalid::new(Field::MaxStaleness, rule))
}
