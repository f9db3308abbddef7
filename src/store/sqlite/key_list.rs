//! A page of the keys of a project.

use rusqlite::{Connection, Row, named_params};

use super::problem::Result;
use crate::domain::{AccessKey, Cursor, KeyId, KeyQuery, Page, ProjectId};
use crate::store::sql::{Columns, Unreadable, breaks, key_columns, search_text};

/// How many keys one page looks at. Those that it passes over cost a step of the index each.
const LOOKS_AT: i64 = 10_000;
/// The same where scopes are looked at, which are not in the index.
const LOOKS_AT_SCOPES: i64 = 2_000;

macro_rules! positions {
    ($scopes:literal) => {
        concat!(
            "SELECT id, created_at, ",
            // A status that cannot be read is shown to whoever reads the row, not passed over.
            "status NOT IN ('active', 'inactive', 'revoked') OR (",
            "(:status IS NULL OR status = :status) AND (:state IS NULL OR :state = CASE ",
            "WHEN status = 'revoked' THEN 'revoked' WHEN expires_at <= :now THEN 'expired' ELSE status END) ",
            "AND (:environment IS NULL OR environment = :environment) ",
            "AND (:expiring_before IS NULL OR expires_at <= :expiring_before) ",
            "AND (:name IS NULL OR instr(name_search, :name) > 0)",
            $scopes,
            ") FROM keys INDEXED BY keys_of_project ",
            "WHERE project = :project AND (created_at, id) < (:created_at, :id) ",
            "ORDER BY created_at DESC, id DESC LIMIT :looks_at"
        )
    };
}

/// Position by position, and whether there may be a key to show: what the query asks decides on the key itself.
pub(super) const POSITIONS: &str = positions!(" AND :agent IS NULL AND :prompt IS NULL");
pub(super) const POSITIONS_BY_SCOPE: &str = positions!(
    " AND (:agent IS NULL OR agents = '\"all\"' OR instr(agents, :agent) > 0) \
     AND (:prompt IS NULL OR prompts = '\"all\"' OR instr(prompts, :prompt) > 0)"
);
pub(super) const KEY: &str = concat!("SELECT ", key_columns!(), ", name_search FROM keys WHERE id = ?1");

pub(super) fn list(
    connection: &mut Connection,
    project: &ProjectId,
    query: &KeyQuery,
) -> Result<Page<AccessKey>> {
    let snapshot = connection.transaction()?;
    let page = page(&snapshot, project, query)?;
    snapshot.commit()?;
    Ok(page)
}

fn page(connection: &Connection, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>> {
    let by_scope = query.agent.is_some() || query.prompt.is_some();
    let looks_at = if by_scope { LOOKS_AT_SCOPES } else { LOOKS_AT };
    let mut positions = connection.prepare_cached(if by_scope { POSITIONS_BY_SCOPE } else { POSITIONS })?;
    let after = query.after.as_ref();
    let name = query.name.as_deref().map(search_text);
    // Every id stands in quotes in the JSON of a scope.
    let quoted = |id: Option<&str>| id.map(serde_json::to_string).transpose();
    let [agent, prompt] =
        [quoted(query.agent.as_ref().map(AsRef::as_ref))?, quoted(query.prompt.as_ref().map(AsRef::as_ref))?];
    let parameters = named_params! {
        ":project": project.as_str(),
        ":created_at": after.map_or(i64::MAX, |after| after.at().timestamp_micros()),
        ":id": after.map_or("", Cursor::id),
        ":status": query.status.map(|status| status.as_str()),
        ":state": query.state.map(|state| state.as_str()),
        ":now": query.now.timestamp_micros(),
        ":environment": query.environment.as_ref().map(AsRef::as_ref),
        ":expiring_before": query.expiring_before.map(|time| time.timestamp_micros()),
        ":name": name,
        ":looks_at": looks_at,
        ":agent": agent,
        ":prompt": prompt,
    };
    let mut key = connection.prepare_cached(KEY)?;
    let mut rows = positions.query(parameters)?;
    let mut items = Vec::new();
    let (mut looked_at, mut last, mut end_of_page) = (0, None, None);
    while let Some(row) = rows.next()? {
        let (id, at, may_match) = position(row)?;
        looked_at += 1;
        last = Some(at);
        if !may_match {
            continue;
        }
        let found = key
            .query([id.as_str()])?
            .next()?
            .map(|row| Columns::new(row, "keys").access_key(id))
            .transpose()?;
        let Some(found) = found.filter(|found| query.matches(found)) else { continue };
        if items.len() == query.limit {
            // One more follows.
            return Ok(Page::new(items, end_of_page));
        }
        items.push(found);
        end_of_page = Some(at);
    }
    // All were looked at, or the next page goes on where this one stopped looking.
    Ok(Page::new(items, last.filter(|_| looked_at == looks_at)))
}

fn position(row: &Row<'_>) -> Result<(KeyId, Cursor, bool)> {
    let mut columns = Columns::new(row, "keys");
    let id = columns.text("id")?.parse::<KeyId>().map_err(breaks("keys", "id"))?;
    let rest = |mut columns: Columns<'_, Row<'_>>| {
        let at = columns.number("created_at")?;
        // Null where a column that it looks at is null.
        Ok((Cursor::among_keys(at, id), columns.optional_number("status")? != Some(0)))
    };
    let (at, may_match) = rest(columns).map_err(|unreadable: Unreadable| unreadable.of(id))?;
    Ok((id, at, may_match))
}
