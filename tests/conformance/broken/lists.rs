//! Wrong when they list keys.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Mutex;

use access_keys::store::{StoreError, async_trait};
use access_keys::{AccessKey, Cursor, KeyQuery, Page, ProjectId, Scope};
use chrono::Utc;

use crate::case::{Case, case};
use crate::plain::{Plain, Wrong};

type Listed = Result<Page<AccessKey>, StoreError>;

/// Lists what this lets through.
struct Lets(fn(&KeyQuery, &AccessKey) -> bool);

#[async_trait]
impl Wrong for Lets {
    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        let keys = right.contents().of_project(project);
        let mut all = KeyQuery::default().limit(query.limit);
        all.after = query.after;
        Ok(all.page(keys.into_iter().filter(|key| (self.0)(query, key))))
    }
}

/// Makes pages like this, of the keys of the project.
struct Pages(fn(&KeyQuery, Vec<AccessKey>) -> Page<AccessKey>);

#[async_trait]
impl Wrong for Pages {
    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        Ok((self.0)(query, right.contents().of_project(project)))
    }
}

fn matching(query: &KeyQuery, mut keys: Vec<AccessKey>) -> Vec<AccessKey> {
    keys.retain(|key| query.matches(key));
    keys.sort_by_key(|key| Reverse(Cursor::of_key(key)));
    keys
}

/// Cuts what is in some order, after the item at the cursor.
fn cut(query: &KeyQuery, keys: Vec<AccessKey>) -> Page<AccessKey> {
    let at = query.after.and_then(|after| keys.iter().position(|key| Cursor::of_key(key) == after));
    let mut rest: Vec<_> = keys.into_iter().skip(at.map_or(0, |at| at + 1)).collect();
    let more = rest.len() > query.limit;
    rest.truncate(query.limit);
    let next = rest.last().filter(|_| more).map(Cursor::of_key);
    Page::new(rest, next)
}

struct ProjectsThatBeginAlike;

#[async_trait]
impl Wrong for ProjectsThatBeginAlike {
    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        let contents = right.contents();
        let keys = contents.keys.values().map(|key| key.key().clone());
        Ok(query.page(keys.filter(|key| key.project.as_str().starts_with(project.as_str()))))
    }
}

/// Goes on where the key of the cursor is.
struct FollowsTheCursor;

#[async_trait]
impl Wrong for FollowsTheCursor {
    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        let contents = right.contents();
        let found = query.after.and_then(|after| {
            let mut keys = contents.keys.values();
            keys.find(|key| key.key().id.as_str() == after.id()).map(|key| key.key().project.clone())
        });
        Ok(query.page(contents.of_project(&found.unwrap_or_else(|| project.clone()))))
    }
}

/// Takes a cursor for a number of keys to skip.
#[derive(Default)]
struct Offsets(Mutex<HashMap<Cursor, usize>>);

#[async_trait]
impl Wrong for Offsets {
    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        let mut offsets = self.0.lock().unwrap();
        let Some(skipped) = query.after.map_or(Some(0), |after| offsets.get(&after).copied()) else {
            return Ok(query.page(right.contents().of_project(project)));
        };
        let keys = matching(query, right.contents().of_project(project));
        let mut rest: Vec<_> = keys.into_iter().skip(skipped).collect();
        let more = rest.len() > query.limit;
        rest.truncate(query.limit);
        let next = rest.last().filter(|_| more).map(Cursor::of_key);
        offsets.extend(next.map(|next| (next, skipped + rest.len())));
        Ok(Page::new(rest, next))
    }
}

/// Answers as it did the first time.
#[derive(Default)]
struct CachesLists(Mutex<HashMap<String, Page<AccessKey>>>);

#[async_trait]
impl Wrong for CachesLists {
    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        let asked = format!("{project} {query:?}");
        let answer = || query.page(right.contents().of_project(project));
        Ok(self.0.lock().unwrap().entry(asked).or_insert_with(answer).clone())
    }
}

/// `%` and `_` mean something.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return true };
    let rest = &pattern[first.len_utf8()..];
    let begins = |text: &str| match first {
        '%' => text.char_indices().any(|(at, _)| begins_like(&text[at..], rest)) || rest.is_empty(),
        _ => begins_like(text, pattern),
    };
    text.char_indices().any(|(at, _)| begins(&text[at..]))
}

