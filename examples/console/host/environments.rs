//! The environments of this host. Each has a prefix of its own, so that a token tells where it belongs.

/// Where a key can be valid.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// What its tokens begin with.
    pub(crate) prefix: &'static str,
}

pub(crate) const ENVIRONMENTS: [Environment; 3] = [
    Environment {
        id: "production",
        name: "Production",
        about: "Real customers and real data",
        prefix: "acme_live",
    },
    Environment { id: "staging", name: "Staging", about: "Rehearsal of a release", prefix: "acme_stage" },
    Environment { id: "development", name: "Development", about: "Work in progress", prefix: "acme_dev" },
];

/// The environment with this id.
pub(crate) fn environment(id: &str) -> Option<&'static Environment> {
    ENVIRONMENTS.iter().find(|environment| environment.id == id)
}
