//! A page of the keys of a project.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::ask::Ask;
use super::paging::{Position, page};
use super::runner::{Runner, SEAL, sealed};
use crate::domain::{AccessKey, Cursor, KeyId, KeyQuery, Page, ProjectId};
use crate::store::StoreError;
use crate::store::sql::{Columns, Unreadable, breaks, key_columns, search_text};

/// $1 question, $2 project, $3 and $4 position, $5 limit and one more, then the filters. Position by position, and
/// whether there may be a key to show: what the query asks decides on the key itself. A page that comes short says how
/// far it looked, unless that was to the end.
macro_rules! keys {
    ($looks_at:literal, $scopes:literal) => {
        concat!(
            "WITH shown AS MATERIALIZED (SELECT id, created_at FROM (SELECT id, created_at, ",
            // A status that cannot be read is shown to whoever reads the row, not passed over.
            "status NOT IN ('active', 'inactive', 'revoked') OR (",
            "($6 IS NULL OR status = $6) AND ($7 IS NULL OR $7 = CASE ",
            "WHEN status = 'revoked' THEN 'revoked' WHEN expires_at <= $8 THEN 'expired' ELSE status END) ",
            "AND ($9 IS NULL OR environment = $9) AND ($10 IS NULL OR expires_at <= $10) ",
            "AND ($11 IS NULL OR position($11 IN name_search) > 0)",
            $scopes,
            ") AS may_match FROM @keys WHERE project = $2 AND (created_at, id) < ($3, $4) ",
            "ORDER BY created_at DESC, id DESC LIMIT ",
            $looks_at,
            // Null where a column that it looks at is null.
            ") AS looked_at WHERE may_match IS NOT FALSE LIMIT $5), ",
            "stopped AS MATERIALIZED (SELECT id, created_at FROM (SELECT id, created_at FROM @keys ",
            "WHERE project = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ",
            $looks_at,
            " - 1) AS looked_at WHERE (SELECT count(*) FROM shown) < $5) ",
            sealed!(),
            "place_id, place_at, stopped, ",
            key_columns!(),
            ", name_search",
            " FROM (VALUES (1)) AS one LEFT JOIN (SELECT id, created_at, 0::int8 FROM shown ",
            "UNION ALL SELECT id, created_at, 1::int8 FROM stopped) AS place (place_id, place_at, stopped) ON true ",
            // Whatever the server thinks of how many there are, each by its index.
            "LEFT JOIN LATERAL (SELECT * FROM @keys WHERE id = place_id LIMIT 1) AS found ON true ",
            "ORDER BY stopped, place_at DESC, place_id DESC"
        )
    };
}

/// How many keys one page looks at. Those that it passes over cost a step of the index each.
pub(super) const KEYS: &str = keys!("10000", " AND $12 IS NULL AND $13 IS NULL");
/// The same where scopes are looked at, which are not in the index.
pub(super) const KEYS_BY_SCOPE: &str = keys!(
    "2000",
    " AND ($12 IS NULL OR agents = '\"all\"' OR position($12 IN agents) > 0) \
     AND ($13 IS NULL OR prompts = '\"all\"' OR position($13 IN prompts) > 0)"
);
pub(super) const TYPES: &[Type] = &[
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
];
/// How many columns come before those of the key.
const BEFORE_KEY: usize = SEAL + 3;

pub(super) async fn list(
    runner: &Runner,
    project: &ProjectId,
    query: &KeyQuery,
) -> Result<Page<AccessKey>, StoreError> {
    let after = query.after.as_ref();
    // Every id stands in quotes in the JSON of a scope.
    let quoted = |id: Option<&str>| id.map(serde_json::to_string).transpose().map_err(StoreError::backend);
    let agent = quoted(query.agent.as_ref().map(AsRef::as_ref))?;
    let prompt = quoted(query.prompt.as_ref().map(AsRef::as_ref))?;
    let ask = if agent.is_some() || prompt.is_some() { Ask::KeysByScope } else { Ask::Keys };
    let rows = runner
        .read(
            ask,
            &[
                &project.as_str(),
                &after.map_or(i64::MAX, |after| after.at().timestamp_micros()),
                &after.map_or("", Cursor::id),
                &i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1),
                &query.status.map(|status| status.as_str()),
                &query.state.map(|state| state.as_str()),
                &query.now.timestamp_micros(),
                &query.environment.as_ref().map(|environment| environment.as_str()),
                &query.expiring_before.map(|time| time.timestamp_micros()),
                &query.name.as_deref().map(search_text),
                &agent,
                &prompt,
            ],
        )
        .await?;
    let read = |row: &Row, id| {
        let key = Columns::new(row, "keys").after(BEFORE_KEY).access_key(id)?;
        Ok(query.matches(&key).then_some(key))
    };
    page(&rows, query.limit, position, read).map_err(StoreError::backend)
}

fn position(row: &Row) -> Result<Option<Position<KeyId>>, Unreadable> {
    let mut columns = Columns::new(row, "keys").after(SEAL);
    let Some(id) = columns.optional_text("id")? else { return Ok(None) };
    let id = id.parse::<KeyId>().map_err(breaks("keys", "id"))?;
    let mut rest = || Ok((columns.number("created_at")?, columns.number("stopped")?));
    let (at, stopped) = rest().map_err(|unreadable: Unreadable| unreadable.of(id))?;
    Ok(Some((id, Cursor::among_keys(at, id), stopped == 1)))
}
