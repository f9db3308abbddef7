//! The form of the tables, step by step.

/// One step of a database's form: SQL text, to be run once, in a transaction of its own, in the order of the numbers.
///
/// A store applies what is missing when it opens. A host that changes its databases with a tool of its own runs
/// [`migrations`] with that, and opens the store so that it only checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Of which database.
    pub database: Database,
    /// 1 for the first, one more with each; never reused.
    pub number: u32,
    /// What it is about.
    pub name: &'static str,
    /// The statements, which also note the number in the database.
    pub sql: &'static str,
}

/// A database that speaks SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Database {
    /// SQLite.
    Sqlite,
    /// PostgreSQL. The statements name no schema: they are run with `search_path` set to the one that is to hold the
    /// tables and to `pg_temp` after it.
    Postgres,
}

/// What becomes of a database that lacks migrations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Migrate {
    /// They are applied, by one process at a time; a file or a schema that is not there is made.
    #[default]
    Apply,
    /// It is refused: the host applies [`migrations`] with a tool of its own.
    Check,
}

/// Every step of every database's form, in order. Steps are only ever added.
///
/// ```
/// use access_keys::store::sql::{Database, migrations};
///
/// for migration in migrations().iter().filter(|migration| migration.database == Database::Sqlite) {
///     println!("-- {:04} {}\n{}", migration.number, migration.name, migration.sql);
/// }
/// ```
#[must_use]
pub const fn migrations() -> &'static [Migration] {
    &[
        Migration {
            database: Database::Sqlite,
            number: 1,
            name: "keys",
            sql: include_str!("sqlite/0001_keys.sql"),
        },
        Migration {
            database: Database::Sqlite,
            number: 2,
            name: "seals",
            sql: include_str!("sqlite/0002_seals.sql"),
        },
        Migration {
            database: Database::Sqlite,
            number: 3,
            name: "scope_uses",
            sql: include_str!("sqlite/0003_scope_uses.sql"),
        },
        Migration {
            database: Database::Postgres,
            number: 1,
            name: "keys",
            sql: include_str!("postgres/0001_keys.sql"),
        },
        Migration {
            database: Database::Postgres,
            number: 2,
            name: "seals",
            sql: include_str!("postgres/0002_seals.sql"),
        },
        Migration {
            database: Database::Postgres,
            number: 3,
            name: "scope_uses",
            sql: include_str!("postgres/0003_scope_uses.sql"),
        },
    ]
}
