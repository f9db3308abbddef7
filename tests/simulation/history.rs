//! What was committed and acknowledged, and how far a verification must know it.

use access_keys::store::{Changes, FeedState, StoreError, StoredKey};
use access_keys::{KeyId, Revision};

use crate::judge::Begun;
use crate::planned::planned;
use crate::setting::{Feed, SECOND, WITHOUT_FEED, duration};
use crate::trips::{Answer, Question};
use crate::world::{State, seconds};

pub(crate) struct History {
    /// By the places of the planned keys.
    pub(crate) keys: Vec<Past>,
    nodes: usize,
}

/// The past of one key.
pub(crate) struct Past {
    /// In the order of their revisions, which begin at 1.
    pub(crate) versions: Vec<Version>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Rotations that told when the secrets before theirs end.
    pub(crate) retired: Vec<Retired>,
    /// The revision that a call of each node has brought about or seen, and that of every call at limit zero.
    here: Vec<u64>,
    zero: u64,
    /// The last revision that was committed while the limit was zero and every longer one had ended.
    committed_at_zero: u64,
    /// For each revision, until when the last grant that rests on it may be used, and which node has it.
    pub(crate) held: Vec<(u64, usize)>,
    /// The tokens that were issued, with their generations.
    pub(crate) tokens: Vec<(u32, String)>,
}

/// One state of a key.
pub(crate) struct Version {
    pub(crate) stored: StoredKey,
    pub(crate) at: u64,
    /// When, in true time, no node may rely on an earlier one.
    pub(crate) ends: u64,
}

/// A change whose call has returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) revision: u64,
    pub(crate) node: usize,
    pub(crate) at: u64,
    /// What the deadline clock of the node reads when it was said to hold everywhere.
    pub(crate) ends: u64,
    /// Whether it holds for all verifications that begin later.
    pub(crate) is_zero: bool,
}

/// Secrets that were said to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retired {
    /// The first generation that goes on.
    pub(crate) before: u32,
    pub(crate) node: usize,
    pub(crate) at: u64,
    /// What the deadline clock of the node reads then, and when it is in true time, as far as the grace itself is
    /// measured by the store's clock.
    pub(crate) ends: u64,
    pub(crate) ends_true: u64,
    pub(crate) is_zero: bool,
}

/// The least that a verification must know of a key, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    pub(crate) revision: u64,
    pub(crate) promise: &'static str,
}

impl Floor {
    pub(crate) const NONE: Self = Self { revision: 0, promise: "none" };

    fn raise(&mut self, revision: u64, promise: &'static str) {
        if revision > self.revision {
            *self = Self { revision, promise };
        }
    }
}

impl History {
    pub(crate) const fn new(nodes: usize) -> Self {
        Self { keys: Vec::new(), nodes }
    }

    pub(crate) fn place(&self, id: KeyId) -> Option<usize> {
        planned().places.get(&id).copied().filter(|place| *place < self.keys.len())
    }

    /// The next planned key begins.
    pub(crate) fn open(&mut self) -> Option<usize> {
        let place = self.keys.len();
        (place < planned().keys.len()).then(|| {
            self.keys.push(Past {
                versions: Vec::new(),
                acknowledged: Vec::new(),
                retired: Vec::new(),
                here: vec![0; self.nodes],
                zero: 0,
                committed_at_zero: 0,
                held: Vec::new(),
                tokens: Vec::new(),
            });
            place
        })
    }

    /// The key that a call of the store is about.
    pub(crate) fn about(&self, question: &Question) -> Option<usize> {
        match question {
            Question::Insert(key, _) | Question::Update(key, ..) => self.place(key.key().id),
            Question::Get(id) => self.place(*id),
            _ => None,
        }
    }

    /// A call of the store, as a trace shows it.
    pub(crate) fn told(&self, question: &Question, answer: &Result<Answer, StoreError>) -> String {
        let outcome = match answer {
            Ok(Answer::Key(Some(stored))) => format!("revision {}", stored.revision()),
            Ok(Answer::Key(None)) => "nothing".to_owned(),
            Ok(Answer::Changes(Changes::Since { ids, state, .. })) => format!("{ids:?}, {}", told(state)),
            Ok(Answer::Changes(Changes::Everything { state, .. })) => format!("everything, {}", told(state)),
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        let asked = match question {
            Question::Insert(key, _) | Question::Update(key, ..) => {
                let secrets = key.digests().iter().map(|digest| (digest.generation(), digest.ends_at()));
                let secrets: Vec<_> = secrets.collect();
                let (status, expires) = (key.key().status, key.key().expires_at);
                format!(
                    "write of revision {}, {status} until {expires:?}, secrets {secrets:?}",
                    key.revision()
                )
            }
            Question::Get(_) => "get".to_owned(),
            Question::Changes(since) => format!("changes{}", if since.is_some() { " since" } else { "" }),
            _ => "call".to_owned(),
        };
        format!("{asked}: {outcome}")
    }
}

/// What comes with an answer, as a trace shows it.
fn told(state: &FeedState) -> String {
    let FeedState { now, limit, drained_in, .. } = state;
    format!("now {now:?}, limit {limit:?}, drained in {drained_in:?}")
}

impl Past {
    pub(crate) fn last(&self) -> u64 {
        self.versions.len() as u64
    }

