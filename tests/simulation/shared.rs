//! The store that all nodes share: keys, feed, clock and limit, and no wire in between.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use access_keys::KeyId;
use access_keys::store::{ChangeCursor, Changes, FeedState, KeyStore, MemoryStore, StoreError};
use chrono::DateTime;

use crate::chance::Chance;
use crate::node::{scaled, store_wall};
use crate::setting::{Feed, Setting, duration};
use crate::trips::{Answer, Question};
use crate::world::State;

pub(crate) struct Shared {
    inner: MemoryStore,
    feed: Feed,
    /// How fast its clock goes, in millionths.
    rate: u64,
    /// The keys in the order in which they were changed.
    log: Vec<KeyId>,
    behind_max: usize,
    incarnation: u64,
    pub(crate) limit: u64,
    /// What it was changed to, and when.
    limits: Vec<(u64, u64)>,
    /// When it was last zero, if it is no longer.
    was_zero_at: Option<u64>,
    /// When, by its own clock, the last lease of a longer limit ends.
    drained_at: u64,
    /// The longest limit that some node may still follow until then.
    draining: u64,
    pub(crate) slow_until: u64,
    pub(crate) fails_until: u64,
}

impl Shared {
    pub(crate) fn new(setting: &Setting, chance: &mut Chance) -> Self {
        Self {
            inner: MemoryStore::new(),
            feed: setting.feed,
            rate: setting.store_rate,
            log: Vec::new(),
            behind_max: setting.behind_max,
            incarnation: chance.below(1_000),
            limit: setting.limit,
            limits: Vec::new(),
            was_zero_at: None,
            drained_at: 0,
            draining: 0,
            slow_until: 0,
            fails_until: 0,
        }
    }

    /// Its wall clock, in microseconds since 1970.
    pub(crate) fn wall(&self, now: u64) -> i64 {
        store_wall(now, self.rate)
    }

    /// The last time at which the limit was zero.
    pub(crate) const fn zero_until(&self, now: u64) -> Option<u64> {
        if self.limit == 0 { Some(now) } else { self.was_zero_at }
    }

    /// The longest that some node may rely on what it knows, from now on.
    pub(crate) fn longest(&self, now: u64) -> u64 {
        self.limit.max(self.drained_in(now))
    }

    /// The longest limit that some node may follow now.
    pub(crate) fn followed(&self, now: u64) -> u64 {
        if self.drained_in(now) > 0 { self.limit.max(self.draining) } else { self.limit }
    }

    /// The longest that it was set to since then.
    pub(crate) fn longest_set_since(&self, then: u64) -> u64 {
        self.limits.iter().filter(|(at, _)| *at >= then).map(|(_, limit)| *limit).max().unwrap_or(0)
    }

    fn drained_in(&self, now: u64) -> u64 {
        self.drained_at.saturating_sub(scaled(now, self.rate))
    }

    fn drain(&mut self, now: u64) {
        self.draining = self.followed(now);
        self.drained_at = self.drained_at.max(scaled(now, self.rate) + self.limit / 10 * 11);
    }

    /// Another server takes over, with the same data.
    pub(crate) fn fail_over(&mut self, now: u64) {
        self.incarnation += 1;
        self.drain(now);
    }

    fn cursor(&self) -> ChangeCursor {
        let mut bytes = self.incarnation.to_be_bytes().to_vec();
        bytes.extend(u64::try_from(self.log.len()).unwrap().to_be_bytes());
        ChangeCursor::new(bytes)
    }

    fn missed(&self, cursor: &ChangeCursor) -> Option<&[KeyId]> {
        let place = cursor.as_bytes().strip_prefix(&self.incarnation.to_be_bytes())?;
        let place = u64::from_be_bytes(place.try_into().ok()?);
        let missed = self.log.get(usize::try_from(place).ok()?..)?;
        (missed.len() <= self.behind_max).then_some(missed)
    }

    fn changes(&self, since: Option<&ChangeCursor>, now: u64) -> Changes {
        let clock = match self.feed {
            Feed::Absent => return Changes::NoFeed,
            Feed::WithoutClock => None,
            Feed::WithClock => DateTime::from_timestamp_micros(self.wall(now)),
        };
        let state = FeedState::new(clock, duration(self.limit), duration(self.drained_in(now)));
        let next = self.cursor();
        match since.and_then(|cursor| self.missed(cursor)) {
            Some(missed) => Changes::Since { ids: missed.to_vec(), next, state },
            None => Changes::Everything { next, state },
        }
    }
}

impl State {
    /// Carries out what was asked, as one step. `attempt` is the management call that asks.
    pub(crate) fn carry_out(
        &mut self,
        question: &Question,
        attempt: Option<usize>,
    ) -> Result<Answer, StoreError> {
        let inner = &self.shared.inner;
        match question {
            Question::Insert(key, event) => at_once(inner.insert(key, event))?,
            Question::Update(key, expected, event) => at_once(inner.update(key, *expected, event))?,
            Question::Get(id) => {
                let stored = at_once(inner.get(*id))?;
                return Ok(Answer::Key(if self.setting.goes_back {
                    self.some_time_ago(stored)
                } else {
                    stored
                }));
            }
            Question::Changes(since) => {
                return Ok(Answer::Changes(self.shared.changes(since.as_ref(), self.now)));
            }
            Question::List(project, query) => {
                return Ok(Answer::Keys(at_once(inner.list(project, query))?));
            }
            Question::History(project, query) => {
                return Ok(Answer::Events(at_once(inner.history(project, query))?));
            }
            Question::RecordUse(uses) => at_once(inner.record_use(uses))?,
            Question::LastUses(ids) => return Ok(Answer::Uses(at_once(inner.last_uses(ids))?)),
        }
        if let Question::Insert(key, _) | Question::Update(key, ..) = question {
            self.shared.log.push(key.key().id);
            self.committed(key, attempt);
            self.tell_of_change();
        }
        Ok(Answer::Done)
    }

    /// Changes the shared limit, by the rule for lowering it.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.tally.count(if limit < self.shared.limit { "limit lowered" } else { "limit raised" });
        self.note(|_| format!("the limit becomes {:?}", duration(limit)));
        if limit < self.shared.limit {
            self.shared.drain(self.now);
        }
        self.shared.was_zero_at = self.shared.zero_until(self.now);
        self.shared.limits.push((self.now, limit));
        self.shared.limit = limit;
    }
}

/// What a store in memory answers, which it does at once.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("a store in memory waits for nothing"),
    }
}