fn begins_like(text: &str, pattern: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, _) => true,
        (Some('%'), _) => is_like(text, &pattern[1..]) || pattern.len() == 1,
        (Some('_'), Some(c)) => begins_like(&text[c.len_utf8()..], &pattern[1..]),
        (Some(p), Some(c)) => p == c && begins_like(&text[c.len_utf8()..], &pattern[p.len_utf8()..]),
        (Some(_), None) => false,
    }
}

fn lets(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    by: fn(&KeyQuery, &AccessKey) -> bool,
) -> Case {
    case(name, rule, says, move || Lets(by))
}

fn pages(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    by: fn(&KeyQuery, Vec<AccessKey>) -> Page<AccessKey>,
) -> Case {
    case(name, rule, says, move || Pages(by))
}

/// The query without one of its filters.
fn without(query: &KeyQuery, change: fn(&mut KeyQuery)) -> KeyQuery {
    let mut query = query.clone();
    change(&mut query);
    query
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = orders();
    all.extend(filters());
    all
}

fn orders() -> Vec<Case> {
    vec![
        case("lists another project", "list_is_of_one_project", "similar names", || ProjectsThatBeginAlike),
        case(
            "lists the project of the cursor",
            "a_cursor_leads_to_no_other_project",
            "another project",
            || FollowsTheCursor,
        ),
        pages("lists the oldest first", "list_is_newest_first", "newest first", |query, keys| {
            let mut keys = matching(query, keys);
            keys.reverse();
            cut(query, keys)
        }),
        pages(
            "orders ids without case",
            "keys_of_one_time_are_ordered_by_id",
            "the bytes of their ids",
            |query, keys| {
                let mut keys = matching(query, keys);
                keys.sort_by_key(|key| Reverse((key.created_at, key.id.as_str().to_lowercase())));
                cut(query, keys)
            },
        ),
        pages("skips keys of equal times", "pages_have_each_key_once", "in pages of", |query, keys| {
            let mut keys = matching(query, keys);
            keys.retain(|key| query.after.is_none_or(|after| key.created_at < after.at()));
            without(query, |query| query.after = None).page(keys)
        }),
        pages(
            "gives one more than the limit",
            "a_page_of_keys_has_no_more_than_the_limit",
            "2 keys",
            |query, keys| query.clone().limit(query.limit + 1).page(keys),
        ),
        pages(
            "gives a next after the last page",
            "the_last_page_of_keys_has_no_next",
            "expected  none",
            |query, keys| {
                let page = query.page(keys);
                let next = page.items.last().map(Cursor::of_key);
                Page::new(page.items, next)
            },
        ),
        pages("ends a page early", "the_last_page_of_keys_has_no_next", "expected  some", |query, keys| {
            let page = query.page(keys);
            let next = page.next.filter(|_| page.items.len() > 3);
            Page::new(page.items, next)
        }),
        pages("filters after it cut", "all_filters_of_a_list_must_be_met", "of them", |query, keys| {
            let mut cut = KeyQuery::default();
            (cut.limit, cut.after) = (query.limit, query.after);
            let page = cut.page(keys);
            let items: Vec<_> = page.items.into_iter().filter(|key| query.matches(key)).collect();
            let next = page.next.filter(|_| items.len() == query.limit);
            Page::new(items, next)
        }),
        case("pages by offset", "pages_stay_while_keys_come", "while keys came", Offsets::default),
        pages(
            "orders by the last change",
            "pages_stay_while_keys_change",
            "while keys are renamed",
            |query, keys| {
                let mut keys = matching(query, keys);
                keys.sort_by_key(|key| Reverse((key.updated_at, key.id)));
                cut(query, keys)
            },
        ),
        pages(
            "begins anew at an unknown cursor",
            "a_cursor_is_a_position",
            "a `next` that is further on",
            |query, keys| cut(query, matching(query, keys)),
        ),
        case("caches lists", "list_shows_keys_as_they_are_now", "not the revoked one", || {
            CachesActive::default()
        }),
        case("caches whole lists", "list_shows_keys_as_they_are_now", "`list` after", CachesLists::default),
        lets("hides revoked keys", "list_shows_keys_as_they_are_now", "one revoked", |query, key| {
            query.matches(key) && key.status != access_keys::Status::Revoked
        }),
    ]
}

