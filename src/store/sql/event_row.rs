//! An audit event in a row.

use std::str::FromStr;

use super::key_row::revision;
use super::{Unreadable, breaks};
use crate::domain::{AuditEvent, FieldChange, Invalid, KeyId, OperationId, Seal, time};

const TABLE: &str = "events";
const NONE: &str = "none";
const BECAUSE: &str = "because:";
const OPERATION: &str = "operation:";

/// The columns of an event, as a database gives them.
pub(crate) struct EventRow<'r> {
    pub(crate) id: &'r str,
    pub(crate) project: &'r str,
    pub(crate) key: &'r str,
    pub(crate) at: i64,
    pub(crate) actor: &'r str,
    pub(crate) action: &'r str,
    pub(crate) revision: i64,
    pub(crate) changes: &'r str,
    pub(crate) reason: &'r str,
    pub(crate) operation: &'r str,
    pub(crate) seal: &'r str,
}

impl EventRow<'_> {
    pub(crate) fn read(&self) -> Result<AuditEvent, Unreadable> {
        let key = parse::<KeyId>("key", self.key)?;
        self.read_rest(key).map_err(|unreadable| unreadable.of(key))
    }

    fn read_rest(&self, key: KeyId) -> Result<AuditEvent, Unreadable> {
        // The message of a parser might repeat what it could not read.
        let changes = serde_json::from_str::<Vec<FieldChange>>(self.changes)
            .map_err(|_| Unreadable::new(TABLE, "changes", "it is no array of changes"))?;
        Ok(AuditEvent {
            id: parse("id", self.id)?,
            project: parse("project", self.project)?,
            key,
            at: time::of_micros(self.at).map_err(breaks(TABLE, "at"))?,
            actor: parse("actor", self.actor)?,
            action: parse("action", self.action)?,
            revision: revision(TABLE, self.revision)?,
            changes,
            reason: after_word("reason", self.reason, BECAUSE)?.map(str::to_owned),
            operation: after_word("operation", self.operation, OPERATION)?
                .map(|text| parse("operation", text))
                .transpose()?,
            seal: seal(TABLE, "seal", self.seal)?,
        })
    }
}

/// How a reason is written.
pub(crate) fn reason_text(event: &AuditEvent) -> String {
    event.reason.as_ref().map_or_else(|| NONE.to_owned(), |reason| format!("{BECAUSE}{reason}"))
}

/// How an operation is written.
pub(crate) fn operation_text(operation: Option<&OperationId>) -> String {
    operation.map_or_else(|| NONE.to_owned(), |operation| format!("{OPERATION}{operation}"))
}

/// How a seal is written.
pub(crate) fn seal_text(seal: Option<Seal>) -> String {
    seal.map_or_else(|| NONE.to_owned(), |seal| seal.to_string())
}

pub(super) fn seal(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<Option<Seal>, Unreadable> {
    if text == NONE { Ok(None) } else { text.parse().map(Some).map_err(breaks(table, column)) }
}

fn after_word<'t>(
    column: &'static str,
    text: &'t str,
    word: &'static str,
) -> Result<Option<&'t str>, Unreadable> {
    match text.strip_prefix(word) {
        None if text == NONE => Ok(None),
        None => Err(Unreadable::new(TABLE, column, "it begins with no word that is known here")),
        rest => Ok(rest),
    }
}

fn parse<T: FromStr<Err = Invalid>>(column: &'static str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(breaks(TABLE, column))
}
