//! The columns of a row of PostgreSQL.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::store::sql::Values;

impl Values for Row {
    fn text(&self, place: usize) -> Result<Option<&str>, &'static str> {
        value(self, place, "it is no text")
    }

    fn number(&self, place: usize) -> Result<Option<i64>, &'static str> {
        value(self, place, "it is no whole number")
    }
}

/// The driver's own error might repeat what it could not read.
fn value<'r, T: FromSql<'r>>(
    row: &'r Row,
    place: usize,
    problem: &'static str,
) -> Result<Option<T>, &'static str> {
    if place >= row.len() {
        return Err("it is absent");
    }
    row.try_get(place).map_err(|_| problem)
}
