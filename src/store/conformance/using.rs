//! Rules of recording uses.

use std::pin::Pin;

use chrono::{DateTime, TimeDelta, Utc};

use super::Fixture;
use super::kept::{same_list, start};
use super::ruling::{Ruling, answered, same};
use super::samples::{at, on_top};
use super::threads::at_once;
use crate::domain::{Action, AuditQuery, KeyQuery, Status};
use crate::store::{KeyStore, KeyUse};

pub(super) async fn the_latest_use_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    for time in [at(1), at(2), at(2) + TimeDelta::microseconds(1), at(90)] {
        let used = KeyUse::new(made.id(), 1, time);
        store.record_use(&[used]).await?;
        let uses = store.last_uses(&[made.id()]).await?;
        same("`last_uses` after a later use", &uses, &vec![used])?;
    }
    Ok(())
}

pub(super) async fn a_use_never_moves_back<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let latest = KeyUse::new(made.id(), 1, at(50));
    store.record_use(&[latest]).await?;
    for time in [at(49), at(50) - TimeDelta::microseconds(1), at(0), DateTime::UNIX_EPOCH] {
        store.record_use(&[KeyUse::new(made.id(), 1, time)]).await?;
        let uses = store.last_uses(&[made.id()]).await?;
        same("`last_uses` after an earlier use was recorded late", &uses, &vec![latest])?;
    }
    Ok(())
}

pub(super) async fn repeating_a_use_changes_nothing<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let uses = [KeyUse::new(made.id(), 1, at(5)), KeyUse::new(made.id(), 2, at(6))];
    for _ in 0..3 {
        store.record_use(&uses).await?;
        let kept = store.last_uses(&[made.id()]).await?;
        same_list("`last_uses` after the same uses once more", &kept, &uses)?;
    }
    Ok(())
}

pub(super) async fn each_generation_has_its_own_use<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let mut expected = Vec::new();
    for (i, generation) in [1, 2, 3, 65_536, 2_147_483_648, u32::MAX].into_iter().enumerate() {
        // The newer secret was used earlier.
        let used =
            KeyUse::new(made.id(), generation, at(100) - TimeDelta::seconds(i64::try_from(i).unwrap_or(0)));
        store.record_use(&[used]).await?;
        expected.push(used);
        let uses = store.last_uses(&[made.id()]).await?;
        same_list("`last_uses` of a key with several secrets", &uses, &expected)?;
    }
    Ok(())
}

pub(super) async fn uses_are_kept_to_the_microsecond<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    for micros in [-62_167_219_200_000_000, -1_500_001, 0, 1_893_456_000_123_456, 253_402_300_799_999_999] {
        let made = samples.key()?;
        store.put(&made).await?;
        let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let used = KeyUse::new(made.id(), 1, time);
        store.record_use(&[used]).await?;
        same(format!("`last_uses` of a use at {time}"), &store.last_uses(&[made.id()]).await?, &vec![used])?;
    }
    Ok(())
}

pub(super) async fn one_batch_may_name_a_secret_twice<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let (made, other) = (samples.key()?, samples.key()?);
    store.put(&made).await?;
    store.put(&other).await?;
    let [early, middle, late] = [at(1), at(2), at(3)].map(|time| KeyUse::new(made.id(), 1, time));
    let elsewhere = KeyUse::new(other.id(), 1, at(2));
    let second = KeyUse::new(made.id(), 2, at(1));
    store.record_use(&[middle, late, elsewhere, early, second, middle]).await?;
    let uses = store.last_uses(&[made.id()]).await?;
    same_list(
        "`last_uses` after a batch in which the latest use stands in the middle",
        &uses,
        &[late, second],
    )?;
    same("`last_uses` of another key of that batch", &store.last_uses(&[other.id()]).await?, &vec![elsewhere])
}

pub(super) async fn ten_thousand_uses_are_recorded_at_once<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut uses = Vec::new();
    for i in 0..10_000_u32 {
        // Few keys, many secrets: what counts is the number of uses.
        uses.push(KeyUse::new(samples.key_id()?, 1 + i % 3, at(i)));
    }
    let keys = [samples.key()?, samples.key()?, samples.key()?];
    for (place, key) in [0, 5_000, 9_999].into_iter().zip(&keys) {
        store.put(key).await?;
        if let Some(used) = uses.get_mut(place) {
            used.key = key.id();
        }
    }
    store.record_use(&uses).await?;
    for key in &keys {
        let expected: Vec<_> = uses.iter().filter(|used| used.key == key.id()).copied().collect();
        let kept = store.last_uses(&[key.id()]).await?;
        same_list("`last_uses` after a batch of 10000 uses", &kept, &expected)?;
    }
    Ok(())
}

pub(super) async fn a_use_touches_no_key<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    let revoked = samples.set(&made, Status::Revoked)?;
    store.put(&made).await?;
    for write in [&made, &revoked] {
        if write.before().is_some() {
            store.put(write).await?;
        }
        store.record_use(&[KeyUse::new(made.id(), 1, at(77)), KeyUse::new(made.id(), 9, at(78))]).await?;
        let stored = store.get(made.id()).await?;
        same("`get` after a use was recorded", &stored, &Some(write.key.clone()))?;
        let listed = store.keys(&samples.project, &KeyQuery::default()).await?;
        same("`list` after a use was recorded", &listed, &vec![write.key.key().clone()])?;
        let newest = store.events(&samples.project, &AuditQuery::default()).await?.into_iter().next();
        same("the newest event after a use was recorded", &newest, &Some(write.event.clone()))?;
    }
    Ok(())
}

