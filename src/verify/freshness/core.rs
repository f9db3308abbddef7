//! The core: the state behind the lock.

use std::time::Duration;

use super::announce::{ASK_EVERY_AT_ZERO, WITHOUT_FEED};
use super::clocks::Reading;
use super::reads::{Kind, Read, Reads};
use super::revoked::Revoked;
use super::{Answer, Asked, Board, Face, LookUp, Refreshed, Row, Stamp};
use crate::clock::Moment;
use crate::domain::KeyId;
use crate::store::{ChangeCursor, FeedState};

/// A smaller limit is taken for zero: asking what has changed so often would cost more than reading the key.
const LIMIT_MIN: Duration = Duration::from_millis(10);
/// The shortest limit of all nodes that is not zero.
const LIMIT_SHORTEST: Duration = Duration::from_millis(100);
/// By how much the offset of the clocks may move at limit zero, in microseconds.
const SLACK_AT_ZERO: u64 = 50_000;

/// How long one answer of the store may be used: 0.8 of the limit, rounded down.
///
/// A clock 10 % slow measures it as at most 0.8 / 0.9 of the limit, and 0.9 of the limit is what a clock 10 % fast
/// on the revoker's side makes of it at least.
pub(super) fn lease(limit: Duration) -> Duration {
    limit / 5 * 4
}

/// What a node knows of the feed, of its clocks and of the reads under way.
///
/// One method for each thing that can happen. All take effect as one step: the caller holds one lock around each
/// call, and readers see what it does to the [`Board`] in the order in which it does it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Core {
    /// The limit of this node's own; the smaller of it and that of the feed counts.
    own: Option<Duration>,
    feed: Feed,
    /// The limit of all nodes, by the last answer.
    shared: Duration,
    /// When that answer was asked for, in nanoseconds of deadline time.
    shared_sent: u64,
    /// The one that this node follows.
    limit: Duration,
    /// What readers see.
    face: Face,
    /// Counts the jumps of clocks: what was asked for before one gives no lease.
    jumps: u64,
    reading: Option<Reading>,
    /// Whether the last comparison of the store's clock with ours was not clean.
    suspicious: bool,
    /// When the offset of the clocks is taken anew where no answer does it, in nanoseconds of deadline time.
    compare_again_at: u64,
    pub(super) reads: Reads,
    revoked: Revoked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Feed {
    /// The store was not asked yet.
    Unknown,
    /// The store has none.
    Absent,
    Present {
        cursor: ChangeCursor,
        /// When the last answer was asked for, in nanoseconds of deadline time.
        sent: u64,
        /// When an answer last came.
        came: u64,
    },
}

impl Core {
    /// Knows nothing yet. `own` is the limit of this node's own, `reads` the most reads at once.
    pub(crate) const fn new(own: Option<Duration>, reads: usize, now: Moment) -> Self {
        Self {
            own,
            feed: Feed::Unknown,
            shared: Duration::ZERO,
            shared_sent: 0,
            limit: Duration::ZERO,
            face: Face { offset: now.offset(), ..Face::BLANK },
            jumps: 0,
            reading: None,
            suspicious: false,
            compare_again_at: 0,
            reads: Reads::new(reads),
            revoked: Revoked::new(),
        }
    }

