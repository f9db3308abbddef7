//! A node: its clocks, its process, and what is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use access_keys::store::ChangeCursor;
use access_keys::{AccessKeys, Clock};
use chrono::{DateTime, Utc};

use crate::setting::{NodeSetting, duration};
use crate::tasks::sleep;
use crate::trips::SimStore;
use crate::world::World;

/// Where the wall clocks begin: 2030-01-01 00:00 UTC, in microseconds since 1970.
const WALL: i64 = 1_893_456_000_000_000;
/// How long the machines have been up when a run begins, in nanoseconds.
const UP: u64 = 86_400_000_000_000;

pub(crate) struct Node {
    /// The process that runs there.
    pub(crate) keys: Option<AccessKeys<SimStore>>,
    /// How fast its clocks go, in millionths.
    pub(crate) rate: u64,
    /// How far its wall clock was set ahead, in microseconds.
    pub(crate) wall: i64,
    /// How long it was suspended, in all.
    pub(crate) suspended: u64,
    pub(crate) frozen_until: u64,
    /// It cannot reach the store.
    pub(crate) cut_until: u64,
    pub(crate) lossy_until: u64,
    /// No hint reaches it.
    pub(crate) deaf_until: u64,
    /// Something is wrong, so that a verification which began before may be unavailable.
    pub(crate) fault_until: u64,
    /// When it last had as many reads under way as it may.
    pub(crate) full_at: Option<u64>,
    pub(crate) reads: usize,
    /// The slowest question what has changed, until its answer was read by the clock, in nanoseconds.
    pub(crate) slowest: u64,
    /// When the last question what has changed was sent whose answer is known here, or when the process began.
    pub(crate) knows_of: u64,
    /// How many hints have come, and who waits for one.
    pub(crate) rung: u64,
    pub(crate) listeners: Vec<usize>,
    /// Where its next question should go on, as far as the last answer tells.
    pub(crate) cursor: Option<ChangeCursor>,
    /// How often all keys were named to it, and each key.
    pub(crate) named_all: u64,
    pub(crate) named: BTreeMap<usize, u64>,
    /// How often all was forgotten for another reason.
    pub(crate) resets: u64,
    /// The keys that it has seen revoked.
    pub(crate) revoked: Vec<usize>,
    /// The newest revision of each key that it has read, and until when, by its deadline clock, that is kept.
    pub(crate) seen: BTreeMap<usize, (u64, u64)>,
    starts: u64,
}

impl Node {
    pub(crate) fn new(setting: &NodeSetting) -> Self {
        Self {
            keys: None,
            rate: setting.rate,
            wall: setting.wall,
            suspended: 0,
            frozen_until: 0,
            cut_until: 0,
            lossy_until: 0,
            deaf_until: 0,
            fault_until: 0,
            full_at: None,
            reads: 0,
            slowest: 0,
            knows_of: 0,
            rung: 0,
            listeners: Vec::new(),
            cursor: None,
            named_all: 0,
            named: BTreeMap::new(),
            resets: 0,
            revoked: Vec::new(),
            seen: BTreeMap::new(),
            starts: 0,
        }
    }

    /// What its deadline clock reads at a true time.
    pub(crate) fn boot(&self, now: u64) -> u64 {
        UP + scaled(now, self.rate)
    }

    /// What its wall clock reads at a true time, as it is set now, in microseconds since 1970.
    pub(crate) fn wall(&self, now: u64) -> i64 {
        WALL + self.wall + (scaled(now, self.rate) / 1_000).cast_signed()
    }

    /// The last true time at which its deadline clock reads less than `boot`.
    pub(crate) fn last_before(&self, boot: u64) -> u64 {
        let since = u128::from(boot.saturating_sub(UP)) * 1_000_000 / u128::from(self.rate);
        let mut last = u64::try_from(since).unwrap() + 1;
        while last > 0 && self.boot(last) >= boot {
            last -= 1;
        }
        last
    }

    /// How often this key was named to it, alone or with all others.
    pub(crate) fn times_named(&self, key: usize) -> u64 {
        self.named_all + self.named.get(&key).copied().unwrap_or(0)
    }
}

/// What a clock of this rate, in millionths, adds in a true time.
pub(crate) fn scaled(time: u64, rate: u64) -> u64 {
    u64::try_from(u128::from(time) * u128::from(rate) / 1_000_000).unwrap()
}

/// The store's wall clock begins as the nodes' do.
pub(crate) fn store_wall(now: u64, rate: u64) -> i64 {
    WALL + (scaled(now, rate) / 1_000).cast_signed()
}

/// Begins the process of a node.
pub(crate) fn start(world: &Arc<World>, node: usize) {
    let (setting, random, follows) = {
        let mut state = world.lock();
        state.nodes[node].starts += 1;
        state.nodes[node].knows_of = state.now;
        let again = state.nodes[node].starts > 1;
        let setting = state.setting.nodes[node].clone();
        let follows = if again { state.chance.percent(50) } else { setting.follows };
        (setting, state.chance.fork(), follows)
    };
    let store = SimStore::new(Arc::clone(world), node);
    let mut builder = AccessKeys::builder(store)
        .prefix("acme")
        .clock(NodeClock { world: Arc::clone(world), node })
        .random(random)
        .cache_capacity(setting.cache_capacity)
        .concurrent_reads(setting.concurrent_reads);
    if let Some(own) = setting.own {
        builder = builder.max_staleness(duration(own));
    }
    let keys = builder.build().unwrap();
    if follows {
        let timer = Arc::clone(world);
        let sleep = move |duration: Duration| {
            let world = Arc::clone(&timer);
            async move { sleep(&world, node, duration).await }
        };
        world.spawn(node, None, Box::pin(keys.verifier().follow(sleep)));
    }
    let mut state = world.lock();
    state.tally.count(if follows { "node that follows" } else { "node that does not follow" });
    state.setting.nodes[node].follows = follows;
    state.nodes[node].keys = Some(keys);
}

/// Ends the process of a node, whatever it was doing, and begins another after a while.
pub(crate) fn restart(world: &Arc<World>, node: usize, down: u64) {
    let works = {
        let mut state = world.lock();
        let numbers = (0..state.tasks.len()).filter(|task| state.tasks[*task].node == node);
        let numbers: Vec<usize> = numbers.collect();
        state.tell(None, Some(node), |_| format!("node {node} restarts"));
        numbers.into_iter().map(|number| state.end_task(number)).collect::<Vec<_>>()
    };
    drop(works);
    retire(world, node);
    start(world, node);
    world.lock().freeze(node, down);
}

/// Takes down a process, and keeps what it counted.
pub(crate) fn retire(world: &Arc<World>, node: usize) {
    let keys = {
        let mut state = world.lock();
        let process = &mut state.nodes[node];
        process.cursor = None;
        process.listeners.clear();
        process.revoked.clear();
        process.seen.clear();
        process.resets += 1;
        process.keys.take()
    };
    if let Some(keys) = keys {
        let stats = keys.verifier().stats();
        world.lock().tally.add_stats(&stats);
    }
}

/// The clocks of a node.
struct NodeClock {
    world: Arc<World>,
    node: usize,
}

impl Clock for NodeClock {
    fn wall(&self) -> DateTime<Utc> {
        let state = self.world.lock();
        DateTime::from_timestamp_micros(state.nodes[self.node].wall(state.now)).unwrap()
    }

    fn boot(&self) -> Duration {
        // Before it is read: a thread that stands still afterwards decides by an older time.
        self.world.stall(self.node);
        let state = self.world.lock();
        duration(state.nodes[self.node].boot(state.now))
    }
}
