//! Rules of listing keys.

use chrono::TimeDelta;

use super::Fixture;
use super::handle::Handle;
use super::kept::{same_list, start};
use super::ruling::{Ruling, holds, same};
use super::samples::{Samples, Write, at, valid};
use crate::domain::{AccessKey, Cursor, KeyQuery, ProjectId, Status};
use crate::store::KeyStore;

/// Newest first, as the contract orders them.
fn ordered(writes: &[Write]) -> Vec<AccessKey> {
    let mut keys: Vec<AccessKey> = writes.iter().map(|write| write.key.key().clone()).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(Cursor::of_key(key)));
    keys
}

/// Keys of one project in no order: some made at the same time, their ids of letters of both cases.
async fn many<S: KeyStore>(store: &Handle<S>, samples: &Samples) -> Ruling<Vec<Write>> {
    let mut writes = Vec::new();
    for i in 0..21_u32 {
        let write = samples.key_with(|key| {
            key.name = format!("Key {i}");
            key.created_at = at((i * 7) % 5 * 10);
        })?;
        store.put(&write).await?;
        writes.push(write);
    }
    Ok(writes)
}

pub(super) async fn list_is_of_one_project<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let names =
        ["", "-a", "-A", "-aa", "%", "_"].map(|end| ProjectId::new(format!("{}{end}", samples.project)));
    let mut writes = Vec::new();
    for project in names {
        let project = valid(project)?;
        let write = samples.key_with(|key| key.project = project)?;
        store.put(&write).await?;
        writes.push(write);
    }
    for write in &writes {
        let listed = store.keys(&write.event.project, &KeyQuery::default()).await?;
        let done = "`list` of one of six projects with similar names";
        same_list(done, &listed, std::slice::from_ref(write.key.key()))?;
    }
    let none = store.page(&samples.other_project()?, &KeyQuery::default()).await?;
    same("`list` of a project without keys", &(none.items, none.next), &(vec![], None))
}

pub(super) async fn a_cursor_leads_to_no_other_project<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let project = samples.other_project()?;
    let mut writes = many(&store, &samples).await?;
    let elsewhere = samples.key_with(|key| (key.project, key.created_at) = (project.clone(), at(20)))?;
    store.put(&elsewhere).await?;
    let after = Cursor::of_key(elsewhere.key.key());
    let query = KeyQuery::default().after(after);
    writes.retain(|write| Cursor::of_key(write.key.key()) < after);
    let listed = store.keys(&samples.project, &query).await?;
    same_list("`list` after the position of a key of another project", &listed, &ordered(&writes))?;
    let listed = store.keys(&project, &query.after(Cursor::of_key(&newest(&writes)))).await?;
    holds(
        listed.iter().all(|key| key.project == project),
        "`list` of a project with a cursor of another project",
        "keys of that project alone",
        listed.iter().map(|key| key.project.clone()).collect::<Vec<_>>(),
    )
}

fn newest(writes: &[Write]) -> AccessKey {
    let first = ordered(writes).into_iter().next();
    first.unwrap_or_else(AccessKey::dummy)
}

pub(super) async fn list_is_newest_first<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut writes = Vec::new();
    // In no order, and apart by less than a millisecond, before 1970 and after.
    for micros in [5, 1, 4, 1_000_000, 2, -3, 3, -1_500_000, 0] {
        let created = chrono::DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros);
        let write = samples.key_with(|key| key.created_at = created)?;
        store.put(&write).await?;
        writes.push(write);
    }
    let listed = store.keys(&samples.project, &KeyQuery::default()).await?;
    same_list("`list` of keys that were inserted in no order, newest first", &listed, &ordered(&writes))
}

pub(super) async fn keys_of_one_time_are_ordered_by_id<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let mut writes = Vec::new();
    for i in 0..24 {
        let id = samples.key_id()?.to_string();
        // Digits, capitals and small letters in turn, so that an order that is not of bytes shows.
        let lead = ["0", "A", "a", "Z", "z", "b"].into_iter().cycle().nth(i).unwrap_or("m");
        let id = valid(crate::domain::KeyId::new(format!("{lead}{}", id.get(1..).unwrap_or_default())))?;
        let write = samples.key_with(|key| (key.id, key.created_at) = (id, at(7)))?;
        store.put(&write).await?;
        writes.push(write);
    }
    let listed = store.keys(&samples.project, &KeyQuery::default()).await?;
    let done = "`list` of keys of one creation time, by the bytes of their ids, the largest first";
    same_list(done, &listed, &ordered(&writes))
}

pub(super) async fn pages_have_each_key_once<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let expected = ordered(&many(&store, &samples).await?);
    for limit in [1, 2, 3, 4, 7, 20, 21, 22, 1_000] {
        let listed = store.keys(&samples.project, &KeyQuery::default().limit(limit)).await?;
        let done = format!("`list` of 21 keys in pages of {limit}, some of one creation time");
        same_list(&done, &listed, &expected)?;
    }
    Ok(())
}