    /// A verification needs the key `id`. `now` was read after it began.
    pub(crate) fn look_up<B: Board>(&mut self, board: &mut B, id: KeyId, now: Moment) -> LookUp<B::Row> {
        self.check_clocks(board, now);
        let face = match &self.feed {
            Feed::Unknown => return LookUp::Refresh,
            Feed::Present { came, .. } if self.is_zero() => {
                let jumped = self.reading.as_ref().is_some_and(|reading| reading.jumps() != self.jumps);
                // Since it came: a store that takes longer to answer is asked once for each verification.
                let is_over = now.boot() >= self.shared_until();
                if jumped || is_over || now.boot().saturating_sub(*came) > self.ask_every() {
                    return LookUp::Refresh;
                }
                return self.read_own(id, now);
            }
            Feed::Absent if self.is_zero() => return self.read_own(id, now),
            Feed::Present { .. } if now.boot() >= self.face.good_until => return LookUp::Refresh,
            Feed::Present { .. } | Feed::Absent => self.face,
        };
        if let Some(row) = board.find(id).filter(|row| now.boot() < row.until()) {
            return LookUp::Found(row, face);
        }
        if let Some(place) = self.reads.joinable(id) {
            return LookUp::Join(place, face);
        }
        let read = Read { id, sent: now.boot(), kind: Kind::Shared };
        self.reads.begin(read).map_or(LookUp::Busy, |place| LookUp::Read(place, face))
    }

    /// The read in this place brought a row, an absence included. `None` when nobody may use it.
    pub(crate) fn row_arrived<B: Board>(
        &mut self,
        board: &mut B,
        place: usize,
        row: B::Row,
        now: Moment,
    ) -> Option<B::Row> {
        self.check_clocks(board, now);
        let read = self.reads.end(place)?;
        let row = self.remember_revoked(board, read.id, row);
        match read.kind {
            Kind::Fenced => return None,
            Kind::Own => return Some(row),
            Kind::Shared => {}
        }
        let row = match self.feed {
            Feed::Present { .. } => row,
            Feed::Unknown | Feed::Absent => row.ending(read.sent.saturating_add(self.lease())),
        };
        // Redundant over a store whose reads never go back.
        let newer = |present: &B::Row| present.revision() > row.revision() && now.boot() < present.until();
        if let Some(newer) = board.find(read.id).filter(newer) {
            return Some(newer);
        }
        // Nothing would name the absence when the key is made.
        if matches!(self.feed, Feed::Present { .. }) || !row.is_absence() {
            board.put(read.id, row.clone());
        }
        Some(row)
    }

    /// The read in this place failed, or was given up.
    pub(crate) fn abandon(&mut self, place: usize) {
        self.reads.end(place);
    }

    /// The store is about to be asked what has changed. `now` was read before it is sent.
    pub(crate) fn refresh_sent<B: Board>(&mut self, board: &mut B, now: Moment) -> Asked {
        self.check_clocks(board, now);
        let since = match &self.feed {
            Feed::Present { cursor, .. } => Some(cursor.clone()),
            Feed::Unknown | Feed::Absent => None,
        };
        Asked { since, sent: now.boot(), jumps: self.jumps }
    }

    /// The store has answered what has changed. `now` was read after it came.
    pub(crate) fn changes_arrived<B: Board>(
        &mut self,
        board: &mut B,
        asked: &Asked,
        answer: Answer,
        now: Moment,
    ) -> Refreshed {
        self.check_clocks(board, now);
        let (named, next, state) = match answer {
            Answer::Feed { named, next, state } => (named, next, state),
            Answer::NoFeed if self.feed == Feed::Absent => return Refreshed::Fresh,
            Answer::NoFeed => {
                self.forget_all(board);
                self.feed = Feed::Absent;
                self.follow(WITHOUT_FEED, u64::MAX);
                // Each row ends on its own.
                self.publish(board, u64::MAX, now);
                return Refreshed::Fresh;
            }
        };
        // First the rows, then the cursor, and only then the lease that rests on them.
        match named {
            Some(ids) if asked.since.is_some() => ids.into_iter().for_each(|id| self.name(board, id)),
            _ => self.forget_all(board),
        }
        let sent = self.known_since().map_or(asked.sent, |earlier| earlier.max(asked.sent));
        self.feed = Feed::Present { cursor: next, sent, came: now.boot() };
        self.follow(state.limit, asked.sent);
        self.compare_clocks(asked, now, &state);
        if self.is_zero() {
            self.forget_all(board);
            self.publish(board, 0, now);
            return if now.boot() < self.shared_until() { Refreshed::Fresh } else { Refreshed::Late };
        }
        let ends = asked.sent.saturating_add(self.lease());
        if asked.jumps != self.jumps || now.boot() >= ends {
            return Refreshed::Late;
        }
        // Only a new deadline comes with a new measure of the clocks.
        if ends > self.face.good_until {
            self.publish(board, ends, now);
        }
        Refreshed::Fresh
    }

