//! Random calls, described by plain values.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) const PROJECTS: [&str; 2] = ["checkout", "warehouse"];
pub(crate) const ENVIRONMENTS: [&str; 3] = ["production", "staging", "sandbox"];
pub(crate) const RESOURCES: [&str; 3] = ["a", "b", "c"];
pub(crate) const ACTORS: [&str; 3] = ["user:ada", "user:bob", "system:cleaner"];
/// As given, and as kept.
pub(crate) const NAMES: [(&str, &str); 4] =
    [("Mobile", "Mobile"), ("  MOBILE two ", "MOBILE two"), ("Straße", "Straße"), ("web", "web")];
pub(crate) const TEXTS: [(&str, &str); 3] = [("", ""), (" leaked ", "leaked"), ("one\r\ntwo", "one\ntwo")];
pub(crate) const SECOND: u64 = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    All,
    Only(BTreeSet<&'static str>),
}

impl Reach {
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Only(ids) if ids.is_empty())
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(id),
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::All => json!("all"),
            Self::Only(ids) => json!(ids),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expiry {
    Never,
    /// So many microseconds from now.
    In(u64),
    /// So many microseconds from the beginning.
    At(u64),
    Now,
    Past,
    TooFar,
    /// The stored one, in an edit.
    Stored,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Pin {
    None,
    Current,
    Stale,
    Future,
}

/// Who calls: for a call about a key, from its project unless `elsewhere`.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) elsewhere: bool,
    pub(crate) actor: usize,
    pub(crate) operation: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) limit: usize,
    pub(crate) status: Option<usize>,
    pub(crate) state: Option<usize>,
    pub(crate) environment: Option<usize>,
    pub(crate) name: Option<&'static str>,
    pub(crate) agent: Option<usize>,
    pub(crate) prompt: Option<usize>,
    /// Before one microsecond less than the expiry of some key, at it, or one more.
    pub(crate) expiring: Option<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Generate {
        caller: Caller,
        environment: usize,
        name: usize,
        description: usize,
        expiry: Expiry,
        agents: Reach,
        prompts: Reach,
        /// How long the review waits before it is generated.
        delay: u64,
    },
    Edit {
        caller: Caller,
        key: usize,
        name: Option<usize>,
        description: Option<usize>,
        expiry: Option<Expiry>,
        agents: Option<Reach>,
        prompts: Option<Reach>,
        pin: Pin,
    },
    Activate(Caller, usize),
    Deactivate(Caller, usize),
    Revoke(Caller, usize, usize),
    Rotate(Caller, usize, u64),
    Get(Caller, usize),
    List(Caller, Filter),
    History {
        caller: Caller,
        limit: usize,
        key: Option<usize>,
        actor: Option<usize>,
        action: Option<usize>,
        operation: Option<usize>,
    },
    BadQuery(Caller, usize),
    LastUsed(Caller, Vec<usize>),
    /// The last change once more.
    Again,
    /// The last generate or rotation once more.
    IssueAgain,
    /// A request with one of the tokens, the newest when there is none of this number.
    Use {
        token: usize,
        environment: usize,
    },
    Flush,
    Wait(u64),
    /// Until an expiry or an end of grace of some key, and one microsecond less, none or more.
    WaitForEnd(usize, usize),
}

/// A sequence of calls, and whether uses are recorded.
pub(crate) fn cases() -> impl Strategy<Value = (bool, Vec<Step>)> {
    (any::<bool>(), vec(generate(), 1..4), vec(step(), 12..40))
        .prop_map(|(records, first, then)| (records, first.into_iter().chain(then).collect()))
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0_usize..64;
    prop_oneof![
        5 => generate(),
        6 => edit(),
        3 => (caller(), key()).prop_map(|(caller, key)| Step::Activate(caller, key)),
        3 => (caller(), key()).prop_map(|(caller, key)| Step::Deactivate(caller, key)),
        2 => (caller(), key(), 0_usize..5).prop_map(|(caller, key, reason)| Step::Revoke(caller, key, reason)),
        6 => (caller(), key(), grace()).prop_map(|(caller, key, grace)| Step::Rotate(caller, key, grace)),
        1 => (caller(), key()).prop_map(|(caller, key)| Step::Get(caller, key)),
        2 => (caller(), filter()).prop_map(|(caller, filter)| Step::List(caller, filter)),
        2 => history(),
        1 => (caller(), 0_usize..7).prop_map(|(caller, which)| Step::BadQuery(caller, which)),
        1 => (caller(), vec(key(), 0..3)).prop_map(|(caller, keys)| Step::LastUsed(caller, keys)),
        3 => (key(), prop_oneof![3 => Just(0_usize), 1 => 1_usize..3])
            .prop_map(|(token, environment)| Step::Use { token, environment }),
        3 => Just(Step::Again),
        4 => Just(Step::IssueAgain),
        1 => Just(Step::Flush),
        3 => prop_oneof![Just(0), 1..5_u64, 1..100 * SECOND, Just(86_400 * SECOND)].prop_map(Step::Wait),
        4 => (key(), 0_usize..3).prop_map(|(key, nudge)| Step::WaitForEnd(key, nudge)),
    ]
}

