//! A frozen set of agents, for [`dashmap_tuned`](crate::dashmap_tuned).

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// An agent that keeps its hash, so that a question needs none.
pub(crate) struct Agent {
    hash: u64,
    name: Box<str>,
}

impl Agent {
    pub(crate) fn new(name: &str) -> Self {
        Self { hash: FixedState::default().hash_one(name), name: name.into() }
    }
}

pub(crate) struct Agents(HashTable<Agent>);

impl Agents {
    pub(crate) fn new(names: &[String]) -> Self {
        let mut table = HashTable::with_capacity(names.len());
        for agent in names.iter().map(|name| Agent::new(name)) {
            table.insert_unique(agent.hash, agent, |agent| agent.hash);
        }
        Self(table)
    }

    #[inline]
    pub(crate) fn allows(&self, agent: &Agent) -> bool {
        self.0.find(agent.hash, |own| own.hash == agent.hash && own.name == agent.name).is_some()
    }
}
