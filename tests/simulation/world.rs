//! Everything that there is in one run, behind one lock.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex, MutexGuard};

use access_keys::Grant;

use crate::chance::Chance;
use crate::changes::Attempt;
use crate::history::History;
use crate::node::{self, Node};
use crate::setting::{SECOND, Setting};
use crate::shared::Shared;
use crate::tally::Tally;
use crate::tasks::{Due, Task};
use crate::trips::Trip;

/// What clocks, stores and tasks of one run share.
pub(crate) struct World(Mutex<State>);

pub(crate) struct State {
    /// The true time, in nanoseconds.
    pub(crate) now: u64,
    pub(crate) chance: Chance,
    pub(crate) setting: Setting,
    pub(crate) nodes: Vec<Node>,
    pub(crate) shared: Shared,
    pub(crate) history: History,
    pub(crate) tally: Tally,
    /// The first promise that was broken, and how.
    pub(crate) broken: Option<Broken>,
    pub(crate) tasks: Vec<Task>,
    /// The task that is being polled.
    pub(crate) polled: Option<usize>,
    /// Whether a thread stands still while others run.
    pub(crate) is_stalled: bool,
    pub(crate) due: BinaryHeap<Due>,
    pub(crate) pushed: u64,
    pub(crate) steps: u64,
    pub(crate) trips: BTreeMap<u64, Trip>,
    pub(crate) sent: u64,
    pub(crate) attempts: Vec<Attempt>,
    /// The tasks that verify.
    pub(crate) verifications: Vec<usize>,
    /// Grants that were given, to be rechecked: the key, the generation of the secret, and the grant.
    pub(crate) grants: Vec<(usize, u32, Grant)>,
    /// A number that differs for every other course of events.
    pub(crate) course: u64,
    trace: Option<Vec<Line>>,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) promise: &'static str,
    pub(crate) how: String,
    /// The key that it is about.
    pub(crate) key: Option<usize>,
    pub(crate) node: usize,
}

/// A line of the trace.
struct Line {
    at: u64,
    /// The key and the node that it is about; those that are about all are told always.
    key: Option<usize>,
    node: Option<usize>,
    text: String,
}

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Arc<Self> {
        let mut chance = Chance::new(seed);
        let setting = Setting::draw(&mut chance);
        let nodes: Vec<Node> = setting.nodes.iter().map(Node::new).collect();
        let world = Arc::new(Self(Mutex::new(State {
            // Later than any lease could have begun.
            now: 100 * SECOND,
            shared: Shared::new(&setting, &mut chance),
            history: History::new(nodes.len()),
            tally: Tally::default(),
            broken: None,
            tasks: Vec::new(),
            polled: None,
            is_stalled: false,
            due: BinaryHeap::new(),
            pushed: 0,
            steps: 0,
            trips: BTreeMap::new(),
            sent: 0,
            attempts: Vec::new(),
            verifications: Vec::new(),
            grants: Vec::new(),
            course: seed,
            trace: traced.then(Vec::new),
            nodes,
            setting,
            chance,
        })));
        let count = world.lock().nodes.len();
        (0..count).for_each(|node| node::start(&world, node));
        world
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Lets go of what refers to the world itself.
    pub(crate) fn close(&self) {
        let (tasks, nodes) = {
            let mut state = self.lock();
            state.due.clear();
            state.trips.clear();
            let nodes: Vec<_> = state.nodes.iter_mut().map(|node| node.keys.take()).collect();
            (std::mem::take(&mut state.tasks), nodes)
        };
        drop((tasks, nodes));
    }
}

impl State {
    /// Tells of something in the trace, if there is one; `about` says which key and node it concerns.
    pub(crate) fn note(&mut self, text: impl FnOnce(&Self) -> String) {
        self.tell(None, None, text);
    }

    pub(crate) fn tell(
        &mut self,
        key: Option<usize>,
        node: Option<usize>,
        text: impl FnOnce(&Self) -> String,
    ) {
        if self.trace.is_some() {
            let line = Line { at: self.now, key, node, text: text(self) };
            self.trace.iter_mut().for_each(|trace| trace.push(Line { text: line.text.clone(), ..line }));
        }
    }

    /// The end of the trace, as far as it concerns what was broken.
    pub(crate) fn told(&self, broken: &Broken) -> String {
        const LINES: usize = 60;
        let concerns = |line: &&Line| {
            line.key.is_none_or(|key| broken.key == Some(key))
                && (line.key.is_some() || line.node.is_none_or(|node| node == broken.node))
        };
        let lines: Vec<_> = self.trace.iter().flatten().filter(concerns).collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        last.iter().map(|line| format!("  {}  {}\n", seconds(line.at), line.text)).collect()
    }

    /// A promise was broken: the run ends here.
    pub(crate) fn break_promise(
        &mut self,
        promise: &'static str,
        key: Option<usize>,
        node: usize,
        how: String,
    ) {
        self.tell(key, Some(node), |_| format!("BROKEN: {promise}: {how}"));
        self.broken.get_or_insert(Broken { promise, how, key, node });
    }
}

/// A true time as a trace shows it.
pub(crate) fn seconds(nanos: u64) -> String {
    format!("{:>4}.{:06} s", nanos / SECOND, nanos % SECOND / 1_000)
}
