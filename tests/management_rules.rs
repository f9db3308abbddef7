//! The rules for what may be done to a key, each at both sides of its limit.

mod setup;

use std::time::Duration;

use access_keys::domain::{Action, Field, FieldChange, Rule};
use access_keys::store::{KeyStore, MemoryStore, StoredKey};
use access_keys::{
    AccessKey, AuditQuery, Clock, Denial, Edit, Error, FakeClock, Invalid, Issued, KeyId, KeyState,
    OperationId, ProjectKeys, Scope, Status,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use setup::{
    agents, anything, builder, checkout, in_seconds, info, keys, keys_in, production, prompts, review,
};

const DAYS_90: Duration = Duration::from_secs(7_776_000);

fn micros(n: i64) -> TimeDelta {
    TimeDelta::microseconds(n)
}

/// 9999-12-31T23:59:59.999999Z.
fn last_moment() -> DateTime<Utc> {
    "9999-12-31T23:59:59.999999Z".parse().unwrap()
}

#[track_caller]
fn assert_not_later(invalid: &Invalid, ago: Duration, printed: &str) {
    assert_eq!((invalid.field, &invalid.rule), (Field::ExpiresAt, &Rule::NotLater { ago }));
    assert_eq!(invalid.to_string(), format!("expires_at must be later than now, is {printed} s earlier"));
}

#[track_caller]
fn invalid<T>(result: Result<T, Error>) -> Invalid {
    match result {
        Err(Error::Invalid(invalid)) => invalid,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("was accepted"),
    }
}

#[test]
fn an_expiry_is_later_than_now_when_it_is_set() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let key = block_on(project.generate(anything())).unwrap().key;
    let now = clock.wall();
    let drafted = |time| {
        project.draft().info(info("x").expires_at(time)).agents(Scope::All).prompts(Scope::All).map(drop)
    };
    let edited = |time| block_on(project.edit(key.id, Edit::new().expires_at(time))).map(drop);
    for (time, ago, printed) in [
        (now, 0, "0"),
        (now - micros(1), 1, "0"),
        (now - micros(1_999_999), 1_999_999, "1"),
        (now - TimeDelta::days(10_000), 864_000_000_000_000, "864000000"),
        // Kept to the microsecond, it would be now.
        (now + TimeDelta::nanoseconds(999), 0, "0"),
    ] {
        let ago = Duration::from_micros(ago);
        assert_not_later(&drafted(time).unwrap_err(), ago, printed);
        assert_not_later(&invalid(edited(time)), ago, printed);
    }
    for good in [now + micros(1), now + micros(1) + TimeDelta::nanoseconds(999), last_moment()] {
        drafted(good).unwrap();
        edited(good).unwrap();
    }
    for beyond in [last_moment() + micros(1), DateTime::<Utc>::MAX_UTC] {
        for invalid in [drafted(beyond).unwrap_err(), invalid(edited(beyond))] {
            assert_eq!((invalid.field, &invalid.rule), (Field::ExpiresAt, &Rule::TooFar));
            assert_eq!(invalid.to_string(), "expires_at must be in the years 0 to 9999");
        }
    }
}

#[test]
fn generate_checks_the_expiry_again() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let draft = project.draft().info(info("x").expires_at(in_seconds(&clock, 10)));
    let reviewed = draft.agents(Scope::All).prompts(Scope::All).unwrap();
    clock.advance(Duration::new(9, 999_999_000));
    let _ = block_on(project.generate(reviewed.clone())).unwrap();
    clock.advance(Duration::from_micros(1));
    assert_not_later(&invalid(block_on(project.generate(reviewed))), Duration::ZERO, "0");
    assert_eq!(block_on(project.list(access_keys::KeyQuery::default())).unwrap().items.len(), 1);
}

#[test]
fn an_expiry_equal_to_the_stored_one_is_no_change_even_if_past() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let end = in_seconds(&clock, 10);
    let key = block_on(project.generate(review(info("x").expires_at(end)))).unwrap().key;
    clock.advance(Duration::from_secs(20));
    let same = |edit: Edit| block_on(project.edit(key.id, edit)).unwrap();
    assert!(!same(Edit::new().expires_at(end)).is_new());
    assert!(!same(Edit::new().expires_at(end + TimeDelta::nanoseconds(999))).is_new());
    let renamed = same(Edit::new().expires_at(end).name("y").unwrap());
    assert!(renamed.is_new());
    assert_eq!((renamed.key().expires_at, renamed.key().name.as_str()), (Some(end), "y"));
    let other = block_on(project.edit(key.id, Edit::new().expires_at(end + micros(1))));
    assert_not_later(&invalid(other), Duration::from_micros(9_999_999), "9");
}

