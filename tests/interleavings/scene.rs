//! Two nodes over one store with one key, the calls that are made, and what no order of them may bring.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{AccessKeys, Denial, Edit, FakeClock, KeyId, Scope, Verifier};
use pollster::block_on;

use crate::orders::{Access, Call, Orders, Touches};
use crate::setting::{Before, Cut, MADE, Mistake, Setting, agent};
use crate::support::{keys, production, project};
use crate::turns::{Answer, Data, HERE, Next, OTHER, Turns, calm, give_way, take_next};

pub(crate) struct Scene {
    setting: Setting,
    data: Arc<Data>,
    clock: FakeClock,
    nodes: [AccessKeys<Turns>; 2],
    verifiers: [Verifier; 2],
    id: KeyId,
    token: String,
    /// What no order may bring; `None` while all goes well.
    broken: Cell<Option<&'static str>>,
    /// How each verification ended, by its place.
    endings: RefCell<BTreeMap<usize, &'static str>>,
    /// Whether a call was dropped before it had ended.
    has_dropped: Cell<bool>,
}

impl Scene {
    pub(crate) fn new(setting: Setting) -> Self {
        calm(true);
        let clock = FakeClock::default();
        let inner = MemoryStore::new();
        let (id, token) = MADE.with(|made| {
            block_on(inner.insert(&made.key, &made.event)).unwrap();
            (made.key.key().id, made.token.clone())
        });
        if setting.is_zero {
            block_on(inner.set_max_staleness(Duration::ZERO)).unwrap();
        }
        let Setting { has_feed, before, mistake, .. } = setting;
        let data = Arc::new(Data {
            inner,
            has_feed,
            forgets: mistake == Some(Mistake::ForgottenByTheFeed),
            is_acknowledged: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            is_informed: AtomicBool::new(false),
        });
        let nodes = [HERE, OTHER].map(|node| keys(Turns { data: Arc::clone(&data), node }, &clock));
        let verifiers = nodes.each_ref().map(AccessKeys::verifier);
        for verifier in &verifiers {
            match before {
                Before::Cold => {}
                Before::Asked => block_on(refresh(verifier)),
                Before::Cached | Before::Lapsed => {
                    // Once from the store, once from the cache, once from what this thread put aside.
                    for _ in 0..3 {
                        assert!(block_on(verifier.verify(&token, &production())).is_ok());
                    }
                }
            }
        }
        if before == Before::Lapsed {
            clock.advance(Duration::from_secs(5));
        }
        calm(false);
        Self {
            setting,
            data,
            clock,
            nodes,
            verifiers,
            id,
            token,
            broken: Cell::new(None),
            endings: RefCell::default(),
            has_dropped: Cell::new(false),
        }
    }

