//! Reading keys and their uses by id.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row};

use super::problem::Result;
use crate::domain::KeyId;
use crate::store::sql::{Columns, key_columns, secret_columns};
use crate::store::{KeyUse, ScopeUse, StoredKey};

pub(super) const GET: &str =
    concat!("SELECT ", key_columns!(), ", ", secret_columns!(), " FROM keys WHERE id = ?1");
pub(super) const LAST_USES: &str = "SELECT generation, at FROM uses WHERE key = ?1 ORDER BY generation";
pub(super) const SCOPE_USES: &str =
    "SELECT resource, since, at FROM scope_uses WHERE key = ?1 ORDER BY resource";

pub(super) fn get(connection: &Connection, id: KeyId) -> Result<Option<StoredKey>> {
    let mut statement = connection.prepare_cached(GET)?;
    let mut rows = statement.query([id.as_str()])?;
    Ok(rows.next()?.map(|row| Columns::new(row, "keys").stored_key(id)).transpose()?)
}

/// All of one snapshot, each by the statement of one: nothing is sent anywhere that would be saved.
pub(super) fn get_many(connection: &mut Connection, ids: &[KeyId]) -> Result<Vec<StoredKey>> {
    let snapshot = connection.transaction()?;
    let mut found = Vec::with_capacity(ids.len());
    for id in BTreeSet::from_iter(ids) {
        found.extend(get(&snapshot, *id)?);
    }
    snapshot.commit()?;
    Ok(found)
}

pub(super) fn last_uses(connection: &mut Connection, ids: &[KeyId]) -> Result<Vec<KeyUse>> {
    each(connection, LAST_USES, ids, |row, id| Ok(Columns::new(row, "uses").key_use(id)?))
}

pub(super) fn scope_uses(connection: &mut Connection, ids: &[KeyId]) -> Result<Vec<ScopeUse>> {
    each(connection, SCOPE_USES, ids, |row, id| Ok(Columns::new(row, "scope_uses").scope_use(id)?))
}

/// What a statement finds of each key, all of one snapshot.
fn each<T>(
    connection: &mut Connection,
    sql: &str,
    ids: &[KeyId],
    read: impl Fn(&Row<'_>, KeyId) -> Result<T>,
) -> Result<Vec<T>> {
    let snapshot = connection.transaction()?;
    let mut found = Vec::new();
    {
        let mut statement = snapshot.prepare_cached(sql)?;
        for id in ids {
            let mut rows = statement.query([id.as_str()])?;
            while let Some(row) = rows.next()? {
                found.push(read(row, *id)?);
            }
        }
    }
    snapshot.commit()?;
    Ok(found)
}
