//! Whether an answer of a verification is one that the promises allow.

use access_keys::store::StoredKey;
use access_keys::{Denial, Grant, Status};

use crate::history::Floor;
use crate::node::scaled;
use crate::setting::{Feed, WITHOUT_FEED, duration};
use crate::world::{State, World, seconds};

/// A verification that has begun.
pub(crate) struct Begun {
    pub(crate) node: usize,
    /// `None` for a key that nobody has.
    key: Option<usize>,
    /// The generation of the secret that is shown; `None` for one that no key has.
    secret: Option<u32>,
    pub(crate) at: u64,
    pub(crate) floor: Floor,
    /// Whether the node had seen the key revoked, and the revision that it keeps until then.
    revoked: bool,
    seen: Option<(u64, u64)>,
    named: u64,
    resets: u64,
    /// When the last question what has changed was sent whose answer the node had.
    knows_of: u64,
}

/// What the wall clock that counts may have read at a decision, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Span {
    least: i64,
    most: i64,
}

impl World {
    /// A verification begins on this node, with the first poll of its future.
    pub(crate) fn begin(&self, node: usize, key: Option<usize>, secret: Option<u32>) -> Begun {
        let mut state = self.lock();
        state.note_full(node);
        let here = &state.nodes[node];
        Begun {
            node,
            key,
            secret,
            at: state.now,
            floor: key.map_or(Floor::NONE, |key| state.history.keys[key].floor_at_begin(node)),
            revoked: key.is_some_and(|key| here.revoked.contains(&key)),
            seen: key.and_then(|key| here.seen.get(&key).copied()),
            named: key.map_or(0, |key| here.times_named(key)),
            resets: here.resets,
            knows_of: here.knows_of,
        }
    }

    /// It has ended, in the poll in which it read the clock.
    pub(crate) fn judge(&self, begun: &Begun, answer: &Result<Grant, Denial>) {
        let mut state = self.lock();
        state.note_answer(begun, answer);
        match (begun.key, answer) {
            (_, Ok(grant)) => state.judge_grant(begun, grant),
            (Some(key), Err(denial)) => state.judge_denial(begun, key, denial),
            (None, Err(Denial::Unrecognized { .. } | Denial::Unavailable { .. })) => {
                state.tally.count("token that nobody has");
            }
            (None, Err(denial)) => {
                let how = format!("a token that nobody has meets {denial:?}");
                state.break_promise("refusal", None, begun.node, how);
            }
        }
    }
}

impl State {
    fn note_answer(&mut self, begun: &Begun, answer: &Result<Grant, Denial>) {
        let (polls, asked) = {
            let task = &self.tasks[self.polled.expect("a verification is polled")];
            (task.polls, task.asked)
        };
        match (answer, asked, polls) {
            (Ok(_), 0, 1) => self.tally.count("accepted from the cache"),
            (Ok(_), 0, _) => self.tally.count("joined another's question"),
            (Ok(_), ..) => self.tally.count("accepted after asking the store"),
            (Err(denial), ..) => self.tally.count_of(format!("refused: {}", denial.as_str())),
        }
        self.tell(begun.key, Some(begun.node), |_| {
            let answer = match answer {
                Ok(grant) => format!("accepts revision {}", grant.key().revision),
                Err(denial) => format!("{denial:?}"),
            };
            let began = seconds(begun.at);
            format!("node {} {answer} for secret {:?}, begun {began}", begun.node, begun.secret)
        });
    }

