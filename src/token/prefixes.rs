//! Which environment has which prefix.

use std::collections::HashMap;

use super::Prefix;
use crate::domain::{EnvironmentId, Field, Invalid, Rule};

/// The prefix of each environment that has its own, and the one of all others.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    pub(crate) fallback: Option<Prefix>,
    pub(crate) own: HashMap<EnvironmentId, Prefix>,
}

impl Prefixes {
    pub(crate) fn of(&self, environment: &EnvironmentId) -> Result<&Prefix, Invalid> {
        let prefix = self.own.get(environment).or(self.fallback.as_ref());
        prefix.ok_or_else(|| Invalid::new(Field::Environment, Rule::NoPrefix))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fallback.is_none() && self.own.is_empty()
    }
}
