//! Eight threads, a few shared keys, random calls: every outcome is explained by the order of the revisions.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, FakeClock, KeyId, Revision};
use pollster::block_on;

use crate::calls::{Call, GRACE, Observed, Outcome, stored_revision};
use crate::explain::explain;
use crate::support::{SplitMix, checkout, keys_at_zero, project, review, verified_replay};

const THREADS: u64 = 8;
const CALLS: usize = 40;
const ROUNDS: u64 = 25;

/// A key that all threads share, with the tokens issued for it so far and the revisions that issued them.
struct Shared {
    id: KeyId,
    tokens: Mutex<Vec<(String, u64)>>,
}

#[test]
fn what_eight_threads_observe_is_explained_by_the_order_of_the_revisions() {
    let mut seen = BTreeMap::new();
    for round in 0..ROUNDS {
        // Two nodes over one store, as two processes would be.
        let store = Arc::new(MemoryStore::new());
        let clock = FakeClock::default();
        let nodes = [keys_at_zero(Arc::clone(&store), &clock), keys_at_zero(Arc::clone(&store), &clock)];
        let shared: Vec<Shared> = (0..3).map(|_| generate(&nodes[0])).collect();

        let barrier = Barrier::new(usize::try_from(THREADS).unwrap());
        let observed: Vec<(usize, Observed)> = std::thread::scope(|scope| {
            let (nodes, shared, store, barrier) = (&nodes, &shared, &store, &barrier);
            let run = move |thread: u64| {
                barrier.wait();
                let node = &nodes[usize::from(thread.is_multiple_of(2))];
                let random = SplitMix(round * THREADS + thread);
                calls_of_one_thread(thread, node, store, shared, random)
            };
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });

        let mut by_key: BTreeMap<usize, Vec<Observed>> = BTreeMap::new();
        for (key, observed) in observed {
            *seen.entry(kind(&observed.outcome)).or_insert(0) += 1;
            by_key.entry(key).or_default().push(observed);
        }
        for (key, observed) in by_key {
            explain(&verified_replay(&*store, &checkout(), shared[key].id), 1, &observed);
        }
    }
    for kind in
        ["changed", "unchanged", "refused", "conflict", "granted", "unrecognized", "revoked", "inactive"]
    {
        assert!(seen.get(kind).is_some_and(|n| *n > 10), "too few {kind}: {seen:?}");
    }
}

fn generate(keys: &AccessKeys<Arc<MemoryStore>>) -> Shared {
    let issued = block_on(project(keys, "owner").generate(review("Mobile"))).unwrap();
    Shared { id: issued.key.id, tokens: Mutex::new(vec![(issued.token.expose().to_owned(), 1)]) }
}

fn calls_of_one_thread(
    thread: u64,
    node: &AccessKeys<Arc<MemoryStore>>,
    store: &MemoryStore,
    shared: &[Shared],
    mut random: SplitMix,
) -> Vec<(usize, Observed)> {
    let mut seen = Vec::new();
    for i in 0..CALLS {
        let key = random.below(shared.len());
        let Shared { id, tokens } = &shared[key];
        let actor = format!("thread-{thread}-call-{i}");
        let from = stored_revision(store, *id);
        let (call, operation) = random_call(&mut random, &actor, from, &tokens.lock().unwrap());
        let outcome = block_on(call.make(node, *id, &actor, operation));
        let to = stored_revision(store, *id);
        if let Outcome::Changed { key, token: Some(token), .. } = &outcome {
            tokens.lock().unwrap().push((token.clone(), key.revision.get()));
        }
        seen.push((key, Observed { call, actor, operation, from, to, outcome }));
    }
    seen
}

fn random_call(
    random: &mut SplitMix,
    name: &str,
    revision: u64,
    tokens: &[(String, u64)],
) -> (Call, Option<&'static str>) {
    // Mostly one of the newest: the others stopped working long ago.
    let newest = tokens.len().saturating_sub(3);
    let (token, issued_at) = tokens[newest + random.below(tokens.len() - newest)].clone();
    let call = match random.below(100) {
        0..12 => Call::Rename(name.to_owned()),
        12..16 => Call::Rename("Mobile".to_owned()),
        16..24 => {
            let seen = revision.saturating_sub(random.next() % 2).max(1);
            Call::RenameIf(name.to_owned(), Revision::new(seen).unwrap())
        }
        24..34 => Call::Deactivate,
        34..50 => Call::Activate,
        50..56 => Call::Rotate(GRACE),
        56..60 => Call::Rotate(Duration::ZERO),
        60..62 => Call::Revoke,
        62..90 => Call::Verify(token, issued_at),
        _ => Call::Use(token, issued_at),
    };
    let change = matches!(call, Call::Rename(_) | Call::Deactivate | Call::Activate);
    let operations = ["req-1", "req-2", "req-3"];
    (call, (change && random.below(6) == 0).then(|| *random.pick(&operations)))
}

fn kind(outcome: &Outcome) -> &'static str {
    use access_keys::{Denial, Error};
    match outcome {
        Outcome::Changed { is_new: true, .. } => "changed",
        Outcome::Changed { .. } => "unchanged",
        Outcome::Failed(Error::Refused { .. }) => "refused",
        Outcome::Failed(Error::Conflict { .. }) => "conflict",
        Outcome::Failed(_) => "failed",
        Outcome::Verified(result) => match &**result {
            Ok(_) => "granted",
            Err(Denial::Unrecognized { .. }) => "unrecognized",
            Err(Denial::Revoked { .. }) => "revoked",
            Err(Denial::Inactive { .. }) => "inactive",
            Err(_) => "denied",
        },
    }
}