    /// A management call of this node may have changed the key: told after the commit, before the call returns.
    pub(crate) fn changed_here<B: Board>(&mut self, board: &mut B, id: KeyId) {
        self.name(board, id);
    }

    /// A key was seen revoked, by whatever read.
    pub(crate) fn seen_revoked<B: Board>(&mut self, board: &mut B, id: KeyId) {
        self.remember(board, id);
    }

    /// The limit that this node follows.
    pub(crate) const fn limit(&self) -> Duration {
        self.limit
    }

    /// How often a clock of this node was seen to jump.
    pub(crate) const fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Whether the store's clock and ours disagreed when they were last compared.
    pub(crate) const fn is_suspicious(&self) -> bool {
        self.suspicious
    }

    /// When, in nanoseconds of deadline time, the last answer of the feed was asked for.
    pub(crate) const fn known_since(&self) -> Option<u64> {
        match &self.feed {
            Feed::Present { sent, .. } => Some(*sent),
            Feed::Unknown | Feed::Absent => None,
        }
    }

    /// How long until the feed should be asked, for requests never to wait for it: half a lease ahead. `None`
    /// where there is no feed.
    pub(crate) fn refresh_in(&self, now: Moment) -> Option<Duration> {
        let at = match &self.feed {
            Feed::Unknown => 0,
            Feed::Absent => return None,
            Feed::Present { came, .. } if self.is_zero() => came.saturating_add(self.ask_every()),
            Feed::Present { .. } => self.face.good_until.saturating_sub(self.lease() / 2),
        };
        Some(Duration::from_nanos(at.saturating_sub(now.boot())))
    }

    /// By which clock to stamp what is about to be stored.
    pub(crate) fn stamp(&self, now: Moment) -> Stamp {
        match (&self.feed, &self.reading) {
            (Feed::Unknown, _) => Stamp::Ask,
            (Feed::Absent, _) | (Feed::Present { .. }, None) => Stamp::Wall,
            (Feed::Present { .. }, Some(reading)) => {
                let age = now.boot().saturating_sub(reading.sent());
                let oldest = if self.is_zero() { nanos(lease(WITHOUT_FEED)) } else { self.lease() };
                if age > oldest || reading.jumps() != self.jumps || self.face.shows_jump(now) {
                    return Stamp::Ask;
                }
                Stamp::Store(now.after(reading.offset()))
            }
        }
    }

    /// Sees whether a clock of this node was set, stood still or ran at another rate, which voids what was measured
    /// with it: the deadline, and the moment at which a refresh under way was sent.
    fn check_clocks<B: Board>(&mut self, board: &mut B, now: Moment) {
        if self.face.shows_jump(now) {
            self.jumps += 1;
            if matches!(self.feed, Feed::Absent) {
                self.forget_all(board);
                self.publish(board, u64::MAX, now);
            } else {
                self.publish(board, 0, now);
            }
        } else if matches!(self.feed, Feed::Absent) && now.boot() >= self.compare_again_at {
            self.publish(board, u64::MAX, now);
        }
    }

    fn compare_clocks(&mut self, asked: &Asked, now: Moment, state: &FeedState) {
        let Some(store) = state.now else {
            (self.reading, self.suspicious) = (None, false);
            return;
        };
        let reading = Reading::new(asked.sent, now.boot(), store.timestamp_micros(), asked.jumps);
        match &self.reading {
            Some(earlier) => {
                self.suspicious = reading.disagrees(earlier).unwrap_or(self.suspicious);
                if reading.sent() >= earlier.sent() {
                    self.reading = Some(reading);
                }
            }
            None => self.reading = Some(reading),
        }
    }