fn caller() -> impl Strategy<Value = Caller> {
    (prop::bool::weighted(0.08), 0..ACTORS.len(), weighted(0.3, 0_usize..2))
        .prop_map(|(elsewhere, actor, operation)| Caller { elsewhere, actor, operation })
}

fn reach() -> impl Strategy<Value = Reach> {
    let some = btree_set(prop::sample::select(&RESOURCES[..]), 0..3).prop_map(Reach::Only);
    prop_oneof![2 => Just(Reach::All), 1 => Just(Reach::Only(BTreeSet::new())), 4 => some]
}

fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        4 => Just(Expiry::Never),
        4 => (1..200 * SECOND).prop_map(Expiry::In),
        1 => Just(Expiry::Now),
        1 => Just(Expiry::Past),
        1 => Just(Expiry::TooFar),
        1 => Just(Expiry::Stored),
    ]
}

fn grace() -> impl Strategy<Value = u64> {
    let max = crate::reference::GRACE_MAX;
    prop_oneof![3 => Just(0), 4 => 1..100 * SECOND, 1 => Just(max), 1 => Just(max + 1)]
}

fn generate() -> impl Strategy<Value = Step> {
    let delay = prop_oneof![3 => Just(0), 1 => 1..100 * SECOND];
    // Few different ones, so that the repeat of an operation often has the same review.
    let texts = (prop_oneof![3 => Just(0_usize), 2 => 0..NAMES.len()], 0..TEXTS.len().min(2));
    (caller(), prop_oneof![4 => Just(0_usize), 1 => 1_usize..3], texts, expiry(), scopes(), delay).prop_map(
        |(caller, environment, (name, description), expiry, (agents, prompts), delay)| Step::Generate {
            // An operation names one intention: the whole of it follows from its number.
            environment: caller.operation.map_or(environment, |_| 0),
            name: caller.operation.map_or(name, |_| usize::from(name > 2)),
            description: caller.operation.map_or(description, |_| 0),
            expiry: caller.operation.map_or(expiry, |n| [Expiry::Never, Expiry::At(200 * SECOND)][n]),
            agents: if caller.operation.is_some() { Reach::All } else { agents },
            prompts,
            caller,
            delay,
        },
    )
}

fn scopes() -> impl Strategy<Value = (Reach, Reach)> {
    prop_oneof![1 => (reach(), reach()), 2 => (reach(), Just(Reach::All))]
}

fn edit() -> impl Strategy<Value = Step> {
    let pin = prop_oneof![4 => Just(Pin::None), 2 => Just(Pin::Current), 1 => Just(Pin::Stale), 1 => Just(Pin::Future)];
    let texts = (weighted(0.4, 0..NAMES.len()), weighted(0.3, 0..TEXTS.len()));
    let scopes = (weighted(0.4, reach()), weighted(0.4, reach()));
    (caller(), 0_usize..64, texts, weighted(0.4, expiry()), scopes, pin).prop_map(
        |(caller, key, (name, description), expiry, (agents, prompts), pin)| Step::Edit {
            caller,
            key,
            name,
            description,
            expiry,
            agents,
            prompts,
            pin,
        },
    )
}

fn filter() -> impl Strategy<Value = Filter> {
    let names = prop::sample::select(&["", "mobile", "E TW", "STRASSE", "straße", "x"][..]);
    (
        1_usize..4,
        weighted(0.2, 0_usize..3),
        weighted(0.2, 0_usize..4),
        weighted(0.2, 0..ENVIRONMENTS.len()),
        weighted(0.2, names),
        weighted(0.2, 0..RESOURCES.len()),
        weighted(0.2, 0..RESOURCES.len()),
        weighted(0.25, (0_usize..64, -1_i64..2)),
    )
        .prop_map(|(limit, status, state, environment, name, agent, prompt, expiring)| Filter {
            limit,
            status,
            state,
            environment,
            name,
            agent,
            prompt,
            expiring,
        })
}

fn history() -> impl Strategy<Value = Step> {
    (
        caller(),
        1_usize..4,
        weighted(0.4, 0_usize..64),
        weighted(0.3, 0..ACTORS.len()),
        weighted(0.3, 0_usize..6),
        weighted(0.2, 0_usize..2),
    )
        .prop_map(|(caller, limit, key, actor, action, operation)| Step::History {
            caller,
            limit,
            key,
            actor,
            action,
            operation,
        })
}
