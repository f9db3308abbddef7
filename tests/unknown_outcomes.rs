//! A store that cannot say what it did, several times in a row.

mod support;

use access_keys::store::{KeyStore, StoreError};
use access_keys::{Error, FakeClock, Status};
use pollster::block_on;
use support::{Fault, FaultyStore, checkout, keys, production, project, review, verified_replay};

/// What becomes of the calls, one after the other; those after them work.
fn plan(store: &FaultyStore, faults: &'static [Fault]) {
    store.plan(move |n| faults.get(usize::try_from(n).unwrap() - 1).copied().unwrap_or(Fault::Works));
}

#[test]
fn what_the_last_of_several_unknown_tries_did_is_found() {
    use Fault::{DoneUnknown, LostUnknown, Works};
    let store = FaultyStore::new();
    let keys = keys(store.clone(), &FakeClock::default());
    let owner = project(&keys, "ada");

    // The first of all asks what has changed.
    let _ = block_on(owner.generate(review("First"))).unwrap();
    plan(&store, &[LostUnknown, LostUnknown, DoneUnknown]);
    let issued = block_on(owner.generate(review("Mobile"))).unwrap();
    assert!(block_on(keys.verify(issued.token.expose(), &production())).is_ok());

    // The first call reads the key.
    plan(&store, &[Works, LostUnknown, LostUnknown, DoneUnknown]);
    let change = block_on(owner.revoke(issued.key.id, "")).unwrap();
    assert!(change.is_new());
    store.heal();
    assert_eq!(verified_replay(&*store, &checkout(), issued.key.id).len(), 2);
}

#[test]
fn what_stays_unknown_is_told_as_such_and_a_retry_ends_right() {
    use Fault::{Fails, LostUnknown, Works};
    let store = FaultyStore::new();
    let keys = keys(store.clone(), &FakeClock::default());
    let owner = project(&keys, "ada");
    let issued = block_on(owner.generate(review("Mobile"))).unwrap();

    for faults in [&[Works, LostUnknown, LostUnknown, LostUnknown][..], &[Works, LostUnknown, Fails]] {
        plan(&store, faults);
        let told = block_on(owner.revoke(issued.key.id, ""));
        assert!(matches!(told, Err(Error::Store(StoreError::OutcomeUnknown { .. }))), "{told:?}");
    }
    store.heal();
    assert!(block_on(owner.revoke(issued.key.id, "")).unwrap().is_new());
    assert_eq!(block_on(store.get(issued.key.id)).unwrap().unwrap().key().status, Status::Revoked);
    assert_eq!(verified_replay(&*store, &checkout(), issued.key.id).len(), 2);
}