pub(super) async fn a_use_conflicts_with_no_change<F: Fixture>(fixture: &F) -> Ruling {
    const CHANGES: u32 = 20;
    let (store, samples) = start(fixture).await?;
    let made = samples.key()?;
    store.put(&made).await?;
    let mut events = Vec::new();
    for _ in 0..CHANGES {
        events.push(samples.event_id()?);
    }
    let (writes, uses, id) = (store.clone(), store.clone(), made.id());
    let changing = async move {
        let mut last = made;
        for event in events {
            last = on_top(&last.key, event, Action::Edited, |key| key.name.push('x'));
            let before = last.before().unwrap_or(last.key.revision());
            answered("an update while uses are recorded", writes.try_update(&last, before).await)?;
        }
        Ok(())
    };
    let using = async move {
        for i in 0..CHANGES {
            uses.record_use(&[KeyUse::new(id, 1, at(i)), KeyUse::new(id, 2, at(i))]).await?;
        }
        Ok(())
    };
    let both: Vec<Pin<Box<dyn Future<Output = Ruling> + Send>>> = vec![Box::pin(changing), Box::pin(using)];
    at_once(both).await?.into_iter().collect::<Ruling>()?;
    let kept = store.last_uses(&[id]).await?;
    let last = at(CHANGES - 1);
    let done = "`last_uses` after uses were recorded while the key was changed";
    same_list(done, &kept, &[KeyUse::new(id, 1, last), KeyUse::new(id, 2, last)])?;
    let revision = store.get(id).await?.map(|stored| stored.revision().get());
    same("the revision after 20 changes while uses were recorded", &revision, &Some(u64::from(CHANGES) + 1))
}

pub(super) async fn uses_at_once_lose_none<F: Fixture>(fixture: &F) -> Ruling {
    const AT_ONCE: u32 = 8;
    let (store, samples) = start(fixture).await?;
    let mut keys = Vec::new();
    for _ in 0..10 + AT_ONCE {
        let made = samples.key()?;
        store.put(&made).await?;
        keys.push(made.id());
    }
    // Whoever loses the last of any writer is found, not only who loses the latest of all.
    let own = keys.split_off(10);
    let writers = (0..AT_ONCE).zip(&own).map(|(writer, own)| {
        let (store, mut keys) = (store.clone(), keys.clone());
        // Each in another order, so that locks taken in the order of a batch meet.
        keys.rotate_left(writer as usize);
        keys.push(*own);
        async move {
            for round in 0..5 {
                let uses: Vec<_> =
                    keys.iter().map(|id| KeyUse::new(*id, 1, at(writer * 10 + round))).collect();
                store.record_use(&uses).await?;
            }
            Ok(())
        }
    });
    at_once(writers.collect()).await?.into_iter().collect::<Ruling>()?;
    let of_all = keys.iter().map(|id| KeyUse::new(*id, 1, at((AT_ONCE - 1) * 10 + 4)));
    let of_one = (0..AT_ONCE).zip(&own).map(|(writer, id)| KeyUse::new(*id, 1, at(writer * 10 + 4)));
    let mut expected: Vec<_> = of_all.chain(of_one).collect();
    expected.sort_by_key(|used| used.key);
    let ids: Vec<_> = expected.iter().map(|used| used.key).collect();
    same_list(
        "`last_uses` after 8 writers recorded uses of 10 keys and one each",
        &store.last_uses(&ids).await?,
        &expected,
    )
}

pub(super) async fn uses_of_unknown_keys_are_harmless<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let (made, unknown) = (samples.key()?, samples.key_id()?);
    store.put(&made).await?;
    let used = KeyUse::new(made.id(), 1, at(3));
    let answer = store.store().record_use(&[KeyUse::new(unknown, 1, at(9)), used]).await;
    answered("`record_use` of a batch with a key that is not stored", answer)?;
    same("`last_uses` of the other key of that batch", &store.last_uses(&[made.id()]).await?, &vec![used])?;
    same("`get` of the key that is not stored", &store.get(unknown).await?, &None)
}

pub(super) async fn last_uses_are_of_the_given_keys<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let keys = [samples.key()?, samples.key()?, samples.key()?, samples.key()?];
    for key in &keys {
        store.put(key).await?;
    }
    let [one, two, other, never] = keys.map(|key| key.id());
    let uses = [one, two, other].map(|id| KeyUse::new(id, 1, at(4)));
    store.record_use(&uses).await?;
    same("`last_uses` of a key that was never used", &store.last_uses(&[never]).await?, &vec![])?;
    let mut expected = uses.iter().filter(|used| used.key != other).copied().collect::<Vec<_>>();
    expected.sort_by_key(|used| used.key);
    let kept = store.last_uses(&[two, never, one, samples.key_id()?]).await?;
    let done = "`last_uses` of two keys that were used, one that was not and one that is not stored";
    same_list(done, &kept, &expected)
}
