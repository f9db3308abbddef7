//! A store of which any one call fails, hangs or lies about its outcome, and perhaps every call after it too.

mod support;

use std::sync::Arc;
use std::time::Duration;

use access_keys::domain::Action;
use access_keys::store::{KeyStore, KeyUse, StoreError};
use access_keys::{
    AccessKeys, AuditQuery, Clock, Denial, Edit, Error, FakeClock, Issued, KeyId, KeyQuery, ProjectKeys,
    Status,
};
use pollster::block_on;
use support::{
    Fault, FaultyStore, State, checkout, keys_at_zero, operation, poll_at_most, production, project, review,
    verified_replays,
};

const HOUR: Duration = Duration::from_secs(3_600);
const FAULTS: [Fault; 5] =
    [Fault::Fails, Fault::Hangs, Fault::DoneUnknown, Fault::LostUnknown, Fault::DoneHangs];
/// What becomes of the next call, and of every later one.
const LATER: [(Fault, Fault); 6] = [
    (Fault::Works, Fault::Works),
    (Fault::Fails, Fault::Works),
    (Fault::LostUnknown, Fault::Works),
    (Fault::DoneUnknown, Fault::Works),
    (Fault::Fails, Fault::Fails),
    (Fault::LostUnknown, Fault::LostUnknown),
];
/// More polls than any call needs that does not hang.
const POLLS: usize = 50;

struct Host {
    store: Arc<FaultyStore>,
    keys: AccessKeys<Arc<FaultyStore>>,
    /// Acts on behalf of `ada`, who does nothing but what is tested.
    ada: ProjectKeys<Arc<FaultyStore>>,
    clock: FakeClock,
    /// A key that is there before, made by another actor.
    issued: Issued,
}

impl Host {
    fn new() -> Self {
        let (store, clock) = (FaultyStore::new(), FakeClock::default());
        let keys = keys_at_zero(Arc::clone(&store), &clock);
        let issued = block_on(project(&keys, "owner").generate(review("Mobile"))).unwrap();
        let ada = project(&keys, "ada");
        Self { store, keys, ada, clock, issued }
    }

    fn id(&self) -> KeyId {
        self.issued.key.id
    }

    /// Replays the whole history against what is stored.
    fn states(&self) -> Vec<Vec<State>> {
        verified_replays(&self.store.inner, &checkout())
    }

    fn state(&self) -> State {
        let mut states = self.states().into_iter().map(|mut states| states.pop().unwrap());
        states.find(|state| state.key.id == self.id()).unwrap()
    }

    /// How many events tell of what was tested.
    fn events(&self) -> usize {
        self.states().iter().flatten().filter(|state| state.event.actor.id() == "ada").count()
    }

