//! Tasks that a seeded scheduler polls, and the order in which things happen.

use std::cmp::Ordering;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use access_keys::store::StoreError;

use crate::actions;
use crate::node;
use crate::trips::{Answer, Question};
use crate::world::{State, World};

pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that a node does.
pub(crate) struct Task {
    pub(crate) node: usize,
    /// The management call that it makes.
    pub(crate) attempt: Option<usize>,
    /// How often the store was asked by it.
    pub(crate) asked: u32,
    pub(crate) polls: u32,
    /// When the question what has changed was sent whose answer it takes in this poll.
    pub(crate) takes_in: Option<u64>,
    /// The read whose row it took last: when it was sent, and the revision that came.
    pub(crate) read: Option<(u64, u64)>,
    /// `None` while it is polled, and when it has ended.
    work: Option<Work>,
    ended: bool,
    waker: Waker,
}

/// What happens at some time.
pub(crate) enum Event {
    Wake(usize),
    /// A question reaches the store.
    Arrive(u64, Box<Question>),
    /// An answer reaches the node.
    Return(u64, Box<Result<Answer, StoreError>>),
    /// The store's own time limit for a call is over.
    TimeOut(u64),
    /// A hint reaches a node.
    Ring(usize),
    /// Whoever waits for a task gives it up.
    Cancel(usize),
    Restart {
        node: usize,
        down: u64,
    },
    Flood {
        node: usize,
    },
    Limit(u64),
    /// Someone verifies something, and so on.
    Verify,
    /// Someone changes something, and so on.
    Change,
    Fault,
    /// This node verifies this key.
    Ask {
        node: usize,
        key: usize,
    },
}

pub(crate) struct Due {
    at: u64,
    /// Decides between what happens at the same time.
    order: (u64, u64),
    event: Event,
}

impl World {
    /// Begins a task of a node.
    pub(crate) fn spawn(self: &Arc<Self>, node: usize, attempt: Option<usize>, work: Work) -> usize {
        let mut state = self.lock();
        let number = state.tasks.len();
        let waker = Waker::from(Arc::new(Woken { world: Arc::clone(self), number }));
        state.tasks.push(Task {
            node,
            attempt,
            asked: 0,
            polls: 0,
            takes_in: None,
            read: None,
            work: Some(work),
            ended: false,
            waker,
        });
        let now = state.now;
        state.push(now, Event::Wake(number));
        number
    }

    /// Lets everything happen until then, or until a promise is broken.
    pub(crate) fn run(self: &Arc<Self>, until: u64) {
        loop {
            let event = self.lock().next(until);
            let Some(event) = event else { break };
            match event {
                Event::Wake(task) => self.poll(task),
                Event::Cancel(task) => self.cancel(task),
                Event::Restart { node, down } => node::restart(self, node, down),
                Event::Flood { node } => actions::flood(self, node),
                Event::Verify => actions::verify_something(self),
                Event::Change => crate::changes::change_something(self),
                Event::Ask { node, key } => actions::ask(self, node, key),
                Event::Arrive(trip, question) => self.lock().arrive(trip, &question),
                Event::Return(trip, answer) => self.lock().give(trip, *answer),
                Event::TimeOut(trip) => self.lock().time_out(trip),
                Event::Ring(node) => self.lock().ring(node),
                Event::Limit(limit) => self.lock().set_limit(limit),
                Event::Fault => self.lock().begin_fault(),
            }
        }
        let mut state = self.lock();
        if state.broken.is_none() {
            state.now = state.now.max(until);
        }
    }

    /// The thread that reads a clock of this node stands still for a while, if the seed says so.
    pub(crate) fn stall(self: &Arc<Self>, node: usize) {
        let until = {
            let mut state = self.lock();
            let runs = state.polled.is_some_and(|task| state.tasks[task].node == node);
            let times = state.setting.chances.stalls;
            if state.is_stalled || !runs || !state.chance.one_in(times) {
                return;
            }
            let longest = state.setting.pace * 3 / 2;
            let until = state.now + 1 + state.chance.below(longest);
            state.is_stalled = true;
            state.freeze(node, until);
            state.tally.count("fault: stall");
            state.tell(None, Some(node), |_| {
                format!("node {node} stalls until {}", crate::world::seconds(until))
            });
            until
        };
        // Not to the very end, when others of the node go on: this thread is the first.
        self.run(until - 1);
        let mut state = self.lock();
        state.is_stalled = false;
        state.note_slow(node);
    }

