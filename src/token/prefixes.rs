//! Which environment has which prefix.

use super::Prefix;
use crate::domain::{EnvironmentId, Field, Invalid, Rule};

/// The prefix of each environment that has its own, and the one of all others.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    pub(crate) fallback: Option<Prefix>,
    /// In the order of the environments: there are few, and comparing their names costs less than hashing one.
    own: Vec<(EnvironmentId, Prefix)>,
}

impl Prefixes {
    /// Gives an environment a prefix of its own.
    pub(crate) fn set(&mut self, environment: EnvironmentId, prefix: Prefix) {
        match self.place(&environment) {
            Ok(place) => drop(self.own.get_mut(place).map(|own| own.1 = prefix)),
            Err(place) => self.own.insert(place, (environment, prefix)),
        }
    }

    #[inline]
    pub(crate) fn of(&self, environment: &EnvironmentId) -> Option<&Prefix> {
        let own = self.place(environment).ok().and_then(|place| self.own.get(place));
        own.map(|(_, prefix)| prefix).or(self.fallback.as_ref())
    }

    /// The same, for who needs one.
    pub(crate) fn require(&self, environment: &EnvironmentId) -> Result<&Prefix, Invalid> {
        self.of(environment).ok_or_else(|| Invalid::new(Field::Environment, Rule::NoPrefix))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Prefix> {
        self.fallback.iter().chain(self.own.iter().map(|(_, prefix)| prefix))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fallback.is_none() && self.own.is_empty()
    }

    fn place(&self, environment: &EnvironmentId) -> Result<usize, usize> {
        self.own.binary_search_by(|(own, _)| own.cmp(environment))
    }
}
