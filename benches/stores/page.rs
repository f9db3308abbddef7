//! Pages deep in a long list.

use std::time::Instant;

use access_keys::clock::{Clock, SystemClock};
use access_keys::domain::Cursor;
use access_keys::store::KeyStore;
use access_keys::{EnvironmentId, KeyId, KeyQuery, KeyState, Page, ProjectKeys, Status};
use chrono::{DateTime, Utc};

use crate::Done;
use crate::figure::{at_most, median};
use crate::sample::agent;
use crate::wait::Wait;

const ROUNDS: usize = 51;
const PAGE: usize = 10_000;
/// How many pages are timed, up to that one and from the first.
const PAGES: usize = 30;

/// A query, and the same in SQL.
struct Filter {
    name: &'static str,
    query: KeyQuery,
    sql: String,
}

/// `find` is the function of the database that finds a text in another.
fn filters(now: DateTime<Utc>, find: &str) -> Result<Vec<Filter>, access_keys::Invalid> {
    let query = KeyQuery::default();
    let filter = |name, query, sql: String| Filter { name, query, sql };
    let micros = now.timestamp_micros();
    let wanted = agent(100);
    Ok(vec![
        filter("without a filter", query.clone(), "true".into()),
        filter("by status", query.clone().status(Status::Active), "status = 'active'".into()),
        filter(
            "by state",
            query.clone().state(KeyState::Active),
            format!("status = 'active' AND expires_at > {micros}"),
        ),
        filter(
            "by environment",
            query.clone().environment(EnvironmentId::new("staging")?),
            "environment = 'staging'".into(),
        ),
        filter("by name", query.clone().name("kiosk"), format!("{find}(name_search, 'kiosk') > 0")),
        filter("by expiry", query.clone().expiring_before(now), format!("expires_at <= {micros}")),
        filter(
            "by agent",
            query.agent(wanted.clone()),
            format!("(agents = '\"all\"' OR {find}(agents, '\"{wanted}\"') > 0)"),
        ),
    ])
}

/// The pages up to page 10,000 over the first ones, with each filter.
///
/// `ask` gives the first column of the one row that it asks for, as text.
pub(crate) fn measure<S: KeyStore>(
    figure: &str,
    project: &ProjectKeys<S>,
    find: &str,
    wait: &impl Wait,
    mut ask: impl FnMut(&str) -> Result<String, Box<dyn std::error::Error>>,
) -> Done {
    let mut worst = 0.0_f64;
    for Filter { name, query, sql } in filters(SystemClock.wall(), find)? {
        let matching: usize =
            ask(&format!("SELECT CAST(count(*) AS text) FROM keys WHERE project = 'checkout' AND {sql}"))?
                .parse()?;
        let limit = matching / PAGE;
        if limit == 0 {
            return Err(format!("too few keys {name} for {PAGE} pages: {matching}").into());
        }
        // The last key of the page before the deep ones.
        let before = ask(&format!(
            "SELECT id FROM keys WHERE project = 'checkout' AND {sql} \
             ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {}",
            (PAGE - PAGES) * limit - 1
        ))?;
        let before = wait.on(project.get(KeyId::new(before)?))?;
        let first = query.limit(limit);
        let deep = first.clone().after(Cursor::of_key(&before));
        // Some pages on end: which keys lie between those of one page is chance.
        let timed = |query: &KeyQuery| -> Result<_, access_keys::Error> {
            let (mut query, mut took) = (query.clone(), 0.0);
            for page in 1..=PAGES {
                let start = Instant::now();
                let found: Page<_> = wait.on(project.list(query.clone()))?;
                took += start.elapsed().as_secs_f64();
                assert_eq!(found.items.len(), limit, "page {page} {name}");
                query.after = found.next;
            }
            Ok(took)
        };
        let (mut ratios, mut firsts) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (one, other) = if round % 2 == 0 {
                let one = timed(&first)?;
                (one, timed(&deep)?)
            } else {
                let other = timed(&deep)?;
                (timed(&first)?, other)
            };
            ratios.push(other / one);
            firsts.push(one / PAGES as f64 * 1e6);
        }
        let ratio = median(ratios);
        worst = worst.max(ratio);
        println!(
            "pages up to {PAGE} {name}, {limit} keys each: {ratio:.2} x the first, {:.0} µs",
            median(firsts)
        );
    }
    at_most(figure, worst, "x", 1.12);
    Ok(())
}
