//! Two nodes and a store, step by step.
//!
//! Each node is the core of the library with what surrounds it: what readers see without a lock, verifications,
//! reads and refreshes under way, and one management call at most. Nothing takes any time but the step that lets
//! time pass, so that everything under way may be delayed across anything else.
//!
//! Three things are left out since they can break nothing that is not broken without them. A verification that has
//! to look up again is forgotten: one that begins then owes more and can do the same. For the same reason it
//! begins with its first look at the cache, and is forgotten once its deadline has passed. And a call is
//! acknowledged as soon as it has dropped its key: later, its cut-off would come later.

mod board;
mod manage;
mod node;
mod oracle;
mod refresh;
mod steps;
mod store;
mod time;
mod verify;
mod words;

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use access_keys::clock::Moment;
use access_keys::domain::KeyId;

use super::freshness;
use crate::fingerprint::{BOOT, Fingerprint, STORE, WALL};
use crate::search::{self, Next, System};
use crate::{Configuration, Outcome, Witness, Wrong};
use node::Node;
use oracle::CutOff;
use steps::Step;
use store::Store;

pub(crate) fn explore(configuration: &Configuration) -> Outcome {
    search::explore(&Model::new(configuration))
}

/// What does not change while states are explored, and what was seen to happen.
struct Model<'a> {
    configuration: &'a Configuration,
    ids: [KeyId; 2],
    witnessed: Cell<u32>,
}

/// One state of everything.
#[derive(Clone)]
struct World {
    nodes: [Rc<Node>; 2],
    store: Rc<Store>,
    /// What the deadline clock of each node reads, in nanoseconds.
    boot: [u64; 2],
    /// How far the wall clock of each node is ahead of its deadline clock, in microseconds.
    wall: [i64; 2],
    /// What the store's clock reads, in microseconds.
    store_time: i64,
    /// How much time has passed, in milliseconds. Nothing depends on it.
    passed: u64,
    cut_offs: Vec<CutOff>,
    left: Left,
}

/// How often each thing may still happen.
#[derive(Clone, Copy, Hash)]
struct Left {
    calls: u8,
    no_ops: u8,
    strays: u8,
    cancelled: u8,
    restores: u8,
    restarts: u8,
    jumps: u8,
    stops: u8,
    outages: u8,
    limit_changes: u8,
}

impl<'a> Model<'a> {
    fn new(configuration: &'a Configuration) -> Self {
        let id = |text: &str| KeyId::new(text).expect("16 letters");
        let ids = [id("KeyNumberOne0000"), id("KeyNumberTwo0000")];
        Self { configuration, ids, witnessed: Cell::new(0) }
    }

    fn witness(&self, witness: Witness) {
        self.witnessed.set(self.witnessed.get() | witness.bit());
    }

    /// What is longer ago than the longest limit has no effect by how long ago it is, nor has what is longer ago
    /// than it takes at limit zero until the feed is asked again.
    fn hasher(&self) -> Fingerprint {
        Fingerprint::new(self.longest_limit().max(2_000_000_000))
    }

    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.configuration.wrong == Some(wrong)
    }

    /// The longest limit that anything may go by, in nanoseconds.
    fn longest_limit(&self) -> u64 {
        let configuration = self.configuration;
        let own = configuration.nodes.iter().filter_map(|node| node.own);
        let limits = configuration.limits.iter().copied().chain([configuration.limit]);
        let without_feed = (!configuration.feed).then_some(5_000);
        limits.chain(own).chain(without_feed).max().unwrap_or_default() * 1_000_000
    }
}

impl World {
    fn moment(&self, node: usize) -> Moment {
        let boot = self.boot[node];
        let wall = (boot / 1_000).cast_signed() + WALL + self.wall[node];
        let wall = chrono::DateTime::from_timestamp_micros(wall).expect("a year that there is");
        Moment::new(std::time::Duration::from_nanos(boot), wall)
    }

    fn node(&mut self, node: usize) -> &mut Node {
        Rc::make_mut(&mut self.nodes[node])
    }

    fn store(&mut self) -> &mut Store {
        Rc::make_mut(&mut self.store)
    }
}

impl System for Model<'_> {
    type State = World;
    type Step = Step;

    fn initial(&self) -> World {
        let given = self.configuration;
        let mut world = World {
            nodes: [Rc::default(), Rc::default()],
            store: Rc::new(Store::new(given)),
            boot: [BOOT; 2],
            wall: [0; 2],
            store_time: STORE,
            passed: 0,
            cut_offs: Vec::new(),
            left: Left {
                calls: given.calls,
                no_ops: given.no_ops,
                strays: given.strays,
                cancelled: given.cancelled,
                restores: given.restores,
                restarts: given.restarts,
                jumps: given.jumps,
                stops: given.stops,
                outages: given.outages,
                limit_changes: given.limit_changes,
            },
        };
        (0..2).for_each(|node| world.start(self, node));
        world
    }

    fn next(&self, world: &World, found: &mut Vec<Next<Self>>) {
        world.steps(self, &mut |step| {
            let mut state = world.clone();
            let broken = state.take(self, step).err();
            state.settle(self);
            found.push(Next { step, state, broken });
        });
    }

    fn fingerprint(&self, world: &World) -> u64 {
        let mut hasher = self.hasher();
        for (node, boot) in world.nodes.iter().zip(world.boot) {
            hasher.measured_by(boot, world.store_time);
            node.hash(&mut hasher);
        }
        world.store.hash(&mut hasher);
        for cut_off in &world.cut_offs {
            hasher.measured_by(world.boot[usize::from(cut_off.by)], world.store_time);
            cut_off.hash(&mut hasher);
        }
        world.left.hash(&mut hasher);
        hasher.finish()
    }

    fn words(&self, before: &World, step: Step, after: &World) -> String {
        words::words(self, before, step, after)
    }

    fn witnessed(&self) -> u32 {
        self.witnessed.get()
    }
}
