//! What an edit widens and narrows, in words.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{FieldChange, ResourceId, Scope, ScopeChange, time};

/// What an [`Edit`](crate::Edit) would widen and narrow of a key.
///
/// One line for each in print; empty when the edit changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    widens: Vec<String>,
    narrows: Vec<String>,
    rewords: Vec<String>,
}

impl Preview {
    pub(super) fn of(changes: &[FieldChange]) -> Self {
        let mut preview = Self::default();
        for change in changes {
            match change {
                FieldChange::Agents(scope) => preview.scope("agents", scope),
                FieldChange::Prompts(scope) => preview.scope("prompts", scope),
                FieldChange::ExpiresAt { before, after } => preview.expiry(*before, *after),
                other => preview.rewords.push(other.to_string()),
            }
        }
        preview
    }

    /// What the key could do afterwards that it cannot do now.
    #[must_use]
    pub fn widens(&self) -> &[String] {
        &self.widens
    }

    /// What the key could no longer do.
    #[must_use]
    pub fn narrows(&self) -> &[String] {
        &self.narrows
    }

    /// What changes in its name and description.
    #[must_use]
    pub fn rewords(&self) -> &[String] {
        &self.rewords
    }

    /// Whether nothing changes at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.widens.is_empty() && self.narrows.is_empty() && self.rewords.is_empty()
    }

    fn scope<T: ResourceId>(&mut self, noun: &str, change: &ScopeChange<T>) {
        match change {
            ScopeChange::Ids { added, removed } => {
                if !added.is_empty() {
                    self.widens.push(format!("{noun} by {added}"));
                }
                if !removed.is_empty() {
                    self.narrows.push(format!("{noun} by {removed}"));
                }
            }
            ScopeChange::Whole { before, after } => {
                let line = format!("{noun} from {before} to {after}");
                if matches!(after, Scope::All) { self.widens.push(line) } else { self.narrows.push(line) }
            }
        }
    }

    fn expiry(&mut self, before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) {
        let line = format!("expiry from {} to {}", time::for_people(before), time::for_people(after));
        let later = match (before, after) {
            (Some(before), Some(after)) => after > before,
            (_, after) => after.is_none(),
        };
        if later { self.widens.push(line) } else { self.narrows.push(line) }
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [("widens", &self.widens), ("narrows", &self.narrows), ("rewords", &self.rewords)];
        let lines = lines.into_iter().flat_map(|(verb, lines)| lines.iter().map(move |line| (verb, line)));
        for (i, (verb, line)) in lines.enumerate() {
            write!(f, "{}{verb} {line}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}
