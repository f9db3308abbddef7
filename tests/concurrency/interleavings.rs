//! Two calls at once in every order of their store calls, and several in thousands of random orders.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use access_keys::{FakeClock, KeyId, Revision};
use pollster::block_on;

use crate::calls::{Call, GRACE, Observed, Outcome, stored_revision};
use crate::explain::explain;
use crate::schedule::{Choices, run};
use crate::support::{
    Fault, FaultyStore, SplitMix, State, checkout, keys, keys_at_zero, operation, project, review,
    verified_replay,
};

/// What is there before the calls: one key, whose token was issued at revision 1, possibly changed since.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Active,
    Inactive,
    InGrace,
}

/// A call, and the operation that it is part of.
type Made = (Call, Option<&'static str>);

/// Carries out the calls in an order, explains what came out, and gives it back with the states of the key.
fn carry_out(
    before: Before,
    calls: &dyn Fn(&str) -> Vec<Made>,
    choose: impl FnMut(usize) -> usize,
) -> (Vec<Observed>, Vec<State>) {
    let (store, clock) = (FaultyStore::new(), FakeClock::default());
    let keys = keys_at_zero(Arc::clone(&store), &clock);
    let owner = project(&keys, "owner");
    // What the first call of all asks for, so that it stands in no order's way.
    let _ = block_on(owner.generate(review("First"))).unwrap();
    let (id, token) = if matches!(before, Before::Nothing) {
        (id_of_operation(), String::new())
    } else {
        let issued = block_on(owner.generate(review("Mobile"))).unwrap();
        (issued.key.id, issued.token.expose().to_owned())
    };
    match before {
        Before::Nothing | Before::Active => {}
        Before::Inactive => drop(block_on(owner.deactivate(id)).unwrap()),
        Before::InGrace => drop(block_on(owner.rotate(id, GRACE)).unwrap()),
    }
    let given = usize::try_from(stored_revision(&store.inner, id)).unwrap();
    store.plan(|_| Fault::Yields);

    let (keys, inner) = (&keys, &store.inner);
    let futures = calls(&token).into_iter().enumerate().map(|(i, (call, operation))| {
        Box::pin(async move {
            let actor = format!("caller-{i}");
            let from = stored_revision(inner, id);
            let outcome = call.make(keys, id, &actor, operation).await;
            let to = stored_revision(inner, id);
            Observed { call, actor, operation, from, to, outcome }
        }) as std::pin::Pin<Box<dyn Future<Output = Observed> + '_>>
    });
    let observed = run(futures.collect(), choose);
    let states = verified_replay(inner, &checkout(), id);
    explain(&states, given, &observed);
    (observed, states)
}

/// The id of the key that the operation `req-7` generates.
fn id_of_operation() -> KeyId {
    let keys = keys(access_keys::store::MemoryStore::new(), &FakeClock::default());
    block_on(project(&keys, "ada").operation(operation("req-7")).generate(review("Mobile"))).unwrap().key.id
}

/// Every order of the store calls; gives the number of orders and the different endings.
fn every_order(
    before: Before,
    calls: &dyn Fn(&str) -> Vec<Made>,
    check: &dyn Fn(&[Observed], &[State]),
) -> (usize, BTreeSet<String>) {
    let (mut choices, mut orders, mut endings) = (Choices::default(), 0, BTreeSet::new());
    loop {
        let (observed, states) = carry_out(before, calls, |of| choices.choose(of));
        check(&observed, &states);
        let words = states.iter().map(|state| format!("{} {}", state.event.actor.id(), state.event.action));
        endings.insert(words.collect::<Vec<_>>().join(", "));
        orders += 1;
        if !choices.next() {
            return (orders, endings);
        }
    }
}

/// The same for two calls outside any operation.
fn every_order_of(
    before: Before,
    a: &Call,
    b: &Call,
    check: &dyn Fn(&[Observed], &[State]),
) -> BTreeSet<String> {
    let (orders, endings) = every_order(before, &|_| vec![(a.clone(), None), (b.clone(), None)], check);
    assert!(orders >= 6, "only {orders} orders: the calls did not give way to each other");
    endings
}

fn rename(name: &str) -> Call {
    Call::Rename(name.to_owned())
}

fn is_acknowledged(observed: &Observed) -> bool {
    matches!(observed.outcome, Outcome::Changed { .. })
}

fn is_revoked(states: &[State]) -> bool {
    states.last().unwrap().key.status == access_keys::Status::Revoked
}

#[test]
fn a_revocation_holds_in_every_order_with_every_other_change() {
    let pinned = Call::RenameIf("Other".into(), Revision::FIRST);
    for before in [Before::Active, Before::Inactive, Before::InGrace] {
        for other in [
            rename("Other"),
            pinned.clone(),
            Call::Rotate(GRACE),
            Call::Rotate(Duration::ZERO),
            Call::Activate,
            Call::Deactivate,
            Call::Revoke,
        ] {
            every_order_of(before, &Call::Revoke, &other, &|observed, states| {
                assert!(is_acknowledged(&observed[0]));
                assert!(is_revoked(states));
            });
        }
    }
}

#[test]
fn two_rotations_both_count_in_every_order_and_the_newest_is_current() {
    let endings =
        every_order_of(Before::Active, &Call::Rotate(GRACE), &Call::Rotate(GRACE), &|observed, states| {
            assert!(observed.iter().all(is_acknowledged));
            assert_eq!(states.last().unwrap().secrets.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 2]);
        });
    assert_eq!(endings.len(), 2, "each of the two can be first");
}

