//! Reading keys and their uses by id.

use tokio_postgres::types::Type;

use super::ask::Ask;
use super::runner::{Runner, SEAL, sealed};
use crate::domain::KeyId;
use crate::store::sql::{Columns, Unreadable, breaks, key_columns, secret_columns};
use crate::store::{KeyUse, StoreError, StoredKey};

/// One row also where there is no such key, so that the answer bears its seal.
pub(super) const GET: &str = concat!(
    sealed!(),
    key_columns!(),
    ", ",
    secret_columns!(),
    " FROM (VALUES (1)) AS one LEFT JOIN @keys ON id = $2"
);
pub(super) const GET_TYPES: &[Type] = &[Type::INT8, Type::TEXT];
pub(super) const GET_MANY: &str = concat!(
    sealed!(),
    key_columns!(),
    ", ",
    secret_columns!(),
    " FROM (VALUES (1)) AS one LEFT JOIN @keys ON id = ANY ($2)"
);
pub(super) const GET_MANY_TYPES: &[Type] = &[Type::INT8, Type::TEXT_ARRAY];
pub(super) const LAST_USES: &str = concat!(
    sealed!(),
    "key, generation, at FROM (VALUES (1)) AS one LEFT JOIN @uses ON key = ANY ($2) ORDER BY key, generation"
);
pub(super) const LAST_USES_TYPES: &[Type] = &[Type::INT8, Type::TEXT_ARRAY];

pub(super) async fn get(runner: &Runner, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
    let rows = runner.read(Ask::Get, &[&id.as_str()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let columns = || Columns::new(row, "keys").after(SEAL);
    // Null where there is no such key: it is never null in the table.
    if columns().optional_text("id").ok().flatten().is_none() {
        return Ok(None);
    }
    columns().stored_key(id).map(Some).map_err(StoreError::backend)
}

pub(super) async fn get_many(runner: &Runner, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
    let asked: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
    let rows = runner.read(Ask::GetMany, &[&asked]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let columns = || Columns::new(row, "keys").after(SEAL);
        let Some(id) = columns().optional_text("id").map_err(StoreError::backend)? else { continue };
        let id = id.parse().map_err(breaks("keys", "id")).map_err(StoreError::backend)?;
        found.push(columns().stored_key(id).map_err(StoreError::backend)?);
    }
    Ok(found)
}

pub(super) async fn last_uses(runner: &Runner, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
    let asked: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
    let rows = runner.read(Ask::LastUses, &[&asked]).await?;
    let mut uses = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut columns = Columns::new(row, "uses").after(SEAL);
        let Some(id) = columns.optional_text("key").map_err(StoreError::backend)? else { continue };
        let id = id.parse().map_err(breaks("uses", "key")).map_err(StoreError::backend)?;
        uses.push(columns.key_use(id).map_err(|unreadable: Unreadable| StoreError::backend(unreadable))?);
    }
    Ok(uses)
}
