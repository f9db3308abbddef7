//! Keys and tokens that are known before a run begins.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, Actor, AgentId, Clock, Draft, EnvironmentId, FakeClock, KeyId, KeyInfo, OperationId,
    ProjectId, PromptId, Review, Scope,
};
use pollster::block_on;

use crate::random::SplitMix;

/// The most keys of one run.
const KEYS: usize = 40;
const UNKNOWN: usize = 40;

pub(crate) struct Planned {
    /// The operation, the id that follows from it, and a token of that id whose secret is another.
    pub(crate) keys: Vec<(OperationId, KeyId, String)>,
    pub(crate) places: BTreeMap<KeyId, usize>,
    /// Well-formed tokens of keys that nobody has.
    pub(crate) unknown: Vec<String>,
}

/// The same for every run of the process.
pub(crate) fn planned() -> &'static Planned {
    static PLANNED: OnceLock<Planned> = OnceLock::new();
    PLANNED.get_or_init(|| {
        let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme");
        let keys = builder.clock(FakeClock::default()).random(SplitMix(7)).build().unwrap();
        let project = keys.project(checkout(), ada());
        let planned: Vec<_> = (0..KEYS)
            .map(|number| {
                let operation = OperationId::new(format!("key-{number}")).unwrap();
                let issued = block_on(project.operation(operation.clone()).generate(review(number))).unwrap();
                (operation, issued.key.id, issued.token.expose().to_owned())
            })
            .collect();
        let places = planned.iter().enumerate().map(|(place, (_, id, _))| (*id, place)).collect();
        let unknown = (0..UNKNOWN)
            .map(|_| block_on(project.generate(review(0))).unwrap().token.expose().to_owned())
            .collect();
        Planned { keys: planned, places, unknown }
    })
}

pub(crate) fn checkout() -> ProjectId {
    ProjectId::new("checkout").unwrap()
}

pub(crate) fn ada() -> Actor {
    Actor::user("ada").unwrap()
}

pub(crate) fn production() -> EnvironmentId {
    EnvironmentId::new("production").unwrap()
}

/// Agents `a` to `d` as the bits say; all of them, and those to come, for 16.
pub(crate) fn agents(bits: u64) -> Scope<AgentId> {
    if bits >= 16 {
        return Scope::All;
    }
    let names = ["a", "b", "c", "d"].into_iter().enumerate();
    Scope::parse(names.filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, name)| name)).unwrap()
}

pub(crate) fn review(number: usize) -> Review {
    Draft::at(FakeClock::default().wall())
        .info(KeyInfo::new(format!("key {number}"), production()).unwrap())
        .agents(Scope::All)
        .prompts(Scope::<PromptId>::All)
        .unwrap()
}