#[test]
fn an_edit_may_revive_an_expired_key() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    for edit in [Edit::new().expires_at(in_seconds(&clock, 100)), Edit::new().never_expires()] {
        let end = in_seconds(&clock, 10);
        let issued = block_on(project.generate(review(info("x").expires_at(end)))).unwrap();
        let verify = || block_on(keys.verify(issued.token.expose(), &production()));
        clock.advance(Duration::from_secs(10));
        assert!(matches!(verify(), Err(Denial::Expired { .. })));
        assert!(block_on(project.edit(issued.key.id, edit)).unwrap().is_new());
        let _ = verify().unwrap();
    }
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let made = info("x").description("y").unwrap().expires_at(in_seconds(&clock, 10));
    let made = project.draft().info(made).agents(agents(&["a", "b"])).prompts(Scope::none()).unwrap();
    let key = block_on(project.generate(made)).unwrap().key;
    let all = Edit::new().name(" x ").unwrap().description("\r\ny").unwrap();
    let all = all.expires_at(in_seconds(&clock, 10)).agents(agents(&["b", "a", "b"])).prompts(Scope::none());
    for edit in [Edit::new(), all.clone(), all.if_revision(key.revision)] {
        assert!(edit.preview(&key).is_empty());
        let change = block_on(project.edit(key.id, edit)).unwrap();
        assert!(!change.is_new());
        assert_eq!(change.key(), &key);
    }
    assert_eq!(block_on(project.history(AuditQuery::default())).unwrap().items.len(), 1);
}

#[test]
fn an_edit_leaves_no_key_that_reaches_nothing() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let printed = "agents and prompts are both empty, the key would reach nothing";
    let drafted = project.draft().info(info("x")).agents(Scope::none()).prompts(Scope::none());
    assert_eq!(drafted.unwrap_err().to_string(), printed);

    let one = |agents, prompts| {
        let draft = project.draft().info(info("x")).agents(agents).prompts(prompts);
        block_on(project.generate(draft.unwrap())).unwrap().key.id
    };
    for (id, edit) in [
        (one(agents(&["a"]), Scope::none()), Edit::new().agents(Scope::none())),
        (one(Scope::none(), prompts(&["p"])), Edit::new().prompts(Scope::none())),
        (one(Scope::All, Scope::All), Edit::new().agents(Scope::none()).prompts(Scope::none())),
    ] {
        let invalid = invalid(block_on(project.edit(id, edit)));
        assert_eq!((invalid.field, &invalid.rule), (Field::Agents, &Rule::ReachesNothing));
        assert_eq!(invalid.to_string(), printed);
    }
    let id = one(agents(&["a"]), Scope::none());
    let swapped = Edit::new().agents(Scope::none()).prompts(prompts(&["p"]));
    assert!(block_on(project.edit(id, swapped)).unwrap().is_new());
}

#[test]
fn a_revoked_key_refuses_every_edit() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let key = block_on(project.generate(anything())).unwrap().key;
    let revoked = block_on(project.revoke(key.id, "")).unwrap().into_key();
    for edit in [
        Edit::new(),
        Edit::new().name("y").unwrap(),
        Edit::new().name("Mobile app").unwrap().if_revision(revoked.revision),
        Edit::new().if_revision(key.revision),
        Edit::new().description("y").unwrap(),
        Edit::new().expires_at(in_seconds(&clock, 10)),
        Edit::new().expires_at(in_seconds(&clock, -10)),
        Edit::new().never_expires(),
        Edit::new().agents(Scope::none()),
        Edit::new().prompts(prompts(&["p"])),
    ] {
        let error = block_on(project.edit(key.id, edit)).unwrap_err();
        assert_eq!(error.to_string(), format!("key {} is revoked and cannot be edited", key.id));
        assert!(
            matches!(error, Error::Refused { key: id, from: KeyState::Revoked, action: Action::Edited } if id == key.id)
        );
    }
    assert_eq!(block_on(project.get(key.id)).unwrap(), revoked);
}

/// A key brought into a status, and a project whose calls are repeats of the operation that made it.
fn in_status(status: Status) -> (ProjectKeys<MemoryStore>, Issued) {
    let (keys, _) = keys();
    let project = checkout(&keys).operation(OperationId::new("op").unwrap());
    let issued = block_on(project.generate(anything())).unwrap();
    let plain = checkout(&keys);
    match status {
        Status::Inactive => drop(block_on(plain.deactivate(issued.key.id)).unwrap()),
        Status::Revoked => drop(block_on(plain.revoke(issued.key.id, "")).unwrap()),
        _ => {}
    }
    (project, issued)
}

