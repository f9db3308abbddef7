//! The way to the store and back, with all that can happen to a call on it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use access_keys::store::{ChangeCursor, Changes, KeyStore, KeyUse, StoreError, StoredKey, async_trait};
use access_keys::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

use crate::tasks::Event;
use crate::world::{State, World};

/// The store as one node reaches it.
pub(crate) struct SimStore {
    world: Arc<World>,
    node: usize,
}

/// A call of the store.
#[derive(Debug)]
pub(crate) enum Question {
    Insert(StoredKey, AuditEvent),
    Update(StoredKey, Revision, AuditEvent),
    Get(KeyId),
    Changes(Option<ChangeCursor>),
    List(ProjectId, KeyQuery),
    History(ProjectId, AuditQuery),
    RecordUse(Vec<KeyUse>),
    LastUses(Vec<KeyId>),
}

#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Key(Option<StoredKey>),
    Changes(Changes),
    Keys(Page<AccessKey>),
    Events(Page<AuditEvent>),
    Uses(Vec<KeyUse>),
}

/// A call under way.
pub(crate) struct Trip {
    node: usize,
    task: usize,
    attempt: Option<usize>,
    sent: u64,
    kind: Kind,
    /// How long the answer takes; `None` when it is lost.
    back: Option<u64>,
    /// Whether nobody waits for the answer any more.
    left: bool,
    answer: Option<Result<Answer, StoreError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Read,
    Changes {
        /// Whether it said where to go on.
        goes_on: bool,
    },
    Other,
}

impl State {
    /// Sends a call on its way. Whoever sends it is being polled.
    fn send(&mut self, node: usize, question: Question) -> u64 {
        let number = self.sent;
        self.sent += 1;
        let task = self.polled.expect("some task asks");
        self.tasks[task].asked += 1;
        let kind = match &question {
            Question::Insert(..) | Question::Update(..) => Kind::Write,
            Question::Get(_) => Kind::Read,
            Question::Changes(since) => {
                self.check_cursor(node, since.as_ref());
                Kind::Changes { goes_on: since.is_some() }
            }
            _ => Kind::Other,
        };
        if kind == Kind::Read {
            self.nodes[node].reads += 1;
            self.note_full(node);
        }
        let attempt = self.tasks[task].attempt;
        let mut trip =
            Trip { node, task, attempt, sent: self.now, kind, back: None, left: false, answer: None };
        let end = self.now + self.setting.call_limit;
        let there = self.draw_way(node, end, &mut trip);
        self.trips.insert(number, trip);
        match there {
            Way::Fails { at } => {
                let error = StoreError::backend("the store cannot be reached");
                self.push(at, Event::Return(number, Box::new(Err(error))));
            }
            Way::Lost => {}
            Way::Arrives { at } => self.push(at, Event::Arrive(number, Box::new(question))),
        }
        self.push(end, Event::TimeOut(number));
        number
    }

    /// Notes when a node has as many reads under way as it may.
    pub(crate) fn note_full(&mut self, node: usize) {
        if self.nodes[node].reads >= self.setting.nodes[node].concurrent_reads {
            self.nodes[node].full_at = Some(self.now);
        }
    }

    /// What becomes of a call on its way, and how long its answer will take.
    fn draw_way(&mut self, node: usize, end: u64, trip: &mut Trip) -> Way {
        let now = self.now;
        let delay = self.setting.delay;
        let soon = now + self.chance.between(delay / 4, delay);
        let (cut, fails) = (self.nodes[node].cut_until > now, self.shared.fails_until > now);
        if cut || fails {
            if self.chance.percent(if cut { 40 } else { 90 }) {
                self.fault(node, soon);
                return Way::Fails { at: soon };
            }
            self.fault(node, end);
            return Way::Lost;
        }
        let often = if self.nodes[node].lossy_until > now { 3 } else { self.setting.chances.losses };
        let lost = self.chance.one_in(often);
        if lost {
            self.tally.count("fault: lost call");
            self.fault(node, end);
            if self.chance.percent(50) {
                return Way::Lost;
            }
        }
        let slow = self.shared.slow_until > now || self.chance.one_in(self.setting.chances.slow_calls);
        let way = |state: &mut Self| {
            let longest = if slow { state.setting.pace * 2 } else { 0 };
            let least = state.chance.between(delay / 4, delay);
            least + state.chance.below(longest) / state.chance.between(1, 4)
        };
        let (there, back) = (way(self), way(self));
        if slow {
            self.tally.count("fault: slow call");
            self.fault(node, end.min(now + there + back));
        }
        trip.back = (!lost).then_some(back);
        Way::Arrives { at: now + there }
    }