    fn works(&self, issued: &Issued) -> bool {
        match block_on(self.keys.verify(issued.token.expose(), &production())) {
            Ok(_) => true,
            Err(Denial::Unrecognized { .. }) => false,
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// How a call ended while the store was at fault.
enum Ended<T> {
    Ok(T),
    Failed(Error),
    Dropped,
}

/// Makes the call on a fresh host for every number of the store's call, every fault and every sequel. `check`
/// sees the host with the store at work again.
fn at_every_call<T>(
    set_up: impl Fn(&Host),
    call: &impl AsyncFn(&Host) -> Result<T, Error>,
    check: impl Fn(&Host, Ended<T>),
) {
    let (mut acknowledged, mut failed, mut unknown, mut dropped) = (0, 0, 0, 0);
    for fault in FAULTS {
        for later in LATER {
            for n in 1.. {
                assert!(n < 50, "a call that asks the store for ever");
                let host = Host::new();
                set_up(&host);
                let before = host.events();
                host.store.plan(move |i| match i.cmp(&n) {
                    std::cmp::Ordering::Less => Fault::Works,
                    std::cmp::Ordering::Equal => fault,
                    std::cmp::Ordering::Greater if i == n + 1 => later.0,
                    std::cmp::Ordering::Greater => later.1,
                });
                let ended = match poll_at_most(POLLS, call(&host)) {
                    Some(Ok(value)) => Ended::Ok(value),
                    Some(Err(error)) => Ended::Failed(error),
                    None => Ended::Dropped,
                };
                let reached = host.store.calls() >= n;
                host.store.heal();
                let changes = host.events() - before;
                match &ended {
                    Ended::Ok(_) => acknowledged += 1,
                    Ended::Failed(Error::Store(StoreError::Backend { .. })) => {
                        assert_eq!(changes, 0, "a definite failure, and yet it was done: {fault:?} at {n}");
                        failed += 1;
                    }
                    Ended::Failed(Error::Store(StoreError::OutcomeUnknown { .. })) => unknown += 1,
                    Ended::Failed(other) => panic!("{other:?} for {fault:?} at {n}, later {later:?}"),
                    Ended::Dropped => {
                        assert!(matches!(fault, Fault::Hangs | Fault::DoneHangs), "{fault:?} at {n}");
                        dropped += 1;
                    }
                }
                assert!(changes <= 1, "done twice: {fault:?} at {n}, later {later:?}");
                check(&host, ended);
                if !reached {
                    break;
                }
            }
        }
    }
    let all = [acknowledged, failed, unknown, dropped];
    assert!(all.iter().all(|n| *n > 0), "acknowledged, failed, unknown, dropped: {all:?}");
}

/// A call that may be repeated: acknowledged means done, and a plain retry ends with exactly one event.
fn idempotent(
    set_up: impl Fn(&Host),
    call: &impl AsyncFn(&Host) -> Result<access_keys::Change, Error>,
    is_done: impl Fn(&State) -> bool,
) {
    at_every_call(set_up, call, |host, ended| {
        if let Ended::Ok(change) = ended {
            assert!(is_done(&host.state()), "acknowledged, but not done");
            assert!(change.is_new(), "it was this call that did it");
            assert_eq!(*change.key(), host.state().key);
        }
        let retried = block_on(call(host)).unwrap();
        assert_eq!(*retried.key(), host.state().key);
        assert!(is_done(&host.state()));
        assert_eq!(host.events(), 1, "a retry is not a second event");
    });
}

fn nothing(_: &Host) {}

fn pause(host: &Host) {
    block_on(project(&host.keys, "owner").deactivate(host.id())).unwrap();
}

#[test]
fn a_revocation_is_done_once_whatever_call_fails() {
    let revoked = |state: &State| state.key.status == Status::Revoked;
    idempotent(nothing, &async |host| host.ada.revoke(host.id(), "leaked").await, revoked);
    let in_operation =
        async |host: &Host| host.ada.operation(operation("req-7")).revoke(host.id(), "leaked").await;
    idempotent(nothing, &in_operation, revoked);
}

#[test]
fn a_pause_and_its_end_are_done_once_whatever_call_fails() {
    idempotent(nothing, &async |host| host.ada.deactivate(host.id()).await, |state| {
        state.key.status == Status::Inactive
    });
    idempotent(pause, &async |host| host.ada.activate(host.id()).await, |state| {
        state.key.status == Status::Active
    });
}

#[test]
fn an_edit_is_done_once_whatever_call_fails() {
    let renamed = |state: &State| state.key.name == "Renamed";
    let edit = || Edit::new().name("Renamed").unwrap();
    idempotent(nothing, &async |host| host.ada.edit(host.id(), edit()).await, renamed);
    let in_operation =
        async |host: &Host| host.ada.operation(operation("req-7")).edit(host.id(), edit()).await;
    idempotent(nothing, &in_operation, renamed);
}

#[test]
fn an_edit_of_one_revision_is_acknowledged_if_it_was_done_and_else_refused_or_in_doubt() {
    let edit = |host: &Host| Edit::new().name("Renamed").unwrap().if_revision(host.issued.key.revision);
    at_every_call(nothing, &async |host| host.ada.edit(host.id(), edit(host)).await, |host, ended| {
        let done = host.events() == 1;
        assert_eq!(host.state().key.name == "Renamed", done);
        if let Ended::Ok(change) = ended {
            assert!(done && change.is_new());
        }
        match block_on(host.ada.edit(host.id(), edit(host))) {
            Ok(_) => assert!(!done),
            Err(Error::Conflict { .. }) => assert!(done, "in the way was nothing but the edit itself"),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(host.events(), 1);
    });
}

#[test]
fn a_generate_leaves_no_half_key_whatever_call_fails() {
    at_every_call(nothing, &async |host| host.ada.generate(review("New")).await, |host, ended| {
        let before = host.events();
        if let Ended::Ok(issued) = &ended {
            assert!(before == 1 && host.works(issued));
        }
        let retried = block_on(host.ada.generate(review("New"))).unwrap();
        assert!(host.works(&retried) && host.works(&host.issued));
        assert_eq!(host.events(), before + 1);
    });
}

#[test]
fn a_rotation_leaves_no_half_secret_whatever_call_fails() {
    for grace in [Duration::ZERO, HOUR] {
        at_every_call(nothing, &async |host| host.ada.rotate(host.id(), grace).await, |host, ended| {
            let before = host.events();
            // Until a rotation was stored, the old value works; then, as long as its grace.
            assert_eq!(host.works(&host.issued), before == 0 || grace == HOUR);
            if let Ended::Ok(issued) = &ended {
                assert!(before == 1 && host.works(issued));
            }
            let retried = block_on(host.ada.rotate(host.id(), grace)).unwrap();
            assert!(host.works(&retried));
            assert_eq!(host.events(), before + 1);
            assert_eq!(host.works(&host.issued), before == 0 && grace == HOUR);
        });
    }
}

#[test]
fn a_generate_of_an_operation_ends_with_one_key_and_one_usable_value_whatever_call_fails() {
    let generate = async |host: &Host| host.ada.operation(operation("req-7")).generate(review("New")).await;
    for repeated in [false, true] {
        let set_up = |host: &Host| {
            if repeated {
                let _lost = block_on(generate(host)).unwrap();
            }
        };
        at_every_call(set_up, &generate, |host, ended| {
            let found = block_on(generate(host)).unwrap();
            if let Ended::Ok(lost) = &ended {
                assert_eq!(lost.key.id, found.key.id);
                assert!(!host.works(lost), "the lost value was replaced");
            }
            assert!(host.works(&found));
            let states = host.states();
            assert_eq!(states.len(), 2, "the key that was there, and one new one");
            let of_ada = |states: &&Vec<State>| states[0].event.actor.id() == "ada";
            let states: Vec<_> = states.iter().filter(of_ada).collect();
            assert!(states.len() == 1 && states[0].last().unwrap().secrets.len() == 1);
            // It is used now, and so is no longer replaced.
            assert!(matches!(block_on(generate(host)), Err(Error::Refused { .. })));
            assert!(host.works(&found));
        });
    }
}

#[test]
fn a_rotation_of_an_operation_ends_with_one_new_value_and_the_first_grace_whatever_call_fails() {
    let rotate = async |host: &Host| host.ada.operation(operation("req-7")).rotate(host.id(), HOUR).await;
    for repeated in [false, true] {
        let set_up = |host: &Host| {
            if repeated {
                let _lost = block_on(rotate(host)).unwrap();
                host.clock.advance(HOUR / 2);
            }
        };
        at_every_call(set_up, &rotate, |host, ended| {
            let found = block_on(rotate(host)).unwrap();
            if let Ended::Ok(lost) = &ended {
                assert!(!host.works(lost));
            }
            assert!(host.works(&found) && host.works(&host.issued));
            assert_eq!(host.state().secrets.len(), 2);
            assert!(matches!(block_on(rotate(host)), Err(Error::Refused { .. })));
            host.clock.advance(if repeated { HOUR / 2 } else { HOUR });
            assert!(host.works(&found) && !host.works(&host.issued));
        });
    }
}

/// Reads change nothing, fail as the store does, and work again afterwards.
fn a_read<T: PartialEq + std::fmt::Debug>(read: &impl AsyncFn(&Host) -> Result<T, Error>) {
    at_every_read(read, |host, ended, expected| {
        if let Ended::Ok(value) = &ended {
            assert_eq!(value, expected);
        }
        assert_eq!(block_on(read(host)).unwrap(), *expected);
    });
}

fn at_every_read<T>(read: &impl AsyncFn(&Host) -> Result<T, Error>, check: impl Fn(&Host, Ended<T>, &T)) {
    for fault in FAULTS {
        for n in 1..=4 {
            let host = Host::new();
            host.store.plan(move |i| if i == n { fault } else { Fault::Works });
            let ended = match poll_at_most(POLLS, read(&host)) {
                Some(Ok(value)) => Ended::Ok(value),
                Some(Err(Error::Store(error))) => Ended::Failed(error.into()),
                Some(Err(other)) => panic!("{other:?}"),
                None => Ended::Dropped,
            };
            let reached = host.store.calls() >= n;
            assert_eq!(matches!(ended, Ended::Ok(_)), !reached, "{fault:?} at {n}");
            host.store.heal();
            let expected = block_on(read(&host)).unwrap();
            check(&host, ended, &expected);
            assert_eq!(host.states().iter().map(Vec::len).sum::<usize>(), 1);
        }
    }
}

#[test]
fn reads_fail_as_the_store_does_and_work_again_afterwards() {
    a_read(&async |host| host.ada.get(host.id()).await.map(|key| key.name));
    a_read(&async |host| host.ada.list(KeyQuery::default()).await.map(|page| page.items.len()));
    a_read(&async |host| {
        host.ada.history(AuditQuery::default()).await.map(|page| page.items[0].action == Action::Created)
    });
    a_read(&async |host| host.ada.last_used(&[host.id()]).await);
}

#[test]
fn a_verification_during_faults_is_unavailable_and_never_says_that_the_key_is_bad() {
    for fault in FAULTS {
        let host = Host::new();
        let token = host.issued.token.expose().to_owned();
        let grant = block_on(host.keys.verify(&token, &production())).unwrap();
        host.store.plan(move |_| fault);
        let verified = poll_at_most(POLLS, host.keys.verify(&token, &production()));
        let rechecked = poll_at_most(POLLS, async { host.keys.verifier().recheck(&grant).await });
        for denial in [verified, rechecked] {
            match denial {
                Some(Err(denial @ Denial::Unavailable { source: Some(_), .. })) => {
                    assert_eq!((denial.status(), denial.key()), (503, None));
                }
                None => assert!(matches!(fault, Fault::Hangs | Fault::DoneHangs)),
                Some(other) => panic!("{other:?} for {fault:?}"),
            }
        }
        let malformed = poll_at_most(POLLS, host.keys.verify("acme_", &production()));
        assert!(matches!(malformed, Some(Err(Denial::Malformed { .. }))), "the store is not asked");
        host.store.heal();
        assert!(host.works(&host.issued));
        assert!(block_on(host.keys.verifier().recheck(&grant)).is_ok());
    }
}

#[test]
fn a_write_of_uses_that_fails_or_is_cancelled_loses_none_and_repeating_it_doubles_none() {
    for fault in FAULTS {
        let host = Host::new();
        let used_at = host.clock.wall();
        let again = block_on(project(&host.keys, "owner").generate(review("Again"))).unwrap();
        assert!(host.works(&host.issued) && host.works(&again));
        host.store.plan(move |_| fault);
        let mut flushing = Box::pin(host.keys.flush_uses());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let flushed = std::future::Future::poll(flushing.as_mut(), &mut context);
        match flushed {
            std::task::Poll::Ready(result) => drop(result.unwrap_err()),
            std::task::Poll::Pending => assert!(matches!(fault, Fault::Hangs | Fault::DoneHangs)),
        }
        // What is used while a write hangs is not lost by its end.
        host.store.heal();
        host.clock.advance(HOUR);
        let during = block_on(project(&host.keys, "owner").generate(review("During"))).unwrap();
        assert!(host.works(&during) && host.works(&again));
        drop(flushing);
        let (id, other) = (host.id(), during.key.id);
        let expected = |id, at| [KeyUse::new(id, 1, at)];
        assert_eq!(
            block_on(host.ada.last_used(&[again.key.id])).unwrap(),
            expected(again.key.id, used_at + HOUR)
        );
        assert_eq!(block_on(host.ada.last_used(&[id])).unwrap(), expected(id, used_at));
        assert_eq!(block_on(host.ada.last_used(&[other])).unwrap(), expected(other, used_at + HOUR));
        block_on(host.keys.flush_uses()).unwrap();
        assert_eq!(block_on(host.store.inner.last_uses(&[id])).unwrap(), expected(id, used_at));
        assert_eq!(block_on(host.store.inner.last_uses(&[other])).unwrap(), expected(other, used_at + HOUR));
        let written = block_on(host.store.inner.last_uses(&[again.key.id])).unwrap();
        assert_eq!(written, expected(again.key.id, used_at + HOUR));
        host.store.plan(|_| Fault::Works);
        block_on(host.keys.flush_uses()).unwrap();
        assert_eq!(host.store.calls(), 0, "nothing is left to be written");
    }
}

#[test]
fn what_a_key_was_used_for_is_seen_and_written_in_the_end_whichever_write_failed() {
    let agent = access_keys::AgentId::new("support-bot").unwrap();
    for fault in FAULTS {
        for n in 1..=2 {
            let host = Host::new();
            let grant = block_on(host.keys.verify(host.issued.token.expose(), &production())).unwrap();
            grant.require_agent(&agent).unwrap();
            // The first call writes the use of the secret, the second that of the agent.
            host.store.plan(move |i| if i == n { fault } else { Fault::Works });
            assert!(!matches!(poll_at_most(POLLS, host.keys.flush_uses()), Some(Ok(()))));
            host.store.heal();
            let used = block_on(host.ada.scope_used(&[host.id()])).unwrap().unwrap();
            assert_eq!(used[0].agents().count(), 1, "{fault:?} of call {n}");
            block_on(host.keys.flush_uses()).unwrap();
            let written = block_on(host.store.inner.scope_uses(&[host.id()])).unwrap().unwrap();
            assert_eq!(written.len(), 1, "{fault:?} of call {n}");
            assert_eq!(block_on(host.store.inner.last_uses(&[host.id()])).unwrap().len(), 1);
            host.store.plan(|_| Fault::Works);
            block_on(host.keys.flush_uses()).unwrap();
            assert_eq!(host.store.calls(), 0, "nothing is left to be written");
        }
    }
}

#[test]
fn many_uses_are_all_written_in_the_end_whichever_batch_failed() {
    let host = Host::new();
    let issued: Vec<Issued> = (0..1_500)
        .map(|i| block_on(project(&host.keys, "owner").generate(review(&format!("Key {i}")))).unwrap())
        .collect();
    for fault in FAULTS {
        for n in 1..=2 {
            host.clock.advance(HOUR);
            assert!(issued.iter().all(|issued| host.works(issued)));
            host.store.plan(move |i| if i == n { fault } else { Fault::Works });
            assert!(!matches!(poll_at_most(POLLS, host.keys.flush_uses()), Some(Ok(()))));
            host.store.heal();
            block_on(host.keys.flush_uses()).unwrap();
            let ids: Vec<KeyId> = issued.iter().map(|issued| issued.key.id).collect();
            let written = block_on(host.store.inner.last_uses(&ids)).unwrap();
            assert_eq!(written.len(), ids.len());
            assert!(written.iter().all(|used| used.at == host.clock.wall()), "{fault:?} of batch {n}");
        }
    }
}