async fn act(project: &ProjectKeys<MemoryStore>, id: KeyId, action: Action) -> Result<AccessKey, Error> {
    Ok(match action {
        Action::Created => project.generate(anything()).await?.key,
        Action::Edited => project.edit(id, Edit::new().name("y").unwrap()).await?.into_key(),
        Action::Activated => project.activate(id).await?.into_key(),
        Action::Deactivated => project.deactivate(id).await?.into_key(),
        Action::Rotated => {
            // Not the operation that generated the key.
            let rotation = project.operation(OperationId::new("rotation").unwrap());
            rotation.rotate(id, Duration::ZERO).await?.key
        }
        Action::Revoked => project.revoke(id, "").await?.into_key(),
        other => panic!("{other}"),
    })
}

#[test]
fn every_action_in_every_status_ends_as_the_table_says() {
    use Action::{Activated, Created, Deactivated, Edited, Revoked, Rotated};
    const WRITES: bool = true;
    const KEEPS: bool = false;
    let active = |writes| Some((Status::Active, writes));
    let inactive = |writes| Some((Status::Inactive, writes));
    let revoked = |writes| Some((Status::Revoked, writes));
    for (action, from_active, from_inactive, from_revoked) in [
        (Created, active(WRITES), inactive(WRITES), None),
        (Edited, active(WRITES), inactive(WRITES), None),
        (Activated, active(KEEPS), active(WRITES), None),
        (Deactivated, inactive(WRITES), inactive(KEEPS), None),
        (Rotated, active(WRITES), inactive(WRITES), None),
        (Revoked, revoked(WRITES), revoked(WRITES), revoked(KEEPS)),
    ] {
        for (from, expected) in [
            (Status::Active, from_active),
            (Status::Inactive, from_inactive),
            (Status::Revoked, from_revoked),
        ] {
            let (project, issued) = in_status(from);
            let before = block_on(project.get(issued.key.id)).unwrap();
            let done = block_on(act(&project, before.id, action));
            let after = block_on(project.get(before.id)).unwrap();
            let writes = after.revision > before.revision;
            let events = block_on(project.history(AuditQuery::default())).unwrap().items.len();
            assert_eq!(u64::try_from(events).unwrap(), after.revision.get(), "one event a revision");
            match (done, expected) {
                (Ok(key), Some((status, expected))) => {
                    assert_eq!((key.status, writes), (status, expected), "{action} when {from}");
                    assert_eq!(key, after);
                }
                (Err(Error::Refused { key, from: state, action: refused }), None) => {
                    assert_eq!((key, state, refused), (before.id, KeyState::Revoked, action));
                    assert_eq!(after, before);
                }
                (done, _) => panic!("{action} when {from}: {done:?}"),
            }
        }
    }
}

/// What each of these tokens meets now, as whether it is good.
fn good(keys: &access_keys::AccessKeys<MemoryStore>, tokens: &[&Issued]) -> Vec<bool> {
    let verify = |issued: &&Issued| match block_on(keys.verify(issued.token.expose(), &production())) {
        Ok(_) => true,
        Err(Denial::Unrecognized { .. }) => false,
        Err(other) => panic!("{other:?}"),
    };
    tokens.iter().map(verify).collect()
}

#[test]
fn a_grace_is_0_to_90_days() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let first = block_on(project.generate(anything())).unwrap();
    let id = first.key.id;
    for (given, seconds) in [
        (DAYS_90 + Duration::from_nanos(1), "7776000.000000001"),
        (DAYS_90 + Duration::from_secs(1), "7776001"),
        (DAYS_90 * 2, "15552000"),
    ] {
        let invalid = invalid(block_on(project.rotate(id, given)));
        assert_eq!((invalid.field, &invalid.rule), (Field::Grace, &Rule::Span { max: DAYS_90, given }));
        assert_eq!(invalid.to_string(), format!("grace must be at most 7776000 s, is {seconds} s"));
    }
    assert!(block_on(project.rotate(id, Duration::MAX)).is_err());
    assert_eq!(good(&keys, &[&first]), [true]);

    let second = block_on(project.rotate(id, DAYS_90)).unwrap();
    clock.advance(DAYS_90 - Duration::from_nanos(1));
    assert_eq!(good(&keys, &[&first, &second]), [true, true]);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(good(&keys, &[&first, &second]), [false, true]);

    let third = block_on(project.rotate(id, Duration::ZERO)).unwrap();
    assert_eq!(good(&keys, &[&first, &second, &third]), [false, false, true]);
    assert_eq!(stored(&keys, id).digests().len(), 1, "what has ended is not kept");
}