pub(super) async fn a_page_of_keys_has_no_more_than_the_limit<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    many(&store, &samples).await?;
    for limit in [1, 2, 20] {
        let page = store.page(&samples.project, &KeyQuery::default().limit(limit)).await?;
        let (done, expected) = (format!("`list` with the limit {limit}"), format!("at most {limit} keys"));
        holds(page.items.len() <= limit, done, expected, format_args!("{} keys", page.items.len()))?;
    }
    Ok(())
}

pub(super) async fn the_last_page_of_keys_has_no_next<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let expected = ordered(&many(&store, &samples).await?);
    for limit in [3, 7, 21, 22] {
        let mut query = KeyQuery::default().limit(limit);
        let mut had = 0;
        while had < expected.len() {
            let page = store.page(&samples.project, &query).await?;
            had += page.items.len();
            let more = had < expected.len();
            let done = format!("`list` of 21 keys in pages of {limit}: `next` after {had} keys");
            holds(page.next.is_some() == more, done, if more { "some" } else { "none" }, page.next)?;
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
    }
    // A filter that the last keys do not meet must not leave a `next` that leads nowhere either.
    let page = store.page(&samples.project, &KeyQuery::default().status(Status::Revoked)).await?;
    same("`list` of what no key is", &(page.items, page.next), &(vec![], None))
}

pub(super) async fn pages_stay_while_keys_come<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let writes = many(&store, &samples).await?;
    let expected = ordered(&writes);
    let mut query = KeyQuery::default().limit(4);
    let mut listed: Vec<AccessKey> = Vec::new();
    for round in 1_000..1_021 {
        let page = store.page(&samples.project, &query).await?;
        listed.extend(page.items);
        let Some(next) = page.next else { break };
        query = query.after(next);
        // In front of all, and between those that were listed and those that were not.
        store.put(&samples.key_with(|key| key.created_at = at(round))?).await?;
        let just_listed = next.at() + TimeDelta::microseconds(1);
        store.put(&samples.key_with(|key| key.created_at = just_listed)?).await?;
    }
    let old: Vec<_> = listed.into_iter().filter(|key| expected.iter().any(|old| old.id == key.id)).collect();
    same_list("`list` in pages of 4 while keys came in front and between", &old, &expected)
}

pub(super) async fn pages_stay_while_keys_change<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let writes = many(&store, &samples).await?;
    let expected: Vec<_> = ordered(&writes).into_iter().map(|key| key.id).collect();
    let mut query = KeyQuery::default().limit(4);
    let mut listed = Vec::new();
    for write in writes.iter().rev() {
        let page = store.page(&samples.project, &query).await?;
        listed.extend(page.items.into_iter().map(|key| key.id));
        let Some(next) = page.next else { break };
        query = query.after(next);
        store.put(&samples.renamed(write, "Renamed between two pages")?).await?;
    }
    same_list("`list` in pages of 4 while keys are renamed: the ids", &listed, &expected)
}

pub(super) async fn a_cursor_is_a_position<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let writes = many(&store, &samples).await?;
    for seconds in [0, 10, 25, 40, 99] {
        for (what, id) in
            [("first", "0".repeat(16)), ("last", "z".repeat(16)), ("some", "UnknownUnknown00".to_owned())]
        {
            let text = format!("k.{}.{id}", at(seconds).timestamp_micros());
            let cursor: Cursor = valid(text.parse())?;
            let listed = store.keys(&samples.project, &KeyQuery::default().after(cursor).limit(5)).await?;
            let mut expected = ordered(&writes);
            expected.retain(|key| Cursor::of_key(key) < cursor);
            let done = format!("`list` after a position where no key is: second {seconds}, the {what} id");
            same_list(&done, &listed, &expected)?;
        }
    }
    Ok(())
}

pub(super) async fn list_shows_keys_as_they_are_now<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let (first, second) = (samples.key()?, samples.key()?);
    store.put(&first).await?;
    store.put(&second).await?;
    for query in [KeyQuery::default(), KeyQuery::default().status(Status::Active)] {
        let listed = store.keys(&samples.project, &query).await?;
        same_list(
            "`list` after two keys were inserted",
            &listed,
            &ordered(&[first.clone(), second.clone()]),
        )?;
    }
    let renamed = samples.renamed(&first, "Another name")?;
    store.put(&renamed).await?;
    let revoked = samples.set(&second, Status::Revoked)?;
    store.put(&revoked).await?;
    let listed = store.keys(&samples.project, &KeyQuery::default()).await?;
    let done = "`list` after one key was renamed and one revoked";
    same_list(done, &listed, &ordered(&[renamed, revoked.clone()]))?;
    let listed = store.keys(&samples.project, &KeyQuery::default().status(Status::Active)).await?;
    holds(
        listed.iter().all(|key| key.id != revoked.id()),
        "`list` of active keys after one of them was revoked",
        "not the revoked one",
        listed.iter().map(|key| key.id).collect::<Vec<_>>(),
    )
}
