//! What there is before the calls, what they meet, and what is wrong with it.

use std::sync::Arc;

use access_keys::store::{KeyStore, MemoryStore, StoredKey};
use access_keys::{AgentId, AuditEvent, AuditQuery, FakeClock, KeyInfo, Scope};
use pollster::block_on;

use crate::support::{checkout, keys, production, project};

/// What cuts the key off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Revoke,
    Deactivate,
    Rotate,
    Narrow,
}

pub(crate) const CUTS: [Cut; 4] = [Cut::Revoke, Cut::Deactivate, Cut::Rotate, Cut::Narrow];

/// What is there before the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// The nodes know nothing yet.
    Cold,
    /// They have asked what has changed, and have no key.
    Asked,
    /// They have the key, and this thread has it put aside.
    Cached,
    /// The same, and the deadline has passed.
    Lapsed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) cut: Cut,
    pub(crate) before: Before,
    pub(crate) has_feed: bool,
    /// The limit of all nodes is zero.
    pub(crate) is_zero: bool,
    /// After the acknowledgement, as much time passes as was announced.
    pub(crate) passes: bool,
    pub(crate) mistake: Option<Mistake>,
}

/// What can be wrong, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The feed forgets the change.
    ForgottenByTheFeed,
    /// The change is made on the other node, and this one should know of it at once.
    MadeElsewhere,
    /// Less time passes than was announced.
    TooSoon,
}

pub(crate) const PLAIN: Setting = Setting {
    cut: Cut::Revoke,
    before: Before::Asked,
    has_feed: true,
    is_zero: false,
    passes: false,
    mistake: None,
};

/// The key as it is stored in the beginning, and its token: the same for all orders.
pub(crate) struct Made {
    pub(crate) key: StoredKey,
    pub(crate) event: AuditEvent,
    pub(crate) token: String,
}

thread_local! {
    pub(crate) static MADE: Made = make();
}

pub(crate) fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

fn make() -> Made {
    let store = Arc::new(MemoryStore::new());
    let owner = project(&keys(Arc::clone(&store), &FakeClock::default()), "owner");
    let agents = Scope::specific([agent("support-bot"), agent("sales-bot")]).unwrap();
    let review = owner.draft().info(KeyInfo::new("Mobile", production()).unwrap()).agents(agents);
    let issued = block_on(owner.generate(review.prompts(Scope::All).unwrap())).unwrap();
    let events = block_on(store.history(&checkout(), &AuditQuery::default())).unwrap().items;
    Made {
        key: block_on(store.get(issued.key.id)).unwrap().unwrap(),
        event: events.into_iter().next().unwrap(),
        token: issued.token.expose().to_owned(),
    }
}