    /// A call reaches the store, which carries it out even if nobody waits any more.
    pub(crate) fn arrive(&mut self, number: u64, question: &Question) {
        let Some(trip) = self.trips.get(&number) else { return };
        let (node, task, attempt, back, kind) = (trip.node, trip.task, trip.attempt, trip.back, trip.kind);
        if (trip.left || trip.answer.is_some()) && kind == Kind::Write {
            self.tally.count("write carried out after it was given up");
        }
        let answer = self.carry_out(question, attempt);
        if kind != Kind::Other {
            self.tell(self.history.about(question), Some(node), |state| {
                format!("store: {} for node {node} (task {task})", state.history.told(question, &answer))
            });
        }
        let Some(back) = back else { return };
        let at = self.now + back;
        if self.nodes[node].cut_until > at {
            self.fault(node, at + self.setting.call_limit);
            return;
        }
        self.push(at, Event::Return(number, Box::new(answer)));
    }

    /// An answer reaches the node.
    pub(crate) fn give(&mut self, number: u64, answer: Result<Answer, StoreError>) {
        let Some(trip) = self.trips.get_mut(&number) else { return };
        if trip.left || trip.answer.is_some() {
            return;
        }
        trip.answer = Some(answer);
        let task = trip.task;
        self.wake(task, self.now);
    }

    /// Whoever waits takes the answer, if there is one.
    fn take(&mut self, number: u64) -> Option<Result<Answer, StoreError>> {
        let trip = self.trips.get_mut(&number)?;
        let answer = trip.answer.take()?;
        let (node, task, kind, sent) = (trip.node, trip.task, trip.kind, trip.sent);
        if let Ok(Answer::Key(Some(stored))) = &answer {
            self.tasks[task].read = Some((sent, stored.revision().get()));
        }
        if let (Kind::Changes { goes_on }, Ok(Answer::Changes(changes))) = (kind, &answer) {
            self.tasks[task].takes_in = Some(sent);
            self.note_slow(node);
            // What is asked for an announcement tells the verifications nothing, and does not go on.
            if goes_on || self.tasks[task].attempt.is_none() {
                self.nodes[node].knows_of = self.nodes[node].knows_of.max(sent);
            }
            self.take_in(node, changes, goes_on);
        }
        Some(answer)
    }

    /// Notes how long the answer took that the polled task takes in, which its thread may have stood still over.
    pub(crate) fn note_slow(&mut self, node: usize) {
        let sent = self.polled.and_then(|task| self.tasks[task].takes_in);
        let took = sent.map_or(0, |sent| self.now - sent);
        self.nodes[node].slowest = self.nodes[node].slowest.max(took);
    }

    /// Neither an answer nor an error came in the time that the store allows itself.
    pub(crate) fn time_out(&mut self, number: u64) {
        let Some(trip) = self.trips.get_mut(&number) else { return };
        if trip.answer.is_none() && !trip.left {
            let error = match trip.kind {
                Kind::Write => StoreError::outcome_unknown("no answer came"),
                _ => StoreError::backend("no answer came"),
            };
            trip.answer = Some(Err(error));
            let task = trip.task;
            self.tally.count("call timed out");
            self.wake(task, self.now);
        }
    }

    /// Takes in what changed, for the rules that a node is held to.
    fn take_in(&mut self, node: usize, changes: &Changes, goes_on: bool) {
        match changes {
            Changes::Since { ids, next, .. } => {
                for id in ids {
                    if let Some(key) = self.history.place(*id) {
                        *self.nodes[node].named.entry(key).or_default() += 1;
                    }
                }
                self.nodes[node].cursor = Some(next.clone());
            }
            Changes::Everything { next, .. } => {
                self.tally.count(if goes_on { "all named for an unknown cursor" } else { "all named" });
                self.nodes[node].named_all += 1;
                if goes_on {
                    self.nodes[node].cursor = Some(next.clone());
                }
            }
            _ => {
                self.tally.count("no feed");
                self.nodes[node].named_all += 1;
            }
        }
    }