fn filters() -> Vec<Case> {
    vec![
        lets("ignores the status", "list_by_status", "of the status active", |query, key| {
            without(query, |query| query.status = None).matches(key)
        }),
        lets(
            "takes the status for the state",
            "list_by_state_at_the_time_of_the_query",
            "that are",
            |query, key| {
                let state = query.state.map(|state| state.to_string());
                let is = state.is_none_or(|state| state == key.status.to_string());
                is && without(query, |query| query.state = None).matches(key)
            },
        ),
        lets(
            "judges by its own clock",
            "list_by_state_at_the_time_of_the_query",
            "that are",
            |query, key| without(query, |query| query.now = Utc::now()).matches(key),
        ),
        lets("ignores the environment", "list_by_environment", "of the environment", |query, key| {
            without(query, |query| query.environment = None).matches(key)
        }),
        lets("looks into descriptions", "list_by_name", "with \"bil\" in their name", |query, key| {
            let name = query.name.as_ref().map(|name| name.to_lowercase());
            query.matches(key)
                || name.is_some_and(|name| key.description.contains(&name))
                    && without(query, |query| query.name = None).matches(key)
        }),
        lets("lowers the case of ASCII alone", "list_by_name_beyond_ascii", "\"été\"", |query, key| {
            let name = query.name.as_ref().map(|name| name.to_ascii_lowercase());
            without(query, |query| query.name = None).matches(key)
                && name.is_none_or(|name| key.name.to_ascii_lowercase().contains(&name))
        }),
        lets("searches by LIKE", "list_by_name_knows_no_patterns", "\"%\"", |query, key| {
            let name = query.name.as_ref().map(|name| name.to_lowercase());
            without(query, |query| query.name = None).matches(key)
                && name.is_none_or(|name| is_like(&key.name.to_lowercase(), &name))
        }),
        lets("forgets that all means every agent", "list_by_agent", "the agent a", |query, key| {
            query.matches(key) && (query.agent.is_none() || key.agents != Scope::All)
        }),
        lets("forgets that all means every prompt", "list_by_prompt", "the prompt p", |query, key| {
            query.matches(key) && (query.prompt.is_none() || key.prompts != Scope::All)
        }),
        lets("counts never among the expiring", "list_by_expiry", "that expire before", |query, key| {
            query.matches(key)
                || key.expires_at.is_none()
                    && without(query, |query| query.expiring_before = None).matches(key)
        }),
        lets("counts the moment itself", "list_by_expiry", "that expire before", |query, key| {
            let is = query.expiring_before.is_none_or(|time| key.expires_at.is_some_and(|end| end <= time));
            is && without(query, |query| query.expiring_before = None).matches(key)
        }),
        lets(
            "takes one filter of several",
            "all_filters_of_a_list_must_be_met",
            "by the filters",
            |query, key| {
                let status = query.status.is_none_or(|status| key.status == status);
                match query.environment.is_some() && query.status.is_some() {
                    true => status,
                    false => query.matches(key),
                }
            },
        ),
    ]
}

/// Keeps the list of active keys.
#[derive(Default)]
struct CachesActive(CachesLists);

#[async_trait]
impl Wrong for CachesActive {
    async fn insert(
        &self,
        right: &Plain,
        key: &access_keys::store::StoredKey,
        event: &access_keys::AuditEvent,
    ) -> Result<(), StoreError> {
        let project = &key.key().project;
        crate::plain::Nothing.insert(right, key, event).await?;
        let active = KeyQuery::default().status(access_keys::Status::Active);
        self.0.0.lock().unwrap().clear();
        self.0.list(right, project, &active).await.map(|_| ())
    }

    async fn list(&self, right: &Plain, project: &ProjectId, query: &KeyQuery) -> Listed {
        if query.status.is_some() {
            return self.0.list(right, project, query).await;
        }
        Ok(query.page(right.contents().of_project(project)))
    }
}
