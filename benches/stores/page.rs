//! Pages deep in a long list.

use std::time::Instant;

use access_keys::clock::{Clock, SystemClock};
use access_keys::domain::Cursor;
use access_keys::{AgentId, EnvironmentId, KeyId, KeyQuery, KeyState, Page, Status};
use chrono::{DateTime, Utc};
use pollster::block_on;

use crate::Done;
use crate::figure::{at_most, median};
use crate::file::{File, agent};
use crate::host::checkout;

const ROUNDS: usize = 101;
const PAGE: usize = 10_000;

/// A query, and the same in SQL.
struct Filter {
    name: &'static str,
    query: KeyQuery,
    sql: String,
}

fn filters(now: DateTime<Utc>) -> Result<Vec<Filter>, access_keys::Invalid> {
    let query = KeyQuery::default();
    let filter = |name, query, sql: String| Filter { name, query, sql };
    let micros = now.timestamp_micros();
    let wanted: AgentId = agent(100);
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
        filter("by name", query.clone().name("kiosk"), "instr(name_search, 'kiosk') > 0".into()),
        filter("by expiry", query.clone().expiring_before(now), format!("expires_at <= {micros}")),
        filter(
            "by agent",
            query.agent(wanted.clone()),
            format!("(agents = '\"all\"' OR instr(agents, '\"{wanted}\"') > 0)"),
        ),
    ])
}

/// Page 10,000 over page 1, with each filter.
pub(crate) fn measure(file: &File) -> Done {
    let host = file.host()?;
    let project = checkout(&host);
    let connection = file.connect()?;
    let mut worst = 0.0_f64;
    for Filter { name, query, sql } in filters(SystemClock.wall())? {
        let matching: i64 =
            connection.query_row(&format!("SELECT count(*) FROM keys WHERE {sql}"), [], |row| row.get(0))?;
        let limit = matching as usize / PAGE;
        if limit == 0 {
            return Err(format!("too few keys {name} for {PAGE} pages: {matching}").into());
        }
        // The last key of the page before.
        let before: String = connection.query_row(
            &format!(
                "SELECT id FROM keys WHERE project = 'checkout' AND {sql} \
                 ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {}",
                (PAGE - 1) * limit - 1
            ),
            [],
            |row| row.get(0),
        )?;
        let before = block_on(project.get(KeyId::new(before)?))?;
        let first = query.limit(limit);
        let deep = first.clone().after(Cursor::of_key(&before));
        let timed = |query: &KeyQuery| -> Result<_, access_keys::Error> {
            let start = Instant::now();
            let page: Page<_> = block_on(project.list(query.clone()))?;
            assert_eq!(page.items.len(), limit);
            Ok(start.elapsed().as_secs_f64())
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
            firsts.push(one * 1e6);
        }
        let ratio = median(ratios);
        worst = worst.max(ratio);
        println!("page {PAGE} {name}, {limit} keys each: {ratio:.2} x page 1, {:.0} µs", median(firsts));
    }
    at_most("sqlite_page", worst, "x", 1.12);
    Ok(())
}