    /// The state of this revision; `None` for before there was one.
    pub(crate) fn version(&self, revision: u64) -> Option<&Version> {
        self.versions.get(usize::try_from(revision).ok()?.checked_sub(1)?)
    }

    /// What a verification that begins now on this node must know.
    pub(crate) fn floor_at_begin(&self, node: usize) -> Floor {
        let mut floor = Floor::NONE;
        floor.raise(self.committed_at_zero, "limit");
        floor.raise(self.zero, "zero");
        floor.raise(self.here[node], "same node");
        floor
    }

    /// A call of this node has brought about this revision, or seen it.
    pub(crate) fn known_here(&mut self, node: usize, revision: u64) {
        self.here[node] = self.here[node].max(revision);
    }
}

impl State {
    /// A key was stored.
    pub(crate) fn committed(&mut self, stored: &StoredKey, attempt: Option<usize>) {
        let now = self.now;
        let Some(key) = self.history.place(stored.key().id) else { return };
        let longest = match self.setting.feed {
            Feed::Absent => WITHOUT_FEED,
            _ => self.shared.longest(now),
        };
        let past = &mut self.history.keys[key];
        past.versions.push(Version { stored: stored.clone(), at: now, ends: now + longest });
        let revision = past.last();
        assert_eq!(stored.revision().get(), revision, "revisions rise by one");
        if longest == 0 {
            past.committed_at_zero = revision;
        }
        let held = past.held.iter().copied().find(|(until, _)| longest > 0 && *until > now + longest);
        if let Some(attempt) = attempt {
            self.attempts[attempt].committed = Some(revision);
        }
        if let Some((until, node)) = held
            && !self.setting.goes_back
        {
            let how = format!(
                "a grant of node {node} is good until {}, later than {:?} after revision {revision} was committed",
                seconds(until),
                duration(longest)
            );
            self.break_promise("good until", Some(key), node, how);
        }
    }

    /// A call has returned that relies on this revision, and told how long until it holds everywhere.
    pub(crate) fn acknowledge(&mut self, key: usize, node: usize, revision: Revision, holds_in: u64) {
        let now = self.now;
        let ends = self.nodes[node].boot(now).saturating_add(holds_in);
        let is_zero = holds_in == 0;
        let change = Acknowledged { revision: revision.get(), node, at: now, ends, is_zero };
        let past = &mut self.history.keys[key];
        past.acknowledged.push(change);
        past.known_here(node, change.revision);
        if is_zero {
            past.zero = past.zero.max(change.revision);
        }
        let earlier = past.held.iter().take(usize::try_from(change.revision).unwrap_or(0)).copied();
        let late: Vec<_> = earlier.filter(|(until, _)| self.nodes[node].boot(*until) > ends).collect();
        for (until, holder) in late {
            if !self.setting.goes_back && until > now {
                let how = format!(
                    "a grant of node {holder} is good until {}, but node {node} announced {:?} for revision \
                     {revision} at {}",
                    seconds(until),
                    duration(holds_in),
                    seconds(now)
                );
                self.break_promise("good until", Some(key), holder, how);
            }
        }
    }

    /// What a verification must know that decides now, and knew at least `floor` when it began.
    pub(crate) fn floor_now(&mut self, begun: &Begun, key: usize) -> Floor {
        let mut floor = begun.floor;
        if self.may_be_zero(begun) {
            return floor;
        }
        let (now, nodes, past) = (self.now, &self.nodes, &self.history.keys[key]);
        for (version, revision) in past.versions.iter().zip(1..) {
            if now > version.ends && version.ends > version.at {
                floor.raise(revision, "limit");
            }
        }
        let mut compared = 0;
        for change in past.acknowledged.iter().filter(|change| !change.is_zero) {
            if nodes[change.node].boot(now) > change.ends {
                compared += 1;
                // The plain promise is the one to name.
                if change.revision >= floor.revision {
                    floor = Floor { revision: change.revision, promise: "announced" };
                }
            }
        }
        self.tally.compared += compared + u64::from(floor.promise == "same node" || floor.promise == "zero");
        floor
    }

    /// Whether the node may have taken the shared limit for zero when the verification began: then what it reads
    /// counts from there, however long that takes.
    pub(crate) fn may_be_zero(&self, begun: &Begun) -> bool {
        /// How often, at least, a node asks then.
        const ASKS_EVERY: u64 = SECOND * 10 / 9;
        let last = self.shared.zero_until(self.now);
        last.is_some_and(|last| begun.at <= last + ASKS_EVERY + self.nodes[begun.node].slowest)
    }

    /// What a read shows that goes back.
    pub(crate) fn some_time_ago(&mut self, stored: Option<StoredKey>) -> Option<StoredKey> {
        let stored = stored?;
        let key = self.history.place(stored.key().id);
        if self.chance.percent(50) {
            return Some(stored);
        }
        let earlier = self.chance.place(3);
        let past = &self.history.keys[key?];
        self.tally.count("read that went back");
        let place = past.versions.len().saturating_sub(1 + earlier);
        past.versions.get(place).map(|version| version.stored.clone())
    }
}