    /// Begins a read for one verification alone, as at limit zero.
    ///
    /// Others announce the limit of all nodes: unless that is zero too, where what counts is when a verification
    /// began, a read that takes longer than its lease decides nothing. If that limit has been lowered since it was
    /// heard of, the longer one is over a lease after that was asked for, and counts for no read; the shortest does.
    fn read_own<R>(&mut self, id: KeyId, now: Moment) -> LookUp<R> {
        let good_until = if self.shared < LIMIT_MIN {
            u64::MAX
        } else {
            let ends_after = |limit| now.boot().saturating_add(nanos(lease(limit)));
            self.shared_until().max(ends_after(LIMIT_SHORTEST)).min(ends_after(self.shared))
        };
        let face = Face { good_until, ..self.face };
        let read = Read { id, sent: now.boot(), kind: Kind::Own };
        self.reads.begin(read).map_or(LookUp::Busy, |place| LookUp::ReadOwn(place, face))
    }

    /// The key was seen revoked: from now on nothing says otherwise, and what was read before says nothing at all.
    fn remember<B: Board>(&mut self, board: &mut B, id: KeyId) {
        self.revoked.add(id);
        self.name(board, id);
    }

    /// What was seen revoked stays so, whatever a read says.
    fn remember_revoked<B: Board>(&mut self, board: &mut B, id: KeyId, row: B::Row) -> B::Row {
        // Without `&&`: the same work for every row, unless it is the first that says so.
        let is_known = self.revoked.contains(id);
        if row.is_revoked() & !is_known {
            self.remember(board, id);
        }
        let is_so = row.is_revoked() | (is_known & !row.is_absence());
        row.revoke_if(is_so)
    }

    /// The only invalidation: drops the row and fences the read under way.
    fn name<B: Board>(&mut self, board: &mut B, id: KeyId) {
        board.remove(id);
        self.reads.fence(id);
    }

    /// Names every key.
    fn forget_all<B: Board>(&mut self, board: &mut B) {
        board.clear();
        self.reads.fence_all();
    }

    fn publish<B: Board>(&mut self, board: &mut B, good_until: u64, now: Moment) {
        let slack = if self.is_zero() { SLACK_AT_ZERO } else { self.lease() / 1_000 / 20 };
        self.face = Face {
            good_until,
            offset: now.offset(),
            slack: i64::try_from(slack).unwrap_or(i64::MAX),
            store_offset: self.reading.as_ref().map(Reading::offset),
        };
        self.compare_again_at = now.boot().saturating_add(self.lease());
        board.publish(self.face);
    }

    /// Follows the limit of all nodes, or this node's own where that is smaller.
    fn follow(&mut self, shared: Duration, sent: u64) {
        (self.shared, self.shared_sent) = (shared, sent);
        self.limit = self.own.map_or(shared, |own| own.min(shared));
    }

    /// Whether every verification reads the store.
    fn is_zero(&self) -> bool {
        self.limit < LIMIT_MIN || self.suspicious
    }

    /// Until when the limit of all nodes, if it is not zero, may be taken for the one that was last heard of.
    fn shared_until(&self) -> u64 {
        if self.shared < LIMIT_MIN {
            u64::MAX
        } else {
            self.shared_sent.saturating_add(nanos(lease(self.shared)))
        }
    }

    /// How often, at least, the feed is asked at limit zero: where the limit of all nodes is longer, often enough for
    /// half a lease of that to be left.
    fn ask_every(&self) -> u64 {
        let every = nanos(ASK_EVERY_AT_ZERO);
        if self.shared < LIMIT_MIN { every } else { every.min(nanos(lease(self.shared)) / 2) }
    }

    fn lease(&self) -> u64 {
        nanos(lease(self.limit))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