    fn judge_grant(&mut self, begun: &Begun, grant: &Grant) {
        self.tally.accepts += 1;
        let (node, now) = (begun.node, self.now);
        let (Some(key), Some(secret)) = (begun.key, begun.secret) else {
            self.break_promise("refusal", begun.key, node, "a wrong secret is accepted".to_owned());
            return;
        };
        let revision = grant.key().revision.get();
        let Some(stored) = self.history.keys[key].version(revision).map(|version| version.stored.clone())
        else {
            self.break_promise("snapshot", Some(key), node, format!("accepts revision {revision} of none"));
            return;
        };
        if begun.revoked {
            let how = format!("accepts revision {revision} after it has seen the key revoked");
            self.break_promise("revoked is final", Some(key), node, how);
        }
        if self.setting.goes_back {
            self.judge_order(begun, key, revision);
            return;
        }
        let floor = self.floor_now(begun, key);
        if revision < floor.revision {
            let how = self.late(begun, key, revision, floor);
            self.break_promise(floor.promise, Some(key), node, how);
        }
        let span = self.span(begun);
        let wrong = match what_ends(&stored, secret) {
            _ if *grant.key() != *stored.key() || grant.generation() != secret => Some("another snapshot"),
            None => Some("a secret that the revision does not have"),
            Some(_) if stored.key().status != Status::Active => Some("a key that is not active"),
            Some(ends) if ends <= span.least => Some("a key or secret that has ended"),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let how = format!("accepts {wrong}, revision {revision}, secret {secret}, at {}", seconds(now));
            self.break_promise("snapshot", Some(key), node, how);
        }
        self.judge_retired(begun, key, now);
        self.judge_until(begun, key, grant, &stored, span);
        let is_quiet = self.is_quiet(begun, key);
        self.tally.quiet_accepts += u64::from(is_quiet);
    }

    /// What of a late accept a person needs to know.
    fn late(&self, begun: &Begun, key: usize, revision: u64, floor: Floor) -> String {
        let past = &self.history.keys[key];
        let committed = past.version(floor.revision).map_or(0, |version| version.at);
        let told: Vec<String> = past
            .acknowledged
            .iter()
            .filter(|change| change.revision == floor.revision)
            .map(|change| {
                let node = &self.nodes[change.node];
                let (late, early) = (node.boot(self.now), change.ends);
                let holds_in = duration(change.ends - node.boot(change.at));
                let by = duration(late.saturating_sub(early));
                format!(
                    "acknowledged by node {} at {} for {holds_in:?}, {by:?} ago",
                    change.node,
                    seconds(change.at)
                )
            })
            .collect();
        format!(
            "node {} accepts revision {revision} in a verification begun at {}, but revision {} was committed at {} \
             and {}",
            begun.node,
            seconds(begun.at),
            floor.revision,
            seconds(committed),
            if told.is_empty() { "not acknowledged".to_owned() } else { told.join(", ") }
        )
    }

    /// Over a store whose reads go back, a key that was seen is not forgotten while it is in the cache.
    fn judge_order(&mut self, begun: &Begun, key: usize, revision: u64) {
        let setting = self.setting.nodes[begun.node].clone();
        let same = self.nodes[begun.node].resets == begun.resets
            && self.nodes[begun.node].times_named(key) == begun.named;
        let keeps = self.setting.feed == Feed::Absent
            && !setting.follows
            && !setting.is_zero()
            && setting.cache_capacity > 100;
        // A call that is under way may name its key more than once, at moments that only it knows.
        let is_changing = self.is_changing(begun.node, key);
        if is_changing {
            self.nodes[begun.node].seen.remove(&key);
        }
        if !keeps || !same || is_changing {
            return;
        }
        self.tally.count("order compared");
        let now = self.nodes[begun.node].boot(self.now);
        if let Some((seen, _)) = begun.seen.filter(|(seen, ends)| revision < *seen && now < *ends) {
            let how = format!("accepts revision {revision} while it keeps {seen}");
            self.break_promise("order", Some(key), begun.node, how);
        }
        let read = self.polled.and_then(|task| self.tasks[task].read);
        let Some((sent, _)) = read.filter(|(_, read)| *read == revision) else { return };
        let limit = setting.own.map_or(WITHOUT_FEED, |own| own.min(WITHOUT_FEED));
        let ends = self.nodes[begun.node].boot(sent) + limit / 5 * 4;
        let kept = self.nodes[begun.node].seen.entry(key).or_insert((revision, ends));
        if revision > kept.0 || now >= kept.1 || (revision == kept.0 && ends > kept.1) {
            *kept = (revision, ends);
        }
    }