    /// A verification on a node, dropped after so many polls if it has not ended by then.
    pub(crate) fn verification(&self, place: usize, node: usize, polls: Option<usize>) -> Call<'_> {
        Call {
            future: Box::pin(async move {
                match polls {
                    None => self.verify(place, node).await,
                    Some(polls) => drop(self.dropped_after(polls, self.verify(place, node)).await),
                }
            }),
            first: Touches::node(node).and_judge(Access::Reads),
            usually: Touches::node(node),
            arrival: if node == HERE { |_| Touches::node(HERE) } else { |_| Touches::node(OTHER) },
            // One that is dropped is like no other.
            kind: if polls.is_some() { usize::MAX - place } else { node },
        }
    }

    async fn verify(&self, place: usize, node: usize) {
        let knows = |told: &AtomicBool| told.load(SeqCst);
        let is_at_once = node == HERE || self.setting.is_zero;
        let is_bound =
            knows(&self.data.is_acknowledged) && is_at_once || knows(&self.data.is_informed) && node == OTHER;
        let verified = self.verifiers[node].verify(&self.token, &production()).await;
        let is_accepted = match &verified {
            Ok(grant) => {
                self.setting.cut != Cut::Narrow || grant.require_agent(&agent("support-bot")).is_ok()
            }
            Err(_) => false,
        };
        if is_accepted && is_bound {
            self.broken.set(Some("a verification accepted that began too late for that"));
        }
        // At limit zero what counts is when it began.
        if is_accepted && knows(&self.data.is_over) && !self.setting.is_zero {
            self.broken.set(Some("a verification accepted after the announced time"));
        }
        if matches!(verified, Err(Denial::Unavailable { .. })) {
            self.broken.set(Some("a verification was told that the store is unavailable"));
        }
        self.endings.borrow_mut().insert(place, if is_accepted { "accepted" } else { "refused" });
    }

    /// The change, dropped after so many polls if it has not ended by then.
    pub(crate) fn change(&self, polls: Option<usize>) -> Call<'_> {
        const ENDS: Touches = Touches::node(HERE).and_judge(Access::Writes);
        Call {
            future: Box::pin(async move {
                let announced = match polls {
                    None => Some(self.make_change().await),
                    Some(polls) => self.dropped_after(polls, self.make_change()).await,
                };
                // Dropped after it was stored it holds here all the same.
                if announced.is_some() || !self.is_as_made() {
                    self.data.is_acknowledged.store(true, SeqCst);
                }
                if let Some(announced) = announced.filter(|_| self.setting.passes) {
                    give_way(Next::Effect(Touches::TIME)).await;
                    let is_short = self.setting.mistake == Some(Mistake::TooSoon);
                    self.clock.advance(if is_short { announced / 5 * 3 } else { announced });
                    self.data.is_over.store(true, SeqCst);
                }
            }),
            // It waits for the store at once.
            first: Touches::NOTHING,
            usually: ENDS.and_store(Access::Reads),
            arrival: match self.setting.before {
                Before::Cold => |_| ENDS,
                // Where it is known what the store can do, what time it is needs no question, and so the only step
                // that touches the node is the last.
                Before::Asked | Before::Cached | Before::Lapsed => |answer| match answer {
                    Answer::Changes => ENDS,
                    Answer::Get | Answer::Update => Touches::NOTHING,
                },
            },
            kind: 2,
        }
    }

    /// How long until it holds everywhere.
    async fn make_change(&self) -> Duration {
        let node = if self.setting.mistake == Some(Mistake::MadeElsewhere) { OTHER } else { HERE };
        let owner = project(&self.nodes[node], "owner");
        let change = match self.setting.cut {
            Cut::Revoke => owner.revoke(self.id, "leaked").await,
            Cut::Deactivate => owner.deactivate(self.id).await,
            Cut::Narrow => {
                let agents = Scope::specific([agent("sales-bot")]).unwrap();
                owner.edit(self.id, Edit::new().agents(agents)).await
            }
            Cut::Rotate => {
                let issued = owner.rotate(self.id, Duration::ZERO).await.unwrap();
                return issued.old_secret_ends_in().expect("there is an old one");
            }
        };
        change.unwrap().holds_everywhere_in()
    }

    /// Whether nothing was stored since the beginning.
    fn is_as_made(&self) -> bool {
        let stored = block_on(self.data.inner.get(self.id)).unwrap().unwrap();
        MADE.with(|made| stored.revision() == made.key.revision())
    }

    /// A node that asks what has changed, as following it does; dropped after so many polls.
    pub(crate) fn refresh(&self, node: usize, polls: Option<usize>) -> Call<'_> {
        Call {
            future: Box::pin(async move {
                match polls {
                    None => refresh(&self.verifiers[node]).await,
                    Some(polls) => drop(self.dropped_after(polls, refresh(&self.verifiers[node])).await),
                }
            }),
            first: Touches::node(node),
            usually: Touches::node(node),
            arrival: if node == HERE { |_| Touches::node(HERE) } else { |_| Touches::node(OTHER) },
            kind: 3 + node,
        }
    }

    /// Drops the future, in a step of its own, when it is not ready after so many polls.
    async fn dropped_after<F: Future>(&self, polls: usize, future: F) -> Option<F::Output> {
        let mut future = Some(Box::pin(future));
        let mut left = polls;
        poll_fn(|context| {
            let Some(running) = future.as_mut().filter(|_| left > 0) else {
                future = None;
                self.has_dropped.set(true);
                return Poll::Ready(None);
            };
            left -= 1;
            let polled = running.as_mut().poll(context);
            if polled.is_pending() && left == 0 {
                // What comes next is not what the store says.
                let _ = take_next();
                context.waker().wake_by_ref();
            }
            polled.map(Some)
        })
        .await
    }
}

/// Follows until the first pause, that of writing uses apart.
async fn refresh(verifier: &Verifier) {
    let pauses = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&pauses);
    let mut follow = pin!(verifier.clone().follow(move |_| {
        theirs.fetch_add(1, SeqCst);
        pending::<()>()
    }));
    poll_fn(|context| {
        let _ = follow.as_mut().poll(context);
        if pauses.load(SeqCst) == 2 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// What came of all orders.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) orders: usize,
    pub(crate) broken: BTreeSet<&'static str>,
    /// Orders in which a call was dropped before it had ended.
    pub(crate) dropped: usize,
    /// How the verifications ended, in every way that there is.
    pub(crate) endings: BTreeSet<Vec<&'static str>>,
}

/// Carries the calls out in every order.
pub(crate) fn every_order(
    setting: Setting,
    is_reduced: bool,
    calls: impl Fn(&Scene) -> Vec<Call<'_>>,
) -> Found {
    let (mut orders, mut found) = (Orders::new(is_reduced), Found::default());
    loop {
        let scene = Scene::new(setting);
        if orders.carry_out(calls(&scene)) {
            found.orders += 1;
            found.dropped += usize::from(scene.has_dropped.get());
            found.broken.extend(scene.broken.get());
            found.endings.insert(scene.endings.take().into_values().collect());
        }
        if !orders.next() {
            return found;
        }
    }
}