#[test]
fn two_edits_lose_neither_in_every_order_and_of_two_pinned_ones_one_wins() {
    let endings = every_order_of(Before::Active, &rename("One"), &rename("Two"), &|observed, states| {
        assert!(observed.iter().all(is_acknowledged));
        assert_eq!(states.len(), 3);
    });
    assert_eq!(endings.len(), 2);
    let pinned = |name: &str| Call::RenameIf(name.into(), Revision::FIRST);
    let endings = every_order_of(Before::Active, &pinned("One"), &pinned("Two"), &|observed, states| {
        assert_eq!(observed.iter().filter(|seen| is_acknowledged(seen)).count(), 1);
        assert_eq!(states.len(), 2);
    });
    assert_eq!(endings.len(), 2);
}

#[test]
fn pauses_and_resumptions_are_explained_in_every_order_with_every_other_change() {
    for before in [Before::Active, Before::Inactive] {
        for one in [Call::Activate, Call::Deactivate] {
            for other in [Call::Activate, Call::Deactivate, rename("Other"), Call::Rotate(GRACE)] {
                every_order_of(before, &one, &other, &|observed, _| {
                    assert!(observed.iter().all(is_acknowledged));
                });
            }
        }
    }
}

#[test]
fn using_a_token_undoes_no_change_in_any_order() {
    for before in [Before::Active, Before::Inactive, Before::InGrace] {
        for change in
            [rename("Other"), Call::Activate, Call::Deactivate, Call::Rotate(Duration::ZERO), Call::Revoke]
        {
            let calls = |token: &str| vec![(change.clone(), None), (Call::Use(token.to_owned(), 1), None)];
            every_order(before, &calls, &|observed, _| assert!(is_acknowledged(&observed[0])));
        }
    }
}

#[test]
fn two_generates_of_one_operation_make_one_key_in_every_order() {
    let calls = |_: &str| vec![(Call::Generate, Some("req-7")), (Call::Generate, Some("req-7"))];
    let (orders, endings) = every_order(Before::Nothing, &calls, &|observed, states| {
        assert!(observed.iter().all(is_acknowledged), "no value was used: {observed:?}");
        let last = states.last().unwrap();
        assert_eq!((last.key.revision.get(), &last.secrets[..]), (2, &[(2, None)][..]));
    });
    assert!(orders >= 20);
    assert_eq!(endings.len(), 2);
}

#[test]
fn two_rotations_of_one_operation_count_as_one_in_every_order() {
    let calls = |_: &str| vec![(Call::Rotate(GRACE), Some("req-7")), (Call::Rotate(GRACE), Some("req-7"))];
    every_order(Before::Active, &calls, &|observed, states| {
        assert!(observed.iter().all(is_acknowledged), "no value was used: {observed:?}");
        let secrets = &states.last().unwrap().secrets;
        assert_eq!(secrets.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 1], "the grace is kept");
    });
}

#[test]
fn two_changes_of_one_operation_count_as_one_in_every_order() {
    for change in [Call::Deactivate, rename("Other"), Call::Revoke] {
        let calls = |_: &str| vec![(change.clone(), Some("req-7")), (change.clone(), Some("req-7"))];
        every_order(Before::Active, &calls, &|observed, states| {
            assert!(observed.iter().all(is_acknowledged));
            assert_eq!(states.len(), 2);
        });
    }
}

#[test]
fn a_repeated_change_is_not_done_again_in_any_order_with_its_undoing() {
    let calls = |_: &str| vec![(Call::Deactivate, Some("req-7")), (Call::Activate, None)];
    every_order(Before::Active, &calls, &|observed, _| assert!(observed.iter().all(is_acknowledged)));
}

#[test]
fn thousands_of_random_orders_of_several_calls_are_explained() {
    let mut endings = BTreeSet::new();
    for seed in 0..4_000 {
        let mut random = SplitMix(seed);
        let before = *random.pick(&[Before::Active, Before::Inactive, Before::InGrace]);
        let calls = |token: &str| {
            let mut random = SplitMix(!seed);
            let n = 3 + random.below(4);
            (0..n).map(|i| random_call(&mut random, token, i)).collect()
        };
        let (observed, states) = carry_out(before, &calls, |of| random.below(of));
        // Found in the output of a failure.
        assert!(states.len() < 20, "seed {seed}");
        let revoked = observed.iter().any(|seen| matches!(seen.call, Call::Revoke));
        assert_eq!(is_revoked(&states), revoked, "seed {seed}");
        endings.insert(states.iter().map(|state| state.event.action.as_str()).collect::<Vec<_>>());
    }
    assert!(endings.len() > 100, "only {} different histories", endings.len());
}

fn random_call(random: &mut SplitMix, token: &str, i: usize) -> Made {
    let call = match random.below(10) {
        0 | 1 => rename(random.pick::<&str>(&["One", "Two"])),
        2 => Call::RenameIf(format!("Pinned {i}"), Revision::new(1 + random.next() % 3).unwrap()),
        3 => Call::Deactivate,
        4 => Call::Activate,
        5 => Call::Rotate(GRACE),
        6 => Call::Rotate(Duration::ZERO),
        7 => Call::Revoke,
        8 => Call::Verify(token.to_owned(), 1),
        _ => Call::Use(token.to_owned(), 1),
    };
    let change = matches!(call, Call::Rename(_) | Call::Deactivate | Call::Activate | Call::Revoke);
    let within = (change && random.below(4) == 0).then_some("req-8");
    (call, within)
}
