//! What an edit widens and narrows, in words.

use std::fmt;

use super::{FieldChange, ResourceId, ScopeChange};

/// What an [`Edit`](crate::Edit) would widen and narrow of a key.
///
/// One line for each in print; empty when the edit changes nothing. A page that has words of its own, or names for the
/// ids, makes them of the [`changes`](Self::changes).
///
/// ```
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
/// use access_keys::Edit;
/// use access_keys::domain::{FieldChange, ScopeChange};
///
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?;
/// # let review = project.draft().info(info).agents(Scope::parse(["triage"])?).prompts(Scope::All)?;
/// # let key = project.generate(review).await?.key;
/// let preview = Edit::new().agents(Scope::parse(["support-bot"])?).preview(&key);
/// let [change] = preview.changes() else { panic!("one field changes") };
/// assert!(change.widens() && change.narrows());
/// if let FieldChange::Agents(ScopeChange::Ids { added, removed, .. }) = change {
///     println!("now also {added}, no longer {removed}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    changes: Vec<FieldChange>,
    widens: Vec<String>,
    narrows: Vec<String>,
    rewords: Vec<String>,
}

impl Preview {
    pub(super) fn of(changes: Vec<FieldChange>) -> Self {
        let mut preview = Self::default();
        for change in &changes {
            match change {
                FieldChange::Agents(scope) => preview.scope("agents", scope),
                FieldChange::Prompts(scope) => preview.scope("prompts", scope),
                change if change.widens() => preview.widens.push(change.to_string()),
                change if change.narrows() => preview.narrows.push(change.to_string()),
                change => preview.rewords.push(change.to_string()),
            }
        }
        Self { changes, ..preview }
    }

    /// What changes, field by field, as the history will tell it. Of each,
    /// [`FieldChange::widens`] and [`FieldChange::narrows`] say which it does.
    #[must_use]
    pub fn changes(&self) -> &[FieldChange] {
        &self.changes
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
            ScopeChange::Whole { .. } => {
                let lines = if change.widens() { &mut self.widens } else { &mut self.narrows };
                lines.push(format!("{noun} {change}"));
            }
        }
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
