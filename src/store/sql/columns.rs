//! The columns of a row. Whatever is not of its type is unreadable, like what breaks a rule.

use super::{EventRow, KeyRow, SecretRow, StoredRow, Unreadable, breaks, search_text};
use crate::domain::{AccessKey, AuditEvent, KeyId, Resource, time};
use crate::store::{KeyUse, ScopeUse, StoredKey};

type Read<T> = Result<T, Unreadable>;

/// What [`Columns::access_key`] reads, before a `name_search`, and [`Columns::stored_key`], before the columns of the secrets.
macro_rules! key_columns {
    () => {
        "id, project, environment, name, description, agents, prompts, status, expires_at, revision, created_at, \
         created_by, updated_at, origin"
    };
}
pub(crate) use key_columns;

/// What [`Columns::stored_key`] reads after those.
macro_rules! secret_columns {
    () => {
        "digest, generation, issued_by, older_digest, older_generation, older_issued_by, older_ends_at, last_event, \
         last_seal"
    };
}
pub(crate) use secret_columns;

/// What [`Columns::event`] reads.
macro_rules! event_columns {
    () => {
        "id, project, key, at, actor, action, revision, changes, reason, operation, seal"
    };
}
pub(crate) use event_columns;

/// A row as a driver gives it.
pub(crate) trait Values {
    /// The text at a place; `None` for null. The error says what is wrong, never what is there.
    fn text(&self, place: usize) -> Result<Option<&str>, &'static str>;

    /// The whole number at a place; `None` for null.
    fn number(&self, place: usize) -> Result<Option<i64>, &'static str>;
}

/// The columns of a row, one after the other.
pub(crate) struct Columns<'r, R> {
    row: &'r R,
    table: &'static str,
    at: usize,
}

impl<'r, R: Values> Columns<'r, R> {
    pub(crate) const fn new(row: &'r R, table: &'static str) -> Self {
        Self { row, table, at: 0 }
    }

    /// Those after the first few.
    #[cfg(feature = "postgres")]
    pub(crate) const fn after(mut self, count: usize) -> Self {
        self.at += count;
        self
    }

    pub(crate) fn text(&mut self, column: &'static str) -> Read<&'r str> {
        self.optional_text(column)?.ok_or_else(|| self.wrong(column, "it is null"))
    }

    pub(crate) fn number(&mut self, column: &'static str) -> Read<i64> {
        self.optional_number(column)?.ok_or_else(|| self.wrong(column, "it is null"))
    }

    pub(crate) fn optional_text(&mut self, column: &'static str) -> Read<Option<&'r str>> {
        let value = self.row.text(self.at);
        self.read(column, value)
    }

    pub(crate) fn optional_number(&mut self, column: &'static str) -> Read<Option<i64>> {
        let value = self.row.number(self.at);
        self.read(column, value)
    }

    fn read<T>(&mut self, column: &'static str, value: Result<T, &'static str>) -> Read<T> {
        self.at += 1;
        value.map_err(|problem| self.wrong(column, problem))
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

    fn read_stored_key(&mut self) -> Read<StoredKey> {
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
        StoredRow {
            key,
            newest,
            older,
            last_event: self.text("last_event")?,
            last_seal: self.text("last_seal")?,
        }
        .read()
    }

    fn read_access_key(&mut self) -> Read<AccessKey> {
        let key = self.key()?.read()?;
        if self.text("name_search")? == search_text(&key.name) {
            return Ok(key);
        }
        Err(self.wrong("name_search", "it is not the name in lower case"))
    }

    fn event_row(&mut self) -> Read<EventRow<'r>> {
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
            seal: self.text("seal")?,
        })
    }

    /// The key that was found by `id`, with its secrets.
    pub(crate) fn stored_key(mut self, id: KeyId) -> Read<StoredKey> {
        self.read_stored_key().map_err(|unreadable| unreadable.of(id))
    }

    /// The key that was found by `id`.
    pub(crate) fn access_key(mut self, id: KeyId) -> Read<AccessKey> {
        self.read_access_key().map_err(|unreadable| unreadable.of(id))
    }

    pub(crate) fn event(mut self) -> Read<AuditEvent> {
        self.event_row()?.read()
    }

    /// A use of the key with `id`: its generation and time.
    pub(crate) fn key_use(mut self, id: KeyId) -> Read<KeyUse> {
        self.read_key_use(id).map_err(|unreadable| unreadable.of(id))
    }

    fn read_key_use(&mut self, id: KeyId) -> Read<KeyUse> {
        let generation = u32::try_from(self.number("generation")?).ok().filter(|number| *number > 0);
        let generation = generation.ok_or_else(|| self.wrong("generation", "it is out of range"))?;
        let at = time::of_micros(self.number("at")?).map_err(breaks("uses", "at"))?;
        Ok(KeyUse::new(id, generation, at))
    }

    /// What the key with `id` was used for: the agent or prompt, since when and until when.
    pub(crate) fn scope_use(mut self, id: KeyId) -> Read<ScopeUse> {
        self.read_scope_use(id).map_err(|unreadable| unreadable.of(id))
    }

    fn read_scope_use(&mut self, id: KeyId) -> Read<ScopeUse> {
        let resource: Resource = self.text("resource")?.parse().map_err(breaks("scope_uses", "resource"))?;
        let since = time::of_micros(self.number("since")?).map_err(breaks("scope_uses", "since"))?;
        let at = time::of_micros(self.number("at")?).map_err(breaks("scope_uses", "at"))?;
        if since > at {
            return Err(self.wrong("at", "it is before the first"));
        }
        Ok(ScopeUse::new(id, resource, at).since(since))
    }
}
