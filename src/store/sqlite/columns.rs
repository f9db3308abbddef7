//! The columns of a row of SQLite.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::store::sql::Values;

impl Values for Row<'_> {
    fn text(&self, place: usize) -> Result<Option<&str>, &'static str> {
        match self.get_ref(place) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8"),
            Ok(_) => Err("it is no text"),
            Err(_) => Err("it is absent"),
        }
    }

    fn number(&self, place: usize) -> Result<Option<i64>, &'static str> {
        match self.get_ref(place) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Integer(number)) => Ok(Some(number)),
            Ok(_) => Err("it is no whole number"),
            Err(_) => Err("it is absent"),
        }
    }
}
