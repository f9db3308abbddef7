//! What keys were used for, written and read.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::ask::Ask;
use super::runner::{Runner, SEAL, sealed};
use super::writing::{USES_AT_ONCE, again};
use crate::domain::{KeyId, Resource};
use crate::store::sql::{Columns, Unreadable, breaks};
use crate::store::{ScopeUse, StoreError};

/// In the order of the table, so that two who record the same do not wait for each other. Uses of unknown keys are
/// dropped.
pub(super) const SCOPE_USE: &str = "INSERT INTO @scope_uses AS used (key, resource, since, at) \
    SELECT given.key, given.resource, given.since, given.at \
    FROM unnest($1, $2, $3, $4) AS given (key, resource, since, at) \
    WHERE EXISTS (SELECT FROM @keys WHERE id = given.key) ORDER BY given.key, given.resource COLLATE \"C\" \
    ON CONFLICT (key, resource) DO UPDATE SET since = least(used.since, excluded.since), \
    at = greatest(used.at, excluded.at) WHERE used.since > excluded.since OR used.at < excluded.at \
    RETURNING $5::int8";
pub(super) const SCOPE_USE_TYPES: &[Type] =
    &[Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::INT8_ARRAY, Type::INT8];
pub(super) const SCOPE_USES: &str = concat!(
    sealed!(),
    "key, resource, since, at FROM (VALUES (1)) AS one LEFT JOIN @scope_uses ON key = ANY ($2) \
     ORDER BY key, resource"
);
pub(super) const SCOPE_USES_TYPES: &[Type] = &[Type::INT8, Type::TEXT_ARRAY];

/// Records uses of agents and prompts.
pub(super) async fn record(runner: &Runner, uses: &[ScopeUse]) -> Result<(), StoreError> {
    // One statement must not meet a row twice.
    let mut each = BTreeMap::<(KeyId, &Resource), ScopeUse>::new();
    for used in uses {
        let known = each.entry((used.key, &used.resource)).or_insert_with(|| used.clone());
        *known = used.clone().and(known);
    }
    let each: Vec<ScopeUse> = each.into_values().collect();
    for some in each.chunks(USES_AT_ONCE) {
        let ids: Vec<&str> = some.iter().map(|used| used.key.as_str()).collect();
        let resources: Vec<String> = some.iter().map(|used| used.resource.to_string()).collect();
        let since: Vec<i64> = some.iter().map(|used| used.since.timestamp_micros()).collect();
        let at: Vec<i64> = some.iter().map(|used| used.at.timestamp_micros()).collect();
        runner.write(Ask::ScopeUse, &[&ids, &resources, &since, &at]).await.map_err(again)?;
    }
    Ok(())
}

pub(super) async fn of(runner: &Runner, ids: &[KeyId]) -> Result<Vec<ScopeUse>, StoreError> {
    let asked: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
    let rows = runner.read(Ask::ScopeUses, &[&asked]).await?;
    let mut uses = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut columns = Columns::new(row, "scope_uses").after(SEAL);
        let Some(id) = columns.optional_text("key").map_err(StoreError::backend)? else { continue };
        let id = id.parse().map_err(breaks("scope_uses", "key")).map_err(StoreError::backend)?;
        uses.push(columns.scope_use(id).map_err(|unreadable: Unreadable| StoreError::backend(unreadable))?);
    }
    Ok(uses)
}