    fn poll(self: &Arc<Self>, number: usize) {
        let (mut work, waker, before) = {
            let mut state = self.lock();
            let Some(task) = state.tasks.get_mut(number) else { return };
            let Some(work) = task.work.take() else { return };
            task.polls += 1;
            task.takes_in = None;
            let waker = task.waker.clone();
            (work, waker, state.polled.replace(number))
        };
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        let over = {
            let mut state = self.lock();
            state.polled = before;
            let task = &mut state.tasks[number];
            task.ended |= polled == Poll::Ready(());
            if task.ended {
                Some(work)
            } else {
                task.work = Some(work);
                None
            }
        };
        drop(over);
    }

    fn cancel(self: &Arc<Self>, number: usize) {
        let work = self.lock().end_task(number);
        if work.is_some() {
            drop(work);
            crate::changes::given_up(self, number);
        }
    }
}

impl State {
    pub(crate) fn push(&mut self, at: u64, event: Event) {
        self.pushed += 1;
        let order = (self.chance.below(u64::MAX), self.pushed);
        self.due.push(Due { at, order, event });
    }

    /// The next thing to happen until then. What needs a node that stands still waits for it.
    fn next(&mut self, until: u64) -> Option<Event> {
        loop {
            if self.broken.is_some() || self.due.peek().is_none_or(|due| due.at > until) {
                return None;
            }
            let due = self.due.pop()?;
            self.now = self.now.max(due.at);
            self.steps += 1;
            let node = match &due.event {
                Event::Wake(task) | Event::Cancel(task) => self.tasks.get(*task).map(|task| task.node),
                Event::Restart { node, .. } => Some(*node),
                _ => None,
            };
            let frozen_until = node.map_or(0, |node| self.nodes[node].frozen_until);
            if frozen_until > self.now {
                self.push(frozen_until, due.event);
                continue;
            }
            self.course = (self.course ^ due.at).wrapping_mul(0x0100_0000_01B3).rotate_left(17);
            return Some(due.event);
        }
    }

    /// The task goes on at this time or later.
    pub(crate) fn wake(&mut self, task: usize, at: u64) {
        let mut at = at;
        if self.chance.one_in(self.setting.chances.late_wakes) {
            at += self.chance.below(self.setting.pace);
            self.fault(self.tasks[task].node, at);
            self.tally.count("fault: late wake");
        }
        self.push(at, Event::Wake(task));
    }

    /// Takes what is left of a task, to be dropped.
    pub(crate) fn end_task(&mut self, number: usize) -> Option<Work> {
        let task = self.tasks.get_mut(number)?;
        task.ended = true;
        task.work.take()
    }

    pub(crate) fn has_ended(&self, task: usize) -> bool {
        self.tasks[task].ended
    }
}

/// Wakes a task.
struct Woken {
    world: Arc<World>,
    number: usize,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let mut state = self.world.lock();
        if !state.tasks.is_empty() {
            let now = state.now;
            state.wake(self.number, now);
        }
    }
}

/// Waits for a time on a node's own timer, which its suspension stops.
pub(crate) async fn sleep(world: &Arc<World>, node: usize, duration: std::time::Duration) {
    let (end, suspended) = {
        let state = world.lock();
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4);
        let end = u128::from(nanos) * 1_000_000 / u128::from(state.nodes[node].rate);
        (state.now.saturating_add(u64::try_from(end).unwrap()), state.nodes[node].suspended)
    };
    let mut asked_for = 0;
    std::future::poll_fn(|_| {
        let mut state = world.lock();
        let end = end + (state.nodes[node].suspended - suspended);
        if state.now >= end {
            return Poll::Ready(());
        }
        if mem::replace(&mut asked_for, end) != end
            && let Some(task) = state.polled
        {
            state.wake(task, end);
        }
        Poll::Pending
    })
    .await;
}

impl Due {
    /// Whether it begins something new, rather than to go on with what is under way.
    pub(crate) const fn acts(&self) -> bool {
        let event = &self.event;
        matches!(
            event,
            Event::Verify | Event::Change | Event::Fault | Event::Flood { .. } | Event::Ask { .. }
        )
    }
}

impl Ord for Due {
    /// The earliest is the greatest, since a heap gives that first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}