    /// No secret is accepted after a rotation said that it would be refused everywhere.
    fn judge_retired(&mut self, begun: &Begun, key: usize, at: u64) {
        let (node, secret) = (begun.node, begun.secret.unwrap_or(0));
        let may_be_zero = self.may_be_zero(begun);
        let known_for =
            if self.setting.knows_zero(begun.node) { self.now.saturating_sub(begun.knows_of) } else { 0 };
        let retired = self.history.keys[key].retired.iter();
        let late = retired.copied().find(|retired| {
            // At limit zero it is said of verifications that begin later.
            let is_meant = retired.at < begun.at || !(retired.is_zero || may_be_zero);
            // A node that follows a limit set since, or none, may measure a grace by an older reading of the store's
            // clock.
            let oldest = self.shared.longest_set_since(retired.at).max(known_for);
            let at = at.saturating_sub(oldest / 5);
            is_meant
                && secret < retired.before
                && self.nodes[retired.node].boot(at) > retired.ends
                && at > retired.ends_true
        });
        if let Some(retired) = late {
            let how = format!(
                "node {node} accepts secret {secret} until {}, but node {} rotated at {} and said that it ends by \
                 {}, {:?} earlier (limit {:?})",
                seconds(at),
                retired.node,
                seconds(retired.at),
                seconds(retired.ends_true),
                duration(at - retired.ends_true),
                duration(self.shared.limit)
            );
            self.break_promise("old secret", Some(key), node, how);
        }
    }

    /// A grant that is used until its end without a recheck ends in time too.
    fn judge_until(&mut self, begun: &Begun, key: usize, grant: &Grant, stored: &StoredKey, span: Span) {
        let node = begun.node;
        let boot = u64::try_from(grant.good_until().boot().as_nanos()).unwrap();
        let until = self.nodes[node].last_before(boot);
        let revision = usize::try_from(stored.revision().get()).unwrap();
        let past = &self.history.keys[key];
        let later = past.versions.get(revision..).unwrap_or_default();
        let is_late = later.iter().any(|version| version.ends > version.at && until > version.ends)
            || past.acknowledged.iter().any(|change| {
                change.revision > stored.revision().get()
                    && self.nodes[change.node].boot(until) > change.ends
                    && until > change.at
            });
        if is_late {
            let how =
                format!("a grant of node {node} for revision {revision} is good until {}", seconds(until));
            self.break_promise("good until", Some(key), node, how);
        }
        let ahead = scaled(until.saturating_sub(self.now), self.nodes[node].rate) / 1_000;
        if let Some(ends) = what_ends(stored, begun.secret.unwrap_or(0))
            && ends < span.least.saturating_add_unsigned(ahead)
        {
            let how = format!("a grant of node {node} is good until {}, after it ended", seconds(until));
            self.break_promise("good until", Some(key), node, how);
        }
        if until > self.now {
            self.judge_retired(begun, key, until);
        }
        let held = &mut self.history.keys[key].held;
        held.resize(held.len().max(revision + 1), (0, 0));
        held[revision] = (until, node).max(held[revision]);
    }

    /// What the clock may have read by which expiry and grace are judged on this node now.
    fn span(&self, begun: &Begun) -> Span {
        let node = &self.nodes[begun.node];
        if self.setting.feed != Feed::WithClock {
            let wall = node.wall(self.now);
            return Span { least: wall, most: wall };
        }
        let lease = self.shared.followed(self.now) / 5 * 4;
        let oldest = if self.setting.knows_zero(begun.node) {
            // At limit zero an answer counts from when it came, however long it took.
            lease.max(self.now - begun.knows_of)
        } else {
            lease
        };
        let drift = oldest / 4_000 + 2;
        let wall = self.shared.wall(self.now);
        let ahead = drift + node.slowest / 900;
        Span { least: wall - drift.cast_signed(), most: wall + ahead.cast_signed() }
    }

