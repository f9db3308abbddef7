//! Single moments that random lives do not single out.

use std::time::Duration;

use access_keys::domain::{Action, FieldChange};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{AuditQuery, Denial, Error, FakeClock, KeyId};
use pollster::block_on;

use crate::support::{checkout, keys, production, project, review, verified_replay};

#[test]
fn a_grace_finer_than_a_microsecond_ends_at_the_microsecond_that_is_stored_and_recorded() {
    let clock = FakeClock::default();
    let keys = keys(MemoryStore::new(), &clock);
    let project = project(&keys, "ada");
    let old = block_on(project.generate(review("Mobile"))).unwrap();
    let _new = block_on(project.rotate(old.key.id, Duration::from_nanos(1_500))).unwrap();
    let newest = AuditQuery::default().action(Action::Rotated);
    let event = block_on(project.history(newest)).unwrap().items.remove(0);
    let [FieldChange::Secret { old_secret_ends_at, .. }] = event.changes[..] else { panic!("{event:?}") };
    let stored = block_on(keys.store().get(old.key.id)).unwrap().unwrap();
    assert_eq!(stored.digests()[1].ends_at(), Some(old_secret_ends_at));
    assert_eq!(old_secret_ends_at.timestamp_subsec_nanos() % 1_000, 0, "times are kept to the microsecond");
    // What was written to a store of documents must say the same when it is read again.
    let read: access_keys::store::StoredKey =
        serde_json::from_value(serde_json::to_value(&stored).unwrap()).unwrap();
    assert_eq!(read, stored);
    clock.set_wall(old_secret_ends_at);
    let verified = block_on(keys.verify(old.token.expose(), &production()));
    assert!(matches!(verified, Err(Denial::Unrecognized { .. })));
}

#[test]
fn last_used_names_the_first_of_the_given_keys_that_is_not_there() {
    let keys = keys(MemoryStore::new(), &FakeClock::default());
    let project = project(&keys, "ada");
    let [one, other] = ["zzzzzzzzzzzzzzzz", "0000000000000000"].map(|id| KeyId::new(id).unwrap());
    for (first, second) in [(one, other), (other, one)] {
        match block_on(project.last_used(&[first, second])) {
            Err(Error::NotFound { key }) => assert_eq!(key, first),
            found => panic!("{found:?}"),
        }
    }
}

#[test]
fn events_of_one_key_rise_even_when_the_wall_clock_stands_or_is_set_back() {
    let clock = FakeClock::default();
    let keys = keys(MemoryStore::new(), &clock);
    let project = project(&keys, "ada");
    let start = access_keys::Clock::wall(&clock);
    let id = block_on(project.generate(review("Mobile"))).unwrap().key.id;
    block_on(project.deactivate(id)).unwrap();
    clock.set_wall(start - chrono::TimeDelta::hours(1));
    block_on(project.activate(id)).unwrap();
    block_on(project.revoke(id, "")).unwrap();
    let at = |i: i64| start + chrono::TimeDelta::microseconds(i);
    let states = verified_replay(keys.store(), &checkout(), id);
    assert_eq!(states.iter().map(|state| state.event.at).collect::<Vec<_>>(), [at(0), at(1), at(2), at(3)]);
}