#[test]
fn a_second_rotation_ends_the_grace_of_the_first_at_once() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let first = block_on(project.generate(anything())).unwrap();
    let second = block_on(project.rotate(first.key.id, DAYS_90)).unwrap();
    assert_eq!(good(&keys, &[&first, &second]), [true, true]);
    let third = block_on(project.rotate(first.key.id, Duration::from_secs(60))).unwrap();
    assert_eq!(good(&keys, &[&first, &second, &third]), [false, true, true]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(good(&keys, &[&first, &second, &third]), [false, false, true]);
}

#[test]
fn only_an_unexpired_key_is_rotated() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let end = in_seconds(&clock, 10);
    let id = block_on(project.generate(review(info("x").expires_at(end)))).unwrap().key.id;
    clock.advance(Duration::new(9, 999_999_999));
    let _ = block_on(project.rotate(id, Duration::ZERO)).unwrap();
    clock.advance(Duration::from_nanos(1));
    let error = block_on(project.rotate(id, Duration::ZERO)).unwrap_err();
    assert!(matches!(error, Error::Refused { from: KeyState::Expired, action: Action::Rotated, .. }));
    assert_eq!(error.to_string(), format!("key {id} is expired and cannot be rotated"));
    // Whether it is also paused makes no difference.
    block_on(project.deactivate(id)).unwrap();
    assert!(block_on(project.rotate(id, Duration::ZERO)).is_err());
}

/// Whether a time has nothing finer than a microsecond.
fn is_whole(time: DateTime<Utc>) -> bool {
    time.timestamp_subsec_nanos().is_multiple_of(1_000)
}

fn stored(keys: &access_keys::AccessKeys<MemoryStore>, id: KeyId) -> StoredKey {
    block_on(keys.store().get(id)).unwrap().unwrap()
}

#[test]
fn times_are_kept_to_the_microsecond_everywhere() {
    let ragged = DateTime::from_timestamp(1_893_456_000, 123_456_789).unwrap();
    let clock = FakeClock::new(ragged);
    let keys = builder(MemoryStore::new(), &clock).build().unwrap();
    let project = checkout(&keys);
    let made = review(info("x").expires_at(ragged + TimeDelta::days(100)));
    assert!(made.expires_at().is_some_and(is_whole));
    let id = block_on(project.generate(made)).unwrap().key.id;
    block_on(project.edit(id, Edit::new().expires_at(ragged + TimeDelta::days(200)))).unwrap();
    let rotated = block_on(project.rotate(id, Duration::new(60, 987_654_321))).unwrap();
    let _ = block_on(keys.verify(rotated.token.expose(), &production())).unwrap();

    let key = stored(&keys, id);
    assert!([key.key().created_at, key.key().updated_at].into_iter().all(is_whole));
    assert!(key.key().expires_at.is_some_and(is_whole));
    let ends: Vec<_> = key.digests().iter().filter_map(|digest| digest.ends_at()).collect();
    assert_eq!(ends.len(), 1);
    assert!(ends.iter().copied().all(is_whole), "the end of a grace: {ends:?}");
    assert!(block_on(project.last_used(&[id])).unwrap().iter().all(|used| is_whole(used.at)));
    for event in block_on(project.history(AuditQuery::default())).unwrap().items {
        assert!(is_whole(event.at));
        for change in &event.changes {
            if let FieldChange::Secret { old_secret_ends_at, .. } = change {
                assert!(is_whole(*old_secret_ends_at), "{old_secret_ends_at}");
            }
        }
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<access_keys::AuditEvent>(&json).unwrap(), event);
    }
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<StoredKey>(&json).unwrap(), key);
}

#[test]
fn an_event_is_later_than_the_one_before_it_even_when_the_clock_stands_still() {
    let (keys, clock) = keys_in(MemoryStore::new());
    let project = checkout(&keys);
    let id = block_on(project.generate(anything())).unwrap().key.id;
    block_on(project.deactivate(id)).unwrap();
    clock.set_wall(in_seconds(&clock, -3_600));
    block_on(project.activate(id)).unwrap();
    let times: Vec<_> =
        block_on(project.history(AuditQuery::default())).unwrap().items.iter().map(|e| e.at).collect();
    assert_eq!(times.len(), 3);
    assert!(times.windows(2).all(|pair| pair[0] - pair[1] == micros(1)), "{times:?}");
}
