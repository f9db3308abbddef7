//! The columns of a row. Whatever is not of its type is unreadable, like what breaks a rule.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::domain::{AccessKey, AuditEvent, KeyId, time};
use crate::store::sql::{EventRow, KeyRow, SecretRow, StoredRow, Unreadable, breaks, search_text};
use crate::store::{KeyUse, StoredKey};

type Read<T> = Result<T, Unreadable>;

/// What [`access_key`] reads, before a `name_search`, and [`stored_key`], before the columns of the secrets.
macro_rules! key_columns {
    () => {
        "id, project, environment, name, description, agents, prompts, status, expires_at, revision, created_at, \
         created_by, updated_at, origin"
    };
}
pub(super) use key_columns;

/// What [`stored_key`] reads after those.
macro_rules! secret_columns {
    () => {
        "digest, generation, issued_by, older_digest, older_generation, older_issued_by, older_ends_at, last_event"
    };
}
pub(super) use secret_columns;

/// What [`event`] reads.
macro_rules! event_columns {
    () => {
        "id, project, key, at, actor, action, revision, changes, reason, operation"
    };
}
pub(super) use event_columns;

/// The columns of a row, one after the other.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    at: usize,
}

impl<'r> Columns<'r> {
    pub(super) const fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Self { row, table, at: 0 }
    }

    pub(super) fn text(&mut self, column: &'static str) -> Read<&'r str> {
        self.optional_text(column)?.ok_or_else(|| self.wrong(column, "it is null"))
    }

    pub(super) fn number(&mut self, column: &'static str) -> Read<i64> {
        self.optional_number(column)?.ok_or_else(|| self.wrong(column, "it is null"))
    }

    pub(super) fn optional_text(&mut self, column: &'static str) -> Read<Option<&'r str>> {
        match self.next(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => {
                std::str::from_utf8(bytes).map(Some).map_err(|_| self.wrong(column, "it is not UTF-8"))
            }
            _ => Err(self.wrong(column, "it is no text")),
        }
    }

    pub(super) fn optional_number(&mut self, column: &'static str) -> Read<Option<i64>> {
        match self.next(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            _ => Err(self.wrong(column, "it is no whole number")),
        }
    }

    fn next(&mut self, column: &'static str) -> Read<ValueRef<'r>> {
        let value = self.row.get_ref(self.at).map_err(|_| self.wrong(column, "it is absent"));
        self.at += 1;
        value
    }

    fn wrong(&self, column: &'static str, problem: &'static str) -> Unreadable {
        Unreadable::new(self.table, column, problem)
    }

    fn key(&mut self) -> Read<KeyRow<'r>> {
        Ok(KeyRow {
            id: self.text("id")?,
            project: self.text("project")?,
            environment: self.text("environment")?,
            name: self.text("name")?,
            description: self.text("description")?,
            agents: self.text("agents")?,
            prompts: self.text("prompts")?,
            status: self.text("status")?,
            expires_at: self.number("expires_at")?,
            revision: self.number("revision")?,
            created_at: self.number("created_at")?,
            created_by: self.text("created_by")?,
            updated_at: self.number("updated_at")?,
            origin: self.text("origin")?,
        })
    }

    fn stored_key(&mut self) -> Read<StoredKey> {
        let key = self.key()?;
        let newest = SecretRow {
            digest: self.text("digest")?,
            generation: self.number("generation")?,
            issued_by: self.text("issued_by")?,
            ends_at: None,
        };
        let older = (
            self.optional_text("older_digest")?,
            self.optional_number("older_generation")?,
            self.optional_text("older_issued_by")?,
            self.optional_number("older_ends_at")?,
        );
        let older = match older {
            (None, None, None, None) => None,
            (Some(digest), Some(generation), Some(issued_by), ends_at @ Some(_)) => {
                Some(SecretRow { digest, generation, issued_by, ends_at })
            }
            _ => return Err(self.wrong("older_digest", "the columns of the older secret are there in part")),
        };
        StoredRow { key, newest, older, last_event: self.text("last_event")? }.read()
    }

    fn access_key(&mut self) -> Read<AccessKey> {
        let key = self.key()?.read()?;
        if self.text("name_search")? == search_text(&key.name) {
            return Ok(key);
        }
        Err(self.wrong("name_search", "it is not the name in lower case"))
    }

    fn event(&mut self) -> Read<EventRow<'r>> {
        Ok(EventRow {
            id: self.text("id")?,
            project: self.text("project")?,
            key: self.text("key")?,
            at: self.number("at")?,
            actor: self.text("actor")?,
            action: self.text("action")?,
            revision: self.number("revision")?,
            changes: self.text("changes")?,
            reason: self.text("reason")?,
            operation: self.text("operation")?,
        })
    }
}

/// The key that was found by `id`, with its secrets.
pub(super) fn stored_key(row: &Row<'_>, id: KeyId) -> Read<StoredKey> {
    Columns::new(row, "keys").stored_key().map_err(|unreadable| unreadable.of(id))
}

/// The key that was found by `id`.
pub(super) fn access_key(row: &Row<'_>, id: KeyId) -> Read<AccessKey> {
    Columns::new(row, "keys").access_key().map_err(|unreadable| unreadable.of(id))
}

pub(super) fn event(row: &Row<'_>) -> Read<AuditEvent> {
    Columns::new(row, "events").event()?.read()
}

/// A use of the key with `id`: its generation and time.
pub(super) fn key_use(row: &Row<'_>, id: KeyId) -> Read<KeyUse> {
    let read = || {
        let mut columns = Columns::new(row, "uses");
        let generation = u32::try_from(columns.number("generation")?).ok().filter(|number| *number > 0);
        let generation = generation.ok_or_else(|| columns.wrong("generation", "it is out of range"))?;
        let at = time::of_micros(columns.number("at")?).map_err(breaks("uses", "at"))?;
        Ok(KeyUse::new(id, generation, at))
    };
    read().map_err(|unreadable: Unreadable| unreadable.of(id))
}
