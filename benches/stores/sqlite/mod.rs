//! A file of SQLite.

mod file;
mod host;
mod miss;
mod uses;

use crate::wait::Here;
use crate::{Done, hygiene, page};

pub(crate) fn measure(keys: usize) -> Done {
    let folder = tempfile::tempdir()?;
    let file = file::File::fill(&folder.path().join("keys.db"), keys)?;
    let (host, connection) = (file.host()?, file.connect()?);
    hygiene::measure("sqlite", &host::checkout(&host), &file.store, &Here)?;
    miss::measure(&file)?;
    page::measure("sqlite_page", &host::checkout(&host), "instr", &Here, |sql| {
        Ok(connection.query_row(sql, [], |row| row.get(0))?)
    })?;
    uses::measure(&file)
}
