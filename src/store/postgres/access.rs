//! What a role needs.

use super::opening::is_name;
use super::options::SCHEMA;
use super::problem::Problem;
use crate::store::StoreError;

/// What a role of the database is to do with keys, and no more.
///
/// ```
/// use access_keys::store::PostgresAccess;
///
/// let sql = PostgresAccess::Verify.grants("access_keys", "gateway")?; // run once by the owner of the schema
/// assert!(sql.contains("GRANT SELECT"));
/// assert!(!sql.contains("UPDATE ON \"access_keys\".keys"));
/// # Ok::<(), access_keys::store::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostgresAccess {
    /// A node that verifies and records when keys were used, and for what. It can read digests and cannot change a key.
    Verify,
    /// A node that also generates, edits and revokes keys, and sets the limit. It can delete nothing and bring nothing
    /// back.
    Manage,
}

const VERIFY: &str = "\
    GRANT USAGE ON SCHEMA @s TO @r;\n\
    GRANT SELECT ON @s.keys, @s.events, @s.settings, @s.migrations TO @r;\n\
    GRANT SELECT, INSERT, UPDATE ON @s.uses, @s.scope_uses TO @r;\n";
const MANAGE: &str = "\
    GRANT INSERT, UPDATE ON @s.keys TO @r;\n\
    GRANT INSERT ON @s.events TO @r;\n\
    GRANT USAGE ON SEQUENCE @s.events_seq TO @r;\n\
    GRANT UPDATE ON @s.settings TO @r;\n";

impl PostgresAccess {
    /// The statements that grant it to a role, for the tables of a schema ([`SCHEMA`](Self::SCHEMA) unless the host
    /// chose another).
    ///
    /// # Errors
    /// [`StoreError::Backend`] for a name of a schema or a role that would need quoting.
    pub fn grants(self, schema: &str, role: &str) -> Result<String, StoreError> {
        if !is_name(schema) {
            return Err(StoreError::backend(Problem::SchemaName));
        }
        if !is_name(role) {
            return Err(StoreError::backend(Problem::RoleName));
        }
        let grants = match self {
            Self::Verify => VERIFY.to_owned(),
            Self::Manage => format!("{VERIFY}{MANAGE}"),
        };
        Ok(grants.replace("@s", &format!("\"{schema}\"")).replace("@r", &format!("\"{role}\"")))
    }

    /// The schema of a host that chose no other.
    pub const SCHEMA: &str = SCHEMA;
}