    fn judge_denial(&mut self, begun: &Begun, key: usize, denial: &Denial) {
        let node = begun.node;
        if matches!(denial, Denial::Revoked { .. }) && !self.nodes[node].revoked.contains(&key) {
            self.nodes[node].revoked.push(key);
        }
        if self.setting.goes_back {
            return;
        }
        let (floor, span) = (self.floor_now(begun, key), self.span(begun));
        let past = &self.history.keys[key];
        let mut possible = floor.revision..=past.last();
        let at = |revision: u64| past.version(revision).map(|version| &version.stored);
        if matches!(denial, Denial::Unavailable { .. }) {
            let is_good = possible.all(|revision| is_good(at(revision), begun.secret, span));
            if is_good && self.is_quiet(begun, key) {
                let how = format!("{denial:?} for a good key, begun {}", seconds(begun.at));
                self.break_promise("available", Some(key), node, how);
            }
            return;
        }
        // A node that has seen a key revoked says so of whatever state an older read shows it.
        let is_revoked = at(past.last()).is_some_and(|last| last.key().status == Status::Revoked);
        if !possible.any(|revision| explains(denial, at(revision), begun.secret, span, is_revoked)) {
            let how = format!(
                "{denial:?} for secret {:?}, which no revision from {} to {} explains; begun {}",
                begun.secret,
                floor.revision,
                past.last(),
                seconds(begun.at)
            );
            self.break_promise("refusal", Some(key), node, how);
        }
    }

    /// Whether nothing was wrong with the node since the verification began, so that it must be available.
    fn is_quiet(&self, begun: &Begun, key: usize) -> bool {
        /// So often a verification looks up again.
        const TRIES: u64 = 3;
        let node = &self.nodes[begun.node];
        node.fault_until < begun.at
            && node.full_at.is_none_or(|at| at < begun.at)
            && node.times_named(key) - begun.named < TRIES
    }
}

/// The earliest end of the key and of its secret of this generation, in microseconds since 1970; `None` when it has
/// no such secret.
fn what_ends(stored: &StoredKey, secret: u32) -> Option<i64> {
    let digest = stored.digests().iter().find(|digest| digest.generation() == secret)?;
    let ends = [digest.ends_at(), stored.key().expires_at].into_iter().flatten();
    Some(ends.map(|end| end.timestamp_micros()).min().unwrap_or(i64::MAX))
}

/// Whether the secret is good whatever the clock read.
fn is_good(stored: Option<&StoredKey>, secret: Option<u32>, span: Span) -> bool {
    let ends = stored
        .filter(|stored| stored.key().status == Status::Active)
        .and_then(|stored| what_ends(stored, secret?));
    ends.is_some_and(|ends| ends > span.most)
}

/// Whether this state of a key is a reason for the denial, by what the clock may have read.
fn explains(
    denial: &Denial,
    stored: Option<&StoredKey>,
    secret: Option<u32>,
    span: Span,
    is_revoked: bool,
) -> bool {
    let digest = stored
        .zip(secret)
        .and_then(|(stored, secret)| stored.digests().iter().find(|digest| digest.generation() == secret));
    let (Some(stored), Some(digest)) = (stored, digest) else {
        return matches!(denial, Denial::Unrecognized { .. });
    };
    let micros =
        |end: Option<chrono::DateTime<chrono::Utc>>| end.map_or(i64::MAX, |end| end.timestamp_micros());
    let (secret_ends, expires) = (micros(digest.ends_at()), micros(stored.key().expires_at));
    let status = stored.key().status;
    match denial {
        Denial::Unrecognized { .. } => secret_ends <= span.most,
        Denial::Revoked { .. } => is_revoked && secret_ends > span.least,
        Denial::Expired { .. } => {
            status != Status::Revoked && expires <= span.most && secret_ends > span.least
        }
        Denial::Inactive { .. } => {
            status == Status::Inactive && secret_ends > span.least && expires > span.least
        }
        _ => false,
    }
}
