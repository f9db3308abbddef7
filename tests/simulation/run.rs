//! One run, from its seed to its end.

use std::sync::Arc;
use std::thread;

use crate::node;
use crate::tally::Tally;
use crate::tasks::Event;
use crate::world::{Broken, World};

/// So many steps are enough for one run.
const STEPS: u64 = 15_000;

pub(crate) struct Outcome {
    pub(crate) broken: Option<Broken>,
    pub(crate) tally: Tally,
    /// What happened, for a person, where it was asked for.
    pub(crate) told: String,
    pub(crate) course: u64,
}

/// Runs a seed in a thread of its own: what a verifier keeps by thread is then the same each time.
pub(crate) fn run(seed: u64, traced: bool) -> Outcome {
    thread::scope(|scope| scope.spawn(|| live(seed, traced)).join())
        .unwrap_or_else(|_| panic!("seed {seed} panics\nACCESS_KEYS_SEED={seed} repeats it"))
}

fn live(seed: u64, traced: bool) -> Outcome {
    let world = World::new(seed, traced);
    let end = plan(&world);
    go_on(&world, end);
    let pending = settle(&world);
    if let Some(task) = pending {
        let mut state = world.lock();
        let node = state.tasks[task].node;
        let key = state.history.keys.len().checked_sub(1);
        state.break_promise("ends", key, node, format!("a verification (task {task}) never ends"));
    }
    if world.lock().broken.is_none() {
        let nodes = world.lock().nodes.len();
        (0..nodes).for_each(|node| node::retire(&world, node));
    }
    let outcome = {
        let mut state = world.lock();
        let broken = state.broken.clone();
        let told = match &broken {
            Some(broken) => format!(
                "seed {seed}: {:#?}\n\n{}seed {seed} breaks \"{}\": {}",
                state.setting,
                state.told(broken),
                broken.promise,
                broken.how
            ),
            None => format!("seed {seed}: no promise is broken\n{}", state.tally.lines()),
        };
        Outcome { broken, tally: std::mem::take(&mut state.tally), told, course: state.course }
    };
    world.close();
    outcome
}

/// Puts down what will happen by itself, and tells when the run is to end.
fn plan(world: &Arc<World>) -> u64 {
    let mut state = world.lock();
    let (now, length) = (state.now, state.setting.length);
    state.push(now, Event::Change);
    state.push(now, Event::Verify);
    for (at, limit) in state.setting.limits.clone() {
        state.push(now + at, Event::Limit(limit));
    }
    for _ in 0..state.setting.fault_count {
        let at = now + state.chance.below(length);
        state.push(at, Event::Fault);
    }
    now + length
}

/// Lives until then, or until there were too many steps.
fn go_on(world: &Arc<World>, end: u64) {
    let slice = world.lock().setting.pace;
    loop {
        let (now, steps, is_broken) = {
            let state = world.lock();
            (state.now, state.steps, state.broken.is_some())
        };
        if now >= end || steps > STEPS || is_broken {
            return;
        }
        world.run(end.min(now + slice));
    }
}

/// Heals everything, and waits until every verification has ended; tells of one that does not. Then every node
/// accepts every good key.
fn settle(world: &Arc<World>) -> Option<usize> {
    let wait = {
        let mut state = world.lock();
        state.heal();
        state.setting.call_limit
    };
    loop {
        world.lock().stop_acting();
        let (now, frozen_until) = {
            let state = world.lock();
            (state.now, state.nodes.iter().map(|node| node.frozen_until).max().unwrap_or(0))
        };
        if frozen_until <= now || world.lock().broken.is_some() {
            break;
        }
        world.run(frozen_until);
    }
    let pending = wait_for_all(world, wait).or_else(|| {
        {
            let mut state = world.lock();
            let now = state.now;
            for node in 0..state.nodes.len() {
                for key in 0..state.history.keys.len() {
                    state.push(now + 1, Event::Ask { node, key });
                }
            }
        }
        let now = world.lock().now;
        world.run(now + 1);
        wait_for_all(world, wait)
    });
    pending.filter(|_| world.lock().broken.is_none())
}

/// Waits until every verification has ended; tells of one that does not.
fn wait_for_all(world: &Arc<World>, wait: u64) -> Option<usize> {
    for _ in 0..20 {
        world.lock().stop_acting();
        let now = world.lock().now;
        world.run(now + wait);
        world.lock().pending()?;
    }
    world.lock().pending()
}

impl crate::world::State {
    /// Nothing more is begun; what is under way goes on.
    fn stop_acting(&mut self) {
        self.due.retain(|due| !due.acts());
    }

    /// A verification that has not ended.
    fn pending(&self) -> Option<usize> {
        self.verifications.iter().copied().find(|task| !self.has_ended(*task))
    }
}