    /// A question goes on where the last answer ended: what was named once is not asked for again.
    fn check_cursor(&mut self, node: usize, since: Option<&ChangeCursor>) {
        let expected = self.nodes[node].cursor.as_ref();
        if since.is_some() && expected.is_some() && since != expected {
            let how = format!("node {node} asks what has changed since an earlier answer than the last");
            self.break_promise("cursor", None, node, how);
        }
    }

    /// Tells every node of a change, if nothing happens to the hint.
    pub(crate) fn tell_of_change(&mut self) {
        for node in 0..self.nodes.len() {
            let lost = self.chance.one_in(self.setting.chances.lost_hints);
            if lost || self.nodes[node].deaf_until > self.now || self.nodes[node].cut_until > self.now {
                self.tally.count("fault: lost hint");
                continue;
            }
            let delay = self.chance.below(self.setting.delay);
            let longest = if self.chance.one_in(4) { self.setting.pace } else { 0 };
            let late = self.chance.below(longest);
            self.push(self.now + delay + late, Event::Ring(node));
        }
    }

    /// A hint reaches a node.
    pub(crate) fn ring(&mut self, node: usize) {
        self.nodes[node].rung += 1;
        for task in std::mem::take(&mut self.nodes[node].listeners) {
            self.wake(task, self.now);
        }
    }
}

/// What becomes of a call.
enum Way {
    Fails { at: u64 },
    Lost,
    Arrives { at: u64 },
}

impl SimStore {
    pub(crate) const fn new(world: Arc<World>, node: usize) -> Self {
        Self { world, node }
    }

    async fn call(&self, question: Question) -> Result<Answer, StoreError> {
        let number = self.world.lock().send(self.node, question);
        let waiting = Waiting { world: &self.world, number };
        poll_fn(|_| {
            let answer = waiting.world.lock().take(number);
            answer.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Whoever waits for an answer; dropped, nobody does.
struct Waiting<'w> {
    world: &'w World,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        let Some(trip) = state.trips.get_mut(&self.number) else { return };
        // It may still arrive.
        trip.left = true;
        let (node, kind) = (trip.node, trip.kind);
        if kind == Kind::Read {
            state.note_full(node);
            state.nodes[node].reads -= 1;
        }
    }
}

#[async_trait]
impl KeyStore for SimStore {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.call(Question::Insert(key.clone(), event.clone())).await.map(drop)
    }

    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        match self.call(Question::Get(id)).await? {
            Answer::Key(stored) => Ok(stored),
            other => unreachable!("{other:?}"),
        }
    }

    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.call(Question::Update(key.clone(), expected, event.clone())).await.map(drop)
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        match self.call(Question::List(project.clone(), query.clone())).await? {
            Answer::Keys(page) => Ok(page),
            other => unreachable!("{other:?}"),
        }
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        match self.call(Question::History(project.clone(), query.clone())).await? {
            Answer::Events(page) => Ok(page),
            other => unreachable!("{other:?}"),
        }
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.call(Question::RecordUse(uses.to_vec())).await.map(drop)
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        match self.call(Question::LastUses(ids.to_vec())).await? {
            Answer::Uses(uses) => Ok(uses),
            other => unreachable!("{other:?}"),
        }
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        match self.call(Question::Changes(since.cloned())).await? {
            Answer::Changes(changes) => Ok(changes),
            other => unreachable!("{other:?}"),
        }
    }

    async fn changed(&self) {
        let rung = self.world.lock().nodes[self.node].rung;
        poll_fn(|_| {
            let mut state = self.world.lock();
            if state.nodes[self.node].rung != rung {
                return Poll::Ready(());
            }
            let task = state.polled.expect("some task listens");
            if !state.nodes[self.node].listeners.contains(&task) {
                state.nodes[self.node].listeners.push(task);
            }
            Poll::Pending
        })
        .await;
    }
}
